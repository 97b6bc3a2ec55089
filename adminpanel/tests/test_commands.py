"""What operators type."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from adminpanel.models import AdminLog
from adminpanel.tests.codes_of import code


def run(*words):
    out = io.StringIO()
    call_command(*words, "--json", stdout=out)
    return json.loads(out.getvalue())


def sign_in(program, told, otp):
    return program.post("/api/admin/login", {"email": told["email"], "password": told["password"], "otp": otp})


def test_createadmin_hands_out_a_first_password_and_an_authenticator(visitor):
    told = run("createadmin", "--email", "Root@Example.com")

    assert set(told) == {"email", "password", "otpauth_uri"}
    answer = sign_in(visitor, told, code(told["otpauth_uri"])).json()
    assert (answer["success"], answer["must_change_password"]) == (True, True)


def test_createadmin_lets_a_locked_out_administrator_back_in(visitor):
    first = run("createadmin", "--email", "root@example.com")
    second = run("createadmin", "--email", "root@example.com")

    assert sign_in(visitor, first, code(first["otpauth_uri"])).status_code == 401
    assert sign_in(visitor, second, code(second["otpauth_uri"])).status_code == 200


def test_what_the_commands_do_is_in_the_admin_log_without_what_they_hand_out(visitor):
    told = [run("createadmin", "--email", "root@example.com") for _ in range(2)]
    told += [run("createuser", "--plan", "growth")]

    rows = list(AdminLog.objects.order_by("pk"))
    assert [(row.action, row.door, row.admin) for row in rows] == [
        ("staff.add", "manage.py", ""), ("staff.new_access", "manage.py", ""), ("users.add", "manage.py", ""),
    ]  # fmt: skip
    assert [row.changes["role"] for row in (rows[0], rows[2])] == [[None, "admin"], [None, "user"]]
    assert not any(one["password"] in str(row.changes) for one in told for row in rows)


def test_createadmin_does_not_turn_a_member_into_an_administrator(alice):
    with pytest.raises(CommandError, match="E-AUTH-E-0020"):
        run("createadmin", "--email", "alice@example.com")
    alice.refresh_from_db()
    assert not alice.is_staff


def test_createuser_makes_an_access_code_and_a_password_to_be_changed(visitor):
    told = run("createuser", "--plan", "growth")

    assert set(told) == {"id", "email", "access_code", "password", "workspace"}
    answer = visitor.post("/api/auth/login", {"login": told["access_code"], "password": told["password"]}).json()
    assert (answer["user"]["id"], answer["must_change_password"]) == (told["id"], True)


def test_createuser_takes_what_is_given_and_asks_for_no_change(visitor):
    told = run("createuser", "--email", "erik@example.com", "--password", "a fresh battery staple")

    assert told["access_code"] is None
    words = {"login": "erik@example.com", "password": "a fresh battery staple"}
    assert visitor.post("/api/auth/login", words).json()["must_change_password"] is False


@pytest.mark.parametrize(
    "words", [["--email", "nonsense"], ["--plan", "golden"], ["--password", "short"], ["--access-code", "a b"]]
)
def test_createuser_says_what_does_not_fit(db, words):
    with pytest.raises(CommandError):
        run("createuser", *words)
    assert not User.objects.exists()
