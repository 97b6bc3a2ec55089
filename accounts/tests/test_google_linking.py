"""Linking and unlinking Google; nothing but Google's own number for a person ever opens an account."""

from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.core import mail

from accounts.models import User
from accounts.tests.google_trip import CONNECTIONS, LOGIN, Trip, linked
from errors.models import ActivityLog
from instagrowth.testing import PASSWORD, everywhere
from sandbox.testing import Control

pytestmark = pytest.mark.django_db
SAY_LINK_FIRST = b"Sign in with your password, then link Google in your security settings."


@pytest.fixture
def browser(google: Control, alice: User) -> Trip:
    """Alice's, signed in with her password a while ago."""
    trip = Trip(google)
    trip.force_login(alice)
    return trip


@pytest.fixture
def sub(google: Control) -> str:
    return str(google.google_person("alice.private@gmail.example", name="Alice Private")["sub"])


def mails() -> list[tuple[str, str]]:
    return [(sent.to[0], sent.subject) for sent in mail.outbox]


def test_linking_asks_for_the_password_first_and_tells_by_mail(browser: Trip, sub: str, alice: User) -> None:
    answer = browser.link(sub)

    with everywhere():
        deeds = list(ActivityLog.objects.filter(user_id=alice.pk).values_list("action", flat=True))
    alice.refresh_from_db()
    assert (answer["Location"], alice.google_id, alice.email) == (CONNECTIONS, sub, "alice@example.com")
    assert "google_linked" in deeds
    assert mails() == [("alice@example.com", "Google was linked")]
    page = browser.get(CONNECTIONS).content
    assert b"alice.private@gmail.example" in page
    assert b"Google is linked. It opens your account from now on." in page


def test_a_linked_google_account_signs_in(browser: Trip, sub: str, alice: User, google: Control) -> None:
    browser.link(sub)
    other_browser = Trip(google)
    other_browser.round_trip(sub)

    assert (other_browser.who, User.objects.count()) == (str(alice.pk), 1)


def test_without_the_password_nothing_is_linked(browser: Trip, sub: str, alice: User) -> None:
    asked = browser.post(LOGIN, {"process": "connect"})

    assert asked["Location"].startswith("/accounts/reauthenticate/")
    assert (alice.google_id, "socialaccount_states" in browser.session) == (None, False)


def test_the_proof_is_asked_for_again_when_it_got_old_on_the_way(browser: Trip, sub: str, alice: User) -> None:
    sent = browser.proves_it(browser.post(LOGIN, {"process": "connect"}))
    session = browser.session
    session["account_authentication_methods"] = []
    session.save()
    asked = browser.get(browser.chosen(sent["Location"], sub))

    assert (asked["Location"], alice.google_id) == ("/accounts/reauthenticate/", None)


def test_linking_the_same_account_again_changes_nothing(browser: Trip, sub: str) -> None:
    browser.link(sub)
    browser.round_trip(sub, "connect")

    assert SocialAccount.objects.count() == 1
    assert b"This Google account was linked already." in browser.get(CONNECTIONS).content


def test_a_person_has_one_google_account(browser: Trip, sub: str, alice: User, google: Control) -> None:
    browser.link(sub)
    second = google.google_person("alice.second@gmail.example")["sub"]
    answer = browser.round_trip(second, "connect")

    assert (answer.status_code, alice.google_id) == (409, sub)
    assert b"E-AUTH-E-0040" in answer.content


def test_unlinking_asks_for_the_password_and_tells_by_mail(browser: Trip, sub: str, alice: User) -> None:
    linked(alice, sub)
    answer = browser.post(CONNECTIONS, {"account": SocialAccount.objects.get().pk})
    assert SocialAccount.objects.count() == 1
    browser.proves_it(answer)

    assert alice.google_id is None
    assert mails() == [("alice@example.com", "Google was unlinked")]
    assert b"Google is unlinked." in browser.get(CONNECTIONS).content


def test_nobody_unlinks_for_somebody_else(browser: Trip, sub: str, charlie: User) -> None:
    linked(charlie, sub)
    answer = browser.post(CONNECTIONS, {"account": SocialAccount.objects.get().pk})

    assert (answer.status_code, charlie.google_id) == (200, sub)


def test_the_last_way_in_is_not_closed_until_there_is_a_password(google: Control, nobody_guessed: None) -> None:
    trip = Trip(google)
    trip.round_trip(google.google_person("nora@example.com")["sub"])
    refused = trip.post(CONNECTIONS, {"account": SocialAccount.objects.get().pk})
    assert b"E-AUTH-E-0041" in refused.content
    assert SocialAccount.objects.count() == 1

    weak = trip.post("/accounts/password/set/", {"password1": "password", "password2": "password"})
    assert b"E-AUTH-E-0010" in weak.content or b"too" in weak.content
    trip.post("/accounts/password/set/", {"password1": PASSWORD, "password2": PASSWORD})
    assert User.objects.get().check_password(PASSWORD)
    assert trip.who == str(User.objects.get().pk)

    trip.proves_it(trip.post(CONNECTIONS, {"account": SocialAccount.objects.get().pk}))
    assert SocialAccount.objects.count() == 0


def test_who_turns_back_while_linking_is_where_they_were(browser: Trip, google: Control, alice: User) -> None:
    sent = browser.proves_it(browser.post(LOGIN, {"process": "connect"}))
    back = google.google_chooses(sent["Location"]).removeprefix("http://testserver")
    answer = browser.get(back, follow=True)

    assert answer.redirect_chain[-1] == (CONNECTIONS, 302)
    assert (b"Nothing was linked." in answer.content, alice.google_id) == (True, None)


def test_the_page_stands_without_google(browser: Trip, alice: User, sub: str, settings: object) -> None:
    linked(alice, sub)
    settings.SOCIALACCOUNT_PROVIDERS = {}  # type: ignore[attr-defined]
    browser.proves_it(browser.post(CONNECTIONS, {"account": SocialAccount.objects.get().pk}))

    assert alice.google_id is None
    assert b"Google sign-in is off here" in browser.get(CONNECTIONS).content


# Row 12 of RELIABILITY: a Google account never opens the account of somebody who did not link it.

Way = Callable[[Control, User, User], Trip]


def her_address(google: Control, alice: User, charlie: User) -> Trip:
    """Somebody proves to Google that Alice's address is theirs."""
    return trip_of(google, google.google_person("alice@example.com")["sub"])


def her_address_in_capitals(google: Control, alice: User, charlie: User) -> Trip:
    return trip_of(google, google.google_person("ALICE@Example.COM")["sub"])


def her_address_unconfirmed(google: Control, alice: User, charlie: User) -> Trip:
    return trip_of(google, google.google_person("alice@example.com", email_verified=False)["sub"])


def her_second_address(google: Control, alice: User, charlie: User) -> Trip:
    EmailAddress.objects.create(user=alice, email="alice.second@example.com", verified=True)
    return trip_of(google, google.google_person("alice.second@example.com")["sub"])


def an_address_she_has_not_confirmed(google: Control, alice: User, charlie: User) -> Trip:
    EmailAddress.objects.create(user=alice, email="alice.third@example.com", verified=False)
    return trip_of(google, google.google_person("alice.third@example.com")["sub"])


def her_address_once_she_unlinked(google: Control, alice: User, charlie: User) -> Trip:
    sub = google.google_person("alice@example.com")["sub"]
    linked(alice, sub).socialaccount_set.all().delete()
    return trip_of(google, sub)


def her_address_though_she_is_switched_off(google: Control, alice: User, charlie: User) -> Trip:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    return trip_of(google, google.google_person("alice@example.com")["sub"])


def her_address_though_she_signs_in_with_staff(google: Control, alice: User, charlie: User) -> Trip:
    User.objects.filter(pk=alice.pk).update(role=User.Role.ADMIN)
    return trip_of(google, google.google_person("alice@example.com")["sub"])


def charlies_account_renamed_to_her_address(google: Control, alice: User, charlie: User) -> Trip:
    sub = google.google_person("charlie@gmail.example")["sub"]
    linked(charlie, sub)
    google.google_person("alice@example.com", sub=sub)
    return trip_of(google, sub)


def her_own_browser_with_a_foreign_account(google: Control, alice: User, charlie: User) -> Trip:
    """Signed in, she presses "Continue with Google" on a sign-in page, not "Link"."""
    trip = Trip(google)
    trip.force_login(alice)
    trip.round_trip(google.google_person("alice@example.com")["sub"])
    return trip


def charlies_account_linked_by_her(google: Control, alice: User, charlie: User) -> Trip:
    sub = google.google_person("charlie@gmail.example")["sub"]
    linked(charlie, sub)
    trip = Trip(google)
    trip.force_login(alice)
    assert trip.link(sub).status_code == 409
    return trip


def an_attackers_answer_in_her_browser(google: Control, alice: User, charlie: User) -> Trip:
    """The attacker begins to link his own account, and makes her browser finish it."""
    attacker, victim = Trip(google), Trip(google)
    attacker.force_login(charlie)
    sent = attacker.proves_it(attacker.post(LOGIN, {"process": "connect"}))
    his_answer = attacker.chosen(sent["Location"], google.google_person("evil@gmail.example")["sub"])
    victim.force_login(alice)
    assert victim.get(his_answer).status_code == 401
    return victim


def trip_of(google: Control, sub: str) -> Trip:
    trip = Trip(google)
    answer = trip.round_trip(sub)
    if trip.who is None:
        assert answer.status_code in (401, 409)
        assert (SAY_LINK_FIRST in answer.content) == (answer.status_code == 409)
    return trip


WAYS: list[Way] = [
    her_address,
    her_address_in_capitals,
    her_address_unconfirmed,
    her_second_address,
    an_address_she_has_not_confirmed,
    her_address_once_she_unlinked,
    her_address_though_she_is_switched_off,
    her_address_though_she_signs_in_with_staff,
    charlies_account_renamed_to_her_address,
    her_own_browser_with_a_foreign_account,
    charlies_account_linked_by_her,
    an_attackers_answer_in_her_browser,
]


OWN_BROWSER = (
    her_own_browser_with_a_foreign_account,
    charlies_account_linked_by_her,
    an_attackers_answer_in_her_browser,
)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_nothing_but_her_own_linking_opens_alices_account(
    google: Control, alice: User, charlie: User, way: Way, record_property: Callable[[str, object], None]
) -> None:
    trip = way(google, alice, charlie)

    auto_links = SocialAccount.objects.filter(user=alice).count()
    record_property("auto_links", auto_links)
    assert (auto_links, User.objects.count()) == (0, 2)
    assert (trip.who == str(alice.pk)) == (way in OWN_BROWSER)


def test_the_guard_is_what_keeps_them_out(google: Control, alice: User, settings: object) -> None:
    """The negative control: linked by mail, as allauth can, she would be in."""
    settings.SOCIALACCOUNT_EMAIL_AUTHENTICATION = True  # type: ignore[attr-defined]
    trip = her_address(google, alice, alice)

    assert trip.who == str(alice.pk)
