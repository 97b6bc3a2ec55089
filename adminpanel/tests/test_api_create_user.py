"""Letting people in through the administrators' API."""

import pytest

from accounts.models import User
from adminpanel import roles
from adminpanel.tests.control_room import inside, staff_person
from billing import entitlements
from instagrowth.testing import everywhere, workspace_of

NEW = "a fresh battery staple"
USERS = "/admin/accounts/user/add/"


def create(program, **asked):
    return program.post("/api/admin/users/create", {"password": NEW, "role": "user", "plan": "starter", **asked})


def test_a_member_without_an_e_mail_signs_in_with_the_access_code(api, admin, visitor):
    answer = create(api(admin))

    made = answer.json()["access_code"]
    assert answer.status_code == 201
    assert (len(made), answer.json()["user"]["email"]) == (20, None)
    signed_in = visitor.post("/api/auth/login", {"login": made.lower(), "password": NEW}).json()
    assert (signed_in["success"], signed_in["must_change_password"]) == (True, False)
    with everywhere():
        assert entitlements.plan_of(workspace_of(User.objects.get(access_code=made))).key == "starter"


def test_the_access_code_may_be_given(api, admin, visitor):
    assert create(api(admin), access_code="clay-2026").json()["access_code"] == "CLAY-2026"
    assert visitor.post("/api/auth/login", {"login": "Clay-2026", "password": NEW}).status_code == 200


def test_who_may_not_change_plans_gives_the_free_one_by_program_and_by_page(api, nobody_guessed):
    sue = staff_person("sue", roles.Role.SUPPORT)
    free, paid = create(api(sue), plan="free"), create(api(sue), plan="enterprise")
    browser = inside(sue)
    offered = [key for key, _ in browser.get(USERS).context["form"].fields["plan"].choices]
    page = browser.post(USERS, {"name": "Eve", "plan": "enterprise"})

    assert (free.status_code, paid.status_code, paid.json()["error"]) == (201, 403, "NO_PERMISSION")
    assert (offered, page.status_code) == (["free"], 400)
    assert User.objects.filter(role="user").count() == 1


def test_a_member_may_have_to_change_the_password(api, admin, visitor):
    create(api(admin), email="Dora@Example.com", must_change_password=True)

    answer = visitor.post("/api/auth/login", {"login": "dora@example.com", "password": NEW}).json()

    assert answer["must_change_password"] is True


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"password": ""}, "VALIDATION_FAILED"),
        ({"password": None}, "VALIDATION_FAILED"),
        ({"password": "short"}, "PASSWORD_WEAK"),
        ({"email": "alice@example.com"}, "LOGIN_TAKEN"),
        ({"email": "ALICE@example.com"}, "LOGIN_TAKEN"),
        ({"email": "nonsense"}, "VALIDATION_FAILED"),
        ({"access_code": "a b"}, "VALIDATION_FAILED"),
        ({"plan": "golden"}, "VALIDATION_FAILED"),
        ({"role": "king"}, "VALIDATION_FAILED"),
        ({"role": "admin"}, "VALIDATION_FAILED"),
        ({"role": "admin", "email": "alice@example.com"}, "LOGIN_TAKEN"),
        ({"role": "admin", "email": "admin@example.com"}, "LOGIN_TAKEN"),
    ],
)
def test_what_does_not_fit_is_refused_and_nobody_is_made(api, admin, alice, asked, error):
    answer = create(api(admin), **asked)

    assert answer.json()["error"] == error
    assert answer.status_code == (409 if error == "LOGIN_TAKEN" else 400)
    assert User.objects.count() == 2


def test_an_administrator_gets_an_authenticator_and_must_change_the_password(api, admin):
    answer = create(api(admin), role="admin", email="second@example.com").json()

    assert answer["otpauth_uri"].startswith("otpauth://totp/InstaGrowth%20OS%3Asecond%40example.com?secret=")
    assert (answer["user"]["must_change_password"], answer["workspace"]) == (True, None)


def test_members_let_nobody_in(api, visitor, alice):
    assert create(api(alice)).json()["error"] == "TOKEN_INVALID"
    assert create(visitor).json()["error"] == "NOT_SIGNED_IN"
