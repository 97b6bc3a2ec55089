"""Who works now: claims due bots, and gives up on turns whose worker is gone. Any number of these may run at once."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from accounts import tenancy
from bots.models import Action, Bot, BotTask, Turn
from errors import codes
from errors.recording import record

HANDOVER = 30  # seconds a claimed bot waits for its worker: what a lost message costs
LEASE = 90  # seconds of a turn; longer than the 75 s after which Celery kills it (RELIABILITY 5.5)
ATTEMPTS = 5  # turns in a row that may fail before a bot is parked
LOOK_UP_AFTER = timedelta(seconds=60)
SHARE_OF_TICK = 4  # due bots looked at for each one claimed, so that one workspace's many do not hide the others

# One statement: due bots, at most `share` of a workspace at once, become leased and get their turn's row.
# The leases alone keep a workspace's count exact, because claims queue behind one advisory lock (see `claim`); they are
# counted for the workspaces that have due bots, never for all. Only what is claimed is locked.
_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT b.id, b.workspace_id, b.next_run_at, b.share - busy.n AS room
    FROM bots_bot b CROSS JOIN LATERAL (
        SELECT count(*) AS n FROM bots_bot l WHERE l.workspace_id = b.workspace_id AND l.lease_until IS NOT NULL
    ) busy
    WHERE b.status = 'running' AND b.lease_until IS NULL AND b.next_run_at <= now() AND busy.n < b.share
    ORDER BY b.next_run_at, b.id LIMIT %(looked_at)s
), placed AS (
    SELECT *, row_number() OVER (PARTITION BY workspace_id ORDER BY next_run_at, id) AS place FROM due
), chosen AS MATERIALIZED (
    SELECT id FROM placed WHERE place <= room ORDER BY next_run_at, id LIMIT %(limit)s
), mine AS MATERIALIZED (
    SELECT id FROM bots_bot WHERE id = ANY(ARRAY(SELECT id FROM chosen)) AND status = 'running' AND lease_until IS NULL
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE bots_bot b SET fence = b.fence + 1,
           lease_until = now() + make_interval(secs => %(handover)s)
    FROM mine WHERE b.id = mine.id
    RETURNING b.id, b.workspace_id, b.fence, b.queue, b.next_run_at
), ledger AS (
    INSERT INTO bots_turn (id, workspace_id, bot_id, due_at, fence, state, ended, actions)
    SELECT gen_random_uuid(), workspace_id, id, next_run_at, fence, 'running', '', 0 FROM claimed
    ON CONFLICT (workspace_id, bot_id, due_at) DO UPDATE SET fence = excluded.fence, state = 'running', ended_at = NULL
)
SELECT id, workspace_id, fence, queue FROM claimed
"""


@dataclass(frozen=True)
class Claim:
    """A bot that is ours to run: `fence` proves it."""

    bot: UUID
    workspace: UUID
    fence: int
    queue: str


def claim(limit: int = 200) -> list[Claim]:
    """Claim up to `limit` due bots. What is claimed here is claimed by nobody else."""
    with tenancy.platform("the engine claims due bots of all workspaces"), connection.cursor() as cursor:
        # The planner believes that sorting all due bots is cheap; walking their index stops after the first ones.
        cursor.execute(
            "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true),"
            " pg_advisory_xact_lock(hashtext('bots.dispatch.claim'))"
        )
        cursor.execute(_CLAIM, {"limit": limit, "looked_at": limit * SHARE_OF_TICK, "handover": HANDOVER})
        return [Claim(*row) for row in cursor.fetchall()]


def sweep() -> int:
    """Take bots back whose lease ran out, park those that failed too often, and leave their open intents as unknown.

    How many were taken back.
    """
    with tenancy.platform("the engine takes back expired leases of all workspaces"):
        expired = list(
            Bot.objects.select_for_update(skip_locked=True).filter(lease_until__lt=Now()).order_by("lease_until")[:500]
        )
        for bot in expired:
            _take_back(bot)
    return len(expired)


def _take_back(bot: Bot) -> None:
    turns = Turn.objects.filter(bot=bot, state=Turn.State.RUNNING)
    leave_unknown(turns)
    turns.update(state=Turn.State.EXPIRED, ended=codes.LEASE_LOST.id, ended_at=timezone.now())
    bot.lease_until = None
    bot.next_run_at = Now()
    code = codes.LEASE_LOST
    if bot.attempt >= ATTEMPTS:
        bot.status, code = Bot.Status.PARKED, codes.BOT_PARKED
    bot.last_error_code, bot.last_error_at = code.id, timezone.now()
    bot.save(update_fields=["lease_until", "next_run_at", "status", "last_error_code", "last_error_at"])
    record(
        code,
        action="bot_turn",
        workspace=bot.workspace_id,
        account=bot.account_id,
        fence=bot.fence,
        attempt=bot.attempt,
    )


def leave_unknown(turns: QuerySet[Turn]) -> None:
    """Nobody knows what became of the open intents of these turns: they are looked up later, and never sent again."""
    # Actions before tasks, as `write_outcome` has it, so that a worker that comes back now does not wait in a circle.
    left = list(Action.objects.select_for_update().filter(turn__in=turns, state=Action.State.INTENT))
    Action.objects.filter(pk__in=[action.pk for action in left]).update(
        state=Action.State.UNKNOWN, error_code=codes.OUTCOME_UNKNOWN.id, look_up_at=Now() + LOOK_UP_AFTER
    )
    for task, count in Counter(action.task_id for action in left if action.task_id).items():
        BotTask.objects.filter(pk=task).update(unknown=F("unknown") + count)
