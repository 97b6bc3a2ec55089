"""Who works now: claims due bots, and gives up on turns whose worker is gone. Any number of these may run at once."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Count, F, QuerySet
from django.db.models.functions import Greatest, Now
from django.utils import timezone
from django_redis import get_redis_connection

from accounts import tenancy
from bots import health
from bots.models import Action, Bot, BotTask, Turn
from errors import codes
from errors.recording import record

HANDOVER = 30  # seconds a claimed bot waits for its worker: what a lost message costs
LEASE = 90  # seconds of a turn; longer than the 75 s after which Celery kills it (RELIABILITY 5.5)
ATTEMPTS = 5  # turns in a row that may fail before a bot is parked
LOOK_UP_AFTER = timedelta(seconds=60)
LOOKED_AT = 800  # due bots looked at beside those to claim, so that one workspace's many do not hide the others
QUEUES = ("starter", "enterprise")  # bots run on these; a plan says on which
PACE = 10  # seconds of its workers' pace that may wait on a queue: a third of HANDOVER
LATELY = 2  # seconds over which the pace is taken: a queue that starts from nothing is full on its third tick
KEPT = timedelta(days=30)  # of turns that sent nothing: most turns of most bots
ALWAYS = 8  # turns that may wait in any case, so that a queue starts; two children get through them in HANDOVER


@dataclass(frozen=True)
class Claim:
    """A bot that is ours to run: `fence` proves it."""

    bot: UUID
    workspace: UUID
    fence: int
    queue: str


def claim(limit: int = 200, queues: Sequence[str] = QUEUES) -> list[Claim]:
    """Claim up to `limit` due bots of these queues, see `claim_due`. What is claimed here is claimed by nobody else."""
    with tenancy.platform("the engine claims due bots of all workspaces"), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM claim_due(%s, %s, %s, %s)", [limit, limit + LOOKED_AT, HANDOVER, list(queues)])
        return [Claim(*row) for row in cursor.fetchall()]


def rooms() -> dict[str, int]:
    """How many turns more may wait on each queue. Raises RedisError.

    What waits longer than HANDOVER was claimed in vain. So no more is handed out than the workers of a queue took over
    in PACE seconds as lately; after a standstill that grows again with each tick.
    """
    with tenancy.platform("the pace of the workers is counted over all workspaces"):
        lately = Turn.objects.filter(taken_at__gt=Now() - timedelta(seconds=LATELY)).order_by()
        taken = dict(lately.values_list("queue").annotate(taken=Count("pk")))
    redis = get_redis_connection()
    return {
        queue: max(ALWAYS, taken.get(queue, 0) * PACE // LATELY) - redis.llen(f"celery:{queue}") for queue in QUEUES
    }


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
    never_taken = turns.filter(taken_at=None).exists()
    leave_unknown(turns)
    turns.update(state=Turn.State.EXPIRED, ended=codes.LEASE_LOST.id, ended_at=timezone.now())
    bot.lease_until = None
    if never_taken and bot.attempt < ATTEMPTS:
        bot.save(update_fields=["lease_until"])  # its message was lost or waited too long; it keeps its place in line
        return
    bot.next_run_at = rested_at(bot)
    code = codes.LEASE_LOST
    if parked := bot.attempt >= ATTEMPTS and bot.status == Bot.Status.RUNNING:
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
    if parked:
        health.tell_parked(bot.account)


def rested_at(bot: Bot) -> Greatest:
    """When the delay after the bot's last action is over, also of a turn that did not live to set the next; or now."""
    mine = Action.objects.filter(workspace=bot.workspace_id, account=bot.account_id).order_by("-created_at")
    last = mine.values_list("created_at", flat=True).first()
    return Greatest(Now(), last + timedelta(seconds=bot.cycle_delay) if last else Now())


def leave_unknown(turns: QuerySet[Turn]) -> None:
    """Nobody knows what became of the open intents of these turns: they are looked up later, and never sent again."""
    # Actions before tasks, as `write_outcome` has it, so that a worker that comes back now does not wait in a circle.
    left = list(Action.objects.select_for_update().filter(turn__in=turns, state=Action.State.INTENT))
    Action.objects.filter(pk__in=[action.pk for action in left]).update(
        state=Action.State.UNKNOWN, error_code=codes.OUTCOME_UNKNOWN.id, look_up_at=Now() + LOOK_UP_AFTER
    )
    for task, count in Counter(action.task_id for action in left if action.task_id).items():
        BotTask.objects.filter(pk=task).update(unknown=F("unknown") + count)


def forget_empty_turns(most: int = 20_000) -> int:
    """Throw away up to `most` old turns that sent nothing; how many. Those that did are part of the journal."""
    with tenancy.platform("old turns of all workspaces go"):
        old = Turn.objects.filter(state=Turn.State.DONE, actions=0, taken_at__lt=Now() - KEPT)
        gone, _ = Turn.objects.filter(pk__in=old.values("pk")[:most]).delete()
    return gone
