"""Turning the authenticator app off, on the page."""

from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core.mail import EmailMessage
from django.test import Client
from django.utils.timezone import now

from accounts import limits
from accounts.models import User
from accounts.tests.factor import code_of, next_code, reauthenticate, recovery_codes_of, with_app
from errors.exceptions import BotException
from instagrowth.testing import PASSWORD

PAGE = "/accounts/2fa/totp/deactivate/"
AGAIN = "/accounts/2fa/reauthenticate/"


@pytest.fixture
def secret(client: Client, alice: User) -> str:
    """Alice is signed in and has an app."""
    client.force_login(alice)
    return with_app(alice)


def test_a_hijacked_session_that_knows_the_password_does_not_remove_it(
    client: Client, alice: User, secret: str, mailoutbox: list[EmailMessage]
) -> None:
    """Row 24."""
    asked = client.post(PAGE)
    by_password = client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    again = client.post(PAGE)

    for answer in (asked, by_password, again):
        assert answer.headers["Location"].startswith(AGAIN)
    assert alice.is_two_factor_enabled
    assert mailoutbox == []


def test_a_code_removes_it_and_a_mail_tells(
    client: Client, alice: User, secret: str, mailoutbox: list[EmailMessage]
) -> None:
    recovery_codes_of(alice)
    client.post(AGAIN, {"code": code_of(secret)})

    shown = client.get(PAGE).content.decode()
    answer = client.post(PAGE, follow=True)

    assert "Turn off the authenticator app?" in shown
    assert "The authenticator app is off." in answer.content.decode()
    assert not Authenticator.objects.filter(user=alice).exists()
    assert [mail.subject for mail in mailoutbox] == ["The second factor is off"]
    print(f"removed=0 mails={len(mailoutbox)}")


def test_what_was_asked_is_done_after_the_code(client: Client, alice: User, secret: str) -> None:
    again = client.post(PAGE).headers["Location"]

    client.post(again, {"code": code_of(secret), "next": PAGE})

    assert not alice.is_two_factor_enabled


def test_the_proof_lasts_five_minutes(client: Client, alice: User, secret: str) -> None:
    client.post(AGAIN, {"code": code_of(secret)})

    with time_machine.travel(now() + timedelta(seconds=301), tick=False):
        client.post(PAGE)

    assert alice.is_two_factor_enabled


def test_the_code_of_the_sign_in_is_not_proof_enough(alice: User) -> None:
    secret = with_app(alice)
    client = Client()
    client.post("/login", {"login": alice.email, "password": PASSWORD})
    code = code_of(secret)  # the very one, whatever the second
    client.post("/accounts/2fa/authenticate/", {"code": code})

    answer = client.post(AGAIN, {"code": code}).content.decode()
    assert "E-AUTH-E-0003" in answer
    client.post(PAGE)
    assert alice.is_two_factor_enabled

    client.post(AGAIN, {"code": next_code(secret)})
    client.post(PAGE)
    assert not alice.is_two_factor_enabled


def test_wrong_codes_here_count_too(client: Client, alice: User, secret: str) -> None:
    for _ in range(5):
        client.post(AGAIN, {"code": "000000"})

    answer = client.post(AGAIN, {"code": code_of(secret)}).content.decode()

    assert "E-AUTH-W-0005" in answer


def test_wrong_passwords_count_like_guesses_at_the_door(client: Client, alice: User) -> None:
    client.force_login(alice)
    for _ in range(5):
        client.post("/accounts/reauthenticate/", {"password": "wrong"})

    answer = client.post("/accounts/reauthenticate/", {"password": PASSWORD}).content.decode()

    assert "E-AUTH-W-0005" in answer
    with pytest.raises(BotException):
        limits.take(limits.GUESS, alice.email)


def test_somebody_elses_app_stays(client: Client, alice: User, charlie: User) -> None:
    with_app(charlie)
    client.force_login(alice)
    reauthenticate(client)

    assert client.post(PAGE).headers["Location"] == "/accounts/2fa/"
    assert charlie.is_two_factor_enabled


def test_a_stranger_is_sent_to_the_door(client: Client, db: None) -> None:
    assert client.post(PAGE).headers["Location"].startswith("/accounts/login/")
