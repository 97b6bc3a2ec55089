"""Looking up what became of actions that got no answer: by reading, never by sending again."""

from datetime import timedelta
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Now

from accounts import tenancy
from bots import health, sessions, tasking
from bots.actions import MODULES
from bots.locks import account_lock
from bots.models import Action, BotTask, InstagramAccount
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity
from instagrowth import live

SECOND_LOOK = timedelta(minutes=10)  # for a worker that was frozen between its last check and the wire
TRY_AGAIN = timedelta(minutes=5)  # when the account cannot be asked now


def due_accounts(limit: int = 50) -> list[tuple[UUID, UUID]]:
    """(workspace, account) of those with actions to look up now."""
    with tenancy.platform("the engine looks up unknown actions of all workspaces"):
        due = Action.objects.filter(look_up_at__lte=Now()).values_list("workspace_id", "account_id").distinct()
        return list(due[:limit])


def look_up(workspace: UUID, account_id: UUID) -> int:
    """Read what became of an account's unknown actions; how many were settled."""
    with tenancy.scope(workspace):
        account = InstagramAccount.objects.select_related("session").get(pk=account_id)
        due = Action.objects.filter(account=account, look_up_at__lte=Now()).order_by("look_up_at")
        actions = list(due.select_related("task__bot")[:20])
        # Whoever comes second in these minutes finds nothing due.
        Action.objects.filter(pk__in=[action.pk for action in actions]).update(look_up_at=Now() + TRY_AGAIN)
    if not sessions.is_usable(account):
        return 0
    settled = 0
    with account_lock(account_id) as held:
        if not held:
            return 0
        try:
            with sessions.borrow(account) as door:
                for action in actions:
                    settled += _settle(workspace, action, MODULES[action.kind].reconcile(door, action, action.task))
        except BotException as stop:
            with tenancy.scope(workspace):
                health.react(account, stop)
    return settled


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
