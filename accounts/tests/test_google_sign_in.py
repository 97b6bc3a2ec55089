"""Signing in and up with Google."""

import pytest
import requests
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.core import mail
from django.test import Client

from accounts import limits
from accounts.models import Membership, User
from accounts.tests.google_trip import CALLBACK, DASHBOARD, LOGIN, Trip, linked
from errors.models import ActivityLog
from instagrowth.testing import PASSWORD, everywhere, workspace_of
from sandbox.testing import Control

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(google: Control, nobody_guessed: None) -> Trip:
    return Trip(google)


@pytest.fixture
def nora(google: Control) -> str:
    """She has a Google account and is new here."""
    return str(google.google_person("Nora.New@example.com", name="  Nora   New ")["sub"])


def test_a_new_person_gets_an_account_and_a_workspace_of_their_own(browser: Trip, nora: str) -> None:
    answer = browser.round_trip(nora)

    user = User.objects.get()
    with everywhere():
        place = Membership.objects.select_related("workspace").get(user=user)
        told = list(ActivityLog.objects.filter(user_id=user.pk).values_list("action", "metadata__door"))
    assert (answer.status_code, answer["Location"], browser.who) == (302, DASHBOARD, str(user.pk))
    assert (user.email, user.name, user.access_code, user.google_id) == (
        "nora.new@example.com",
        "Nora New",
        None,
        nora,
    )
    assert (place.role, place.workspace.name) == ("owner", "Nora New's workspace")
    assert list(EmailAddress.objects.values_list("email", "verified", "primary")) == [(user.email, True, True)]
    assert not user.has_usable_password()
    assert told == [("user_created", "google")]
    assert browser.get(DASHBOARD).status_code == 200


def test_google_keeps_no_token_here_and_tells_little(browser: Trip, nora: str) -> None:
    browser.round_trip(nora)

    assert SocialAccount.objects.get().extra_data == {"email": "Nora.New@example.com", "name": "  Nora   New "}
    assert SocialToken.objects.count() == 0


def test_the_same_google_account_comes_back_as_the_same_person(browser: Trip, nora: str, google: Control) -> None:
    browser.round_trip(nora)
    google.google_person("married.name@example.com", sub=nora)
    again = Trip(google)
    again.round_trip(nora)

    assert (User.objects.count(), again.who) == (1, browser.who)
    assert User.objects.get().email == "nora.new@example.com"


def test_two_new_persons_are_two(browser: Trip, google: Control) -> None:
    subs = [google.google_person(f"{name}@example.com")["sub"] for name in ("one", "two")]
    for sub in subs:
        Trip(google).round_trip(sub)

    assert sorted(user.google_id or "" for user in User.objects.all()) == sorted(subs)


def test_the_second_factor_is_still_asked_for(browser: Trip, nora: str, alice: User) -> None:
    linked(alice, nora)
    Authenticator.objects.create(user=alice, type=Authenticator.Type.TOTP, data={"secret": "sealed"})
    answer = browser.round_trip(nora)

    assert (answer["Location"], browser.who) == ("/accounts/2fa/authenticate/", None)
    assert browser.get(DASHBOARD)["Location"].startswith("/accounts/login/")


def test_somebody_with_an_access_code_and_no_mail_can_use_it(browser: Trip, nora: str, nobody_guessed: None) -> None:
    user = User.objects.make(password=PASSWORD)
    linked(user, nora)
    browser.round_trip(nora)

    assert browser.who == str(user.pk)


def test_whose_password_must_be_changed_is_asked_for_that_first(browser: Trip, nora: str, alice: User) -> None:
    alice.must_change_password = True
    alice.save()
    linked(alice, nora)
    browser.round_trip(nora)

    assert browser.get(DASHBOARD)["Location"] == "/profile/change-password"


def test_who_is_switched_off_stays_out(browser: Trip, nora: str, alice: User) -> None:
    alice.is_active = False
    alice.save()
    linked(alice, nora)
    answer = browser.round_trip(nora)

    assert (answer.status_code, browser.who) == (403, None)
    assert b"E-AUTH-E-0012" in answer.content


def test_staff_have_another_door(browser: Trip, nora: str, admin: User) -> None:
    linked(admin, nora)
    answer = browser.round_trip(nora)

    assert (answer.status_code, browser.who) == (401, None)
    assert b"E-AUTH-E-0029" in answer.content


@pytest.mark.parametrize(
    "fields", [{"email": "shy@example.com", "email_verified": False}, {"email": None, "sub": "77"}]
)
def test_an_unconfirmed_or_missing_address_does_not_sign_up(
    browser: Trip, google: Control, fields: dict[str, object]
) -> None:
    answer = browser.round_trip(google.google_person(**fields)["sub"])  # type: ignore[arg-type]

    assert (answer.status_code, User.objects.count(), browser.who) == (401, 0, None)
    assert b"Google has not confirmed the e-mail address of this account." in answer.content


def test_new_people_are_counted_by_where_they_come_from(google: Control, nobody_guessed: None) -> None:
    subs = [google.google_person(f"n{number}@example.com")["sub"] for number in range(limits.SIGN_UP.amount + 1)]
    answers = [Trip(google).round_trip(sub) for sub in subs]

    assert [answer.status_code for answer in answers] == [302] * limits.SIGN_UP.amount + [429]
    assert User.objects.count() == limits.SIGN_UP.amount
    assert int(answers[-1]["Retry-After"]) > 0


def test_who_turns_back_at_google_is_told_so(browser: Trip, google: Control) -> None:
    consent = browser.to_google()
    answer = browser.get(google.google_chooses(consent).removeprefix("http://testserver"), follow=True)

    assert b"You turned back at Google." in answer.content
    assert (answer.status_code, User.objects.count()) == (200, 0)


def test_nobody_is_sent_to_google_by_a_link(browser: Trip) -> None:
    answer = browser.get(f"{LOGIN}?process=login")

    assert (answer.status_code, b'method="post"' in answer.content) == (200, True)
    assert "socialaccount_states" not in browser.session


def test_a_foreign_page_cannot_press_the_button(google: Control) -> None:
    assert Trip(google, enforce_csrf_checks=True).post(LOGIN, {"process": "login"}).status_code == 403


def test_what_is_asked_of_google_cannot_be_changed_by_a_link(browser: Trip) -> None:
    sent = browser.post(f"{LOGIN}?scope=https://mail.google.com/&auth_params=prompt%3Dnone", {"process": "login"})

    asked = requests.utils.unquote(sent["Location"])
    assert "mail.google.com" not in asked
    assert "prompt=select_account" in asked
    assert "code_challenge_method=S256" in asked


def test_the_pages_have_the_button_and_name_the_sandbox(browser: Trip) -> None:
    for page in ("/login", "/signup"):
        words = browser.get(page).content.decode()
        assert "Continue with Google" in words
        assert "Sandbox" in words


def test_without_keys_there_is_no_button_and_no_door(client: Client, settings: object, db: None) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = {}  # type: ignore[attr-defined]

    assert "Google" not in client.get("/login").content.decode()
    assert [client.post(LOGIN).status_code, client.get(CALLBACK).status_code] == [404, 404]


def test_other_names_of_the_same_door_are_shut(browser: Trip) -> None:
    names = ("openid_connect", "GOOGLE", "google ", "x")
    paths = [f"/accounts/oidc/{name}/login/{more}" for name in names for more in ("", "callback/")]

    assert {browser.get(path).status_code for path in paths} == {404}


def test_signing_up_sends_no_mail_that_asks_to_confirm(browser: Trip, nora: str) -> None:
    browser.round_trip(nora)

    assert [sent.subject for sent in mail.outbox if "onfirm" in sent.subject] == []


def test_a_plan_and_a_workspace_are_the_new_persons_alone(browser: Trip, nora: str, alice: User) -> None:
    browser.round_trip(nora)

    assert workspace_of(User.objects.get(email="nora.new@example.com")) != workspace_of(alice)
