"""Asking bots to follow people through the API."""

import pytest

from bots.models import BotTask, Session
from instagrowth.testing import everywhere, warm_account

ASK = {"account": "alice.clay", "hashtag": "#Ceramics", "amount": 25}


def follow(program, **changes):
    return program.post("/api/bot/actions/follow-hashtag", {**ASK, **changes})


def test_a_task_is_accepted_and_its_progress_is_told(api, alice, alices_bot):
    program = api(alice)

    answer = follow(program, filters={"min_followers": 10, "private": False})

    task = answer.json()["task"]
    assert answer.status_code == 202
    assert (task["kind"], task["value"], task["amount"], task["status"]) == ("follow", "ceramics", 25, "queued")
    assert task["story"] == answer.json()["correlation_id"]
    told = program.get(f"/api/tasks/{task['id']}/").json()
    assert {name: told[name] for name in ("confirmed", "unknown", "skipped", "waits_until", "last_code")} == {
        "confirmed": 0,
        "unknown": 0,
        "skipped": 0,
        "waits_until": None,
        "last_code": "",
    }
    assert [row["id"] for row in program.get("/api/tasks/?account=alice.clay&status=queued").json()["results"]] == [
        task["id"]
    ]


@pytest.mark.parametrize("account", ["alice.clay", "@Alice.Clay", ""])
def test_the_account_is_named_freely(api, alice, alices_bot, account):
    assert follow(api(alice), account=account).status_code == 202


def test_the_account_may_be_named_by_its_id(api, alice, alices_bot):
    assert follow(api(alice), account=str(alices_bot.account_id)).status_code == 202


@pytest.mark.parametrize("account", ["alice.clay", "", "anybody"])
def test_a_fresh_user_has_no_session(api, alice, account):
    answer = follow(api(alice), account=account)

    assert (answer.status_code, answer.json()["error"]) == (409, "SESSION_INVALID")


def test_an_account_whose_session_ended_has_no_session(api, alice, alices_bot, alices_workspace):
    warm_account(alices_workspace, "alice.other")
    with everywhere():
        Session.objects.filter(account=alices_bot.account).update(valid=False)

    answer = follow(api(alice))

    assert (answer.status_code, answer.json()["error"]) == (409, "SESSION_INVALID")


def test_an_unknown_account_is_not_found(api, alice, alices_bot):
    answer = follow(api(alice), account="somebody.else")

    assert (answer.status_code, answer.json()["error"]) == (404, "IG_ACCOUNT_NOT_FOUND")


def test_a_foreign_account_is_not_found(api, charlie, alices_bot):
    answer = follow(api(charlie))

    assert answer.json()["error"] == "SESSION_INVALID"
    assert api(charlie).get("/api/tasks/").json()["results"] == []


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"hashtag": "two words"}, "HASHTAG_INVALID"),
        ({"hashtag": "123"}, "HASHTAG_INVALID"),
        ({"hashtag": "a" * 101}, "HASHTAG_INVALID"),
        ({"hashtag": ""}, "VALIDATION_FAILED"),
        ({"hashtag": None}, "VALIDATION_FAILED"),
        ({"amount": 0}, "AMOUNT_OUT_OF_RANGE"),
        ({"amount": 1001}, "AMOUNT_OUT_OF_RANGE"),
        ({"amount": 10**30}, "AMOUNT_OUT_OF_RANGE"),
        ({"amount": "many"}, "VALIDATION_FAILED"),
        ({"amount": 2.5}, "VALIDATION_FAILED"),
        ({"filters": {"colour": "blue"}}, "VALIDATION_FAILED"),
        ({"filters": {"min_followers": "ten"}}, "VALIDATION_FAILED"),
        ({"filters": []}, "VALIDATION_FAILED"),
    ],
)
def test_what_makes_no_sense_is_refused(api, alice, alices_bot, change, error):
    answer = follow(api(alice), **change)

    assert (answer.status_code, answer.json()["error"]) == (400, error)
    with everywhere():
        assert not BotTask.objects.exists()


def test_a_task_is_stopped_once(api, alice, alices_bot):
    program = api(alice)
    task = follow(program).json()["task"]["id"]

    assert program.post(f"/api/tasks/{task}/stop").json()["task"]["status"] == "stopped"
    again = program.post(f"/api/tasks/{task}/stop")

    assert (again.status_code, again.json()["error"]) == (409, "TASK_STOPPED")


@pytest.mark.parametrize(("method", "deed"), [("get", ""), ("post", "stop")])
def test_a_foreign_task_is_not_found(api, alice, charlie, alices_bot, method, deed):
    task = follow(api(alice)).json()["task"]["id"]

    answer = getattr(api(charlie), method)(f"/api/tasks/{task}/{deed}")

    assert (answer.status_code, answer.json()["error"]) == (404, "TASK_NOT_FOUND")
