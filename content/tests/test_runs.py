"""Asking for something: a row that survives, one worker, one charge, and a reason where there is no answer."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts import tenancy
from accounts.models import User, Workspace
from billing.models import Plan
from bots.models import Bot
from content import ai, runs
from content.models import AiCall, AiUsage, Piece, Run, Voice
from content.tools import TOOLS
from errors import codes
from errors.exceptions import BotException
from errors.models import ActivityLog
from instagrowth.models import LiveEvent
from instagrowth.testing import everywhere
from sandbox.testing import Control

PATH = "v1/responses"
BRIEF = {"about": "Kiln opening on Thursday", "tone": "plain", "length": "short"}


def ask(workspace: Workspace, user: User, feature: str = "captions", **more: object) -> Run:
    with tenancy.scope(workspace):
        return runs.ask(workspace, user, feature, BRIEF, **more)  # type: ignore[arg-type]


def perform(run: Run) -> Run:
    runs.perform(run.workspace_id, run.pk, TOOLS)
    with everywhere():
        run.refresh_from_db()
    return run


@pytest.mark.django_db
def test_a_run_ends_with_pieces_and_one_charge(openai: Control, alice: User, alices_workspace: Workspace) -> None:
    run = perform(ask(alices_workspace, alice))

    with everywhere():
        pieces = list(Piece.objects.filter(run=run))
        call = AiCall.objects.get()
        told = list(LiveEvent.objects.filter(name="ai").order_by("pk").values_list("data__status", flat=True))
    assert (run.status, run.prompt_version, run.model, run.error_code) == ("done", "captions-1", "gpt-4o", "")
    assert [piece.place for piece in pieces] == [0, 1, 2]
    assert all(piece.text and piece.hashtags for piece in pieces)
    assert (call.state, call.run_id, call.user_id, call.feature) == ("charged", run.pk, alice.pk, "captions")
    assert (told[0], told[-1]) == ("queued", "done")


@pytest.mark.django_db
def test_the_same_request_key_is_the_same_run(openai: Control, alice: User, alices_workspace: Workspace) -> None:
    first, second = (ask(alices_workspace, alice, key="click-1") for _ in range(2))

    perform(first)
    perform(second)

    with everywhere():
        assert (first.pk, Run.objects.count(), AiUsage.objects.get().calls) == (second.pk, 1, 1)


def test_eight_workers_with_one_run_charge_it_once(
    committed: None, openai: Control, alice: User, alices_workspace: Workspace
) -> None:
    run = ask(alices_workspace, alice)

    def work(_: int) -> None:
        runs.perform(run.workspace_id, run.pk, TOOLS)
        connection.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))

    with everywhere():
        assert (AiCall.objects.count(), AiUsage.objects.get().calls, Piece.objects.count()) == (1, 1, 3)
    assert len(openai.openai_requests()) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("bad", "code"),
    [("503", codes.AI_UNAVAILABLE), ("refusal", codes.AI_REFUSED), ("malformed", codes.AI_ANSWER_UNUSABLE),
     ("drip", codes.AI_TIMED_OUT), ("bad_key", codes.AI_NOT_SET_UP)],
)  # fmt: skip
def test_a_failed_run_says_why_and_costs_nothing(
    openai: Control,
    alice: User,
    alices_workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    bad: str,
    code: codes.Code,
) -> None:
    monkeypatch.setattr(ai, "DEADLINE", 2.0)
    openai.fault(bad, path=PATH, times=None)

    run = perform(ask(alices_workspace, alice))

    with everywhere():
        usage = AiUsage.objects.get()
        logged = ActivityLog.objects.filter(action="ai_run", error_code=code.id)
        assert (run.status, run.error_code, logged.count()) == ("failed", code.id, 1)
    assert (usage.calls, usage.spent_micros, usage.reserved_calls, usage.reserved_micros) == (0, 0, 0, 0)


@pytest.mark.django_db
def test_an_answer_that_cannot_be_kept_is_not_charged(
    openai: Control, alice: User, alices_workspace: Workspace
) -> None:
    def fails(*_: object) -> None:
        raise BotException(codes.AI_TEXT_UNSAFE)

    run = ask(alices_workspace, alice)
    runs.perform(run.workspace_id, run.pk, {"captions": runs.Tool(lambda run: dict(run.brief), fails)})

    with everywhere():
        run.refresh_from_db()
        assert (run.status, run.error_code, AiUsage.objects.get().calls) == ("failed", "E-AI-W-0008", 0)


@pytest.mark.django_db
def test_nobody_asks_beyond_the_plan(openai: Control, alice: User, alices_workspace: Workspace) -> None:
    with everywhere():
        Plan.objects.filter(key="growth").update(ai_limit=1)
    perform(ask(alices_workspace, alice))

    with pytest.raises(BotException) as refused:
        ask(alices_workspace, alice)

    assert refused.value.code is codes.AI_LIMIT_REACHED


@pytest.mark.django_db
def test_what_a_dead_worker_left_ends_and_what_nobody_took_is_sent_again(
    alice: User, alices_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[object] = []
    monkeypatch.setattr(runs, "_send", lambda run: sent.append(run.pk))
    lost, waiting, fresh = (ask(alices_workspace, alice) for _ in range(3))
    long_ago = timezone.now() - timedelta(minutes=3)
    sent.clear()
    with everywhere():
        Run.objects.filter(pk=lost.pk).update(status="running", started_at=long_ago)
        Run.objects.filter(pk=waiting.pk).update(created_at=long_ago)

        runs.sweep()

        lost.refresh_from_db()
    assert (lost.status, lost.error_code) == ("failed", codes.WORKER_LOST.id)
    assert sent == [waiting.pk]
    assert fresh.pk not in sent


@pytest.mark.django_db
def test_an_accounts_voice_is_learnt_from_its_own_captions(
    openai: Control, alice: User, alices_workspace: Workspace, alices_connected_bot: Bot
) -> None:
    openai.account("alice.real", media=40, biography="Stoneware from Oslo")

    run = perform(ask(alices_workspace, alice, "voice", account=alices_connected_bot.account))
    perform(ask(alices_workspace, alice, account=alices_connected_bot.account))

    with everywhere():
        voice = Voice.objects.get()
    assert (run.status, voice.captions, voice.measured["bio"]) == ("done", 30, "Stoneware from Oslo")
    assert voice.described["sounds_like"]
    asked = str(openai.openai_requests()[-1]["input"])
    assert "Stoneware from Oslo" in asked  # the next caption is written with it


@pytest.mark.django_db
def test_an_account_that_nobody_can_read_is_said_so(
    openai: Control, alice: User, alices_workspace: Workspace, alices_bot: Bot
) -> None:
    with everywhere():
        type(alices_bot.account.session).objects.update(valid=False)

    run = perform(ask(alices_workspace, alice, "voice", account=alices_bot.account))

    assert (run.status, run.error_code) == ("failed", codes.AI_NOTHING_TO_READ.id)
    assert openai.openai_requests() == []


def test_every_feature_has_its_tool_and_its_prompt() -> None:
    from content import prompts

    for feature in TOOLS:
        assert prompts.of(feature).VERSION
