"""A code works once: under parallel tries, after the cache was emptied, and while somebody guesses.

Threads, each with its own connection, against the real database and Valkey.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.db import connection

from accounts import limits, second_factor
from accounts.models import User
from accounts.tests.factor import code_of, recovery_codes_of, with_app
from errors.exceptions import BotException
from instagrowth.testing import everywhere

NOON = datetime(2026, 11, 21, 12, 0, 3, tzinfo=UTC)


@pytest.fixture
def person(committed: None, nobody_guessed: None) -> User:
    """A person whom other connections see too."""
    with everywhere():
        return User.objects.create(email="dora@example.com", name="Dora")


def at_once(times: int, deed: Callable[[], Any], *, threads: int = 25) -> Counter[str]:
    """Do something so many times in threads that start together; how each time went."""
    start = Barrier(threads)

    def some(_: int) -> list[str]:
        went = []
        start.wait()
        try:
            for _ in range(times // threads):
                try:
                    went.append("accepted" if deed() else "refused")
                except BotException as refused:
                    went.append(refused.code.name)
        finally:
            connection.close()
        return went

    with ThreadPoolExecutor(threads) as pool:
        return Counter(how for went in pool.map(some, range(threads)) for how in went)


def test_of_100_parallel_tries_with_one_code_one_is_accepted(person: User) -> None:
    """Row 18, by the database alone: the limit of tries is left out."""
    code = code_of(with_app(person))

    went = at_once(100, lambda: second_factor.take_app_code(person, code))

    print(f"accepted={went['accepted']}")
    assert went == {"accepted": 1, "refused": 99}


def test_of_100_parallel_tries_at_the_door_one_is_accepted(person: User) -> None:
    code = code_of(with_app(person))

    went = at_once(100, lambda: second_factor.use_code(person, code))

    assert went["accepted"] == 1
    assert went.keys() <= {"accepted", "SECOND_FACTOR_WRONG", "TOO_MANY_TRIES"}


def test_of_50_parallel_tries_with_one_recovery_code_one_is_accepted(person: User) -> None:
    """Row 23."""
    spare, *_ = recovery_codes_of(person)

    went = at_once(50, lambda: second_factor.take_recovery_code(person, spare))

    print(f"accepted={went['accepted']}")
    assert went == {"accepted": 1, "refused": 49}


def test_ten_recovery_codes_in_parallel_are_ten(person: User) -> None:
    """Nobody's cross is lost under another's."""
    spares = recovery_codes_of(person) * 5
    went = at_once(50, lambda: second_factor.take_recovery_code(person, spares.pop()))

    assert went == {"accepted": 10, "refused": 40}


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """The time, three seconds into a step."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.mark.parametrize("flush", [False, True], ids=["cache stays", "cache is emptied"])
@pytest.mark.parametrize("early", [0, 1], ids=["own clock", "clock ahead"])
def test_from_0_to_90_seconds_a_code_is_accepted_once(
    db: None, nobody_guessed: None, clock: time_machine.Traveller, flush: bool, early: int
) -> None:
    """Rows 17 and 19."""
    dora = User.objects.create(email="dora@example.com")
    code = code_of(with_app(dora), later=early)
    accepted = 0
    for _ in range(10):
        limits.forgive(limits.SECOND_FACTOR, dora.pk)
        accepted += second_factor.take_app_code(dora, code) is not None
        if flush:
            cache.clear()
        clock.shift(timedelta(seconds=10))

    print(f"accepted={accepted}")
    assert accepted == 1


def test_allauths_own_judge_accepts_it_again_after_the_cache_was_emptied(
    db: None, nobody_guessed: None, clock: time_machine.Traveller
) -> None:
    """The negative control: why codes are not judged by it."""
    dora = User.objects.create(email="dora@example.com")
    code = code_of(with_app(dora))
    row = Authenticator.objects.get(user=dora)
    accepted = 0
    for _ in range(2):
        with second_factor.belonging_to(dora):
            accepted += row.wrap().validate_code(code)
        cache.clear()

    assert accepted == 2


def test_an_older_code_is_refused_after_a_newer_one(
    db: None, nobody_guessed: None, clock: time_machine.Traveller
) -> None:
    dora = User.objects.create(email="dora@example.com")
    secret = with_app(dora)

    assert second_factor.take_app_code(dora, code_of(secret, later=1))
    assert not second_factor.take_app_code(dora, code_of(secret, later=-1))
    assert not second_factor.take_app_code(dora, code_of(secret))


@pytest.mark.parametrize(("later", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_one_step_off(
    db: None, nobody_guessed: None, clock: time_machine.Traveller, later: int, taken: bool
) -> None:
    dora = User.objects.create(email="dora@example.com")

    assert bool(second_factor.take_app_code(dora, code_of(with_app(dora), later=later))) == taken


def test_of_1000_wrong_codes_5_are_looked_at_and_the_right_one_waits(
    person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row 20: five tries, then a lock that doubles; in the lock the right code is refused too."""
    secret = with_app(person)
    looked_at: list[str] = []
    judge = second_factor.take_app_code

    def watched(user: User, code: str) -> Authenticator | None:
        looked_at.append(code)
        return judge(user, code)

    monkeypatch.setattr(second_factor, "take_app_code", watched)
    went = at_once(1000, lambda: second_factor.use_code(person, "000000"))
    in_lock = at_once(25, lambda: second_factor.use_code(person, code_of(secret)))

    print(f"processed={len(looked_at)} accepted_in_lock={in_lock['accepted']}")
    assert went == {"SECOND_FACTOR_WRONG": 5, "TOO_MANY_TRIES": 995}
    assert in_lock == {"TOO_MANY_TRIES": 25}
    assert looked_at == ["000000"] * 5


def test_the_lock_doubles_each_time(person: User) -> None:
    with_app(person)
    waits = []
    for _ in range(4):
        for _ in range(5):
            with pytest.raises(BotException, match="not right"):
                second_factor.use_code(person, "000000")
        with pytest.raises(BotException) as locked:
            second_factor.use_code(person, "000000")
        waits.append(locked.value.meta["retry_after"])
        limits_pass(person)

    assert waits == [60, 120, 240, 480]


def limits_pass(person: User) -> None:
    """Let the time of a lock go by, and keep what was counted in the day."""
    from django_redis import get_redis_connection

    get_redis_connection().delete(limits._counter(limits.SECOND_FACTOR, person.pk))
