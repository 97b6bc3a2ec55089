"""Campaigns: what each task came to, and everybody it found with the reason they were kept or skipped."""

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
from bots.models import Action, Bot, BotTask, Candidate, FollowBack
from bots.pages import campaigns
from bots.tests.engine import Engine
from instagrowth.testing import everywhere

PAGE = "/automation/alice.clay/campaigns/"


@pytest.fixture
def task(alices_bot: Bot) -> BotTask:
    with everywhere():
        return new_task(alices_bot)


def new_task(bot: Bot, **fields: object) -> BotTask:
    return BotTask.objects.create(
        workspace_id=bot.workspace_id, bot=bot, **{"kind": "follow", "value": "ceramics", "amount": 9, **fields}
    )


def find(task: BotTask, count: int, **fields: object) -> list[Candidate]:
    with everywhere():
        start = Candidate.objects.filter(task=task).count()
        return Candidate.objects.bulk_create(
            Candidate(
                workspace_id=task.workspace_id,
                task=task,
                place=start + n,
                target_pk=start + n,
                username=f"potter.{start + n}",
                **fields,
            )
            for n in range(count)
        )


def names(answer: object) -> list[str]:
    return [person.username for person in answer.context["people"]]


def test_a_real_turn_leaves_whom_it_found_and_why(engine: Engine, client: Client) -> None:
    engine.start()
    engine.ask(2)
    engine.turn()
    client.force_login(engine.user)

    page = client.get(f"/automation/{engine.username}/campaigns/{engine.task().pk}/")

    states = [person.state for person in page.context["people"]]
    assert states.count("used") == 2
    assert page.context["campaign"].found == len(states) >= 2
    assert f'href="/automation/{engine.username}/campaigns/"' in page.content.decode()


def test_people_stand_in_the_order_they_were_found_with_their_reason(client: Client, alice: User, task, monkeypatch):
    monkeypatch.setattr(campaigns, "PEOPLE", 3)
    find(task, 2, state="used")
    find(task, 3, state="skipped", reason="more than 5,000 followers")
    client.force_login(alice)

    first = client.get(f"{PAGE}{task.pk}/")
    second = client.get(f"{PAGE}{task.pk}/{first.context['next']}")
    skipped = client.get(f"{PAGE}{task.pk}/", {"state": "skipped"})

    assert names(first) + names(second) == [f"potter.{n}" for n in range(5)]
    assert second.context["next"] == ""
    assert names(skipped) == ["potter.2", "potter.3", "potter.4"]
    assert skipped.content.decode().count("more than 5,000 followers") == 3


def test_the_list_tells_who_follows_back_of_those_that_were_asked(client: Client, alice: User, alices_bot, task):
    with everywhere():
        for n, follows in enumerate((True, True, False, None)):
            Action.objects.create(
                workspace_id=task.workspace_id, account=alices_bot.account, task=task, kind="follow", target_pk=n,
                target_username=f"potter.{n}", state="confirmed", fence=1,
            )  # fmt: skip
            FollowBack.objects.create(
                workspace_id=task.workspace_id, account=alices_bot.account, target_pk=n, group="contacted",
                follows=follows,
            )  # fmt: skip
    client.force_login(alice)

    (told,) = client.get(PAGE).context["campaigns"]

    assert (told.asked, told.back) == (3, 2)


def test_the_list_is_paged_and_asks_as_much_for_many_as_for_one(client: Client, alice: User, alices_bot, monkeypatch):
    monkeypatch.setattr(campaigns, "TASKS", 2)
    with everywhere():
        new_task(alices_bot, value="first", created_at=timezone.now() - timedelta(days=3))
    client.force_login(alice)
    client.get(PAGE)
    with CaptureQueriesContext(
        connection,
    ) as one:
        client.get(PAGE)
    with everywhere():
        for day in range(2):
            new_task(alices_bot, value=f"later{day}", created_at=timezone.now() - timedelta(days=day))
    with CaptureQueriesContext(connection) as many:
        newest = client.get(PAGE)
    older = client.get(PAGE + newest.context["older"])

    assert len(many) == len(one)
    pages = [[told.task.value for told in page.context["campaigns"]] for page in (newest, older)]
    assert pages == [["later0", "later1"], ["first"]]


@pytest.mark.django_db(transaction=True)
def test_the_file_holds_everybody_and_no_formula(async_client: AsyncClient, alice: User, task, monkeypatch) -> None:
    monkeypatch.setattr(campaigns, "CSV_ROWS", 2)
    find(task, 4, state="skipped", reason="=1+1", facts={"followers": 12})
    async_client.force_login(alice)

    async def fetch() -> str:
        answer = await async_client.get(f"{PAGE}{task.pk}/people.csv")
        return b"".join([part async for part in answer.streaming_content]).decode()

    header, *rows = csv.reader(io.StringIO(async_to_sync(fetch)().removeprefix("\ufeff")))
    assert header == list(campaigns.COLUMNS)
    assert [(row[1], row[4], row[6]) for row in rows] == [(f"potter.{n}", "'=1+1", "followers: 12") for n in range(4)]


def test_a_teammate_looks_and_a_stranger_finds_nothing(client: Client, alice, bob, charlie, alices_workspace, task):
    with everywhere():
        Membership.objects.get_or_create(user=bob, workspace=alices_workspace, defaults={"role": "viewer"})
    answers = {}
    for person in (bob, charlie):
        client.force_login(person)
        answers[person] = [
            client.get(path).status_code for path in (PAGE, f"{PAGE}{task.pk}/", f"{PAGE}{task.pk}/people.csv")
        ]

    assert answers == {bob: [200] * 3, charlie: [404] * 3}


def test_nonsense_in_the_address_means_nothing(client: Client, alice: User, task) -> None:
    find(task, 1)
    client.force_login(alice)

    for query in ("?after=-1&state=x", "?after=9999999999999", "?after=%00", "?state=%27"):
        assert names(client.get(f"{PAGE}{task.pk}/{query}")) == ["potter.0"]
    assert client.get(f"{PAGE}?older=yesterday").status_code == 200
