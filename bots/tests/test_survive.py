"""Workers die, answers are lost, Redis is emptied: no action twice, none lost. With real workers and beats."""

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from django_redis import get_redis_connection

from bots import dispatch, runner, tasking
from bots.limits import Caps
from bots.models import Action, Bot, BotTask, Candidate, Kind
from bots.tests.engine import Engine
from bots.turns import Run
from instagrowth.testing_processes import Processes, ending, eventually, servers_of_the_tests


@pytest.fixture
def crew(engine_of: Callable[..., Engine], tmp_path: Path) -> Iterator[Processes]:
    with ending(Processes(tmp_path, servers_of_the_tests())) as crew:
        yield crew


def leases_run_out(engine: Engine) -> None:
    """As after a minute and a half: what dead workers held is free."""
    with engine.seen():
        Bot.objects.filter(lease_until__isnull=False).update(lease_until=timezone.now() - timedelta(seconds=1))
    get_redis_connection().delete(f"ig:{engine.account.pk}")


def look_ups_fall_due(engine: Engine) -> None:
    """As after some minutes."""
    with engine.seen():
        Action.objects.filter(look_up_at__isnull=False).update(look_up_at=timezone.now() - timedelta(seconds=1))


def settles(engines: list[Engine]) -> Callable[[], bool]:
    """Let time pass until all is settled: look-ups at once, leases every eight seconds."""
    ticks = itertools.count(1)

    def passes() -> bool:
        late = next(ticks) % 80 == 0
        for engine in engines:
            look_ups_fall_due(engine)
            if late:
                leases_run_out(engine)
        return all(settled(engine) for engine in engines)

    return passes


def settled(engine: Engine) -> bool:
    """Whether every intent has an outcome and the task its end."""
    with engine.seen():
        open_ones = Action.objects.filter(state__in=["intent", "unknown"]).exists()
    return engine.task().status == "done" and not open_ones


def the_books_agree(engine: Engine) -> None:
    """Each follow once at the sandbox, and exactly those in the journal."""
    seen = engine.followed()
    assert len(seen) == len(set(seen)), "somebody was followed twice"
    assert sorted(seen) == sorted(action.target_pk for action in engine.actions(state="confirmed"))
    assert engine.sandbox.control.ledger(engine.username).duplicates == []


def test_a_worker_killed_in_the_middle_of_an_action_costs_nothing(
    engine_of: Callable[..., Engine], crew: Processes
) -> None:
    engine = engine_of()
    engine.start()
    engine.ask(6)
    engine.sandbox.control.fault(
        "hang_after_apply", account=engine.username, path="friendships/create", seconds=8, after=1
    )
    worker, _ = crew.worker(), crew.beat()
    eventually(lambda: len(engine.followed()) == 2, why=crew.said)

    crew.kill(worker)
    assert "intent" in engine.states()
    leases_run_out(engine)
    crew.worker()

    eventually(settles([engine]), why=crew.said)
    the_books_agree(engine)
    assert (engine.task().confirmed, len(engine.followed())) == (6, 6)


def test_answers_that_are_lost_after_the_write_cost_nothing(engine_of: Callable[..., Engine], crew: Processes) -> None:
    engine = engine_of()
    engine.start()
    engine.ask(8)
    engine.sandbox.control.fault("reset_after_apply", account=engine.username, path="friendships/create", times=3)
    crew.worker(), crew.beat()

    eventually(lambda: engine.states().count("unknown") + engine.task().confirmed >= 8, why=crew.said)
    assert engine.states().count("unknown") == 3

    eventually(settles([engine]), why=crew.said)
    the_books_agree(engine)
    assert engine.task().confirmed == 8


def test_an_emptied_redis_costs_a_delay_and_nothing_else(engine_of: Callable[..., Engine], crew: Processes) -> None:
    engines = [engine_of(burst=2) for _ in range(3)]
    for engine in engines:
        engine.start()
        engine.ask(10)
    crew.worker(), crew.beat(), crew.beat()

    for round_ in range(4):
        eventually(lambda r=round_: sum(len(e.followed()) for e in engines) > 4 * r, why=crew.said)
        get_redis_connection().flushdb()
        for engine in engines:
            leases_run_out(engine)

    eventually(settles(engines), 60, why=crew.said)
    for engine in engines:
        the_books_agree(engine)
        assert engine.task().confirmed == len(engine.followed()) == 10


def test_a_task_whose_worker_died_with_the_last_action_counted_still_ends(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = tasking.close

    def dies(*_: object, **__: object) -> None:
        raise SystemExit

    engine.start()
    engine.ask(2)
    monkeypatch.setattr(tasking, "close", dies)
    with pytest.raises(SystemExit):
        engine.turn()
    assert (engine.task().status, engine.task().confirmed) == ("running", 2)
    monkeypatch.setattr(tasking, "close", close)
    leases_run_out(engine)
    dispatch.sweep()

    engine.turn("2020-01-02T00:00Z")

    assert (engine.task().status, len(engine.followed())) == ("done", 2)


@pytest.mark.parametrize("journal", [True, False], ids=["with its journal", "with its journal off"])
def test_the_same_death_doubles_without_the_journal(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, *, journal: bool
) -> None:
    """The negative control: the engine as it is, but that it forgets whom it wrote down before it writes an intent."""
    write, intend = runner._write, runner._intend

    def dies(*_: object, **__: object) -> None:
        raise SystemExit  # as a worker that is killed after the like has arrived, and before its outcome is kept

    def forgets(run: Run, task: BotTask, candidate: Candidate, caps: Caps) -> Action | None:
        with engine.seen():
            Action.objects.filter(target_pk=candidate.target_pk).delete()
        return intend(run, task, candidate, caps)

    if not journal:
        monkeypatch.setattr(runner, "_intend", forgets)
    engine.limit(100, kind=Kind.LIKE)
    with engine.seen():
        tasking.ask(engine.bot, Kind.LIKE, 3, value="ceramics")
    engine.start()
    monkeypatch.setattr(runner, "_write", dies)
    with pytest.raises(SystemExit):
        engine.turn()
    monkeypatch.setattr(runner, "_write", write)
    leases_run_out(engine)
    dispatch.sweep()
    engine.turn()

    ledger = engine.sandbox.control.ledger(engine.username)
    liked = [entry["target"] for entry in ledger.entries if entry["kind"] == "like"]
    assert len(liked) >= 3
    assert [double["target"] for double in ledger.duplicates] == ([] if journal else liked[:1])
