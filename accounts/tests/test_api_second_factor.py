"""The second factor through the API: enable, confirm, sign in with a code, disable."""

import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.utils.timezone import now

from accounts.models import ApiToken, User
from accounts.tests.factor import code_of, next_code, with_app
from instagrowth.testing import PASSWORD, Program

LOGIN = {"login": "alice@example.com", "password": PASSWORD}
Api = Callable[[User], Program]


def challenge_for(visitor: Program) -> str:
    answer = visitor.post("/api/auth/login", LOGIN)
    asked = answer.json()
    assert (answer.status_code, asked["success"], asked["requires_2fa"]) == (200, False, True)
    assert "token" not in asked
    return asked["challenge"]


def test_enabling_gives_a_secret_and_a_picture_of_it(api: Api, alice: User) -> None:
    answer = api(alice).post("/api/auth/2fa/enable").json()

    url = urlsplit(answer["otpauth_url"])
    assert (url.scheme, url.netloc, url.path) == ("otpauth", "totp", "/InstaGrowth%20OS%3Aalice%40example.com")
    assert parse_qs(url.query)["issuer"] == ["InstaGrowth OS"]
    assert len(parse_qs(url.query)["secret"][0]) == 32
    assert ET.fromstring(answer["qr_svg"]).tag == "{http://www.w3.org/2000/svg}svg"
    assert not alice.is_two_factor_enabled


def test_the_first_code_turns_it_on_and_gives_recovery_codes(
    api: Api, alice: User, mailoutbox: list[EmailMessage]
) -> None:
    program = api(alice)
    secret = parse_qs(urlsplit(program.post("/api/auth/2fa/enable").json()["otpauth_url"]).query)["secret"][0]

    answer = program.post("/api/auth/2fa/confirm", {"code": code_of(secret)}).json()

    assert answer["success"] is True
    assert len(set(answer["recovery_codes"])) == 10
    assert program.get("/api/auth/me").json()["user"]["is_two_factor_enabled"] is True
    assert [mail.subject for mail in mailoutbox] == ["The second factor is on"]


def test_a_wrong_first_code_turns_nothing_on(api: Api, alice: User) -> None:
    program = api(alice)
    program.post("/api/auth/2fa/enable")

    answer = program.post("/api/auth/2fa/confirm", {"code": "000000"})

    assert (answer.status_code, answer.json()["error"]) == (401, "SECOND_FACTOR_WRONG")
    assert not alice.is_two_factor_enabled


def test_a_secret_waits_for_the_program_it_was_shown_to(api: Api, alice: User) -> None:
    first, second = api(alice), api(alice)
    secret = parse_qs(urlsplit(first.post("/api/auth/2fa/enable").json()["otpauth_url"]).query)["secret"][0]

    answer = second.post("/api/auth/2fa/confirm", {"code": code_of(secret)})

    assert (answer.status_code, answer.json()["error"]) == (409, "FACTOR_NOT_BEGUN")


def test_what_is_on_is_not_turned_on_again(api: Api, alice: User) -> None:
    with_app(alice)

    answer = api(alice).post("/api/auth/2fa/enable")

    assert (answer.status_code, answer.json()["error"]) == (409, "FACTOR_EXISTS")


def test_the_code_that_confirmed_does_not_sign_in(api: Api, visitor: Program, alice: User) -> None:
    program = api(alice)
    secret = parse_qs(urlsplit(program.post("/api/auth/2fa/enable").json()["otpauth_url"]).query)["secret"][0]
    code = code_of(secret)
    program.post("/api/auth/2fa/confirm", {"code": code})

    answer = visitor.post("/api/auth/verify-otp", {"challenge": challenge_for(visitor), "code": code})

    assert (answer.status_code, answer.json()["error"]) == (401, "SECOND_FACTOR_WRONG")


def test_password_and_code_sign_in(visitor: Program, alice: User) -> None:
    secret = with_app(alice)

    answer = visitor.post("/api/auth/verify-otp", {"challenge": challenge_for(visitor), "code": code_of(secret)}).json()

    assert (answer["success"], answer["user"]["is_two_factor_enabled"]) == (True, True)
    me = visitor.get("/api/auth/me", headers={"Authorization": f"Bearer {answer['token']}"})
    assert me.json()["user"]["id"] == str(alice.pk)


def test_password_and_recovery_code_sign_in_once(
    api: Api, visitor: Program, alice: User, mailoutbox: list[EmailMessage]
) -> None:
    program = api(alice)
    secret = parse_qs(urlsplit(program.post("/api/auth/2fa/enable").json()["otpauth_url"]).query)["secret"][0]
    spare = program.post("/api/auth/2fa/confirm", {"code": code_of(secret)}).json()["recovery_codes"][3]

    answers = [
        visitor.post("/api/auth/verify-otp", {"challenge": challenge_for(visitor), "code": spare}).status_code
        for _ in range(2)
    ]

    assert answers == [200, 401]
    assert "A recovery code was used" in [mail.subject for mail in mailoutbox]


def test_a_challenge_is_used_up_by_success(visitor: Program, alice: User) -> None:
    secret = with_app(alice)
    challenge = challenge_for(visitor)
    visitor.post("/api/auth/verify-otp", {"challenge": challenge, "code": code_of(secret)})

    answer = visitor.post("/api/auth/verify-otp", {"challenge": challenge, "code": next_code(secret)})

    assert (answer.status_code, answer.json()["error"]) == (401, "SECOND_FACTOR_EXPIRED")


def test_a_challenge_lasts_five_minutes(visitor: Program, alice: User) -> None:
    secret = with_app(alice)
    challenge = challenge_for(visitor)

    with time_machine.travel(now() + timedelta(seconds=302), tick=False):
        answer = visitor.post("/api/auth/verify-otp", {"challenge": challenge, "code": code_of(secret)})

    assert answer.json()["error"] == "SECOND_FACTOR_EXPIRED"


@pytest.mark.parametrize("event", ["password", "everywhere"])
def test_a_challenge_dies_with_the_password_and_the_sessions(visitor: Program, alice: User, event: str) -> None:
    secret = with_app(alice)
    challenge = challenge_for(visitor)
    if event == "password":
        alice.set_password("another horse battery 9")
    else:
        alice.session_generation += 1
    alice.save()

    answer = visitor.post("/api/auth/verify-otp", {"challenge": challenge, "code": code_of(secret)})

    assert answer.json()["error"] == "SECOND_FACTOR_EXPIRED"


@pytest.mark.parametrize("challenge", ["", "nonsense", "a:b:c", "é" * 40, "x" * 1000])
def test_a_made_up_challenge_opens_nothing(visitor: Program, alice: User, challenge: str) -> None:
    answer = visitor.post("/api/auth/verify-otp", {"challenge": challenge, "code": "123456"})

    assert answer.json()["error"] in ("SECOND_FACTOR_EXPIRED", "VALIDATION_FAILED")


def test_after_five_wrong_codes_the_right_one_is_refused_too(visitor: Program, alice: User) -> None:
    secret = with_app(alice)
    challenge = challenge_for(visitor)
    for _ in range(5):
        visitor.post("/api/auth/verify-otp", {"challenge": challenge, "code": "000000"})

    answer = visitor.post("/api/auth/verify-otp", {"challenge": challenge, "code": code_of(secret)})

    assert (answer.status_code, answer.json()["error"]) == (429, "TOO_MANY_TRIES")
    assert 0 < int(answer["Retry-After"]) <= 60


def test_who_was_blocked_meanwhile_stays_out(visitor: Program, alice: User) -> None:
    secret = with_app(alice)
    challenge = challenge_for(visitor)
    User.objects.filter(pk=alice.pk).update(is_active=False)

    answer = visitor.post("/api/auth/verify-otp", {"challenge": challenge, "code": code_of(secret)})

    assert (answer.status_code, answer.json()["error"]) == (403, "USER_BLOCKED")
    assert not ApiToken.objects.filter(user=alice).exists()


def test_who_became_staff_meanwhile_stays_out(visitor: Program, alice: User) -> None:
    secret = with_app(alice)
    challenge = challenge_for(visitor)
    User.objects.filter(pk=alice.pk).update(role=User.Role.ADMIN)

    answer = visitor.post("/api/auth/verify-otp", {"challenge": challenge, "code": code_of(secret)})

    assert answer.status_code == 401
    assert not ApiToken.objects.filter(user=alice).exists()


def test_an_address_that_was_never_confirmed_does_not_sign_in(visitor: Program, alice: User) -> None:
    EmailAddress.objects.filter(user=alice).update(verified=False)

    answer = visitor.post("/api/auth/login", LOGIN)

    assert (answer.status_code, answer.json()["error"]) == (403, "EMAIL_UNCONFIRMED")


def signed_in_with_a_code(visitor: Program, secret: str) -> Program:
    answer = visitor.post("/api/auth/verify-otp", {"challenge": challenge_for(visitor), "code": code_of(secret)})
    return Program(headers={"Authorization": f"Bearer {answer.json()['token']}"})


def test_the_password_turns_it_off_right_after_a_code_was_shown(
    visitor: Program, alice: User, mailoutbox: list[EmailMessage]
) -> None:
    program = signed_in_with_a_code(visitor, with_app(alice))

    answer = program.post("/api/auth/2fa/disable", {"password": PASSWORD}).json()

    assert (answer["success"], answer["is_two_factor_enabled"]) == (True, False)
    assert not Authenticator.objects.filter(user=alice).exists()
    assert [mail.subject for mail in mailoutbox] == ["The second factor is off"]
    assert visitor.post("/api/auth/login", LOGIN).json()["success"] is True


def test_later_it_takes_a_code_as_well(visitor: Program, alice: User) -> None:
    secret = with_app(alice)
    program = signed_in_with_a_code(visitor, secret)

    with time_machine.travel(now() + timedelta(minutes=6), tick=False):
        cache.clear()  # Valkey keeps its own time
        bare = program.post("/api/auth/2fa/disable", {"password": PASSWORD})
        wrong = program.post("/api/auth/2fa/disable", {"password": PASSWORD, "code": "000000"})
        right = program.post("/api/auth/2fa/disable", {"password": PASSWORD, "code": code_of(secret)})

    assert (bare.status_code, bare.json()["error"]) == (401, "SECOND_FACTOR_REQUIRED")
    assert (wrong.status_code, wrong.json()["error"]) == (401, "SECOND_FACTOR_WRONG")
    assert right.status_code == 200


def test_a_stolen_token_and_the_password_do_not_turn_it_off(api: Api, alice: User) -> None:
    stolen = api(alice)
    with_app(alice)

    answer = stolen.post("/api/auth/2fa/disable", {"password": PASSWORD})

    assert (answer.status_code, answer.json()["error"]) == (401, "SECOND_FACTOR_REQUIRED")
    assert alice.is_two_factor_enabled


def test_a_code_alone_does_not_turn_it_off_and_is_not_used_up(api: Api, alice: User) -> None:
    secret = with_app(alice)
    program = api(alice)

    wrong = program.post("/api/auth/2fa/disable", {"password": "wrong", "code": code_of(secret)})
    right = program.post("/api/auth/2fa/disable", {"password": PASSWORD, "code": code_of(secret)})

    assert (wrong.status_code, wrong.json()["error"]) == (400, "PASSWORD_WRONG")
    assert right.status_code == 200


def test_what_is_off_is_not_turned_off(api: Api, alice: User) -> None:
    answer = api(alice).post("/api/auth/2fa/disable", {"password": PASSWORD})

    assert (answer.status_code, answer.json()["error"]) == (403, "SECOND_FACTOR_MISSING")


@pytest.mark.parametrize("door", ["enable", "confirm", "disable"])
def test_strangers_are_refused(visitor: Program, door: str) -> None:
    body = {"code": "123456", "password": PASSWORD}
    assert visitor.post(f"/api/auth/2fa/{door}", body).status_code == 401
