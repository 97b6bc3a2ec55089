"""Looking at bots, changing, starting and stopping them through the API."""

import pytest

from bots.models import Bot, Session
from errors.models import ActivityLog
from instagrowth.testing import everywhere, warm_account, workspace_of


@pytest.fixture
def path(alices_bot):
    return f"/api/bots/{alices_bot.pk}/"


def test_a_bot_tells_how_it_is_and_what_it_may_do_today(api, alice, alices_bot, path):
    told = api(alice).get(path).json()

    assert told["id"] == str(alices_bot.pk)
    assert told["account"]["username"] == "alice.clay"
    assert (told["status"], told["health"]["status"], told["session_valid"]) == ("stopped", "active", True)
    follow = told["limits"]["follow"]
    assert (follow["limit"], follow["used"], follow["reached"]) == (follow["decided_by"]["value"], 0, False)
    assert [reason["source"] for reason in follow["reasons"]] == ["Plan", "Platform", "Trust budget"]
    assert told["last_error"] is None


def test_settings_are_changed_and_told(api, alice, path):
    changes = {
        "cycle_delay": 60,
        "jitter": 10,
        "burst": 2,
        "timezone": "America/Lima",
        "working_hours": {"from": "22:00", "to": "06:30"},
        "limits": {"follow": 20, "like": 0},
    }
    told = api(alice).patch(path, changes).json()

    assert {name: told[name] for name in ("cycle_delay", "jitter", "burst", "timezone", "working_hours")} == {
        name: changes[name] for name in ("cycle_delay", "jitter", "burst", "timezone", "working_hours")
    }
    assert told["own_limits"] == {"follow": 20, "like": 0}
    assert told["limits"]["follow"]["decided_by"] == {"source": "Your setting", "value": 20, "why": "set by you"}


def test_what_is_not_given_stays_and_null_takes_away(api, alice, path):
    program = api(alice)
    program.patch(path, {"limits": {"follow": 20, "like": 5}, "working_hours": {"from": "09:00", "to": "17:00"}})

    told = program.patch(path, {"limits": {"follow": None}, "working_hours": None}).json()

    assert (told["own_limits"], told["working_hours"], told["cycle_delay"]) == ({"like": 5}, None, 90)


@pytest.mark.parametrize(
    "change",
    [
        {"cycle_delay": 0},
        {"cycle_delay": 86401},
        {"jitter": 51},
        {"burst": 0},
        {"burst": 11},
        {"timezone": "Mars/Olympus"},
        {"limits": {"hugs": 3}},
        {"limits": {"follow": -1}},
        {"limits": {"follow": 10001}},
    ],
)
def test_settings_that_do_not_fit_are_refused_and_nothing_changes(api, alice, path, change):
    program = api(alice)

    answer = program.patch(path, {"burst": 5, **change})

    assert (answer.status_code, answer.json()["error"]) == (400, "SETTINGS_INVALID")
    assert set(answer.json()["details"]) == set(change)
    assert program.get(path).json()["burst"] == 1


@pytest.mark.parametrize(
    "change", [{"cycle_delay": "soon"}, {"working_hours": {"from": "09:00"}}, {"limits": {"follow": "many"}}]
)
def test_settings_that_mean_nothing_name_their_field(api, alice, path, change):
    answer = api(alice).patch(path, change)

    assert (answer.status_code, answer.json()["error"]) == (400, "VALIDATION_FAILED")
    assert set(answer.json()["details"]) == set(change)


def test_a_bot_starts_and_stops(api, alice, path, alices_bot):
    program = api(alice)

    started = program.post(f"{path}start").json()
    assert (started["success"], started["status"]) == (True, "running")
    assert started["next_run_at"] is not None
    stopped = program.post(f"{path}stop").json()
    assert (stopped["success"], stopped["status"]) == (True, "stopped")

    with everywhere():
        rows = ActivityLog.objects.filter(account_id=alices_bot.account_id).order_by("id")
        assert [(row.action, row.status) for row in rows] == [("bot_start", "ok"), ("bot_stop", "ok")]


def test_without_a_valid_session_it_does_not_start(api, alice, path):
    with everywhere():
        Session.objects.update(valid=False)

    answer = api(alice).post(f"{path}start")

    body = answer.json()
    assert (answer.status_code, body["error"], body["error_code"]) == (409, "SESSION_INVALID", "E-SESS-E-0001")
    with everywhere():
        assert Bot.objects.get().status == "stopped"
        assert ActivityLog.objects.get(correlation_id=body["correlation_id"]).error_code == "E-SESS-E-0001"


def test_who_never_logged_in_to_instagram_is_told_that(api, charlie, path):
    answer = api(charlie).post(f"{path}start").json()

    assert (answer["error"], answer["error_code"]) == ("SESSION_INVALID", "E-SESS-E-0001")


@pytest.mark.parametrize(("method", "deed"), [("get", ""), ("patch", ""), ("post", "start"), ("post", "stop")])
def test_a_foreign_bot_is_not_found(api, charlie, path, method, deed):
    own = warm_account(workspace_of(charlie), "charlie.clay")
    with everywhere():
        Bot.objects.create(workspace_id=own.workspace_id, account=own, user=charlie)

    answer = getattr(api(charlie), method)(f"{path}{deed}")

    assert (answer.status_code, answer.json()["error"]) == (404, "BOT_NOT_FOUND")


def test_bob_works_with_the_bots_of_his_team(api, bob, path):
    assert api(bob).post(f"{path}start").json()["status"] == "running"


def test_pages_of_a_list_follow_each_other(api, alice, alices_bot):
    first = api(alice).get("/api/bots/?page_size=1").json()

    assert [bot["id"] for bot in first["results"]] == [str(alices_bot.pk)]
    assert (first["next"], first["previous"]) == (None, None)
