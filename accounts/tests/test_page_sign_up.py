"""Making an account: the address is confirmed by the link of a mail, and nobody learns whether it was known."""

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.test import Client

from accounts import addresses, erasing
from accounts.models import Membership, User
from accounts.tests import mailbox
from instagrowth.testing import PASSWORD, Program, everywhere, member

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

NEW = "nina@example.com"


@pytest.fixture
def nobody(nobody_guessed: None) -> Client:
    """Somebody without a session."""
    return Client()


def sign_up(browser: Client, email: str = NEW, password: str = PASSWORD) -> str:
    """Fill the form; what the page after it says, without what differs by address."""
    answer = browser.post("/signup", {"email": email, "password1": password}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode().replace(email, "")


def confirm(browser: Client, email: str = NEW) -> str:
    """Open the link of the newest mail and say yes; where one lands."""
    path = mailbox.link(mailbox.newest(email))
    assert "Is this your e-mail?" in browser.get(path).content.decode()
    return browser.post(path, follow=True).redirect_chain[-1][0]


def is_in(browser: Client) -> bool:
    return "_auth_user_id" in browser.session


def test_a_new_person_confirms_and_is_on_the_dashboard(nobody: Client) -> None:
    page = sign_up(nobody)

    assert "Look at your mail" in page
    assert not is_in(nobody)
    assert confirm(nobody) == "/dashboard/"
    assert is_in(nobody)
    user = User.objects.get(email=NEW)
    with everywhere():
        assert Membership.objects.get(user=user).role == Membership.Role.OWNER
    assert EmailAddress.objects.get(user=user).verified


def test_who_opens_the_link_in_another_browser_signs_in_there_with_the_password(nobody: Client) -> None:
    sign_up(nobody)
    other = Client()

    assert confirm(other) == "/accounts/login/"
    assert not is_in(other)
    assert not is_in(Client())
    other.post("/login", {"login": NEW, "password": PASSWORD})
    assert is_in(other)


def test_a_link_confirms_once(nobody: Client) -> None:
    sign_up(nobody)
    path = mailbox.link(mailbox.newest(NEW))
    confirm(nobody)

    assert "This link no longer works" in Client().get(path).content.decode()


def test_the_links_of_mails_lead_to_our_address_whatever_host_is_asked(nobody: Client, settings: "Settings") -> None:
    settings.ALLOWED_HOSTS = ["localhost", "second.example.com"]

    nobody.post("/signup", {"email": NEW, "password1": PASSWORD}, headers={"Host": "second.example.com"})
    nobody.post("/signup", {"email": NEW, "password1": PASSWORD}, headers={"Host": "second.example.com"})
    nobody.post("/accounts/password/reset/", {"email": NEW}, headers={"Host": "second.example.com"})
    nobody.post("/accounts/password/reset/", {"email": "who@example.com"}, headers={"Host": "second.example.com"})

    for address in (NEW, "who@example.com"):
        assert mailbox.link(mailbox.newest(address))
    assert not any("second.example.com" in str(mail.message()) for mail in mailbox.mail.outbox)


def test_a_known_address_gets_a_mail_and_the_page_says_the_same(nobody: Client, alice: User) -> None:
    new, known = sign_up(nobody), sign_up(Client(), alice.email, "another long password 1")

    assert _plain(known) == _plain(new)
    assert mailbox.subjects(alice.email) == ["You already have an account"]
    assert User.objects.count() == 2
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def _plain(page: str) -> str:
    """A page without its CSRF token."""
    return re.sub(r'csrf[a-z-]*" (content|value)="[^"]*"', "", page)


def test_who_has_not_confirmed_is_told_at_the_door_and_gets_a_new_link(nobody: Client, visitor: Program) -> None:
    sign_up(nobody)
    other = Client()

    page = other.post("/login", {"login": NEW, "password": PASSWORD}, follow=True).content.decode()

    assert "Look at your mail" in page
    assert not is_in(other)
    assert mailbox.subjects(NEW) == ["Confirm your e-mail"] * 2
    answer = visitor.post("/api/auth/login", {"login": NEW, "password": PASSWORD})
    assert (answer.status_code, answer.json()["error"]) == (403, "EMAIL_UNCONFIRMED")
    assert confirm(other) == "/dashboard/"


def test_after_five_mails_an_hour_the_door_says_so(nobody: Client) -> None:
    sign_up(nobody)
    for _ in range(5):
        page = Client().post("/login", {"login": NEW, "password": PASSWORD}, follow=True).content.decode()

    assert "E-AUTH-W-0005" in page
    assert len(mailbox.subjects(NEW)) == 5


def test_a_person_with_an_access_code_alone_needs_no_address(nobody: Client) -> None:
    bearer = User.objects.make(password=PASSWORD)

    nobody.post("/login", {"login": bearer.access_code, "password": PASSWORD})

    assert is_in(nobody)


def test_who_owns_the_address_takes_over_what_a_stranger_signed_up_with_it(nobody: Client) -> None:
    sign_up(nobody, password="the password of a stranger")
    owner = Client()
    sign_up(owner)
    assert mailbox.newest(NEW).subject == "You already have an account"

    owner.post("/accounts/password/reset/", {"email": NEW})
    form = owner.get(mailbox.link(mailbox.newest(NEW)), follow=True).request["PATH_INFO"]
    owner.post(form, {"password1": "the owner's own password", "password2": "the owner's own password"})

    nobody.post("/login", {"login": NEW, "password": "the password of a stranger"})
    assert not is_in(nobody)
    owner.post("/login", {"login": NEW, "password": "the owner's own password"})
    assert is_in(owner)


def test_a_sign_up_gives_way_to_who_confirms_the_address_as_a_further_one(nobody: Client, alice: User) -> None:
    sign_up(nobody)
    EmailAddress.objects.create(user=alice, email=NEW)
    hers = Client()
    hers.force_login(alice)
    key = EmailConfirmationHMAC(EmailAddress.objects.get(user=alice, email=NEW)).key
    hers.post(f"/accounts/confirm-email/{key}/")

    assert EmailAddress.objects.get(email=NEW, verified=True).user == alice
    assert not User.objects.filter(email=NEW).exists()


def test_a_further_address_that_nobody_confirmed_keeps_no_one_from_signing_up(nobody: Client, alice: User) -> None:
    EmailAddress.objects.create(user=alice, email=NEW)

    sign_up(nobody)

    assert mailbox.subjects(NEW) == ["Confirm your e-mail"]
    assert confirm(nobody) == "/dashboard/"


def test_sign_ups_that_nobody_confirms_go_after_a_week_and_nobody_else_does(nobody: Client) -> None:
    sign_up(nobody)
    sign_up(Client(), "slow@example.com")
    kept = member("kept")
    User.objects.exclude(email="slow@example.com").update(created_at=kept.created_at - timedelta(days=8))

    addresses.forget_unconfirmed()
    erasing.erase_due()

    assert set(User.objects.values_list("email", flat=True)) == {"slow@example.com", "kept@example.com"}
