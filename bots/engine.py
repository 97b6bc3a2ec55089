"""How the engine does, over all workspaces: what operators and alarms ask."""

from dataclasses import dataclass

from django.db import connection

from accounts import tenancy
from bots.context import LATE
from bots.models import Action, BotTask


@dataclass(frozen=True)
class Status:
    """What is due and what is going on; times in seconds."""

    running: int  # bots that are switched on
    due: int  # of them, those that wait for their turn now
    oldest_due: float
    leased: int  # bots that a worker has now
    lease_expired: int  # of them, those whose worker is gone
    parked: int  # bots we gave up on until somebody looks
    open_tasks: int
    unknown_actions: int  # sent, without an answer, not looked up yet
    last_hour: dict[str, int]  # actions of the last hour by outcome
    turns_last_hour: int
    cpu_ms_a_turn: float  # processor time of the workers, over the turns of the last hour; 0 without one
    worker_memory_mb: float  # of the largest worker that gave a turn in the last hour

    @property
    def late(self) -> bool:
        """Tell whether bots wait longer than they should."""
        return self.oldest_due > LATE.total_seconds()


_BOTS = """
SELECT count(*) FILTER (WHERE status = 'running'),
       count(*) FILTER (WHERE status = 'running' AND lease_until IS NULL AND next_run_at <= now()),
       coalesce(extract(epoch FROM now() - min(next_run_at)
                FILTER (WHERE status = 'running' AND lease_until IS NULL AND next_run_at <= now())), 0)::float,
       count(*) FILTER (WHERE lease_until IS NOT NULL),
       count(*) FILTER (WHERE lease_until <= now()),
       count(*) FILTER (WHERE status = 'parked')
FROM bots_bot
"""
_ACTIONS = "SELECT state, count(*) FROM bots_action WHERE created_at > now() - interval '1 hour' GROUP BY state"
_TURNS = """
SELECT count(*), coalesce(avg(cpu_ms), 0)::float, coalesce(max(memory_kb), 0) / 1024.0
FROM bots_turn WHERE taken_at > now() - interval '1 hour'
"""


_STALLED = """
SELECT DISTINCT b.queue FROM bots_bot b
WHERE b.status = 'running' AND b.next_run_at < now() - make_interval(secs => %(late)s)
  AND NOT EXISTS (SELECT 1 FROM bots_turn t
                  WHERE t.queue = b.queue AND t.taken_at > now() - make_interval(secs => %(late)s))
ORDER BY b.queue
"""


def stalled() -> list[str]:
    """The queues whose bots have waited for too long while no worker took a turn of any of them.

    Claimed ones count too: a claim that nobody takes over is a message that nobody reads.
    """
    with tenancy.platform("operators look at the whole engine"), connection.cursor() as cursor:
        cursor.execute(_STALLED, {"late": LATE.total_seconds()})
        return [queue for (queue,) in cursor.fetchall()]


def look() -> Status:
    """Ask the database."""
    with tenancy.platform("operators look at the whole engine"), connection.cursor() as cursor:
        cursor.execute(_BOTS)
        running, due, oldest_due, leased, lease_expired, parked = cursor.fetchone()
        cursor.execute(_TURNS)
        turns, cpu_ms, memory = cursor.fetchone()
        cursor.execute(_ACTIONS)
        last_hour = dict.fromkeys(Action.State.values, 0) | dict(cursor.fetchall())
        return Status(
            running=running,
            due=due,
            oldest_due=round(oldest_due, 1),
            leased=leased,
            lease_expired=lease_expired,
            parked=parked,
            open_tasks=BotTask.objects.filter(status__in=BotTask.OPEN).count(),
            unknown_actions=Action.objects.filter(look_up_at__isnull=False).count(),
            last_hour=last_hour,
            turns_last_hour=turns,
            cpu_ms_a_turn=round(cpu_ms, 1),
            worker_memory_mb=round(float(memory), 1),
        )
