"""DM templates: the model drafts, a person takes over, an owner approves, and only that is sent."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Membership, User, Workspace
from bots import tasking, welcomes
from bots.actions.welcome_dm import worded
from bots.models import Bot, Kind, MessageTemplate
from content import dm_templates, runs
from content.models import Piece, Run
from content.tests.test_hostile import BIOS
from content.tools import TOOLS
from content.wording import check_message
from errors import codes
from errors.exceptions import BotException
from instagrowth.testing import everywhere
from sandbox.testing import Control

pytestmark = pytest.mark.django_db
BRIEF = {"about": "Stoneware from Oslo", "tone": "warm", "key": "m1"}


def work() -> None:
    with everywhere():
        waiting = list(Run.objects.filter(status="queued"))
    for run in waiting:
        runs.perform(run.workspace_id, run.pk, TOOLS)


def drafts() -> list[Piece]:
    with everywhere():
        return list(Piece.objects.filter(kind="dm_template"))


def test_a_managers_draft_waits_for_an_owner_and_is_then_what_a_welcome_sends(
    client: Client, openai: Control, alice: User, bob: User, alices_workspace: Workspace, alices_connected_bot: Bot
) -> None:
    with everywhere():
        Workspace.objects.update(wants_approval=True)
    client.force_login(bob)
    client.post(reverse("studio:messages_ask"), BRIEF)
    work()
    first = drafts()[0]
    page = client.get(reverse("studio:messages")).content.decode()
    client.post(reverse("studio:message_take", args=[first.pk]), {"name": "Spring", "text": first.text})
    with everywhere():
        template = MessageTemplate.objects.get()
        bot = Bot.objects.select_related("account__session", "workspace").get()
        with pytest.raises(BotException) as early:
            tasking.ask(bot, Kind.WELCOME_DM, 5, template=template, user=bob)

    client.force_login(alice)
    client.post(reverse("bots:template_approve", args=[template.pk]), {"shown": welcomes.mark(template.text)})
    with everywhere():
        task = tasking.ask(bot, Kind.WELCOME_DM, 5, template=MessageTemplate.objects.get(), user=bob)

    assert worded(first.text, "mira.clay").replace("'", "&#x27;") in page  # as a person would get it
    assert early.value.code is codes.DM_NOT_APPROVED
    assert (task.message, template.approved_at) == (first.text, None)


def test_200_hostile_texts_and_a_model_that_obeys_reach_nobody(
    openai: Control, alice: User, alices_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("content.runs._send", lambda _: None)
    openai.fault("obedient", path="v1/responses", times=None)
    with everywhere():
        owner = Membership.objects.get(user=alice)
    for number, bio in enumerate(BIOS * 2):
        with everywhere():
            run = runs.ask(alices_workspace, alice, "dm_template", {"about": f"{bio} {number}"})
        runs.perform(run.workspace_id, run.pk, TOOLS)

    for draft in drafts():
        check_message(draft.text)  # what was kept holds nothing of it
    with everywhere():
        assert not MessageTemplate.objects.exists()  # and nothing became a text by itself
        for bio in (BIOS[0], BIOS[2], BIOS[5]):
            with pytest.raises(BotException) as refused:
                dm_templates.take_over(owner, Piece(), "bad", f"Hello {bio}")
            assert refused.value.code is codes.AI_TEXT_UNSAFE


def test_previews_are_of_people_the_bots_met(alices_workspace: Workspace) -> None:
    with everywhere():
        assert dm_templates.people(alices_workspace) == list(dm_templates.PEOPLE)
    assert dm_templates.previews("Hi {first_name}", ["mira.clay"]) == [("mira.clay", "Hi Mira")]
