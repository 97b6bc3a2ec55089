"""The addresses of a person: added, confirmed, made the main one, removed; each told by mail."""

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from accounts.models import User
from accounts.tests import mailbox
from instagrowth.testing import PASSWORD

EMAILS = "/accounts/email/"
SECOND = "second@example.com"


def signed_in(user: User) -> Client:
    """Somebody who signed in, and proved once more who they are."""
    browser = Client()
    browser.post("/login", {"login": user.email or user.access_code, "password": PASSWORD})
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return browser


def press(browser: Client, button: str, email: str) -> str:
    answer = browser.post(EMAILS, {"email": email, f"action_{button}": ""}, follow=True)
    return answer.content.decode()


def second(user: User, *, verified: bool = True) -> EmailAddress:
    return EmailAddress.objects.create(user=user, email=SECOND, verified=verified)


def test_another_address_is_added_confirmed_and_told(alice: User) -> None:
    browser = signed_in(alice)

    assert SECOND in press(browser, "add", SECOND)
    browser.post(mailbox.link(mailbox.newest(SECOND)))

    assert EmailAddress.objects.get(email=SECOND).verified
    assert mailbox.subjects(SECOND) == ["Confirm your e-mail"]
    assert mailbox.subjects(alice.email) == ["An e-mail was added"]
    alice.refresh_from_db()
    assert alice.email == "alice@example.com"


def test_a_confirmed_address_becomes_the_main_one_and_both_are_told(alice: User) -> None:
    second(alice)

    press(signed_in(alice), "primary", SECOND)

    alice.refresh_from_db()
    assert alice.email == SECOND
    for address in (SECOND, "alice@example.com"):
        assert mailbox.subjects(address) == ["Your main e-mail was changed"]
        assert "was alice@example.com and is now second@example.com" in mailbox.newest(address).body


def test_an_unconfirmed_address_does_not_become_the_main_one(alice: User) -> None:
    second(alice, verified=False)

    assert "is not confirmed yet" in press(signed_in(alice), "primary", SECOND)

    alice.refresh_from_db()
    assert alice.email == "alice@example.com"


def test_a_removed_address_is_told_of_it_too(alice: User) -> None:
    second(alice)

    press(signed_in(alice), "remove", SECOND)

    assert not EmailAddress.objects.filter(email=SECOND).exists()
    for address in (SECOND, alice.email):
        assert mailbox.subjects(address) == ["An e-mail was removed"]


def test_the_main_address_stays_with_a_person_who_has_no_other_way_in(alice: User) -> None:
    press(signed_in(alice), "remove", alice.email)

    assert EmailAddress.objects.filter(email=alice.email).exists()


def test_a_person_with_an_access_code_adds_an_address_and_takes_it_away_again(nobody_guessed: None) -> None:
    bearers = [User.objects.make(password=PASSWORD) for _ in range(2)]
    for number, bearer in enumerate(bearers):
        browser, email = signed_in(bearer), f"bearer{number}@example.com"
        assert "There is no e-mail" in browser.get(EMAILS).content.decode()
        press(browser, "add", email)
        bearer.refresh_from_db()
        assert bearer.email is None

        browser.post(mailbox.link(mailbox.newest(email)))
        bearer.refresh_from_db()
        assert bearer.email == email

    for bearer in bearers:
        press(signed_in(bearer), "remove", bearer.email)
        bearer.refresh_from_db()
        assert bearer.email is None


def test_an_address_that_somebody_else_confirmed_is_not_taken(alice: User, charlie: User) -> None:
    browser = signed_in(alice)

    press(browser, "add", charlie.email)
    link = mailbox.link(mailbox.newest(charlie.email))

    assert "Already confirmed elsewhere" in browser.get(link).content.decode()
    browser.post(link)
    assert not EmailAddress.objects.get(user=alice, email=charlie.email).verified


def test_a_session_alone_must_prove_who_it_is_before_anything_changes(alice: User) -> None:
    second(alice)
    browser = Client()
    browser.post("/login", {"login": alice.email, "password": PASSWORD})

    for button, email in (("add", "thief@example.com"), ("primary", SECOND), ("remove", SECOND)):
        answer = browser.post(EMAILS, {"email": email, f"action_{button}": ""})
        assert answer["Location"].startswith("/accounts/reauthenticate/")

    alice.refresh_from_db()
    assert alice.email == "alice@example.com"
    assert EmailAddress.objects.filter(user=alice).count() == 2
    assert mailbox.mail.outbox == []


@pytest.mark.parametrize(("button", "times"), [("send", 5), ("add", 5)])
def test_mails_to_one_address_are_counted(button: str, times: int, alice: User) -> None:
    browser = signed_in(alice)
    if button == "send":
        second(alice, verified=False)

    for _ in range(times + 1):
        if button == "add":
            EmailAddress.objects.filter(email=SECOND).delete()
        page = press(browser, button, SECOND)

    assert "E-AUTH-W-0005" in page
    assert len(mailbox.subjects(SECOND)) == times


def test_changes_of_one_person_are_counted(alice: User) -> None:
    browser = signed_in(alice)

    pages = [press(browser, "add", f"a{number}@example.com") for number in range(21)]

    assert "E-AUTH-W-0005" not in pages[19]
    assert "E-AUTH-W-0005" in pages[20]


def test_charlie_cannot_touch_alices_addresses(alice: User, charlie: User) -> None:
    second(alice)

    for button in ("primary", "remove", "send"):
        press(signed_in(charlie), button, SECOND)

    assert EmailAddress.objects.filter(user=alice).count() == 2
    assert mailbox.mail.outbox == []
