"""The studio's pages: asking, choosing, changing, keeping, finding, and putting into the calendar."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts import tenancy
from accounts.models import User, Workspace
from content import runs
from content.models import AiBudget, Piece, Post, Run
from content.tools import TOOLS
from errors import codes
from instagrowth.testing import everywhere
from sandbox.testing import Control

pytestmark = pytest.mark.django_db
BRIEF = {"feature": "captions", "about": "Kiln opening on Thursday", "tone": "plain", "length": "short", "key": "k1"}


def work() -> None:
    """Do what waits, as a worker would."""
    with everywhere():
        waiting = list(Run.objects.filter(status="queued"))
    for run in waiting:
        runs.perform(run.workspace_id, run.pk, TOOLS)


def pieces() -> list[Piece]:
    with everywhere():
        return list(Piece.objects.select_related("post"))


def test_a_brief_becomes_captions_to_choose_from_and_one_of_them_a_draft(
    client: Client, openai: Control, alice: User
) -> None:
    client.force_login(alice)

    asked = client.post(reverse("studio:ask"), BRIEF)
    waiting = client.get(asked.url.split("#")[0]).content.decode()
    work()
    written = client.get(asked.url.split("#")[0]).content.decode()
    first = pieces()[0]
    for _ in range(2):  # a double click
        client.post(reverse("studio:to_calendar", args=[first.pk]))

    assert "Waiting for a worker" in waiting
    assert all(piece.text.split("\n")[0] in written.replace("&#x27;", "'") for piece in pieces())
    with everywhere():
        post = Post.objects.get()
    assert (post.caption, post.state, post.origin) == (first.caption, "draft", "ai")


def test_two_clicks_ask_once(client: Client, openai: Control, alice: User) -> None:
    client.force_login(alice)

    there = {client.post(reverse("studio:ask"), BRIEF).url for _ in range(2)}

    with everywhere():
        assert (len(there), Run.objects.count()) == (1, 1)


def test_an_idea_leads_to_its_caption(client: Client, openai: Control, alice: User) -> None:
    client.force_login(alice)
    client.post(reverse("studio:ask"), BRIEF | {"feature": "ideas"})
    work()

    page = client.get(reverse("studio:studio")).content.decode()
    follow = client.get(reverse("studio:studio"), {"feature": "captions", "about": pieces()[0].about}).content.decode()

    assert "Write it" in page
    assert pieces()[0].title in follow.replace("&#x27;", "'")


def test_pieces_are_changed_kept_and_found(client: Client, openai: Control, alice: User) -> None:
    client.force_login(alice)
    client.post(reverse("studio:ask"), BRIEF)
    work()
    first, second, third = pieces()

    client.post(reverse("studio:edit", args=[first.pk]), {"text": "Zebra مرحبا 🦓", "hashtags": "#Zebra clay"})
    client.post(reverse("studio:favourite", args=[second.pk]), {"favourite": "1"})
    found = client.get(reverse("studio:library"), {"q": "zebra"}).content.decode()
    favourites = client.get(reverse("studio:library"), {"favourites": "1"}).content.decode()

    assert (found.count("<article"), "مرحبا 🦓" in found, "#zebra" in found) == (1, True, True)
    assert favourites.count("<article") == 1
    assert third.text[:20] not in favourites


def test_what_cannot_be_asked_is_said_on_the_page(
    client: Client, openai: Control, alice: User, alices_workspace: Workspace
) -> None:
    client.force_login(alice)
    with everywhere():
        AiBudget.objects.create(workspace=alices_workspace, cents=0)

    empty = client.post(reverse("studio:ask"), BRIEF | {"about": " "})
    broke = client.post(reverse("studio:ask"), BRIEF)

    assert (empty.status_code, broke.status_code) == (400, 400)
    assert codes.AI_BUDGET_REACHED.id in broke.content.decode()


def test_a_failed_run_can_be_asked_again(client: Client, openai: Control, alice: User) -> None:
    openai.fault("refusal", path="v1/responses")
    client.force_login(alice)
    client.post(reverse("studio:ask"), BRIEF)
    work()

    failed = client.get(reverse("studio:studio")).content.decode()
    with everywhere():
        run = Run.objects.get()
    client.post(reverse("studio:again", args=[run.pk]), {"key": "k2"})
    work()

    assert codes.AI_REFUSED.id in failed
    assert len(pieces()) == 3


def test_an_owner_sets_the_budget_and_everybody_sees_what_was_used(
    client: Client, openai: Control, alice: User, bob: User, alices_workspace: Workspace
) -> None:
    client.force_login(alice)
    client.post(reverse("studio:ask"), BRIEF)
    work()
    client.post(reverse("studio:budget"), {"dollars": "12.50"})
    client.force_login(bob)

    page = client.get(reverse("studio:usage")).content.decode()
    refused = client.post(reverse("studio:budget"), {"dollars": "99"})

    assert "of $12.50 used" in page
    assert "Captions" in page
    assert refused.status_code == 403
    with tenancy.scope(alices_workspace):
        assert AiBudget.objects.get().cents == 1250


def test_others_see_and_change_nothing(client: Client, openai: Control, alice: User, charlie: User) -> None:
    client.force_login(alice)
    asked = client.post(reverse("studio:ask"), BRIEF).url.split("#")[0]
    work()
    client.force_login(charlie)

    answers = [client.get(asked)] + [
        client.post(reverse(f"studio:{deed}", args=[pieces()[0].pk]), {"text": "mine", "favourite": "1"})
        for deed in ("edit", "favourite", "to_calendar")
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404, 404]


def test_the_studio_asks_the_database_no_more_with_many_runs(
    client: Client, alice: User, alices_workspace: Workspace
) -> None:
    client.force_login(alice)

    def queries(more: int) -> int:
        with everywhere():
            for _ in range(more):
                run = Run.objects.create(
                    workspace=alices_workspace, feature="captions", brief={"about": "x"}, status="done"
                )
                Piece.objects.create(workspace=alices_workspace, run=run, kind="captions", text="words")
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as asked:
            assert client.get(reverse("studio:studio")).status_code == 200
            assert client.get(reverse("studio:library")).status_code == 200
        return len(asked)

    queries(1)
    assert queries(0) == queries(6)


@pytest.mark.parametrize("tool", ["audits", "planner", "competitors", "experiment_new"])
def test_without_an_account_each_tool_leads_to_connecting_one(client: Client, alice: User, tool: str) -> None:
    client.force_login(alice)

    page = client.get(reverse(f"studio:{tool}")).content.decode()

    assert "Connect an Instagram account first." in page
    assert f'href="{reverse("bots:connect")}">Connect an account</a>' in page
