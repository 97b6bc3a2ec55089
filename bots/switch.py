"""Starting and stopping a bot."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from accounts import farewell, tenancy
from accounts.models import User, Workspace
from billing import entitlements
from billing.models import Plan, Subscription
from bots import health, sessions, tasking
from bots.models import Bot, InstagramAccount
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity, record
from instagrowth import live

PAUSED = timedelta(days=36500)  # how far away the next turn of a bot is that the plan has no room for
TOGETHER = (
    50  # bots of one workspace that may run at once on a parallel plan, so that one tenant cannot starve the rest
)


def start(bot: Bot, user: User) -> None:
    """Let the bot run, on the terms of today's plan; one that runs goes on as it was.

    Raises BEING_DELETED, SESSION_INVALID, PLAN_ACCOUNT_LIMIT, or what its health says if only a person can help.
    """
    farewell.nothing_new(bot.workspace_id)
    account = bot.account
    health.hold(account)
    if account.health in (health.Health.NEEDS_YOU, health.Health.FROZEN):
        raise BotException(codes.SESSION_FROZEN)
    if account.health == health.Health.BANNED:
        raise BotException(codes.ACCOUNT_SUSPENDED)
    if not sessions.is_usable(account):
        raise BotException(codes.SESSION_INVALID)
    plan = entitlements.plan_of(bot.workspace)
    if is_beyond_plan(account, plan):
        raise entitlements.short_of(bot.workspace, "account_limit", codes.PLAN_ACCOUNT_LIMIT)
    started = Bot.objects.filter(pk=bot.pk).exclude(status=Bot.Status.RUNNING)
    if started.update(
        status=Bot.Status.RUNNING,
        attempt=0,
        **terms(plan),
        started_at=Now(),
        last_error_code="",
        updated_at=timezone.now(),
    ):
        tasking.wake(bot)
        _tell(bot, user, "bot_start")


def terms(plan: Plan) -> dict[str, Any]:
    """How many bots of a workspace run at once on a plan, and on which queue."""
    parallel = plan.execution_mode == Plan.Execution.PARALLEL
    return {"share": TOGETHER if parallel else 1, "queue": plan.queue}


def fit_to_plan(workspace: UUID) -> None:
    """Let bots beyond a smaller plan pause, the oldest accounts kept, and bring back those that fit again.

    In the transaction that changes the plan, so that no claim after it takes a bot that is beyond.
    """
    plan = entitlements.plan_of(Workspace.objects.select_related("subscription__plan").get(pk=workspace))
    bots = Bot.objects.filter(workspace=workspace)
    bots.update(**terms(plan))
    kept = within_plan(workspace, plan)
    running, code = bots.filter(status=Bot.Status.RUNNING), codes.PLAN_ACCOUNT_LIMIT
    back = running.filter(account__in=kept, next_run_at__gt=Now() + PAUSED / 2)
    for bot in back.select_related("account"):
        _tell(bot, None, "bot_back")
    back.update(next_run_at=Now(), updated_at=timezone.now())
    running.filter(account__in=kept, last_error_code=code.id).update(last_error_code="")
    beyond = running.exclude(account__in=kept).filter(next_run_at__lt=Now() + PAUSED / 2)
    for bot in beyond.select_related("account"):
        _tell(bot, None, "bot_paused")
    health.note_error(beyond, code)
    beyond.update(next_run_at=Now() + PAUSED, updated_at=timezone.now())


def connected(workspace: UUID) -> QuerySet[InstagramAccount]:
    """The accounts of a workspace that take a plan's places: with a session, or with access through Meta.

    One that was disconnected keeps its history, and gives its place to another.
    """
    has_door = Q(session__isnull=False) | Q(official__isnull=False)
    return InstagramAccount.objects.filter(has_door, workspace=workspace)


def must_have_place(workspace: Workspace, account: InstagramAccount | None, plan: Plan | None = None) -> None:
    """Raise PLAN_ACCOUNT_LIMIT where there is no place for this account, or a new one; a connected one has its own."""
    taken = connected(workspace.pk)
    if account is not None and taken.filter(pk=account.pk).exists():
        return
    if not entitlements.allows_another((plan or entitlements.plan_of(workspace)).account_limit, taken.count()):
        raise entitlements.short_of(workspace, "account_limit", codes.PLAN_ACCOUNT_LIMIT)


def fit_all(plan: Plan) -> None:
    """Fit every workspace on a plan whose limits were changed, each in a transaction of its own."""
    with tenancy.platform("who is on a plan is looked for everywhere"):
        alive = Subscription.objects.filter(status__in=entitlements.ALIVE, workspace__isnull=False).values("workspace")
        bots = Bot.objects.filter(workspace__in=alive.filter(plan=plan))
        if plan.key == "free":  # where everybody is who has no other
            bots = Bot.objects.exclude(workspace__in=alive.exclude(plan=plan))
        found = list(bots.order_by().values_list("workspace", flat=True).distinct())
    _fit(found)


def fit_paused() -> None:
    """Bring back paused bots whose plan has room: where a turn, or a lost message, crossed the change of the plan."""
    with tenancy.platform("paused bots of all workspaces are looked for"):
        paused = Bot.objects.filter(status=Bot.Status.RUNNING, next_run_at__gt=Now() + PAUSED / 2).order_by()
        found = list(paused.values_list("workspace", flat=True).distinct())
    _fit(found)


def _fit(workspaces: list[UUID]) -> None:
    for workspace in workspaces:
        try:
            with tenancy.scope(workspace):
                fit_to_plan(workspace)
        except (DatabaseError, Workspace.DoesNotExist) as error:  # busy, or erased meanwhile: the others need not wait
            record(error, action="fit_to_plan", workspace=workspace)


def within_plan(workspace: UUID, plan: Plan) -> list[UUID]:
    """The accounts of a workspace that a plan has room for: the oldest that are connected."""
    ids = connected(workspace).order_by("created_at", "pk").values_list("pk", flat=True)
    return list(ids if plan.account_limit == entitlements.UNLIMITED else ids[: plan.account_limit])


def count_accounts(workspace: Workspace) -> int:
    """How many Instagram accounts of a workspace are connected."""
    return connected(workspace.pk).count()


def is_beyond_plan(account: InstagramAccount, plan: Plan) -> bool:
    """Whether a workspace that went to a smaller plan has more accounts than that, and this is not one of the first."""
    if plan.account_limit == entitlements.UNLIMITED:
        return False
    before = Q(created_at__lt=account.created_at) | Q(created_at=account.created_at, pk__lt=account.pk)
    earlier = connected(account.workspace_id).filter(before).count()
    return not entitlements.allows_another(plan.account_limit, earlier)


def stop(bot: Bot, user: User | None) -> None:
    """Stop the bot: no action starts after this commits; one that is on its way ends."""
    if (
        Bot.objects.filter(pk=bot.pk)
        .exclude(status=Bot.Status.STOPPED)
        .update(status=Bot.Status.STOPPED, updated_at=timezone.now())
    ):
        _tell(bot, user, "bot_stop")


def stop_all(workspace: Workspace, user: User) -> None:
    """Stop every bot of a workspace that is let go."""
    for bot in Bot.objects.select_related("account").filter(workspace=workspace).exclude(status=Bot.Status.STOPPED):
        stop(bot, user)


def _tell(bot: Bot, user: User | None, action: str) -> None:
    log_activity(action, workspace=bot.workspace_id, user=user, account=bot.account_id)
    live.publish(bot.workspace_id, "bot", {"account": bot.account.username, "action": action})
