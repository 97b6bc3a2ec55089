"""Looking up what became of actions that got no answer: by reading, never by sending again."""

from datetime import timedelta
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Now

from accounts import tenancy
from bots import health, sessions, tasking
from bots.actions import MODULES
from bots.instagram.private import Door
from bots.models import Action, BotTask, InstagramAccount
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity, record
from instagrowth import live

SECOND_LOOK = timedelta(minutes=10)  # for a worker that was frozen between its last check and the wire
TRY_AGAIN = timedelta(minutes=5)  # when the account cannot be asked now
LATEST = 8  # doublings of that: about a day
GONE = (codes.IG_TARGET_GONE, codes.DM_NOT_POSSIBLE)
NOT_NOW = (
    codes.SESSION_BUSY,
    codes.ACCOUNT_COOLING,
    codes.NETWORK_SLOWED,
    codes.SESSION_INVALID,
    codes.QUEUE_UNAVAILABLE,
)


def due_accounts(limit: int = 50) -> list[tuple[UUID, UUID]]:
    """(workspace, account) of those with actions to look up now."""
    with tenancy.platform("the engine looks up unknown actions of all workspaces"):
        due = Action.objects.filter(look_up_at__lte=Now()).values_list("workspace_id", "account_id").distinct()
        return list(due[:limit])


def look_up(workspace: UUID, account_id: UUID) -> int:
    """Read what became of an account's unknown actions; how many were settled."""
    with tenancy.scope(workspace):
        account = InstagramAccount.objects.filter(pk=account_id).first()
        due = Action.objects.filter(account=account_id, look_up_at__lte=Now()).order_by("look_up_at")
        actions = list(due.select_related("task__bot")[:20])
        # Whoever comes second in these minutes finds nothing due.
        Action.objects.filter(pk__in=[action.pk for action in actions]).update(look_up_at=Now() + TRY_AGAIN)
    if account is None:
        return 0  # deleted meanwhile
    settled = 0
    try:
        with sessions.visit(account) as door:
            for action in actions:
                arrived = _ask(workspace, door, action)
                settled += arrived is not None and _settle(workspace, action, arrived)
    except BotException as stop:
        # A stop sign was written down with the reaction it asked for.
        if stop.code not in NOT_NOW and stop.code.then not in health.TOUCH_ACCOUNT:
            with tenancy.scope(workspace):
                record(stop, action="look_up", workspace=workspace, account=account)
    return settled


def _ask(workspace: UUID, door: Door, action: Action) -> bool | None:
    """Whether an action arrived; None where Instagram's answer does not tell, and then it is asked later each time.

    Where the person or the post is gone, what was done to them is, too. Raises what is about the account.
    """
    try:
        arrived: bool = MODULES[action.kind].reconcile(door, action, action.task)
    except BotException as strange:
        if not door.leaves_one(strange.code):
            raise
        if strange.code in GONE:
            return False
        with tenancy.scope(workspace):
            later = TRY_AGAIN * 2 ** min(action.lookups, LATEST)
            Action.objects.filter(pk=action.pk).update(look_up_at=Now() + later, lookups=F("lookups") + 1)
            record(strange, action="look_up", workspace=workspace, account=action.account_id)
        return None
    return arrived


def _settle(workspace: UUID, action: Action, arrived: bool) -> bool:
    """Confirmed, or absent; an absent one is read a second time, later. Whether anything changed."""
    again = not arrived and action.lookups == 0
    state = Action.State.CONFIRMED if arrived else Action.State.ABSENT
    with tenancy.scope(workspace):
        changed = (
            Action.objects.filter(pk=action.pk)
            .exclude(state__in=[Action.State.CONFIRMED, Action.State.REFUSED])
            .update(
                state=state,
                lookups=F("lookups") + 1,
                look_up_at=Now() + SECOND_LOOK if again else None,
                ended_at=Now(),
                error_code=codes.OUTCOME_FOUND.id if arrived else codes.OUTCOME_ABSENT.id,
            )
        )
        if not changed or action.state == state:
            return False
        if action.task is not None:
            _count(action.task, action.state, arrived)
        code = codes.OUTCOME_FOUND if arrived else codes.OUTCOME_ABSENT
        log_activity(
            action.kind,
            status="ok" if arrived else "warning",
            code=code,
            message=code.what,
            workspace=workspace,
            account=action.account_id,
            target=action.target_username,
            outcome=state,
        )
        live.publish(workspace, "action", {"kind": action.kind, "outcome": state})
    return True


def _count(task: BotTask, was: str, arrived: bool) -> None:
    """Correct the task's counts; one that has what it asked for is done."""
    counts = BotTask.objects.select_for_update().get(pk=task.pk)
    counts.unknown -= was == Action.State.UNKNOWN and counts.unknown > 0
    counts.confirmed += arrived
    counts.save(update_fields=["unknown", "confirmed"])
    if counts.confirmed >= counts.amount and counts.status in BotTask.OPEN:
        tasking.close(counts, task.bot, BotTask.Status.DONE, None)
