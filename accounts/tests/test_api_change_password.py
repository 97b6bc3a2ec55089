"""Changing one's password through the API."""

import pytest

from accounts.models import User
from instagrowth.testing import PASSWORD

NEW = "another horse, battery 10"


def change(program, user, old=PASSWORD, new=NEW):
    return program.put(f"/api/users/{user.pk}/change-password", {"old_password": old, "new_password": new})


def test_the_new_password_counts_from_now_on(api, visitor, alice):
    assert change(api(alice), alice).json()["must_change_password"] is False

    assert visitor.post("/api/auth/login", {"login": "alice@example.com", "password": PASSWORD}).status_code == 401
    assert visitor.post("/api/auth/login", {"login": "alice@example.com", "password": NEW}).status_code == 200


def test_other_tokens_die_and_the_one_in_use_lives_on(api, alice):
    here, elsewhere = api(alice), api(alice)

    change(here, alice)

    assert here.get("/api/auth/me").status_code == 200
    assert elsewhere.get("/api/auth/me").status_code == 401


def test_sessions_of_other_browsers_die_and_this_one_lives_on(visitor, alice, client):
    visitor.force_login(alice)
    client.force_login(alice)

    change(visitor, alice)

    assert visitor.get("/api/auth/me").status_code == 200
    assert client.get("/api/auth/me").status_code == 401


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("wrong", NEW, "PASSWORD_WRONG"),
        (PASSWORD, "short", "PASSWORD_WEAK"),
        (PASSWORD, "alice@example.com", "PASSWORD_WEAK"),
        (PASSWORD, PASSWORD, "PASSWORD_WEAK"),
        (PASSWORD, "", "VALIDATION_FAILED"),
    ],
)
def test_what_is_not_right_is_refused(api, alice, old, new, error):
    answer = change(api(alice), alice, old, new)

    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_nobody_changes_the_password_of_somebody_else(api, alice, charlie):
    answer = change(api(charlie), alice)

    assert (answer.status_code, answer.json()["error"]) == (404, "NOT_FOUND")


def test_whoever_must_change_the_password_reaches_nothing_else(api, alice):
    User.objects.filter(pk=alice.pk).update(must_change_password=True)
    program = api(alice)

    assert program.get("/api/bots/").json()["error"] == "MUST_CHANGE_PASSWORD"
    assert program.get("/api/auth/me").json()["user"]["must_change_password"] is True
    assert change(program, alice).status_code == 200
    assert program.get("/api/bots/").status_code == 200
