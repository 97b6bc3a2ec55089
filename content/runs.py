"""Asking the model for something: a row first, then a worker, then an answer that is kept and paid for, or neither."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from pydantic import BaseModel

from accounts import tenancy
from accounts.models import User, Workspace
from bots.models import InstagramAccount
from content import ai, metering, prompts
from content.ai import Answered, NoAnswer, Prompt, Used
from content.models import AiCall, Feature, Piece, Run
from errors import codes, correlation
from errors.exceptions import BotException
from errors.recording import log_activity, record
from instagrowth import live, system

LOST_MESSAGE = timedelta(seconds=20)  # a run that nobody took up by then is sent to a worker again
GIVE_UP = timedelta(minutes=10)  # one that nobody took up by then is not wanted any more
LOST_WORKER = timedelta(seconds=90)  # longer than Celery lets a task live


@dataclass(frozen=True)
class Tool:
    """What a feature needs beside its prompt.

    `gather` finds the facts and may read Instagram, in no transaction; `keep` puts the answer, and what of the facts is
    worth it, where it belongs, in the transaction that charges for it.
    """

    gather: Callable[[Run], dict[str, Any]]
    keep: Callable[[Run, Any, dict[str, Any]], None]


def ask(
    workspace: Workspace,
    user: User | None,
    feature: str,
    brief: dict[str, Any],
    *,
    account: InstagramAccount | None = None,
    key: str = "",
) -> Run:
    """Write down what is asked and hand it to a worker. The same key again gives the same run, and is paid once.

    Raises BEING_DELETED, AI_OFF, AI_LIMIT_REACHED, AI_BUDGET_REACHED.
    """
    if key and (known := Run.objects.filter(workspace=workspace, request_key=key).first()):
        return known
    if workspace.delete_at:
        raise BotException(codes.BEING_DELETED)
    metering.check(workspace)
    run = Run(
        workspace=workspace,
        account=account,
        feature=feature,
        asked_by=user,
        brief=brief,
        correlation_id=correlation.current(),
    )
    run.request_key = key or str(run.pk)
    Run.objects.bulk_create([run], ignore_conflicts=True)  # two clicks at one moment: the second finds the first's
    ours = Run.objects.get(workspace=workspace, request_key=run.request_key)
    if ours.pk == run.pk:
        log_activity("ai_run", workspace=workspace, user=user, account=account, feature=str(feature), run=str(run.pk))
        _send(ours)
        _tell(ours)
    return ours


def perform(workspace: UUID, key: UUID, tools: Mapping[str, Tool]) -> None:
    """Do one run if nobody else does: gather, set its price aside, ask, then keep and charge, or give back."""
    run = _begin(workspace, key)
    if run is None:
        return
    call: AiCall | None = None
    used = Used()
    try:
        tool = tools[run.feature]
        _step(run, "Reading")
        facts = tool.gather(run)
        prompt: Prompt = prompts.of(run.feature).prompt(facts)
        with tenancy.scope(workspace):
            call = metering.reserve(metering.workspace_of(workspace), run, prompt, system.AI_MODEL.now())
        if call is None:
            raise BotException(codes.AI_NOT_READY)
        _step(run, "Writing")
        answered = ai.ask(prompt, _Progress(run))
        used = answered.used
        with tenancy.scope(workspace), transaction.atomic():
            _keep(run, call, answered, prompt)
            tool.keep(run, answered.answer, facts)
    except BotException as refused:
        _fail(run, call, refused.used if isinstance(refused, NoAnswer) else used, refused)
    except Exception as error:  # noqa: BLE001  (whatever it was, the person must not wait for ever)
        _fail(run, call, used, error)


def keep_pieces(run: Run, answer: BaseModel, facts: dict[str, Any]) -> None:
    """Keep each variant of an answer as a piece: what most features do."""
    pieces = prompts.of(run.feature).pieces(answer)
    Piece.objects.bulk_create(
        Piece(
            workspace_id=run.workspace_id,
            run=run,
            account_id=run.account_id,
            kind=run.feature,
            place=place,
            title=piece["title"][:200],
            text=piece["text"],
            hashtags=piece["hashtags"],
            first_comment=piece["first_comment"],
        )
        for place, piece in enumerate(pieces)
    )


def sweep() -> None:
    """Send out what no worker took up, and end what its worker left. Needs the platform's view."""
    now = timezone.now()
    metering.release_lost()
    waiting = Run.objects.filter(status=Run.Status.QUEUED)
    lost = Run.objects.filter(status=Run.Status.RUNNING, started_at__lt=now - LOST_WORKER)
    for runs, code in (
        (waiting.filter(created_at__lt=now - GIVE_UP), codes.QUEUE_UNAVAILABLE),
        (lost, codes.WORKER_LOST),
    ):
        for run in runs[:200]:
            if runs.filter(pk=run.pk).update(status=Run.Status.FAILED, error_code=code.id, ended_at=now):
                _tell(run)
    for run in waiting.filter(created_at__lt=now - LOST_MESSAGE)[:200]:
        _send(run)


def _send(run: Run) -> None:
    from content.tasks import perform as task

    transaction.on_commit(lambda: task.apply_async((str(run.workspace_id), str(run.pk)), queue="ai"), robust=True)


def _begin(workspace: UUID, key: UUID) -> Run | None:
    """Take a waiting run; None if another worker has it, or it is over."""
    with tenancy.scope(workspace):
        waiting = Run.objects.filter(pk=key, status=Run.Status.QUEUED)
        if not waiting.update(status=Run.Status.RUNNING, started_at=timezone.now()):
            return None
        return Run.objects.select_related("account__session", "asked_by").get(pk=key)


def _keep(run: Run, call: AiCall, answered: Answered, prompt: Prompt) -> None:
    """Charge for an answer and put it into its run."""
    if not metering.charge(call, answered.used):
        raise BotException(codes.WORKER_LOST)
    run.answer, run.prompt_version, run.model = answered.answer.model_dump(), prompt.version, answered.model
    run.status, run.ended_at, run.step = Run.Status.DONE, timezone.now(), ""
    run.save(update_fields=["answer", "prompt_version", "model", "status", "ended_at", "step"])
    _tell(run)


def _fail(run: Run, call: AiCall | None, used: Used, error: Exception) -> None:
    """Let a run end without an answer: nothing is charged, and the page says why."""
    with tenancy.scope(run.workspace_id):
        row = record(
            error, action="ai_run", workspace=run.workspace_id, user=run.asked_by_id, account=run.account_id,
            feature=run.feature, run=str(run.pk),
        )  # fmt: skip
        run.error_code = row.error_code if row else codes.INTERNAL_ERROR.id
        if call is not None:
            metering.release(call, used, run.error_code)
        Run.objects.filter(pk=run.pk, status=Run.Status.RUNNING).update(
            status=Run.Status.FAILED, error_code=run.error_code, ended_at=timezone.now(), step=""
        )
        run.status = Run.Status.FAILED
        _tell(run)


class _Progress:
    """Says at most once a second how long the answer is so far."""

    def __init__(self, run: Run) -> None:
        self.run, self.told = run, time.monotonic()

    def __call__(self, letters: int) -> None:
        if time.monotonic() - self.told >= 1:
            self.told = time.monotonic()
            _step(self.run, f"Writing, {letters} letters so far")


def _step(run: Run, words: str) -> None:
    with tenancy.scope(run.workspace_id):
        Run.objects.filter(pk=run.pk, status=Run.Status.RUNNING).update(step=words)
        _tell(run)


def _tell(run: Run) -> None:
    live.publish(run.workspace_id, "ai", {"run": str(run.pk), "feature": str(run.feature), "status": str(run.status)})


def latest(workspace: Workspace, feature: Feature | str, account: InstagramAccount | None = None) -> Run | None:
    """The newest run of a feature, for one account where named."""
    runs = Run.objects.filter(workspace=workspace, feature=feature)
    return (runs.filter(account=account) if account else runs).first()
