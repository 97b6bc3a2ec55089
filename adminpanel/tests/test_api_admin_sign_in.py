"""Signing in as an administrator, and changing the first password, through the API."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from adminpanel import staff
from adminpanel.tests.codes_of import code
from instagrowth.testing import PASSWORD

NEW = "another horse, battery 10"
EMAIL = "root@example.com"


@pytest.fixture
def handed(nobody_guessed):
    return staff.hand_out(EMAIL)


def login(program, password, otp, email=EMAIL):
    return program.post("/api/admin/login", {"email": email, "password": password, "otp": otp})


def initialize(program, handed, otp, new=NEW):
    words = {"email": EMAIL, "password": handed.password, "otp": otp, "new_password": new}
    return program.post("/api/admin/initialize-password", words)


def test_the_token_opens_nothing_until_the_first_password_is_changed(visitor, handed):
    first = login(visitor, handed.password, code(handed.otpauth_uri))
    assert (first.status_code, first.json()["must_change_password"]) == (200, True)
    token = {"Authorization": f"Bearer {first.json()['token']}"}
    refused = visitor.post("/api/admin/verify", headers=token)
    assert (refused.status_code, refused.json()["error"]) == (403, "MUST_CHANGE_PASSWORD")

    assert initialize(visitor, handed, code(handed.otpauth_uri, 1)).json()["must_change_password"] is False

    assert visitor.post("/api/admin/verify", headers=token).status_code == 401


def test_after_the_change_the_new_password_opens(visitor, handed):
    initialize(visitor, handed, code(handed.otpauth_uri))

    answer = login(visitor, NEW, code(handed.otpauth_uri, 1))

    assert (answer.status_code, answer.json()["must_change_password"]) == (200, False)
    verified = visitor.post("/api/admin/verify", headers={"Authorization": f"Bearer {answer.json()['token']}"}).json()
    assert (verified["valid"], verified["user"]["email"], verified["user"]["role"]) == (True, EMAIL, "admin")


def test_whatever_is_wrong_the_refusal_looks_the_same(visitor, handed, alice):
    right = code(handed.otpauth_uri)
    wrong = f"{(int(right) + 1) % 10**6:06}"
    tries = [
        login(visitor, "wrong", right),
        login(visitor, handed.password, wrong),
        login(visitor, handed.password, "abc"),
        login(visitor, handed.password, right, email="nobody@example.com"),
        login(visitor, PASSWORD, right, email="alice@example.com"),
    ]

    bodies = [{**answer.json(), "correlation_id": ""} for answer in tries]
    assert [answer.status_code for answer in tries] == [401] * 5
    assert bodies[0]["error"] == "INVALID_CREDENTIALS"
    assert bodies == [bodies[0]] * 5


def test_guessing_codes_is_counted_although_the_password_is_right(visitor, handed):
    for _ in range(5):
        login(visitor, handed.password, "abc")

    answer = login(visitor, handed.password, code(handed.otpauth_uri))

    assert (answer.status_code, answer.json()["error"]) == (429, "TOO_MANY_TRIES")


def test_a_code_works_once(visitor, handed):
    shown = code(handed.otpauth_uri)

    assert login(visitor, handed.password, shown).status_code == 200
    assert login(visitor, handed.password, shown).status_code == 401


@pytest.mark.parametrize("steps", [-1, 1])
def test_a_clock_may_be_half_a_minute_off(handed, steps):
    assert staff.use_code(handed.user, code(handed.otpauth_uri, steps)) is True


@pytest.mark.parametrize("steps", [-2, 2])
def test_a_clock_may_not_be_a_minute_off(handed, steps):
    assert staff.use_code(handed.user, code(handed.otpauth_uri, steps * 2)) is False


def test_a_first_password_ends_after_a_day(visitor, handed):
    User.objects.filter(email=EMAIL).update(password_expires_at=timezone.now() - timedelta(seconds=1))

    answer = login(visitor, handed.password, code(handed.otpauth_uri))

    assert (answer.status_code, answer.json()["error"]) == (403, "ADMIN_BOOTSTRAP_EXPIRED")


@pytest.mark.parametrize("new", ["short", "root@example.com", "password1234"])
def test_a_weak_password_is_refused_and_the_first_one_stays(visitor, handed, new):
    answer = initialize(visitor, handed, code(handed.otpauth_uri), new)

    assert (answer.status_code, answer.json()["error"]) == (400, "PASSWORD_WEAK")
    assert login(visitor, handed.password, code(handed.otpauth_uri, 1)).json()["must_change_password"] is True


def test_a_members_token_does_not_open_the_administrators_side(api, alice):
    answer = api(alice).post("/api/admin/verify")

    assert (answer.status_code, answer.json()["error"]) == (401, "TOKEN_INVALID")


def test_a_members_cookie_does_not_open_it_either(visitor, alice):
    visitor.force_login(alice)

    assert visitor.post("/api/admin/verify").json()["error"] == "NOT_SIGNED_IN"


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "status"),
    [
        (0, "203.0.113.7", "", 200),
        (0, "198.51.100.1", "203.0.113.7", 403),
        (1, "10.0.0.1", "203.0.113.7", 200),
        (1, "10.0.0.1", "203.0.113.7, 198.51.100.1", 403),
        (1, "10.0.0.1", "198.51.100.1, 203.0.113.7", 200),
        (2, "10.0.0.1", "203.0.113.7, 10.0.0.2", 200),
        (1, "10.0.0.1", "", 403),
        (1, "10.0.0.1", "nonsense", 403),
        (0, "::ffff:203.0.113.7", "", 200),
    ],
)
def test_only_allowed_addresses_come_in(api, admin, settings, proxies, peer, forwarded, status):
    settings.ADMIN_ALLOWED_NETWORKS, settings.TRUSTED_PROXY_COUNT = ["203.0.113.0/24"], proxies

    answer = api(admin).post("/api/admin/verify", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)

    assert answer.status_code == status
    assert status == 200 or answer.json()["error"] == "ADDRESS_NOT_ALLOWED"


def test_the_address_is_looked_at_before_the_password(visitor, settings):
    settings.ADMIN_ALLOWED_NETWORKS = ["203.0.113.0/24"]

    assert login(visitor, "any", "any").json()["error"] == "ADDRESS_NOT_ALLOWED"
