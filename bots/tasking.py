"""What a bot is asked to do: tasks, from the asking to the end."""

import re
from datetime import timedelta

from django.db.models import Max
from django.db.models.functions import Greatest, Now
from django.utils import timezone
from structlog.contextvars import bound_contextvars

from billing import entitlements
from bots import sessions, targeting
from bots.models import Bot, BotTask, Candidate, Kind, Turn
from errors import codes, correlation
from errors.codes import Code
from errors.exceptions import BotException
from errors.recording import log_activity
from instagrowth import live

MOST = 1000  # people one task may ask for; what a day allows is for the limits to say
# Letters of any script, digits and underscores, at most 100, not digits only: Instagram's own rule.
_HASHTAG = re.compile(r"#?((?!\d+$)\w{1,100})", re.UNICODE)


def clean_hashtag(text: str) -> str:
    """The hashtag in small letters, without #. Raises HASHTAG_INVALID."""
    found = _HASHTAG.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise BotException(codes.HASHTAG_INVALID)
    return found[1].lower()


def check(hashtag: str, amount: int) -> None:
    """Refuse what no bot could be asked. Raises HASHTAG_INVALID or AMOUNT_OUT_OF_RANGE."""
    clean_hashtag(hashtag)
    if not isinstance(amount, int) or isinstance(amount, bool) or not 1 <= amount <= MOST:
        raise BotException(codes.AMOUNT_OUT_OF_RANGE, f"Ask for 1 to {MOST:,} people.", field="amount")


def follow_hashtag(
    bot: Bot, hashtag: str, amount: int, filters: dict[str, object] | None = None, user: object = None
) -> BotTask:
    """Ask a bot to follow `amount` people who posted under a hashtag.

    Raises SESSION_INVALID, HASHTAG_INVALID, AMOUNT_OUT_OF_RANGE, PLAN_FEATURE_MISSING.
    """
    check(hashtag, amount)
    return _ask(bot, Kind.FOLLOW, "hashtag", clean_hashtag(hashtag), amount, filters or {}, user)


def stop(task: BotTask, user: object = None) -> None:
    """End a task now: nothing of it is sent after this commits. Raises TASK_STOPPED if it has ended already."""
    task = BotTask.objects.select_for_update().select_related("bot").get(pk=task.pk)
    if task.status not in (*BotTask.OPEN, BotTask.Status.PAUSED):
        raise BotException(codes.TASK_STOPPED)
    close(task, task.bot, BotTask.Status.STOPPED, None, user)


def close(task: BotTask, bot: Bot, status: str, code: Code | None, user: object = None) -> None:
    """Set a task's end, let go of the people it did not get to, and write it down."""
    task.status = status
    ended = {"status": status, "ended_at": Now(), "waits_until": None}
    BotTask.objects.filter(pk=task.pk).update(**ended, **({"last_code": code.id} if code else {}))
    Candidate.objects.filter(task=task, state=Candidate.State.WAITING).delete()
    with bound_contextvars(correlation_id=task.correlation_id):  # the end belongs to the story of the asking
        log_activity(
            "task",
            status="error" if status == BotTask.Status.FAILED else "ok",
            code=code,
            message=code.what if code else "",
            workspace=bot.workspace_id,
            user=user or bot.user_id,
            account=bot.account_id,
            task=str(task.pk),
            ended=status,
            asked=task.amount,
            confirmed=task.confirmed,
        )
    live.publish(bot.workspace_id, "task", {"task": str(task.pk), "status": status})


def _ask(
    bot: Bot, kind: Kind, source: str, value: str, amount: int, filters: dict[str, object], user: object
) -> BotTask:
    if not sessions.is_usable(bot.account):
        raise BotException(codes.SESSION_INVALID)
    if not entitlements.plan_of(bot.workspace).action_limits.get(kind):
        raise BotException(codes.PLAN_FEATURE_MISSING)
    task = BotTask.objects.create(
        workspace_id=bot.workspace_id,
        bot=bot,
        kind=kind,
        source=source,
        value=value,
        amount=amount,
        filters=targeting.clean_filters(filters),
        correlation_id=correlation.current(),
        created_by=getattr(user, "pk", None),
    )
    wake(bot)
    log_activity(
        "task",
        workspace=bot.workspace_id,
        user=user,
        account=bot.account_id,
        task=str(task.pk),
        asked=amount,
        kind=str(kind),
        value=value,
    )
    live.publish(bot.workspace_id, "task", {"task": str(task.pk), "status": task.status})
    return task


def wake(bot: Bot) -> None:
    """Bring the next turn forward to now, or to when the pause after the last one that did something is over."""
    last = Turn.objects.filter(bot=bot, actions__gt=0).aggregate(last=Max("ended_at"))["last"]
    rested = last + timedelta(seconds=bot.cycle_delay) if last else timezone.now()
    Bot.objects.filter(pk=bot.pk, next_run_at__gt=rested).update(next_run_at=Greatest(Now(), rested))
