"""Reading the activity log through the API."""

import csv
import io

import pytest
from asgiref.sync import async_to_sync

from errors import codes
from errors.recording import log_activity
from instagrowth.testing import everywhere


@pytest.fixture
def log(alices_bot, charlie):
    """Three rows of Alice's, and one that belongs to nobody she knows."""
    alices = {"workspace": alices_bot.workspace_id, "account": alices_bot.account_id}
    with everywhere():
        log_activity("follow", target="first.person", stack="our code", **alices)
        log_activity("follow", status="error", code=codes.ACTION_BLOCKED, message="=HYPERLINK(1)", **alices)
        log_activity("bot_start", workspace=alices_bot.workspace_id)
        log_activity("follow", workspace=None)


def actions(program, query=""):
    return [row["action"] for row in program.get(f"/api/activity/{query}").json()["results"]]


def test_the_newest_comes_first_and_only_ones_own(api, alice, charlie, log):
    assert actions(api(alice)) == ["bot_start", "follow", "follow"]
    assert actions(api(charlie)) == []


def test_a_row_tells_what_happened_without_our_insides(api, alice, log):
    row = api(alice).get("/api/activity/").json()["results"][2]

    assert (row["status"], row["account"], row["error_code"]) == ("ok", "alice.clay", "")
    assert row["metadata"] == {"target": "first.person"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?action=bot_start", 1),
        ("?status=error", 1),
        ("?code=ACTION_BLOCKED", 1),
        (f"?code={codes.ACTION_BLOCKED.id.lower()}", 1),
        ("?account=alice.clay", 2),
        ("?correlation_id=c-none", 0),
        ("?since=2020-01-01T00:00:00Z", 3),
        ("?until=2020-01-01T00:00:00Z", 0),
    ],
)
def test_filters_find(api, alice, log, query, found):
    assert len(actions(api(alice), query)) == found


@pytest.mark.parametrize("query", ["?since=yesterday", "?page_size=0", "?page_size=101", "?format=xml"])
def test_a_query_that_makes_no_sense_is_refused(api, alice, query):
    answer = api(alice).get(f"/api/activity/{query}")

    assert (answer.status_code, answer.json()["error"]) == (400, "VALIDATION_FAILED")


def test_pages_follow_each_other_without_a_gap(api, alice, log):
    program = api(alice)
    first = program.get("/api/activity/?page_size=2").json()
    second = program.get(first["next"]).json()

    assert [row["action"] for row in first["results"] + second["results"]] == ["bot_start", "follow", "follow"]
    assert second["next"] is None


def test_the_export_holds_every_row_and_no_live_formula(api, alice, log):
    answer = api(alice).get("/api/activity/?format=csv")

    async def read() -> str:
        return b"".join([part async for part in answer.streaming_content]).decode()

    rows = list(csv.DictReader(io.StringIO(async_to_sync(read)())))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert [row["action"] for row in rows] == ["bot_start", "follow", "follow"]
    assert rows[1]["error_message"] == "'=HYPERLINK(1)"
    assert rows[2]["account"] == "alice.clay"


def test_an_error_of_the_export_is_json(api, alice):
    assert api(alice).get("/api/activity/?format=csv&account=nobody").json()["error"] == "IG_ACCOUNT_NOT_FOUND"
