"""What may go wrong round a turn: rows that vanish, plans that shrink, clocks that lie, neighbours that are broken."""

import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone
from django_redis import get_redis_connection

from accounts.models import Notification, Workspace
from billing.models import Plan, Subscription
from bots import dispatch, limits, runner, switch, tasking, tasks, turns
from bots.actions import follow, people
from bots.models import Action, Bot, BotTask, InstagramAccount, Kind, Turn, Usage
from bots.tests.engine import Engine
from bots.tests.test_claim import due_bots
from errors import codes
from errors.exceptions import BotException
from instagrowth.testing import everywhere, warm_account
from instagrowth.testing_processes import Processes, ending, eventually, servers_of_the_tests

ROOT = Path(__file__).resolve().parents[2]


def requests_of(engine: Engine) -> int:
    return engine.sandbox.control.ledger(engine.username).total_requests(engine.username)


def claims_of(engine: Engine) -> list[dispatch.Claim]:
    with engine.seen():
        Bot.objects.update(next_run_at="2020-01-01T00:00Z")
    return [claim for claim in dispatch.claim(1000) if claim.workspace == engine.workspace.pk]


# ── Deleted in the middle of a turn ────────────────────────────────────────────────────────────────────────────────
def delete_account(engine: Engine) -> None:
    with everywhere():
        InstagramAccount.objects.filter(username=engine.username).delete()


def delete_workspace(engine: Engine) -> None:
    with everywhere():
        Workspace.objects.filter(pk=engine.workspace.pk).delete()


@pytest.mark.parametrize("delete", [delete_account, delete_workspace])
@pytest.mark.parametrize("moment", ["while searching", "before it is sent", "after it was sent", "at a stop sign"])
def test_what_is_deleted_in_the_middle_of_a_turn_ends_it_quietly(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, delete: Callable[[Engine], None], moment: str
) -> None:
    find, send = follow.find, follow.perform

    def finds(*args: object) -> object:
        delete(engine)
        return find(*args)

    def performs(*args: object) -> object:
        if moment == "after it was sent":
            outcome = send(*args)
            delete(engine)
            return outcome
        delete(engine)
        if moment == "at a stop sign":
            raise BotException(codes.INSTAGRAM_THROTTLED)
        return send(*args)

    engine.start()
    engine.ask(3)
    (claim,) = claims_of(engine)
    monkeypatch.setattr(follow, *(("find", finds) if moment == "while searching" else ("perform", performs)))

    runner.run_turn(claim.workspace, claim.bot, claim.fence)

    assert len(engine.followed()) == (0 if moment in ("while searching", "at a stop sign") else 1)
    with everywhere():
        assert not InstagramAccount.objects.filter(username=engine.username).exists()
        assert not Bot.objects.filter(pk=claim.bot).exists()
    assert runner.run_turn(claim.workspace, claim.bot, claim.fence) == "not ours"


# ── A poisoned bot, a huge tenant, hours of downtime ───────────────────────────────────────────────────────────────
def test_a_poisoned_bot_is_parked_after_five_turns_and_the_others_do_not_notice(
    engine_of: Callable[..., Engine],
) -> None:
    poisoned, *healthy = (engine_of(burst=1) for _ in range(3))
    for engine in (poisoned, *healthy):
        engine.start()
        engine.ask(7)
    with poisoned.seen():
        Bot.objects.update(own_limits={"follow": "as many as you like"})  # nothing of ours writes this

    for _ in range(7):
        with everywhere():
            Bot.objects.update(next_run_at=timezone.now())
        for claim in dispatch.claim(1000):
            if claim.workspace == poisoned.workspace.pk:
                with pytest.raises(TypeError):
                    runner.run_turn(claim.workspace, claim.bot, claim.fence)
            else:
                runner.run_turn(claim.workspace, claim.bot, claim.fence)

    bot = poisoned.bot
    assert (bot.status, bot.last_error_code, bot.lease_until) == ("parked", codes.BOT_PARKED.id, None)
    with poisoned.seen():
        assert Turn.objects.count() == 5
    assert poisoned.log("bot_turn")[-1].error_code == codes.BOT_PARKED.id
    assert [len(engine.followed()) for engine in healthy] == [7, 7]
    with poisoned.seen():
        Bot.objects.update(own_limits={})
    poisoned.start()
    poisoned.turn()
    assert len(poisoned.followed()) == 1


def test_a_bot_that_fails_comes_later_each_time(engine: Engine) -> None:
    engine.start()
    engine.ask(1)
    with engine.seen():
        Bot.objects.update(own_limits={"follow": "many"})
    pauses = []
    for _ in range(4):
        with pytest.raises(TypeError):
            engine.turn()
        pauses.append(round((engine.bot.next_run_at - timezone.now()).total_seconds(), -1))

    assert pauses == [60, 120, 240, 480]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, int]]:
    """The turns that `tasks.dispatch` sends to workers: workspace, bot, fence."""
    messages: list[tuple[str, str, int]] = []
    monkeypatch.setattr(tasks.run_turn, "apply_async", lambda args, **_: messages.append(args))
    return messages


def test_a_tenant_with_a_thousand_due_bots_does_not_starve_small_ones(
    committed: None, sent: list[tuple[str, str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "ALWAYS", 1000)
    huge = due_bots(1000, share=50)
    tasks.dispatch()
    smalls = {str(due_bots(2, share=50).pk) for _ in range(3)}  # due after all that the huge one has
    with everywhere():
        Bot.objects.exclude(workspace=huge).update(next_run_at=F("next_run_at") + timedelta(minutes=50))
        done = Bot.objects.filter(lease_until__isnull=False).values_list("pk", flat=True)[:10]
        Bot.objects.filter(pk__in=list(done)).update(lease_until=None, next_run_at=timezone.now() + timedelta(hours=1))
    assert len(sent) == 50

    tasks.dispatch()

    second = Counter(workspace for workspace, *_ in sent[50:])
    assert second == {str(huge.pk): 10} | dict.fromkeys(smalls, 2)


def test_no_more_turns_are_handed_out_than_the_workers_keep_up_with(
    committed: None, sent: list[tuple[str, str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "LATELY", dispatch.PACE)  # so that a slow machine sees the same pace
    for _ in range(20):
        due_bots(5)
    with everywhere():
        Bot.objects.update(share=50, queue="starter")
        far = Bot.objects.values_list("pk", flat=True)[:3]
        Bot.objects.filter(pk__in=list(far)).update(queue="enterprise")

    handed_out = []
    for _ in range(4):
        before = len(sent)
        tasks.dispatch()
        for workspace, bot, fence in sent[before:]:  # their workers are quick
            turns.take_over(UUID(workspace), UUID(bot), fence)
        handed_out.append(len(sent) - before)
    redis = get_redis_connection()
    redis.rpush("celery:starter", *["a turn that waits"] * 100)
    try:
        tasks.dispatch()
    finally:
        redis.delete("celery:starter")

    assert handed_out == [8 + 3, 8, 16, 32]  # twice as many each time; a queue that is full holds no other up
    assert len(sent) == sum(handed_out)


def test_after_six_hours_of_downtime_each_bot_gets_one_turn_and_the_next_are_spread(
    alices_workspace: Workspace, sent: list[tuple[str, str, int]]
) -> None:
    with everywhere():
        bots = Bot.objects.bulk_create(
            Bot(
                workspace=alices_workspace,
                account=warm_account(alices_workspace, f"late.{number}"),
                status="running",
                share=50,
                queue="starter",
                cycle_delay=90,
                jitter=20,
                next_run_at=timezone.now() - timedelta(hours=6) + timedelta(seconds=number),
            )
            for number in range(30)
        )
        BotTask.objects.bulk_create(
            BotTask(
                workspace=alices_workspace, bot=bot, kind="follow", value="clay", amount=9, status="waiting",
                waits_until=timezone.now() + timedelta(seconds=30),
            )
            for bot in bots
        )  # fmt: skip
        Plan.objects.update(execution_mode="parallel", account_limit=-1)

    for _ in range(3):
        tasks.dispatch()
        for workspace, bot, fence in sent[:]:
            runner.run_turn(workspace, bot, fence)

    assert len(sent) == len({bot for _, bot, _ in sent}) == 30
    with everywhere():
        assert Turn.objects.count() == 30
        now = timezone.now()
        pauses = [(at - now).total_seconds() for at in Bot.objects.values_list("next_run_at", flat=True)]
    assert 60 < min(pauses) < max(pauses) < 109
    assert max(pauses) - min(pauses) > 18
    assert len({round(pause, 2) for pause in pauses}) >= 28


# ── A smaller plan while the bot runs ──────────────────────────────────────────────────────────────────────────────
def change_plan(engine: Engine, **terms: object) -> None:
    """Put the workspace on another plan, as a webhook of the bank would: nobody tells the bot."""
    allowed = {
        "name": "Smaller", "account_limit": 1, "execution_mode": "parallel", "queue": "starter",
        "action_limits": dict.fromkeys(Kind.values, 10**6),
    }  # fmt: skip
    with everywhere():
        plan, _ = Plan.objects.update_or_create(key="smaller", defaults=allowed | terms)
        Subscription.objects.update_or_create(workspace=engine.workspace, defaults={"plan": plan})


@pytest.mark.parametrize(
    ("limits", "more", "code"),
    [
        ({}, 0, codes.PLAN_FEATURE_MISSING),
        ({"follow": 0, "like": 50}, 0, codes.PLAN_FEATURE_MISSING),
        ({"follow": 3}, 0, codes.FOLLOW_LIMIT_REACHED),
        ({"follow": 4}, 1, codes.FOLLOW_LIMIT_REACHED),
    ],
)
def test_nothing_over_a_smaller_plan_is_sent(engine: Engine, limits: dict, more: int, code: codes.Code) -> None:
    engine.start()
    engine.ask(9)
    engine.turn()
    assert len(engine.followed()) == 3

    change_plan(engine, action_limits=limits)
    engine.turn()
    engine.turn()

    assert len(engine.followed()) == 3 + more
    task = engine.task()
    assert (task.status, task.last_code, engine.bot.last_error_code) == ("waiting", code.id, code.id)
    assert code.do_next
    change_plan(engine)
    with engine.seen():
        BotTask.objects.update(waits_until=timezone.now())
    engine.turn()
    assert len(engine.followed()) == 6 + more


def test_a_plan_that_grows_while_a_turn_ends_or_whose_message_is_lost_leaves_no_bot_paused(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.start()
    engine.ask(9)
    warm_account(engine.workspace, "first", created_at=timezone.now() - timedelta(days=1))
    change_plan(engine, account_limit=1)
    give_back = turns.give_back

    def paid_meanwhile(run: turns.Run, ended: str) -> None:
        assert ended == codes.PLAN_ACCOUNT_LIMIT.id
        change_plan(engine, account_limit=2)
        give_back(run, ended)

    def is_paused() -> bool:
        return bool(engine.bot.next_run_at > timezone.now() + timedelta(days=2))

    with monkeypatch.context() as patch:
        patch.setattr(turns, "give_back", paid_meanwhile)
        engine.turn()
    assert (is_paused(), engine.bot.last_error_code) == (False, "")

    change_plan(engine, account_limit=1)
    assert engine.turn("2020-01-02T00:00Z") == codes.PLAN_ACCOUNT_LIMIT.id
    assert is_paused()
    switch.fit_paused()
    assert is_paused(), "there is no room yet"
    change_plan(engine, account_limit=2)
    switch.fit_paused()
    assert not is_paused()
    assert engine.bot.last_error_code == ""


def test_an_account_beyond_a_smaller_plan_rests_and_the_first_ones_go_on(engine: Engine) -> None:
    engine.start()
    engine.ask(9)
    with engine.seen():
        InstagramAccount.objects.create(
            workspace=engine.workspace, username="gone", created_at=timezone.now() - timedelta(days=2)
        )  # disconnected: it takes no place
    first = warm_account(engine.workspace, "first", created_at=timezone.now() - timedelta(days=1))
    change_plan(engine, account_limit=1)
    before = requests_of(engine)

    assert engine.turn() == codes.PLAN_ACCOUNT_LIMIT.id

    assert requests_of(engine) == before
    assert engine.bot.last_error_code == codes.PLAN_ACCOUNT_LIMIT.id
    engine.stop()
    with pytest.raises(BotException) as refused:
        engine.start()
    assert refused.value.code is codes.PLAN_ACCOUNT_LIMIT
    with engine.seen():
        assert not switch.is_beyond_plan(first, Plan(account_limit=1))
    change_plan(engine, account_limit=2)
    engine.start()
    assert engine.turn() == "done"


def test_a_plan_that_runs_one_bot_at_a_time_counts_from_the_next_turn(engine: Engine) -> None:
    engine.start()
    assert (engine.bot.share, engine.bot.queue) == (switch.TOGETHER, "starter")
    change_plan(engine, execution_mode="sequential", queue="enterprise")

    engine.turn()

    assert (engine.bot.share, engine.bot.queue) == (1, "enterprise")


# ── Stop ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def stop_bot(engine: Engine, task: BotTask) -> None:
    engine.stop()


def stop_task(engine: Engine, task: BotTask) -> None:
    with engine.seen():
        tasking.stop(task)


@pytest.mark.parametrize("stop", [stop_bot, stop_task])
def test_no_action_begins_after_a_stop_commits(
    engine_of: Callable[..., Engine], stop: Callable[[Engine, BotTask], None]
) -> None:
    engine, chance, amid = engine_of(burst=10), random.Random(7), 0
    engine.sandbox.control.fault("slow", account=engine.username, path="friendships/create", times=None, seconds=0.05)
    for number in range(8):
        engine.start()
        task = engine.ask(20, f"clay{number}")
        (claim,) = claims_of(engine)
        before = len(engine.actions())
        turn = threading.Thread(target=run_here, args=(claim,))
        turn.start()
        eventually(lambda n=before: len(engine.actions()) > n)
        time.sleep(chance.uniform(0, 0.15))
        stop(engine, task)
        at_the_stop = len(engine.actions())
        turn.join()

        assert len(engine.actions()) == at_the_stop
        assert set(engine.states()) == {"confirmed"}
        assert engine.bot.lease_until is None  # it can be started again at once
        amid += at_the_stop < before + 10
    assert amid > 4  # most stops came in the middle of a burst
    assert len(engine.followed()) == len(set(engine.followed())) == len(engine.actions())


def run_here(claim: dispatch.Claim) -> None:
    try:
        runner.run_turn(claim.workspace, claim.bot, claim.fence)
    finally:
        connection.close()


def tells(answer: people.Page | BotException) -> Callable[..., people.Page]:
    def found(*_: object) -> people.Page:
        if isinstance(answer, BotException):
            raise answer
        return answer

    return found


@pytest.mark.parametrize(
    "answer",
    [
        people.Page([], "more", later=True),  # it waits for new people
        people.Page([]),  # it has come to its end
        BotException(codes.INSTAGRAM_DRIFT),  # it waits an hour
        BotException(codes.HASHTAG_NOT_FOUND),  # it fails
        None,  # its limit is reached
    ],
    ids=["later", "end", "unreadable", "not there", "full"],
)
def test_a_task_that_is_stopped_while_it_searches_stays_stopped(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, answer: people.Page | BotException | None
) -> None:
    engine.start()
    if answer is None:
        engine.limit(1)
        engine.ask(1, "first")
        engine.turn()
    task = engine.ask(3)
    before = len(engine.followed())
    module, name, then = (limits, "room_at", limits.room_at) if answer is None else (follow, "find", tells(answer))

    def stopped_meanwhile(*words: object) -> object:
        stop_task(engine, task)
        return then(*words)

    with monkeypatch.context() as amid:
        amid.setattr(module, name, stopped_meanwhile)
        engine.turn()

    stopped = engine.task()
    engine.limit(1000)
    with engine.seen():
        BotTask.objects.update(waits_until=None)
        told = Notification.objects.filter(title__contains=task.kind.capitalize(), tone="warn").count()
    engine.turn()
    assert (stopped.status, engine.task().status, told) == ("stopped", "stopped", 0)
    assert len(engine.followed()) == before


# ── Lost, late and doubled ─────────────────────────────────────────────────────────────────────────────────────────
def test_an_outcome_that_comes_after_the_bot_was_taken_back_is_counted_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that was frozen beyond its lease, between its last check and the wire."""
    send = follow.perform

    def sends_late(*args: object) -> object:
        with engine.seen():
            Bot.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        dispatch.sweep()
        assert (engine.states(), engine.task().unknown) == (["unknown"], 1)
        return send(*args)

    engine.start()
    engine.ask(2)
    monkeypatch.setattr(follow, "perform", sends_late)
    engine.turn()
    monkeypatch.setattr(follow, "perform", send)
    task = engine.task()
    assert (engine.states(), task.confirmed, task.unknown) == (["confirmed"], 1, 0)

    engine.turn()

    assert (engine.task().status, engine.task().confirmed, len(engine.followed())) == ("done", 2, 2)


def test_beats_that_claim_and_sweep_at_once_give_no_bot_to_two(committed: None) -> None:
    due_bots(60, share=1000)
    claimed: list[tuple[object, int]] = []
    running: Counter = Counter()
    clashes: list[object] = []
    one = threading.Lock()

    def beat() -> None:
        try:
            for _ in range(15):
                claims = dispatch.claim(7)
                with one:
                    running.update(claim.bot for claim in claims)
                    clashes.extend(bot for bot, n in running.items() if n > 1)
                    claimed.extend((claim.bot, claim.fence) for claim in claims)
                dispatch.sweep()
                with one:
                    running.subtract(claim.bot for claim in claims)
                with everywhere():
                    for claim in claims:
                        Bot.objects.filter(pk=claim.bot, fence=claim.fence).update(
                            lease_until=None, next_run_at=timezone.now()
                        )
        finally:
            connection.close()

    beats = [threading.Thread(target=beat) for _ in range(4)]
    for thread in beats:
        thread.start()
    for thread in beats:
        thread.join()

    assert clashes == []
    assert len(claimed) == len(set(claimed)) > 100
    with everywhere():
        assert Turn.objects.count() == len(claimed)


HOLDER = """
import django, sys; django.setup()
from bots.locks import account_lock
with account_lock(sys.argv[1]) as held:
    print(held, flush=True)
    sys.stdin.read()
"""


def test_an_account_that_another_process_uses_is_left_alone(engine: Engine) -> None:
    engine.start()
    engine.ask(1)
    before = requests_of(engine)
    command = [sys.executable, "-c", HOLDER, str(engine.account.pk)]
    environment = os.environ | servers_of_the_tests()
    with subprocess.Popen(
        command, env=environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "True\n"
        assert engine.turn() == codes.SESSION_BUSY.id
        holder.communicate()

    assert requests_of(engine) == before
    assert (engine.bot.lease_until, engine.bot.status, engine.account.health) == (None, "running", "active")
    assert engine.turn() == "done"


# ── Clocks ─────────────────────────────────────────────────────────────────────────────────────────────────────────
SKEWED = """
import datetime, sys, time_machine
import django; django.setup()
from bots import dispatch, runner
now = datetime.datetime.now(datetime.UTC)
with time_machine.travel(now + datetime.timedelta(hours=int(sys.argv[1])), tick=True):
    for _ in sys.stdin:
        ended = [runner.run_turn(claim.workspace, claim.bot, claim.fence) for claim in dispatch.claim(10)]
        print("so:", *ended, dispatch.sweep(), flush=True)
"""


@contextmanager
def skewed(hours: int) -> Iterator[Callable[[], list[str]]]:
    """A process whose clock is wrong; each call lets it give turns and sweep, and is what came of them."""
    command = [sys.executable, "-c", SKEWED, str(hours)]
    environment = os.environ | servers_of_the_tests()
    with subprocess.Popen(
        command, env=environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as worker:

        def work() -> list[str]:
            print("go", file=worker.stdin, flush=True)
            said = iter(worker.stdout.readline, "")
            return next(line for line in said if line.startswith("so:")).split()[1:]

        yield work
        worker.stdin.close()


@pytest.mark.parametrize("hours", [1, -3])
def test_a_worker_whose_clock_is_wrong_changes_nothing(engine_of: Callable[..., Engine], hours: int) -> None:
    engine = engine_of(burst=2, cycle_delay=90, jitter=0)
    engine.start()
    engine.ask(9)

    with skewed(hours) as work:
        assert work() == ["done", "0"]

        assert (engine.states(), len(engine.followed())) == (["confirmed"] * 2, 2)
        assert seconds_to(engine.bot.next_run_at) == pytest.approx(90, abs=20)
        with engine.seen():
            assert set(Usage.objects.values_list("used", flat=True)) == {2}
            Bot.objects.update(next_run_at=timezone.now())
        # A silence and then a sign to rest, met by that worker: both are timed by the database.
        engine.sandbox.control.fault("reset", account=engine.username, path="friendships/create", times=1)
        assert work() == [codes.NET_RESET.id, "0"]
        assert seconds_to(engine.actions(state="unknown")[0].look_up_at) == pytest.approx(60, abs=20)
        with engine.seen():
            Bot.objects.update(next_run_at=timezone.now())
        engine.sandbox.control.fault("429", account=engine.username, path="friendships/show", times=1)
        assert work() == [codes.INSTAGRAM_THROTTLED.id, "0"]
        assert seconds_to(engine.account.health_until) == pytest.approx(3600, abs=20)
        assert engine.turn() == "cooling"
        # A bot that another worker lost, taken back by that one.
        with engine.seen():
            Bot.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        assert work() == ["1"]
        assert seconds_to(engine.bot.next_run_at) == pytest.approx(90, abs=20), "its delay after its last action"


def seconds_to(moment: object) -> float:
    return (moment - timezone.now()).total_seconds()


# ── A worker that is told to go ────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def crew(engine_of: Callable[..., Engine], tmp_path: Path) -> Iterator[Processes]:
    with ending(Processes(tmp_path, servers_of_the_tests())) as crew:
        yield crew


def test_a_worker_that_is_told_to_end_finishes_its_turn_first(
    engine_of: Callable[..., Engine], crew: Processes
) -> None:
    engine = engine_of(burst=3, cycle_delay=3600)
    engine.start()
    engine.ask(3)
    engine.sandbox.control.fault("slow", account=engine.username, path="friendships/create", times=None, seconds=2)
    worker, _ = crew.worker(), crew.beat()
    eventually(lambda: "intent" in engine.states(), why=crew.said)

    worker.terminate()

    assert worker.wait(60) == 0
    assert engine.states() == ["confirmed"] * 3
    assert (engine.task().status, engine.bot.lease_until, engine.last_turn().state) == ("done", None, "done")
    assert len(engine.followed()) == 3


# ── What Instagram says ────────────────────────────────────────────────────────────────────────────────────────────
def test_a_hashtag_that_instagram_does_not_show_ends_the_task_with_its_reason(engine: Engine) -> None:
    engine.start()
    engine.ask(2, "nosuchtagatall")
    engine.sandbox.control.fault("not_found", account=engine.username, path="tags/", times=None)

    engine.turn()
    sent = requests_of(engine)
    engine.turn()

    task = engine.task()
    assert (task.status, task.last_code, engine.states()) == ("failed", codes.HASHTAG_NOT_FOUND.id, [])
    assert task.reason.do_next
    assert requests_of(engine) == sent
    assert (engine.bot.status, engine.account.health) == ("running", "active")


def test_a_block_met_while_searching_rests_that_kind(engine: Engine) -> None:
    engine.start()
    engine.ask(2)
    engine.sandbox.control.fault("feedback", account=engine.username, path="tags/", times=None)

    engine.turn()
    sent = requests_of(engine)
    engine.turn()

    assert list(engine.account.blocked_kinds) == ["follow"]
    assert (engine.account.health, engine.task().status) == ("slowed", "waiting")
    assert requests_of(engine) == sent


def test_three_refusals_in_a_row_that_nobody_knows_rest_the_account(engine: Engine) -> None:
    engine.start()
    engine.ask(9)
    engine.sandbox.control.fault("forbidden", account=engine.username, path="friendships/create", times=None)

    engine.turn()

    assert [action.error_code for action in engine.actions()] == [codes.INSTAGRAM_UNCLASSIFIED.id] * 3
    account = engine.account
    assert (account.health, account.health_code) == ("cooling", codes.INSTAGRAM_UNCLASSIFIED_REPEATED.id)


def test_what_the_account_follows_is_asked_again_on_each_of_its_days(engine: Engine) -> None:
    """Else 7,500 could be passed by what two days allow on one count."""
    with engine.seen():
        InstagramAccount.objects.update(timezone="UTC", following=7499)
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    engine.sandbox.control.account(engine.username, following=7500)
    with engine.seen():
        InstagramAccount.objects.update(measured_at=midnight - timedelta(minutes=1))
    engine.start()
    engine.ask(3)

    engine.turn()

    assert (engine.account.following, engine.followed()) == (7500, [])
    assert (engine.task().status, engine.task().last_code) == ("waiting", codes.FOLLOW_CAP_REACHED.id)
    assert not Action.objects.exists()
