"""The ledger: every action of an account, as a page, as a file, and some of them undone."""

import csv
import io
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership, User
from bots import tasking
from bots.models import Action, Bot, BotTask
from bots.pages import ledger
from bots.tests.engine import Engine
from errors import codes
from instagrowth.testing import everywhere

PAGE = "/automation/alice.clay/ledger/"


@pytest.fixture
def acts(alices_bot: Bot):
    """Write actions into the journal, each a minute after the one before."""

    def write(count: int = 1, **fields: object) -> list[Action]:
        with everywhere():
            start = Action.objects.count()
            return [
                Action.objects.create(
                    workspace_id=alices_bot.workspace_id,
                    account=alices_bot.account,
                    **{
                        "kind": "follow",
                        "target_pk": start + n,
                        "target_username": f"potter.{start + n}",
                        "state": "confirmed",
                        "fence": 1,
                        "created_at": timezone.now() - timedelta(days=1) + timedelta(minutes=start + n),
                        **fields,
                    },
                )
                for n in range(count)
            ]

    return write


def shown(client: Client, **query: object) -> list[str]:
    return [action.target_username for action in client.get(PAGE, query).context["rows"]]


def test_the_newest_come_first_and_the_pages_hold_them_all(client: Client, alice: User, acts, monkeypatch) -> None:
    monkeypatch.setattr(ledger, "ROWS", 2)
    acts(5)
    client.force_login(alice)

    first = client.get(PAGE)
    second = client.get(PAGE + first.context["older"])
    third = client.get(PAGE + second.context["older"])

    pages = [[action.target_pk for action in page.context["rows"]] for page in (first, second, third)]
    assert pages == [[4, 3], [2, 1], [0]]
    assert third.context["older"] == ""


def test_filters_narrow(client: Client, alice: User, acts) -> None:
    acts(1, target_username="one", error_code="E-FLW-W-0007", state="refused")
    acts(1, target_username="two", kind="like", correlation_id="c-0123456789ab")
    client.force_login(alice)

    assert shown(client, q="@ONE") == ["one"]
    assert shown(client, q="e-flw-w-0007") == ["one"]
    assert shown(client, q="c-0123456789ab") == ["two"]
    assert shown(client, kind="like") == ["two"]
    assert shown(client, state="refused") == ["one"]
    assert shown(client, state="nonsense", older="nonsense") == ["two", "one"]


@async_to_sync
async def fetch(user: User) -> bytes:
    client = AsyncClient()
    await client.aforce_login(user)
    answer = await client.get(f"{PAGE}export.csv")
    return b"".join([part async for part in answer])


def test_the_file_has_all_and_computes_nothing(committed: None, alice: User, acts, monkeypatch) -> None:
    monkeypatch.setattr(ledger, "CSV_ROWS", 2)
    acts(5, target_username="=cmd|'/c calc'!A1")

    rows = list(csv.reader(io.StringIO(fetch(alice).decode())))

    assert [row[4] for row in rows[1:]] == ["4", "3", "2", "1", "0"]
    assert {row[3] for row in rows[1:]} == {"'=cmd|'/c calc'!A1"}


def test_each_action_says_why_and_what_became_of_it(committed: None, alice: User, acts, alices_bot: Bot) -> None:
    with everywhere():
        mine = {"workspace_id": alices_bot.workspace_id, "bot": alices_bot}
        task = BotTask.objects.create(**mine, kind="follow", source="followers", value="the.guild", amount=2)
    acts(1, task=task, state="refused", error_code=codes.IG_TARGET_GONE.id)
    acts(1, task=task)

    header, done, gone = csv.reader(io.StringIO(fetch(alice).decode()))
    client = Client()
    client.force_login(alice)
    page = client.get(PAGE).content.decode()

    names = ("reason", "code", "what it says")
    assert [gone[header.index(name)] for name in names] == [
        "from followers of @the.guild", codes.IG_TARGET_GONE.id, codes.IG_TARGET_GONE.what
    ]  # fmt: skip
    assert [done[header.index(name)] for name in names] == ["from followers of @the.guild", "", ""]
    assert page.count("from followers of @the.guild") == 1
    assert codes.IG_TARGET_GONE.what in page


def test_the_same_number_of_queries_for_1_and_3(client: Client, alice: User, acts) -> None:
    client.force_login(alice)
    client.get(PAGE)
    counts = []
    for _ in range(2):
        acts(1 if not counts else 2)
        with CaptureQueriesContext(connection) as seen:
            client.get(PAGE)
        counts.append(len(seen))

    assert counts[0] == counts[1]


def test_chosen_follows_are_undone_by_a_task(client: Client, alice: User, acts) -> None:
    follows, other = acts(2), acts(1, kind="like")
    client.force_login(alice)

    page = client.post(f"{PAGE}undo/", {"action": [row.pk for row in [*follows, *other]]}, follow=True)

    assert "within its limits" in page.content.decode()
    with everywhere():
        task = BotTask.objects.get()
        assert (task.kind, task.amount, task.cursor) == ("unfollow", 2, "")
        assert set(task.candidates.values_list("target_pk", flat=True)) == {0, 1}


@pytest.mark.parametrize("chosen", [[], ["nonsense"], ["00000000-0000-0000-0000-000000000000"]])
def test_nothing_chosen_is_no_task(client: Client, alice: User, acts, chosen: list[str]) -> None:
    client.force_login(alice)

    client.post(f"{PAGE}undo/", {"action": chosen})

    with everywhere():
        assert not BotTask.objects.exists()


def test_a_viewer_looks_and_a_stranger_finds_nothing(client: Client, bob: User, charlie: User, acts) -> None:
    (follow,) = acts(1)
    with everywhere():
        Membership.objects.filter(user=bob).update(role="viewer")
    client.force_login(bob)
    assert shown(client) == ["potter.0"]
    assert "Unfollow the chosen" not in client.get(PAGE).content.decode()
    assert client.post(f"{PAGE}undo/", {"action": [follow.pk]}).status_code == 403

    client.force_login(charlie)
    for address in (PAGE, f"{PAGE}export.csv"):
        assert client.get(address).status_code == 404
    assert client.post(f"{PAGE}undo/", {"action": [follow.pk]}).status_code == 404


def test_the_bot_unfollows_exactly_the_chosen(engine: Engine) -> None:
    engine.limit(50, kind="unfollow")
    engine.start()
    engine.ask(3)
    engine.turn()
    first, *_, last = engine.actions()
    with engine.seen():
        tasking.undo(engine.bot, [first, last], engine.user)

    engine.turn()
    engine.turn()

    targets = engine.sandbox.control.ledger(engine.username).targets("unfollow")
    assert targets == [str(first.target_pk), str(last.target_pk)]
    assert engine.task().status == "done"
