"""The story of a request goes on in the worker under the same id."""

import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from celery import current_app, shared_task, signals
from celery.contrib.testing.worker import start_worker
from django.db import connection, transaction

from errors import codes, correlation
from errors.exceptions import BotException
from errors.models import StoryStep
from errors.recording import record
from errors.tests.log import rows

pytestmark = pytest.mark.django_db(transaction=True)
seen: list[str] = []


@shared_task(name="errors.tests.tell", ignore_result=True, platform="a test")
def tell() -> None:
    """Say which story it is."""
    seen.append(correlation.current())


@shared_task(name="errors.tests.fail", ignore_result=True, platform="a test")
def fail() -> None:
    """Fail with a registered error."""
    raise BotException(codes.LEASE_LOST, fence=7)


@shared_task(name="errors.tests.tell_and_fail", ignore_result=True, platform="a test")
def tell_and_fail(undone: bool) -> None:
    """Record an error oneself, in a transaction that may be undone, and fail with it."""
    mine = BotException(codes.LEASE_LOST)
    with transaction.atomic():
        record(mine, action="mine")
        transaction.set_rollback(undone)
    raise mine


class StubbornError(Exception):
    """Cannot be made again from its arguments."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__("only this")


@shared_task(name="errors.tests.fault", ignore_result=True, platform="a test")
def fault() -> None:
    """Fail with what nobody foresaw."""
    raise StubbornError(1, 2)


@contextmanager
def _worker() -> Iterator[dict[str, str]]:
    """A worker on a queue of its own, in a thread of this process, which leaves no connection behind."""
    queue = f"test-{uuid4().hex[:8]}"
    signals.task_postrun.connect(_close_connection)
    with start_worker(
        current_app._get_current_object(), pool="solo", perform_ping_check=False, queues=[queue], shutdown_timeout=20
    ):
        yield {"queue": queue}
    signals.task_postrun.disconnect(_close_connection)


def _close_connection(**_: object) -> None:
    connection.close()


def _wait_for(found: Callable[[], object]) -> None:
    for _ in range(200):
        if found():
            return
        time.sleep(0.05)
    raise AssertionError("It did not happen within ten seconds.")


def test_a_task_goes_on_with_the_story_of_the_request_that_sent_it() -> None:
    seen.clear()
    with _worker() as queue:
        story = correlation.begin()
        tell.apply_async(**queue)
        _wait_for(lambda: seen)

    assert seen == [story]


def test_a_task_that_nobody_asked_for_begins_its_own_story() -> None:
    seen.clear()
    with _worker() as queue:
        tell.apply_async(**queue)
        tell.apply_async(**queue)
        _wait_for(lambda: len(seen) == 2)

    assert len(set(seen)) == 2
    assert all(story.startswith("c-") for story in seen)


def test_a_fault_that_celery_cannot_carry_is_recorded_as_what_it_was() -> None:
    with _worker() as queue:
        fault.apply_async(**queue)
        _wait_for(rows)

    (row,) = rows()
    assert (row.metadata["exception"], row.metadata["file"]) == ("StubbornError", "errors/tests/test_story.py")


def test_a_registered_error_survives_the_way_between_processes() -> None:
    exc = pickle.loads(pickle.dumps(BotException(codes.LEASE_LOST, "Gone.", fence=7)))

    assert (exc.code, str(exc), exc.meta) == (codes.LEASE_LOST, "Gone.", {"fence": 7})


def test_a_failed_task_is_recorded_once_with_the_story_it_belongs_to(log_lines: Callable[[], list[dict]]) -> None:
    with _worker() as queue:
        story = correlation.begin()
        fail.apply_async(**queue)
        _wait_for(rows)

    (row,) = rows()
    assert (row.action, row.error_code, row.correlation_id) == ("errors.tests.fail", codes.LEASE_LOST.id, story)
    assert row.metadata["fence"] == 7
    (step,) = StoryStep.objects.filter(correlation_id=story)
    assert (step.kind, step.name, step.outcome) == ("task", "errors.tests.fail", "failure")
    (line,) = (line for line in log_lines() if line.get("error_code") == codes.LEASE_LOST.id)
    assert line["correlation_id"] == story
    assert not [line for line in log_lines() if line["event"] != row.error_message and "LEASE" in str(line)]


@pytest.mark.parametrize(("undone", "action"), [(False, "mine"), (True, "errors.tests.tell_and_fail")])
def test_what_a_task_recorded_itself_is_not_recorded_again_unless_it_was_undone(undone: bool, action: str) -> None:
    with _worker() as queue:
        tell_and_fail.apply_async((undone,), **queue)
        _wait_for(lambda: StoryStep.objects.filter(name="errors.tests.tell_and_fail").exists())

    assert [row.action for row in rows()] == [action]
