"""The engine under fire: workers killed and frozen, Redis emptied, PostgreSQL crashed, two beats. No double, no loss.

Everything is real: Celery's workers and beats, Valkey, PostgreSQL, instagrapi, and the sandbox, whose ledger is held
against our journal. The run is bounded and stops by itself. A short one is a test: `bots/tests/test_chaos.py`.
"""

import os
import random
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.engine import ready_bot
from bench.ground import Ground
from instagrowth.testing_processes import Processes

FROZEN = 95  # seconds, longer than the lease of 90


@dataclass
class Plan:
    """How much fire, over how many turns of how many bots. `hurry` lets leases run out at once, for a short run."""

    turns: int = 10_000
    bots: int = 50
    kills: int = 50
    freezes: int = 10
    flushes: int = 5
    crashes: int = 2
    workers: int = 3
    patience: int = 2400  # seconds until the run is given up
    hurry: bool = False
    frozen: int = FROZEN
    chance: random.Random = field(default_factory=lambda: random.Random(9))


@dataclass
class Report:
    """What came of it."""

    turns: int
    seconds: float
    doubles: int
    lost: int
    disagreements: int
    kills: int
    freezes: int
    flushes: int
    crashes: int


def figures(ground: Ground) -> list[dict[str, object]]:
    """Run the long one."""
    report = run(ground, Plan())
    fire = f"{report.kills} kills, {report.freezes} freezes, {report.flushes} flushes, {report.crashes} crashes"
    return [
        {"figure": f"turns under fire ({fire}, 2 beats)", "value": report.turns, "goal": 10_000},
        {"figure": "seconds they took", "value": round(report.seconds)},
        {"figure": "double actions under fire", "value": report.doubles, "goal": 0},
        {"figure": "actions asked for and lost under fire", "value": report.lost, "goal": 0},
        {"figure": "actions on which journal and ledger disagree", "value": report.disagreements, "goal": 0},
    ]


def run(ground: Ground, plan: Plan) -> Report:
    """Ask every bot for its share of the turns, one action each, and set fire until all is done."""
    control = ground.sandbox.control
    names = [ready_bot(ground.sandbox, follows=plan.turns // plan.bots, burst=1) for _ in range(plan.bots)]
    for name in names:  # lost answers too: one of a hundred writes was applied and says nothing
        losses = max(1, plan.turns // plan.bots // 100)
        control.fault("reset_after_apply", account=name, path="friendships/create", times=losses, after=2)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="instagrowth chaos ") as folder:
        crew = Processes(Path(folder), dict(os.environ))
        fire = Fire(ground, crew, plan)
        try:
            crew.beat(), crew.beat()
            fire.burn_until_done(len(names))
        finally:
            crew.stop()
    return _compare(ground, names, plan, fire, time.monotonic() - started)


class Fire:
    """Sets each fire at its share of the way, and lets the works go on in between."""

    def __init__(self, ground: Ground, crew: Processes, plan: Plan) -> None:
        """Spread the fires over the turns, in an order that chance decides and a seed repeats."""
        self.ground, self.crew, self.plan = ground, crew, plan
        self.done = {"kills": 0, "freezes": 0, "flushes": 0, "crashes": 0}
        self.workers = [crew.worker() for _ in range(plan.workers)]
        self.thaws: list[tuple[float, subprocess.Popen[bytes]]] = []
        self.fires = [name for name in self.done for _ in range(getattr(plan, name))]
        plan.chance.shuffle(self.fires)

    def burn_until_done(self, bots: int) -> None:
        """Until every task has its end and every action its outcome. Raises RuntimeError when patience is over."""
        end = time.monotonic() + self.plan.patience
        set_so_far, total = 0, len(self.fires)
        while time.monotonic() < end:
            time.sleep(0.3)
            self._thaw()
            confirmed, open_ones, tasks = _state(self)
            while set_so_far < total and confirmed >= self.plan.turns * 0.95 * set_so_far / total:
                getattr(self, self.fires[set_so_far])()
                set_so_far += 1
                if self.plan.hurry:
                    time.sleep(1)
                    _hurry(leases=True)
            if self.plan.hurry:
                _hurry()
            if tasks == bots and not open_ones and set_so_far == total:
                return
        raise RuntimeError(f"not done within {self.plan.patience} s: {_state(self)} {self.crew.said()[-2000:]}")

    def kills(self) -> None:
        """Kill a worker with its children, and start another."""
        worker = self._somebody()
        self.crew.kill(worker)
        self.workers[self.workers.index(worker)] = self.crew.worker()
        self.done["kills"] += 1

    def freezes(self) -> None:
        """Freeze a worker with its children for longer than a lease: it wakes as a zombie."""
        worker = self._somebody()
        os.killpg(worker.pid, signal.SIGSTOP)
        self.thaws.append((time.monotonic() + self.plan.frozen, worker))
        self.done["freezes"] += 1

    def flushes(self) -> None:
        """Empty our number of Redis: every message and every lock is gone."""
        from django_redis import get_redis_connection

        get_redis_connection().flushdb()
        self.done["flushes"] += 1

    def crashes(self) -> None:
        """Kill PostgreSQL as a power cut does; it recovers from its log."""
        postgres = self.ground.services.postgres
        if postgres is None or postgres.process is None:
            raise RuntimeError("The chaos crashes its own PostgreSQL only.")
        postgres.process.kill()
        postgres.process.wait()
        time.sleep(1)
        self.ground.services.revive()
        self.done["crashes"] += 1

    def _somebody(self) -> subprocess.Popen[bytes]:
        """One who is awake."""
        frozen = [worker for _, worker in self.thaws]
        return self.plan.chance.choice([worker for worker in self.workers if worker not in frozen] or self.workers)

    def _thaw(self) -> None:
        now = time.monotonic()
        for due, worker in list(self.thaws):
            if due <= now:
                self.thaws.remove((due, worker))
                if worker.poll() is None:
                    os.killpg(worker.pid, signal.SIGCONT)


def _state(fire: "Fire") -> tuple[int, int, int]:
    """Confirmed actions, open ones, and tasks that have their end; asked again after a crash."""
    from django.db import DatabaseError, InterfaceError, OperationalError, connection

    from accounts import tenancy
    from bots.models import Action, BotTask

    for _ in range(60):
        try:
            with tenancy.platform("the chaos counts"):
                return (
                    Action.objects.filter(state=Action.State.CONFIRMED).count(),
                    Action.objects.filter(state__in=[Action.State.INTENT, Action.State.UNKNOWN]).count(),
                    BotTask.objects.filter(status=BotTask.Status.DONE).count(),
                )
        except (OperationalError, InterfaceError, DatabaseError):
            connection.close()
            time.sleep(0.5)
    raise RuntimeError("PostgreSQL did not come back.")


def _hurry(*, leases: bool = False) -> None:
    """Let look-ups fall due, and (with `leases`) leases and the locks of accounts run out, as after some minutes."""
    from django.db import DatabaseError, connection
    from django.db.models.functions import Now
    from django_redis import get_redis_connection

    from accounts import tenancy
    from bots.models import Action, Bot

    try:
        with tenancy.platform("the chaos is in a hurry"):
            Action.objects.filter(look_up_at__isnull=False).update(look_up_at=Now())
            if leases:
                Bot.objects.filter(lease_until__isnull=False).update(lease_until=Now())
                redis = get_redis_connection()
                redis.delete(*redis.keys("ig:*"), "ig:")
    except DatabaseError:
        connection.close()


def _compare(ground: Ground, names: list[str], plan: Plan, fire: Fire, seconds: float) -> Report:
    """Hold the sandbox's ledger against our journal, account by account."""
    from accounts import tenancy
    from bots.models import Action, Turn

    doubles = lost = disagreements = 0
    with tenancy.platform("the chaos compares"):
        turns = Turn.objects.filter(taken_at__isnull=False).count()  # by a worker, also by one that died in it
        for name in names:
            seen = ground.sandbox.control.ledger(name)
            followed = [int(pk) for pk in seen.targets("follow")]
            journal = set(
                Action.objects.filter(account__username=name, state=Action.State.CONFIRMED).values_list(
                    "target_pk", flat=True
                )
            )
            doubles += len(followed) - len(set(followed)) + len(seen.duplicates)
            disagreements += len(set(followed) ^ journal)
            lost += plan.turns // plan.bots - len(journal)
    return Report(turns, seconds, doubles, max(0, lost), disagreements, **fire.done)
