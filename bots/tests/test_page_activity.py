import csv
import io
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import structlog
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client
from django.utils import timezone

from accounts.models import User, Workspace
from billing.models import Plan
from bots.models import Bot
from bots.pages import activity, log_filters
from errors import codes
from errors.models import ActivityLog
from errors.recording import log_activity
from instagrowth.testing import everywhere, workspace_of

PAGE = "/activity/"


@pytest.fixture
def write(alices_bot: Bot, alices_workspace: Workspace):
    def line(action: str = "follow", **meta: object) -> int:
        known = {name: meta.pop(name) for name in ("status", "code", "message") if name in meta}
        with everywhere():
            return log_activity(action, workspace=alices_workspace, account=alices_bot.account_id, **known, **meta).pk

    return line


def lines_of(client: Client, **query: object) -> list[str]:
    rows = client.get(PAGE, query).context["rows"]
    return [row.target for row in rows]


def test_an_empty_log_teaches_the_next_step(client: Client, alice: User) -> None:
    client.force_login(alice)

    assert "Nothing has happened yet" in client.get(PAGE).content.decode()


def test_a_line_shows_its_code_and_the_rest_of_what_is_known(client: Client, alice: User, write) -> None:
    write(
        target="slow.pots", outcome="refused", status="error", code=codes.FOLLOW_BLOCKED, message="Blocked.", asked=40
    )
    client.force_login(alice)

    page = client.get(PAGE).content.decode()

    assert "@slow.pots" in page
    assert "Refused" in page
    assert "/help/errors/E-FLW-W-0007/" in page
    assert '<dt class="text-faint">Asked</dt><dd class="break-words">40</dd>' in page


def test_filters_narrow(client: Client, alice: User, write) -> None:
    write(target="one")
    write(target="two", status="error", code=codes.FOLLOW_BLOCKED)
    write("bot_start", target="three")
    client.force_login(alice)

    assert lines_of(client) == ["three", "two", "one"]
    assert lines_of(client, q="@TWO") == ["two"]
    assert lines_of(client, q="e-flw-w-0007") == ["two"]
    assert lines_of(client, action="bot_start") == ["three"]
    assert lines_of(client, status="error") == ["two"]
    assert lines_of(client, account="alice.clay", action="follow") == ["two", "one"]
    assert lines_of(client, account="somebody.else") == []
    assert lines_of(client, status="nonsense", action="nonsense") == ["three", "two", "one"]


def test_pages_go_by_key_to_older_and_newer(
    client: Client, alice: User, write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_filters, "ROWS", 2)
    pks = [write(target=f"p{i}") for i in range(5)]
    client.force_login(alice)

    first, second = client.get(PAGE), client.get(PAGE, {"older": pks[3]})

    assert [row.target for row in first.context["rows"]] == ["p4", "p3"]
    assert (first.context["newer"], first.context["older"]) == ("", f"?older={pks[3]}")
    assert [row.target for row in second.context["rows"]] == ["p2", "p1"]
    assert second.context["newer"] == f"?newer={pks[2]}"
    assert lines_of(client, older=pks[1]) == ["p0"]
    assert lines_of(client, newer=pks[2]) == ["p4", "p3"]


def test_a_story_is_told_from_its_beginning(
    client: Client, alice: User, write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_filters, "ROWS", 2)
    with structlog.contextvars.bound_contextvars(correlation_id="c-00aa11bb22cc"):
        pks = [write(target=f"p{i}") for i in range(5)]
    write(target="another story")
    client.force_login(alice)
    story = {"q": "c-00aa11bb22cc"}

    first = client.get(PAGE, story)

    assert [row.target for row in first.context["rows"]] == ["p0", "p1"]
    assert (first.context["newer"], first.context["older"]) == (f"?q=c-00aa11bb22cc&newer={pks[1]}", "")
    assert lines_of(client, **story, newer=pks[1]) == ["p2", "p3"]
    assert lines_of(client, **story, newer=pks[3]) == ["p4"]
    assert lines_of(client, **story, older=pks[2]) == ["p0", "p1"]


@pytest.mark.parametrize("odd", ["x", "-1", "9" * 30, "\0", "'; DROP TABLE"])
def test_odd_addresses_do_no_harm(client: Client, alice: User, write, odd: str) -> None:
    write(target="one")
    client.force_login(alice)

    assert client.get(PAGE, {"older": odd, "newer": odd, "q": odd, "account": odd}).status_code == 200


def test_other_workspaces_are_not_told(client: Client, charlie: User, write) -> None:
    write(target="a.secret")
    client.force_login(charlie)

    assert lines_of(client) == []


def test_the_export_flows_with_the_same_filters_and_without_formulas(
    alice: User, charlie: User, write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity, "CSV_ROWS", 2)
    for i in range(5):
        write(target=f"=HYPERLINK({i})")
    write("bot_stop", target="not.this")

    rows = export_of(alice, "?action=follow")

    assert [row["target"] for row in rows] == [f"'=HYPERLINK({i})" for i in range(4, -1, -1)]
    assert {row["account"] for row in rows} == {"alice.clay"}
    assert export_of(charlie, "") == []


@async_to_sync
async def _fetch(user: User, query: str) -> bytes:
    client = AsyncClient()
    await client.aforce_login(user)
    answer = await client.get(f"/activity/export.csv{query}")
    return b"".join([part async for part in answer])


def export_of(user: User, query: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(_fetch(user, query).decode())))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "\n="])
def test_what_a_spreadsheet_would_compute_is_made_inert(start: str) -> None:
    assert activity.inert(f"{start}1+1") == f"'{start}1+1"
    assert activity.inert("E-FLW-W-0007") == "E-FLW-W-0007"


FOLLOWERS = {"kind": "follow", "asked": 5, "source": "followers", "value": "kiln"}
WELCOME = {"kind": "welcome_dm", "asked": 5, "source": "own_followers", "value": ""}


@pytest.mark.parametrize(
    ("deed", "meta", "said"),
    [
        ("task", FOLLOWERS, "Follow 5 from followers of @kiln"),
        ("task", WELCOME, "Welcome DM 5 to own followers"),
        ("list", {"list": "keep", "added": 3}, "keep, 3 added"),
        ("list", {"list": "block", "removed": 1}, "block, 1 taken off"),
        ("template", {"name": "Spring", "approved": True}, "“Spring”"),
        ("template", {"name": "Spring", "approved": False}, "“Spring”, waits for an owner"),
    ],
)
def test_a_deed_says_what_it_was_about(
    client: Client, alice: User, write, deed: str, meta: dict[str, object], said: str
) -> None:
    write(deed, **meta)
    client.force_login(alice)

    (row,) = client.get(PAGE).context["rows"]

    assert row.about == said


def test_an_account_and_a_person_have_a_log_of_their_own(
    client: Client, alice: User, bob: User, charlie: User, alices_workspace: Workspace, write
) -> None:
    write(target="by.the.bot")
    with everywhere():
        log_activity("team_role", workspace=alices_workspace, user=bob, target="of.bob")
        log_activity("bot_stop", workspace=alices_workspace, user=alice, target="of.alice")
    client.force_login(alice)

    assert lines_of(client, person=bob.pk) == ["of.bob"]
    pages = [client.get(f"{PAGE}{path}/") for path in ("accounts/alice.clay", f"people/{bob.pk}")]
    assert [[row.target for row in page.context["rows"]] for page in pages] == [["by.the.bot"], ["of.bob"]]
    assert "Activity of @alice.clay</h1>" in pages[0].content.decode()
    assert "Activity of Bob</h1>" in pages[1].content.decode()
    assert client.get(f"{PAGE}people/{charlie.pk}/").status_code == 404
    client.force_login(charlie)
    assert [client.get(f"{PAGE}{path}/").status_code for path in ("accounts/alice.clay", f"people/{bob.pk}")] == [
        404
    ] * 2


def test_a_time_is_looked_for_by_the_days_of_the_workspace(
    client: Client, alice: User, alices_workspace: Workspace
) -> None:
    today = timezone.now().astimezone(ZoneInfo("Pacific/Auckland")).date()
    midnight = datetime.combine(today, time(), ZoneInfo("Pacific/Auckland"))
    with everywhere():
        Workspace.objects.update(timezone="Pacific/Auckland")
        for target, at in (("yesterday", midnight - timedelta(seconds=1)), ("today", midnight)):
            ActivityLog.objects.create(
                workspace_id=alices_workspace.pk, action="follow", status="ok", at=at, metadata={"target": target}
            )
    client.force_login(alice)

    assert lines_of(client, since=today) == ["today"]
    assert lines_of(client, until=today) == ["today", "yesterday"]
    assert lines_of(client, until=today - timedelta(days=1)) == ["yesterday"]
    assert lines_of(client, since="0001-01-01", until="9999-12-31", person="nobody") == ["today", "yesterday"]


def test_the_plan_says_how_far_back_the_log_is_shown(client: Client, alice: User, write) -> None:
    with everywhere():
        plan = workspace_of(alice).subscription.plan
        Plan.objects.filter(pk=plan.pk).update(history_days=3)
        ActivityLog.objects.create(
            at=timezone.now() - timedelta(days=4),
            workspace_id=workspace_of(alice).pk,
            action="follow",
            status="ok",
            metadata={"target": "older"},
        )
    write(target="newer")
    client.force_login(alice)

    assert lines_of(client) == ["newer"]
    assert "Your plan shows the last 3 days" in client.get(PAGE).content.decode()
    with everywhere():
        Plan.objects.filter(pk=plan.pk).update(history_days=-1)
    assert lines_of(client) == ["newer", "older"]
