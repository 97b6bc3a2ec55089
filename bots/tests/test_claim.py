"""Who works now: claims, shares, and bots whose worker is gone."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_redis import get_redis_connection

from accounts import teams, tenancy
from accounts.models import User, Workspace
from bots import dispatch, turns
from bots.models import Action, Bot, InstagramAccount, Turn
from bots.tests.engine import Engine
from errors import codes

ROOT = Path(__file__).resolve().parents[2]
LONG_AGO = timezone.now() - timedelta(hours=1)


def due_bots(count: int, *, share: int = 50) -> Workspace:
    """A workspace with so many bots that are due."""
    user = User.objects.make(email=f"many{os.urandom(4).hex()}@example.com", password="a long enough phrase")
    workspace = teams.open_workspace(user)
    with tenancy.scope(workspace):
        accounts = [InstagramAccount(workspace=workspace, username=f"due.{i}") for i in range(count)]
        InstagramAccount.objects.bulk_create(accounts)
        Bot.objects.bulk_create(
            Bot(workspace=workspace, account=account, status="running", share=share, next_run_at=LONG_AGO)
            for account in accounts
        )
    return workspace


@pytest.mark.parametrize(("taken", "waiting", "room"), [(0, 0, 8), (0, 5, 3), (6, 0, 30), (6, 30, 0), (1, 0, 8)])
def test_a_queue_gets_no_more_than_its_workers_keep_up_with(
    committed: None, taken: int, waiting: int, room: int
) -> None:
    workspace = due_bots(taken + 2)
    dispatch.claim()
    with tenancy.scope(workspace):
        turns_ = list(Turn.objects.all())
        for turn in turns_[:taken]:
            turn.taken_at = timezone.now() + timedelta(seconds=1)  # a slow machine has until then
        turns_[taken].taken_at = timezone.now() - timedelta(seconds=dispatch.LATELY + 1)  # not lately
        Turn.objects.bulk_update(turns_, ["taken_at"])
    redis, queue = get_redis_connection(), "celery:starter"
    redis.delete(queue)
    if waiting:
        redis.rpush(queue, *["a turn"] * waiting)

    assert dispatch.rooms() == {"starter": room, "enterprise": dispatch.ALWAYS}

    redis.delete(queue)


def _claim_all(url_of_test_database: str) -> list[str]:
    script = (
        "from bots import dispatch\nwhile claims := dispatch.claim(20):\n    print(*(c.bot for c in claims), sep='\\n')"
    )
    env = os.environ | {"DATABASE_URL": url_of_test_database}
    command = [sys.executable, "-c", f"import django; django.setup()\n{script}"]
    return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()


def test_no_two_dispatchers_claim_the_same_bot(committed: None, database_url: str) -> None:
    due_bots(400, share=1000)

    with ThreadPoolExecutor(4) as dispatchers:
        claimed = [bot for bots in dispatchers.map(_claim_all, [database_url] * 4) for bot in bots]

    assert len(claimed) == len(set(claimed)) == 400
    with tenancy.platform("a test counts"):
        assert Turn.objects.count() == 400


def test_a_claim_raises_the_fence_and_writes_the_turn(committed: None) -> None:
    workspace = due_bots(1)

    (claim,) = dispatch.claim()

    with tenancy.scope(workspace):
        bot, turn = Bot.objects.get(), Turn.objects.get()
    assert (bot.fence, claim.fence, turn.fence) == (1, 1, 1)
    assert turn.due_at == LONG_AGO
    assert timezone.now() < bot.lease_until < timezone.now() + timedelta(seconds=dispatch.HANDOVER + 1)
    assert dispatch.claim() == []


@pytest.mark.parametrize(("share", "expected"), [(1, 1), (3, 3), (50, 10)])
def test_a_plan_decides_how_many_bots_run_at_once(committed: None, share: int, expected: int) -> None:
    due_bots(10, share=share)

    assert len(dispatch.claim(200)) == expected
    assert dispatch.claim(200) == []


def test_one_big_workspace_does_not_starve_the_others(committed: None) -> None:
    due_bots(300, share=5)
    small = due_bots(2, share=5)

    claimed = dispatch.claim(20) + dispatch.claim(20)

    assert sum(claim.workspace == small.pk for claim in claimed) == 2


def test_a_bot_that_is_stopped_or_not_due_is_left_alone(committed: None) -> None:
    workspace = due_bots(2)
    with tenancy.scope(workspace):
        first, second = Bot.objects.all()
        Bot.objects.filter(pk=first.pk).update(status="stopped")
        Bot.objects.filter(pk=second.pk).update(next_run_at=timezone.now() + timedelta(hours=1))

    assert dispatch.claim() == []


def test_a_lost_message_costs_one_lease_and_no_attempt(committed: None) -> None:
    workspace = due_bots(1)
    dispatch.claim()
    with tenancy.scope(workspace):
        Bot.objects.update(lease_until=LONG_AGO)

    assert dispatch.sweep() == 1

    with tenancy.scope(workspace):
        assert (Bot.objects.get().attempt, Turn.objects.get().state) == (0, "expired")
    assert [claim.fence for claim in dispatch.claim()] == [2]


def test_a_bot_whose_turns_keep_dying_is_parked(committed: None) -> None:
    workspace = due_bots(1)
    with tenancy.scope(workspace):
        Bot.objects.update(lease_until=LONG_AGO, attempt=dispatch.ATTEMPTS)

    dispatch.sweep()

    with tenancy.scope(workspace):
        bot = Bot.objects.get()
    assert (bot.status, bot.last_error_code) == ("parked", codes.BOT_PARKED.id)


def test_what_a_dead_worker_left_open_becomes_unknown(engine: Engine) -> None:
    engine.start()
    engine.ask(1)
    with engine.seen():
        Bot.objects.update(next_run_at=LONG_AGO)
    dispatch.claim()
    with engine.seen():
        Action.objects.create(
            workspace=engine.workspace,
            account=engine.account,
            task=engine.task(),
            turn=Turn.objects.get(),
            kind="follow",
            target_pk=1,
            target_username="someone",
            fence=1,
        )
        Bot.objects.update(lease_until=LONG_AGO)

    dispatch.sweep()

    (action,) = engine.actions()
    assert (action.state, action.error_code, engine.task().unknown) == ("unknown", codes.OUTCOME_UNKNOWN.id, 1)
    assert action.look_up_at is not None


def test_the_claim_reads_due_bots_only(committed: None) -> None:
    workspace = due_bots(3)
    with tenancy.scope(workspace):
        idle = [InstagramAccount(workspace=workspace, username=f"idle.{i}") for i in range(3000)]
        InstagramAccount.objects.bulk_create(idle)
        later = timezone.now() + timedelta(days=1)
        Bot.objects.bulk_create(Bot(workspace=workspace, account=a, status="running", next_run_at=later) for a in idle)
    with tenancy.platform("a test counts what is read"), connection.cursor() as cursor:
        cursor.execute("ANALYZE bots_bot")
        before = _read(cursor)
        claimed = dispatch.claim()
        whole, rows = (after - former for after, former in zip(_read(cursor), before, strict=True))

    assert len(claimed) == 3
    assert whole == 0
    assert rows < 50


def _read(cursor: Any) -> tuple[int, int]:
    """How often this transaction read all bots, and how many rows it fetched by an index."""
    cursor.execute("SELECT seq_scan, idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'bots_bot'")
    scans, rows = cursor.fetchone()
    return scans, rows


def test_a_second_message_of_a_claim_finds_it_taken(engine_of: Callable[..., Engine]) -> None:
    engine = engine_of()
    engine.start()
    (claimed,) = dispatch.claim()

    def take(_: int) -> turns.Run | None:
        try:
            return turns.take_over(claimed.workspace, claimed.bot, claimed.fence)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        runs = [run for run in pool.map(take, range(8)) if run]

    assert len(runs) == 1
    assert engine.bot.attempt == 1


def test_a_bot_that_is_woken_while_its_turn_ends_does_not_oversleep(
    engine_of: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_of()
    engine.start()
    (claimed,) = dispatch.claim()
    run = turns.take_over(claimed.workspace, claimed.bot, claimed.fence)
    assert run is not None
    decide = turns._next

    def ask() -> None:
        try:
            engine.ask()
        finally:
            connection.close()

    def decide_before_it_is_asked(*terms: Any) -> datetime:
        decided = decide(*terms)
        asked.append(pool.submit(ask))
        while not asked[0].done() and not _somebody_waits():
            pass
        return decided

    asked: list[Future[None]] = []
    monkeypatch.setattr(turns, "_next", decide_before_it_is_asked)
    with ThreadPoolExecutor(1) as pool:
        turns.give_back(run, "nothing to do")
    asked[0].result()

    assert engine.bot.next_run_at <= timezone.now()


def _somebody_waits() -> bool:
    """Whether another connection waits for a row that we hold."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid)))")
        return bool(cursor.fetchone()[0])


def test_dispatch_sends_each_claim_to_the_queue_of_its_plan(
    engine_of: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    from bots import tasks

    engine = engine_of(queue="enterprise")
    engine.start()
    with engine.seen():
        Bot.objects.update(next_run_at=LONG_AGO, queue="enterprise")
    sent: list[dict[str, object]] = []
    monkeypatch.setattr(tasks.run_turn, "apply_async", lambda args, **how: sent.append({"args": args, **how}))

    tasks.dispatch()

    assert sent == [{"args": (str(engine.workspace.pk), str(engine.bot.pk), 1), "queue": "enterprise"}]


def test_old_turns_that_sent_nothing_go_and_the_others_stay(engine: Engine) -> None:
    with engine.seen():
        for age, state, actions in [(31, "done", 0), (31, "done", 1), (29, "done", 0), (31, "expired", 0)]:
            taken = timezone.now() - timedelta(days=age)
            Turn.objects.create(
                workspace=engine.workspace, bot=engine.bot, due_at=taken, fence=age,
                state=state, actions=actions, taken_at=taken,
            )  # fmt: skip

    assert dispatch.forget_empty_turns() == 1

    with engine.seen():
        left = Turn.objects.order_by("taken_at").values_list("state", "actions")
        assert sorted(left) == [("done", 0), ("done", 1), ("expired", 0)]
