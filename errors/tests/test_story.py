"""The story of a request goes on in the worker under the same id."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from celery.contrib.testing.worker import start_worker

from accounts import tenancy
from errors import codes, correlation
from errors.exceptions import BotException
from errors.models import ActivityLog
from instagrowth.celery import app

pytestmark = pytest.mark.django_db(transaction=True)
seen: list[str] = []


@app.task(name="errors.tests.tell", ignore_result=True)
def tell() -> None:
    """Say which story it is."""
    seen.append(correlation.current())


@app.task(name="errors.tests.fail", ignore_result=True)
def fail() -> None:
    """Fail with a registered error."""
    raise BotException(codes.LEASE_LOST, fence=7)


@contextmanager
def _worker() -> Iterator[dict[str, str]]:
    """A worker on a queue of its own, in a thread of this process."""
    queue = f"test-{uuid4().hex[:8]}"
    with start_worker(app, pool="solo", perform_ping_check=False, queues=[queue], shutdown_timeout=20):
        yield {"queue": queue}


def _wait_for(found: Callable[[], object]) -> None:
    for _ in range(200):
        if found():
            return
        time.sleep(0.05)
    raise AssertionError("It did not happen within ten seconds.")


def _rows() -> list[ActivityLog]:
    with tenancy.platform("a test reads the log"):
        return list(ActivityLog.objects.all())


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


def test_a_failed_task_is_recorded_once_with_the_story_it_belongs_to(log_lines: Callable[[], list[dict]]) -> None:
    with _worker() as queue:
        story = correlation.begin()
        fail.apply_async(**queue)
        _wait_for(_rows)

    (row,) = _rows()
    assert (row.action, row.error_code, row.correlation_id) == ("errors.tests.fail", codes.LEASE_LOST.id, story)
    assert row.metadata["fence"] == 7
    (line,) = (line for line in log_lines() if line.get("error_code") == codes.LEASE_LOST.id)
    assert line["correlation_id"] == story
    assert not [line for line in log_lines() if line["event"] != row.error_message and "LEASE" in str(line)]
