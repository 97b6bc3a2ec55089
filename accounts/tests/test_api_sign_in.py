"""Signing in and out through the API."""

import pytest

from accounts.models import User
from instagrowth.testing import PASSWORD


def test_a_member_signs_in_with_an_e_mail(visitor, alice):
    answer = visitor.post("/api/auth/login", {"login": "Alice@Example.com", "password": PASSWORD}).json()

    assert answer["success"] is True
    assert answer["must_change_password"] is False
    assert answer["user"]["id"] == str(alice.pk)
    assert answer["correlation_id"].startswith("c-")


def test_a_member_signs_in_with_an_access_code(visitor, charlie):
    User.objects.filter(pk=charlie.pk).update(access_code="CHARLIE-2026")

    answer = visitor.post("/api/auth/login", {"login": "charlie-2026", "password": PASSWORD})

    assert answer.status_code == 200


@pytest.mark.parametrize("login", ["alice@example.com", "nobody@example.com", "NOCODE"])
def test_wrong_guesses_look_alike_for_known_and_unknown_logins(visitor, alice, login):
    answer = visitor.post("/api/auth/login", {"login": login, "password": "wrong"})

    body = answer.json()
    del body["correlation_id"]
    assert answer.status_code == 401
    assert body == {
        "success": False,
        "error": "INVALID_CREDENTIALS",
        "error_code": "E-AUTH-E-0001",
        "message": "The login or the password is not right.",
        "do_next": "Check both and try again. If you do not remember the password, reset it.",
    }


def test_the_sixth_guess_in_five_minutes_is_refused_even_if_right(visitor, alice):
    for _ in range(5):
        visitor.post("/api/auth/login", {"login": "alice@example.com", "password": "wrong"})

    answer = visitor.post("/api/auth/login", {"login": "alice@example.com", "password": PASSWORD})

    assert (answer.status_code, answer.json()["error"]) == (429, "TOO_MANY_TRIES")
    assert 0 < int(answer["Retry-After"]) <= 300


def test_staff_do_not_sign_in_here(visitor, admin):
    answer = visitor.post("/api/auth/login", {"login": "admin@example.com", "password": PASSWORD})

    assert answer.json()["error"] == "INVALID_CREDENTIALS"


@pytest.mark.parametrize("body", ["{", "[", '"text"', "[]", "{}", '{"login": ["a"], "password": {}}'])
def test_a_malformed_body_is_answered_with_400(visitor, body):
    answer = visitor.post("/api/auth/login", body)

    assert answer.status_code == 400
    assert answer.json()["error"] in ("JSON_MALFORMED", "VALIDATION_FAILED")


def test_unknown_fields_are_ignored(visitor, alice):
    asked = {"login": "alice@example.com", "password": PASSWORD, "colour": "blue"}

    assert visitor.post("/api/auth/login", asked).status_code == 200


def test_me_names_the_person_and_their_workspaces(api, bob, alices_workspace):
    answer = api(bob).get("/api/auth/me").json()

    assert answer["user"]["email"] == "bob@example.com"
    assert answer["workspace"] == str(alices_workspace.pk)
    assert [(place["name"], place["role"]) for place in answer["workspaces"]] == [("Alice's workspace", "manager")]


def test_a_foreign_workspace_is_not_found(api, charlie, alices_workspace):
    answer = api(charlie).get("/api/auth/me", headers={"X-Workspace": str(alices_workspace.pk)})

    assert (answer.status_code, answer.json()["error"]) == (404, "WORKSPACE_NOT_FOUND")


def test_a_token_dies_with_the_logout(api, alice):
    program = api(alice)
    assert program.post("/api/auth/logout").json()["success"] is True

    answer = program.get("/api/auth/me")

    assert (answer.status_code, answer.json()["error"]) == (401, "TOKEN_INVALID")


@pytest.mark.parametrize("header", ["Bearer", "Bearer \xff\xfe", "Bearer a b", "Bearer wrong"])
def test_a_broken_token_is_refused(visitor, header):
    answer = visitor.get("/api/auth/me", headers={"Authorization": header})

    assert (answer.status_code, answer.json()["error"]) == (401, "TOKEN_INVALID")


def test_without_a_token_nobody_is_signed_in(visitor):
    answer = visitor.get("/api/auth/me")

    assert (answer.status_code, answer.json()["error"]) == (401, "NOT_SIGNED_IN")


def test_a_staff_token_does_not_open_the_members_side(api, admin):
    assert api(admin).get("/api/auth/me").json()["error"] == "TOKEN_INVALID"
