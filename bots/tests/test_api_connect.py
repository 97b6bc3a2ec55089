"""Connecting an Instagram account through the API, against the sandbox with the real instagrapi."""

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import Membership
from bots import sessions
from bots.models import ConnectAttempt, InstagramAccount
from errors.models import ActivityLog
from instagrowth.testing import INSTAGRAM_PASSWORD, everywhere, warm_account, workspace_of

CLAY = {"username": "Alice.Clay", "password": INSTAGRAM_PASSWORD, "accept_risk": True}


@pytest.fixture
def at_instagram(instagram):
    """@alice.clay exists at the sandbox; doors that a test warmed are closed again."""
    instagram.account("alice.clay", password=INSTAGRAM_PASSWORD)
    yield instagram
    with everywhere():
        for account in InstagramAccount.objects.all():
            sessions.forget(account.pk)


def probe(program, user, **body):
    return program.post(f"/api/users/{user.pk}/test-session", body).json()


def test_a_login_gives_an_account_and_its_stopped_bot(api, alice, at_instagram):
    program = api(alice)

    answer = program.post("/api/bot/login", CLAY)

    body = answer.json()
    assert answer.status_code == 200
    assert (body["success"], body["message"]) == (True, "Login successful")
    assert (body["account"]["username"], body["account"]["session_valid"]) == ("alice.clay", True)
    assert (body["bot"]["status"], body["bot"]["next_run_at"]) == ("stopped", None)
    assert INSTAGRAM_PASSWORD not in answer.content.decode()


def test_the_session_test_is_false_when_fresh_and_true_after_the_login(api, alice, at_instagram):
    program = api(alice)
    fresh = probe(program, alice)
    assert (fresh["session_valid"], fresh["account"]) == (False, None)

    program.post("/api/bot/login", CLAY)

    after = probe(program, alice)
    assert (after["session_valid"], after["account"]) == (True, "alice.clay")
    assert after["checked_at"] > fresh["checked_at"]


def test_a_session_that_instagram_ended_is_told_with_its_code(api, alice, at_instagram):
    program = api(alice)
    bot = program.post("/api/bot/login", CLAY).json()["bot"]["id"]
    at_instagram.kill_sessions("alice.clay")

    answer = probe(program, alice, account="alice.clay")

    assert (answer["session_valid"], answer["error"]) == (False, "SESSION_NEEDS_LOGIN")
    told = program.get(f"/api/bots/{bot}/").json()
    assert (told["session_valid"], told["health"]["status"]) == (False, "needs_login")
    assert told["health"]["error"] == "SESSION_NEEDS_LOGIN"
    assert program.post(f"/api/bots/{bot}/start").json()["error"] == "SESSION_INVALID"


def test_nobody_tests_a_session_in_the_name_of_somebody_else(api, alice, charlie):
    answer = api(charlie).post(f"/api/users/{alice.pk}/test-session")

    assert (answer.status_code, answer.json()["error"]) == (404, "NOT_FOUND")


def test_a_second_factor_is_one_more_step(api, alice, at_instagram):
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    at_instagram.account("alice.clay", password=INSTAGRAM_PASSWORD, totp_secret=secret)
    program = api(alice)

    first = program.post("/api/bot/login", CLAY)
    code = at_instagram.read_account("alice.clay")["totp_code"]
    second = program.post("/api/bot/login", {"username": "alice.clay", "verification_code": code, "accept_risk": True})

    assert first.status_code == 200
    assert (first.json()["success"], first.json()["requires_verification"]) == (False, True)
    assert first.json()["method"] == "totp"
    assert (second.status_code, second.json()["success"]) == (200, True)


def test_a_wrong_password_is_refused_and_stays_counted(api, alice, at_instagram):
    answer = api(alice).post("/api/bot/login", {**CLAY, "password": "wrong"})

    body = answer.json()
    assert (answer.status_code, body["success"], body["error"]) == (400, False, "IG_BAD_PASSWORD")
    assert set(body) == {"success", "error", "error_code", "message", "do_next", "correlation_id"}
    with everywhere():
        assert ConnectAttempt.objects.get().wrong_passwords == 1
        row = ActivityLog.objects.get(correlation_id=body["correlation_id"])
        assert (row.action, row.status, row.error_code) == ("connect", "warning", body["error_code"])


def test_the_risk_must_be_accepted_first(api, alice, at_instagram):
    answer = api(alice).post("/api/bot/login", {**CLAY, "accept_risk": False})

    assert (answer.status_code, answer.json()["error"]) == (400, "IG_RISK_NOT_ACCEPTED")
    assert at_instagram.ledger("alice.clay").total_requests("alice.clay") == 0


def test_an_instagram_that_is_down_is_no_fault_of_ours(api, alice, settings):
    settings.INSTAGRAM_PRIVATE_URL = "http://127.0.0.1:9"

    answer = api(alice).post("/api/bot/login", CLAY)

    assert (answer.status_code, answer.json()["error"]) == (502, "NET_REFUSED")


def test_a_logout_throws_the_session_away(api, alice, at_instagram):
    program = api(alice)
    program.post("/api/bot/login", CLAY)

    assert program.post("/api/bot/logout", {"account": "alice.clay"}).json()["success"] is True

    assert probe(program, alice)["session_valid"] is False
    again = program.post("/api/bot/logout", {"account": "alice.clay"})
    assert (again.status_code, again.json()["error"]) == (409, "SESSION_INVALID")


def test_what_is_alices_is_not_found_by_charlie(api, charlie, alices_account):
    answer = api(charlie).post("/api/bot/logout", {"account": str(alices_account.pk)})

    assert (answer.status_code, answer.json()["error"]) == (404, "IG_ACCOUNT_NOT_FOUND")
    assert api(charlie).get("/api/accounts/").json()["results"] == []


def test_who_only_looks_connects_nothing(api, bob, at_instagram):
    with everywhere():
        Membership.objects.filter(user=bob).update(role=Membership.Role.VIEWER)
    program = api(bob)

    assert program.get("/api/accounts/").status_code == 200
    assert program.post("/api/bot/login", CLAY).json()["error"] == "NO_PERMISSION"


@pytest.mark.parametrize("path", ["/api/accounts/", "/api/bots/"])
def test_three_accounts_cost_as_many_queries_as_one(
    api, alice, alices_bot, path, django_assert_num_queries: DjangoAssertNumQueries, django_assert_max_num_queries
):
    program = api(alice)
    program.get(path)
    with django_assert_max_num_queries(40) as one:
        program.get(path)
    workspace = workspace_of(alice)
    for name in ("alice.second", "alice.third"):
        account = warm_account(workspace, name)
        with everywhere():
            type(alices_bot).objects.create(workspace=workspace, account=account)

    with django_assert_num_queries(len(one.captured_queries)):
        found = program.get(path).json()["results"]

    assert len(found) == 3
