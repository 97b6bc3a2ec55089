"""Signing in on the page where a second factor is on."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.mail import EmailMessage
from django.core.signing import Signer
from django.test import Client

from accounts import limits, tasks
from accounts.models import User
from accounts.tests.factor import code_of, next_code, recovery_codes_of, with_app
from instagrowth.testing import PASSWORD, Program

CODE_PAGE = "/accounts/2fa/authenticate/"


def half_in(user: User, login: str = "") -> Client:
    """Give the password, and no code."""
    client = Client()
    answer = client.post("/login", {"login": login or user.email, "password": PASSWORD})
    assert answer.headers["Location"] == CODE_PAGE, answer.content.decode()
    return client


def is_in(client: Client) -> bool:
    return client.get("/settings/").status_code == 200


def test_password_and_code_sign_in(alice: User) -> None:
    secret = with_app(alice)
    client = half_in(alice)
    assert not is_in(client)

    client.post(CODE_PAGE, {"code": code_of(secret)})

    assert is_in(client)


def test_a_recovery_code_signs_in_once_and_a_mail_tells(alice: User, mailoutbox: list[EmailMessage]) -> None:
    with_app(alice)
    spare, *_ = recovery_codes_of(alice)
    first, second = half_in(alice), half_in(alice)

    first.post(CODE_PAGE, {"code": f"{spare[:4]}-{spare[4:]}"})
    answer = second.post(CODE_PAGE, {"code": spare})

    assert (is_in(first), is_in(second)) == (True, False)
    assert "E-AUTH-E-0003" in answer.content.decode()
    assert [mail.body for mail in mailoutbox if "9 are left" in mail.body]


@pytest.mark.parametrize("code", ["", "000000", "12345", "abc", "١٢٣٤٥٦", "9" * 300])
def test_a_wrong_code_does_not(alice: User, code: str) -> None:
    with_app(alice)
    client = half_in(alice)

    assert client.post(CODE_PAGE, {"code": code}).status_code == 200
    assert not is_in(client)


def test_after_five_wrong_codes_the_right_one_is_refused_and_stays_good(alice: User) -> None:
    secret = with_app(alice)
    client = half_in(alice)
    for _ in range(5):
        client.post(CODE_PAGE, {"code": "000000"})
    answer = client.post(CODE_PAGE, {"code": code_of(secret)}).content.decode()
    refused = is_in(client)
    limits.forgive(limits.SECOND_FACTOR, alice.pk)
    client.post(CODE_PAGE, {"code": next_code(secret)})

    assert "E-AUTH-W-0005" in answer
    assert (refused, is_in(client)) == (False, True)


def test_the_lock_is_told_to_its_owner_once(
    alice: User, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[EmailMessage]
) -> None:
    monkeypatch.setattr(tasks.tell_of_wrong_codes, "apply_async", lambda args, **_: tasks.tell_of_wrong_codes(*args))
    with_app(alice)
    client = half_in(alice)
    for _ in range(8):
        client.post(CODE_PAGE, {"code": "000000"})

    assert [mail.subject for mail in mailoutbox] == ["Too many wrong codes"]


def test_a_wrong_code_at_one_door_counts_at_every_door(alice: User) -> None:
    secret = with_app(alice)
    program = Program()
    challenge = program.post("/api/auth/login", {"login": alice.email, "password": PASSWORD}).json()["challenge"]
    for _ in range(5):
        program.post("/api/auth/verify-otp", {"challenge": challenge, "code": "000000"})
    client = half_in(alice)

    client.post(CODE_PAGE, {"code": code_of(secret)})

    assert not is_in(client)


def test_the_session_key_is_new_at_each_step(alice: User) -> None:
    """Row 8: sign-in, second factor, password change."""
    secret = with_app(alice)
    client = Client()
    client.get("/login")
    client.session.save()
    keys: list[str] = []

    def note() -> None:
        keys.append(client.cookies[settings.SESSION_COOKIE_NAME].value)

    client = half_in(alice)
    note()
    client.post(CODE_PAGE, {"code": code_of(secret)})
    note()
    client.post(
        "/profile/change-password",
        {"oldpassword": PASSWORD, "password1": "another horse battery 9", "password2": "another horse battery 9"},
    )
    note()
    alive = list(Session.objects.filter(session_key__in=keys[:-1]).values_list("session_key", flat=True))

    assert is_in(client)
    assert len(set(keys)) == 3
    assert alive == []
    print(f"same_key={3 - len(set(keys))} old_key_alive={len(alive)}")


def change_password(user: User) -> None:
    user.set_password("another horse battery 9")
    user.save()


def block(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def sign_out_everywhere(user: User) -> None:
    User.objects.filter(pk=user.pk).update(session_generation=user.session_generation + 1)


@pytest.mark.parametrize("event", [change_password, block, sign_out_everywhere])
def test_every_session_is_dead_after(alice: User, event: Callable[[User], None]) -> None:
    """Row 9."""
    sessions = [Client() for _ in range(5)]
    for session in sessions:
        session.force_login(alice)
    assert all(is_in(session) for session in sessions)

    event(alice)

    alive = sum(is_in(session) for session in sessions)
    assert alive == 0
    print(f"alive_after={alive}")


@pytest.mark.parametrize("event", [change_password, block, sign_out_everywhere])
def test_a_half_finished_sign_in_is_dead_after(alice: User, event: Callable[[User], None]) -> None:
    secret = with_app(alice)
    client = half_in(alice)

    event(alice)
    client.post(CODE_PAGE, {"code": code_of(secret)})

    assert not is_in(client)


def test_a_trusted_browser_is_asked_all_the_same(alice: User) -> None:
    """Row 25: no such cookie is made or believed."""
    from allauth.mfa.internal.flows.trust import create_config_fingerprint

    with_app(alice)
    client = Client()
    client.cookies["mfa_trusted"] = Signer().sign_object([(create_config_fingerprint(alice), 2_000_000_000)])

    answer = client.post("/login", {"login": alice.email, "password": PASSWORD})

    assert answer.headers["Location"] == CODE_PAGE
    print("skips=0")


def test_a_stranger_at_the_code_page_is_sent_to_the_door(client: Client, db: None) -> None:
    assert client.get(CODE_PAGE).headers["Location"].startswith("/accounts/login/")


def test_a_person_who_must_change_the_password_still_must(alice: User) -> None:
    secret = with_app(alice)
    User.objects.filter(pk=alice.pk).update(must_change_password=True)
    client = half_in(alice)

    client.post(CODE_PAGE, {"code": code_of(secret)})

    assert client.get("/settings/").headers["Location"] == "/profile/change-password"


def test_a_reset_password_does_not_replace_the_code(alice: User) -> None:
    """Row 11."""
    from allauth.account.forms import default_token_generator
    from allauth.account.utils import user_pk_to_url_str

    with_app(alice)
    client = Client()
    link = f"/accounts/password/reset/key/{user_pk_to_url_str(alice)}-{default_token_generator.make_token(alice)}/"
    form = client.get(link, follow=True)
    new = {"password1": "another horse battery 9", "password2": "another horse battery 9"}
    client.post(form.redirect_chain[-1][0], new)
    after_reset = is_in(client)
    answer = client.post("/login", {"login": alice.email, "password": "another horse battery 9"})

    assert after_reset is False
    assert answer.headers["Location"] == CODE_PAGE
    print("logged_in_without_otp=0")


def page(login: str, password: str) -> str:
    """Sign in on the page; how it went."""
    client = Client()
    answer = client.post("/login", {"login": login, "password": password})
    if answer.headers.get("Location") == CODE_PAGE:
        return "asked"
    if "E-AUTH-W-0005" in answer.content.decode():
        return "locked"
    return client.get("/settings/").headers.get("Location", "in")


def api(login: str, password: str) -> str:
    """Sign in as a program; how it went."""
    answer = Program().post("/api/auth/login", {"login": login, "password": password}).json()
    if answer.get("requires_2fa"):
        return "asked"
    if answer.get("error") == "TOO_MANY_TRIES":
        return "locked"
    if "token" not in answer:
        return "out"
    barred = Program(headers={"Authorization": f"Bearer {answer['token']}"}).get("/api/bots/")
    return "in" if barred.status_code == 200 else barred.json()["error"]


BARRED = {"MUST_CHANGE_PASSWORD", "/profile/change-password"}


@pytest.mark.parametrize("way", [page, api])
@pytest.mark.parametrize("by", ["email", "access_code"])
def test_every_way_in_is_equally_strong(alice: User, way: Callable[[str, str], str], by: str) -> None:
    """Row 5: e-mail and access code, page and API, against limit, second factor, forced change and block."""
    User.objects.filter(pk=alice.pk).update(access_code="ALICECODE22")
    login = {"email": "alice@example.com", "access_code": "alicecode22"}[by]

    free = way(login, PASSWORD)
    User.objects.filter(pk=alice.pk).update(must_change_password=True)
    forced = way(login, PASSWORD)
    with_app(alice)
    asked = way(login, PASSWORD)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    blocked = way(login, PASSWORD)
    for _ in range(5):
        way(login, "wrong")
    locked = way(login, PASSWORD)

    assert free == "in"
    assert forced in BARRED
    assert asked == "asked"
    assert blocked not in ("in", "asked")
    assert locked == "locked"
    print("bypasses=0")
