"""A turn from its claim to its end: taken over by one worker, and given back with the moment of the next one."""

import json
import os
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from uuid import UUID

from django.db import connection
from django.db.models.functions import Greatest, Now

from accounts import tenancy
from billing import entitlements
from billing.models import Plan
from bots import health, limits, pacing, sessions, switch
from bots.dispatch import ATTEMPTS, LEASE, leave_unknown, rested_at
from bots.instagram.private import awake_clock
from bots.models import Bot, Candidate, DailyLimit, Turn
from errors import codes
from errors.recording import record
from instagrowth import live

TURN = 25  # seconds after which a turn begins nothing more: Celery ends it after 60, and a slow request takes 13
RESTING = timedelta(days=1)  # a running bot without a task is woken by the next task, not by the clock
_MEMORY = Path("/proc/self/statm")


@dataclass
class Run:
    """What one turn carries along."""

    workspace: UUID
    fence: int
    bot: Bot
    turn: UUID
    plan: Plan
    platform: dict[str, DailyLimit]
    now: datetime
    begun: float = field(default_factory=lambda: awake_clock())
    cpu: float = field(default_factory=time.thread_time)  # seconds of processor time this thread had used at the start
    actions: int = 0
    pages: int = 0
    kind: str = ""  # of the task at hand
    waiting: dict[UUID, list[Candidate]] = field(default_factory=dict)  # candidates in hand, by task

    @property
    def has_time(self) -> bool:
        """Whether something more may be begun; a bot that Instagram answers slowly does less in a turn."""
        return awake_clock() - self.begun < TURN

    @property
    def cpu_ms(self) -> int:
        """Processor time of the turn so far."""
        return round((time.thread_time() - self.cpu) * 1000)


def take_over(workspace: UUID, bot_id: UUID, fence: int) -> Run | None:
    """Turn the short lease of the claim into our own, and count the attempt. None for a stale or a second message."""
    with tenancy.scope(workspace):
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM take_turn(%s, %s, %s, %s)", [workspace, bot_id, fence, LEASE])
            turn, now = cursor.fetchone()
        if turn is None:
            return None
        bot = Bot.objects.select_related("account__session", "workspace__subscription__plan").get(pk=bot_id)
        plan = entitlements.plan_of(bot.workspace)
        terms = switch.terms(plan)
        if terms != {name: getattr(bot, name) for name in terms}:
            Bot.objects.filter(pk=bot_id).update(**terms)  # the plan was changed while the bot ran
        return Run(workspace, fence, bot, turn, plan, limits.platform_limits(workspace), now)


def give_back(run: Run, ended: str) -> None:
    """T3: give the bot back and set its next turn, if it is still ours; nothing if it was deleted meanwhile."""
    news = {"account": run.bot.account.username, "ended": ended}
    with tenancy.scope(run.workspace), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM rests_until(%s, %s)", [run.workspace, run.bot.pk])
        now, *terms = cursor.fetchone()
        if now is None:
            return
        beyond = ended == codes.PLAN_ACCOUNT_LIMIT.id  # until the plan changes: `switch.fit_to_plan`
        next_run_at = now + switch.PAUSED if beyond else _next(run.bot, now, *terms)
        cursor.execute(
            "SELECT * FROM end_turn(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [run.workspace, run.bot.pk, run.fence, run.turn, next_run_at, ended[:40], run.actions,
             run.cpu_ms, resident_kb(), json.dumps(news)],
        )  # fmt: skip
        seq, at = cursor.fetchone()
        if beyond:
            switch.fit_to_plan(run.workspace)  # which may have grown in the turn, and nothing else would wake the bot
    if seq is not None:
        live.tell(run.workspace, {"seq": seq, "name": "turn", "data": news, "at": at.isoformat()})


def _next(
    bot: Bot,
    now: datetime,
    delay: int,
    spread: int,
    opens: clock_time | None,
    closes: clock_time | None,
    state: str,
    healthy_at: datetime | None,
    wakes_at: datetime | None,
) -> datetime:
    """The bot's next turn: after its delay, but not before its account, or the first of its tasks, may go on."""
    bot.cycle_delay, bot.jitter, bot.works_from, bot.works_to = delay, spread, opens, closes
    moment = pacing.next_run(bot, now)
    if state == health.Health.COOLING and healthy_at:
        return pacing.opens_at(bot, max(moment, healthy_at))
    if wakes_at is None:
        return now + RESTING
    return pacing.opens_at(bot, max(moment, wakes_at))


@dataclass(frozen=True)
class Cost:
    """What a bot costs: its turns looked at, the mean processor time of one, and the memory of its last worker."""

    turns: int
    cpu_ms: int
    memory_mb: int


def cost_of(bot: Bot) -> Cost | None:
    """The cost of the bot's last turns (at most 20); None before the first."""
    measured = Turn.objects.filter(bot=bot, cpu_ms__isnull=False).order_by("-due_at")
    last = list(measured.values_list("cpu_ms", "memory_kb")[:20])
    if not last:
        return None
    return Cost(len(last), round(sum(cpu or 0 for cpu, _ in last) / len(last)), (last[0][1] or 0) // 1024)


def resident_kb() -> int | None:
    """Resident memory of this process in KB; None where the system has no /proc."""
    try:
        pages = int(_MEMORY.read_text().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def fail(run: Run, error: Exception) -> None:
    """Our own fault: give the bot back and try again later, longer each time; after five in a row it is parked."""
    sessions.forget(run.bot.account_id)
    with tenancy.scope(run.workspace):
        row = record(error, action="bot_turn", workspace=run.workspace, account=run.bot.account_id)
        bot = Bot.objects.select_for_update().filter(pk=run.bot.pk, fence=run.fence).first()
        if bot is None:
            return
        parked = bot.attempt >= ATTEMPTS and bot.status == Bot.Status.RUNNING  # not if its owner stopped it meanwhile
        Bot.objects.filter(pk=bot.pk).update(
            lease_until=None,
            next_run_at=Greatest(Now() + timedelta(seconds=30 * 2**bot.attempt), rested_at(bot)),
            status=Bot.Status.PARKED if parked else bot.status,
            last_error_code=codes.BOT_PARKED.id if parked else row.error_code if row else "",
            last_error_at=Now(),
        )
        if parked:
            record(codes.BOT_PARKED, action="bot_turn", workspace=run.workspace, account=run.bot.account_id)
            health.tell_parked(run.bot.account)
        code = row.error_code if row else ""
        turn = Turn.objects.filter(pk=run.turn)
        leave_unknown(turn)
        cost = {"cpu_ms": run.cpu_ms, "memory_kb": resident_kb()}
        turn.update(state=Turn.State.DONE, ended=code, actions=run.actions, ended_at=Now(), **cost)


def is_gone(run: Run) -> bool:
    """Whether the bot was deleted, with its account or its workspace, while it worked."""
    with tenancy.scope(run.workspace):
        return not Bot.objects.filter(pk=run.bot.pk).exists()
