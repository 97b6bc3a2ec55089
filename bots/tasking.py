"""What a bot is asked to do: tasks, from the asking to the end."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max
from django.db.models.functions import Greatest, Now
from structlog.contextvars import bound_contextvars

from accounts import notifications
from accounts.models import NoticeKind, User
from billing import entitlements
from bots import sessions, targeting
from bots.actions import MODULES
from bots.models import SAID, Action, Bot, BotTask, Candidate, Kind, MessageTemplate, Source, Turn
from errors import codes, correlation
from errors.codes import Code
from errors.exceptions import BotException
from errors.recording import log_activity
from instagrowth import live

MOST = 1000  # people one task may ask for; what a day allows is for the limits to say
OPTIONS: dict[str, tuple[str, ...]] = {Kind.UNFOLLOW: ("after_days", "keep_mutual"), Kind.WELCOME_DM: ("only_new",)}
# Letters of any script, digits and underscores, at most 100, not digits only: Instagram's own rule.
_USERNAME = re.compile(r"@?([a-z0-9._]{1,30})")
_POST = re.compile(
    r"(?:https?://(?:www\.)?instagram\.com/(?:[\w.]+/)?(?:p|reel|tv)/)?([\w-]{5,40})/?(?:\?\S*)?", re.ASCII
)
_HASHTAG = re.compile(r"#?((?!\d+$)\w{1,100})", re.UNICODE)


def clean_hashtag(text: str) -> str:
    """The hashtag in small letters, without #. Raises HASHTAG_INVALID."""
    found = _HASHTAG.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise BotException(codes.HASHTAG_INVALID)
    return found[1].lower()


def clean_username(text: str) -> str:
    """The Instagram username in small letters, without @. Raises SOURCE_INVALID."""
    found = _USERNAME.fullmatch(text.strip().lower())
    if found is None:
        raise BotException(codes.SOURCE_INVALID, "This is no Instagram username.", field="value")
    return found[1]


def clean_post(text: str) -> str:
    """The code of a post, from its address or as it is. Raises SOURCE_INVALID."""
    found = _POST.fullmatch(text.strip())
    if found is None:
        raise BotException(
            codes.SOURCE_INVALID,
            "Paste the post's address, as in https://www.instagram.com/p/CxAmple12/.",
            field="value",
        )
    return found[1]


def check_amount(amount: object) -> None:
    """Refuse what no bot could be asked. Raises AMOUNT_OUT_OF_RANGE."""
    if not isinstance(amount, int) or isinstance(amount, bool) or not 1 <= amount <= MOST:
        raise BotException(codes.AMOUNT_OUT_OF_RANGE, f"Ask for 1 to {MOST:,} people.", field="amount")


CLEAN: dict[str, Callable[[str], str]] = {
    Source.HASHTAG: clean_hashtag,
    Source.FOLLOWERS: clean_username,
    Source.LIKERS: clean_post,
    Source.OWN_FOLLOWERS: lambda _: "",
    Source.FOLLOWED: lambda _: "",
    Source.CHOSEN: lambda _: "",
}


def ask(
    bot: Bot,
    kind: str,
    amount: int,
    *,
    source: str = "",
    value: str = "",
    filters: dict[str, object] | None = None,
    options: dict[str, object] | None = None,
    template: MessageTemplate | None = None,
    user: User | None = None,
) -> BotTask:
    """Ask a bot for so many actions of a kind on people of a source (the kind's first where none is named).

    A welcome needs a template and is sent once to a person for each. Raises SESSION_INVALID, AMOUNT_OUT_OF_RANGE,
    SOURCE_INVALID, HASHTAG_INVALID, PLAN_FEATURE_MISSING, DM_NOT_APPROVED, DM_TEXT_INVALID, BEING_DELETED,
    VALIDATION_FAILED.
    """
    task = draft(bot, kind, amount, source, value, filters, options, template)
    if bot.workspace.delete_at:
        raise BotException(codes.BEING_DELETED)
    if not sessions.is_usable(bot.account):
        raise BotException(codes.SESSION_INVALID)
    if not entitlements.plan_of(bot.workspace).action_limits.get(kind):
        raise entitlements.short_of(bot.workspace, f"action_limits.{kind}", codes.PLAN_FEATURE_MISSING)
    if template is not None and template.approved_at is None:
        raise BotException(codes.DM_NOT_APPROVED)
    task.correlation_id, task.created_by = correlation.current(), getattr(user, "pk", None)
    task.save()
    wake(bot)
    log_activity(
        "task",
        workspace=bot.workspace_id,
        user=user,
        account=bot.account_id,
        task=str(task.pk),
        asked=amount,
        kind=str(kind),
        source=task.source,
        value=task.value,
    )
    live.publish(bot.workspace_id, "task", {"task": str(task.pk), "status": task.status})
    return task


def draft(
    bot: Bot,
    kind: str,
    amount: int,
    source: str = "",
    value: str = "",
    filters: dict[str, object] | None = None,
    options: dict[str, object] | None = None,
    template: MessageTemplate | None = None,
) -> BotTask:
    """The task as it would be, not saved: what was asked is checked for sense, see `ask`."""
    check_amount(amount)
    source = source or MODULES[kind].SOURCES[0]
    if source not in MODULES[kind].SOURCES:
        raise BotException(codes.SOURCE_INVALID, field="source")
    if kind == Kind.WELCOME_DM and template is None:
        raise BotException(codes.DM_TEXT_INVALID, "A welcome needs one of your message templates.", field="template")
    return BotTask(
        workspace_id=bot.workspace_id,
        bot=bot,
        kind=kind,
        source=source,
        value=CLEAN[source](value),
        amount=amount,
        filters=targeting.clean_filters(filters or {}),
        options=clean_options(kind, options or {}),
        message=template.text if template else "",
        campaign=template.name if template else "",
    )


def undo(bot: Bot, follows: list[Action], user: User | None = None) -> BotTask:
    """Ask the bot to unfollow exactly these people, whom it followed; see `ask`. None is AMOUNT_OUT_OF_RANGE."""
    chosen = [action for action in follows if (action.kind, action.state) == (Kind.FOLLOW, Action.State.CONFIRMED)]
    task = ask(bot, Kind.UNFOLLOW, len(chosen), source=Source.CHOSEN, user=user)
    task.cursor = ""  # the search is over before it began
    task.save(update_fields=["cursor"])
    Candidate.objects.bulk_create(
        Candidate(
            workspace_id=bot.workspace_id,
            task=task,
            target_pk=action.target_pk,
            username=action.target_username,
            place=place,
        )
        for place, action in enumerate(chosen, 1)
    )
    return task


def follow_hashtag(
    bot: Bot, hashtag: str, amount: int, filters: dict[str, object] | None = None, user: User | None = None
) -> BotTask:
    """Ask a bot to follow `amount` people who posted under a hashtag; see `ask`."""
    return ask(bot, Kind.FOLLOW, amount, source=Source.HASHTAG, value=hashtag, filters=filters, user=user)


def clean_options(kind: str, options: dict[str, object]) -> dict[str, object]:
    """The options of a kind. Raises VALIDATION_FAILED for one that it has not, or that means nothing."""
    for name, value in options.items():
        is_days = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 365
        if not (name in OPTIONS.get(kind, ()) and (is_days if name == "after_days" else isinstance(value, bool))):
            raise BotException(
                codes.VALIDATION_FAILED, f"The option {name} is not one we know, or its value is not right.", field=name
            )
    return options


def stop(task: BotTask, user: object = None) -> None:
    """End a task now: nothing of it is sent after this commits. Raises TASK_STOPPED if it has ended already."""
    task = BotTask.objects.select_for_update(of=("self",)).select_related("bot").get(pk=task.pk)
    if task.status not in (*BotTask.OPEN, BotTask.Status.PAUSED):
        raise BotException(codes.TASK_STOPPED)
    close(task, task.bot, BotTask.Status.STOPPED, None, user)


def close(task: BotTask, bot: Bot, status: str, code: Code | None, user: object = None) -> None:
    """Set a task's end, let go of the people it did not get to, and write it down; the first end is the one it has."""
    ended: dict[str, Any] = {"ended_at": Now(), "waits_until": None} | ({"last_code": code.id} if code else {})
    if not _change(task, (*BotTask.OPEN, BotTask.Status.PAUSED), status, **ended):
        return
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
    if status != BotTask.Status.STOPPED:  # whoever stopped it knows
        _tell_end(task, bot, status, code)


def wait(task: BotTask, until: datetime, code: str) -> bool:
    """Let a task rest until then, and keep why; one that was stopped meanwhile stays stopped. Whether it rests."""
    return _change(task, BotTask.OPEN, BotTask.Status.WAITING, waits_until=until, last_code=code)


def _change(task: BotTask, before: tuple[str, ...], status: str, **also: object) -> bool:
    """Move a task if that is where it stands by now, whatever we remember of it; whether it moved."""
    moved = bool(BotTask.objects.filter(pk=task.pk, status__in=before).update(status=status, **also))
    task.status = status if moved else BotTask.Status.STOPPED
    return moved


def _tell_end(task: BotTask, bot: Bot, status: str, code: Code | None) -> None:
    failed = status == BotTask.Status.FAILED
    name = f"{Kind(task.kind).label} {SAID[task.source].format(task.value)}".strip()
    notifications.notify(
        bot.workspace_id,
        NoticeKind.TASKS,
        f"{name} {'could not go on' if failed else 'is done'}"[:120],
        body=f"{task.confirmed} of {task.amount} on @{bot.account.username}. {code.what if code else ''}".strip(),
        path=f"/automation/{bot.account.username}/",
        tone="warn" if failed else "ok",
        code=code,
    )


def wake(bot: Bot) -> None:
    """Bring the next turn forward to now, or to when the pause after the last one that did something is over."""
    # Held first: a turn that ends now has not seen the new task, and sets its next turn before we bring it forward.
    Bot.objects.select_for_update(no_key=True).filter(pk=bot.pk).first()
    last = Turn.objects.filter(bot=bot, actions__gt=0).aggregate(last=Max("ended_at"))["last"]
    rested = last + timedelta(seconds=bot.cycle_delay) if last else Now()
    Bot.objects.filter(pk=bot.pk, next_run_at__gt=rested).update(next_run_at=Greatest(Now(), rested))
