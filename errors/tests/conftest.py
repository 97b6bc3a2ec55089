"""What the tests of errors share."""

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker
from structlog.contextvars import clear_contextvars


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Let Django empty the database between tests with real transactions.

    The log is append-only for our role. And knox leaves its own table behind, though we replaced its model; Django does
    not know it, but PostgreSQL does not empty `users` without it.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("GRANT TRUNCATE ON activity_logs TO CURRENT_USER; DROP TABLE IF EXISTS knox_authtoken")


@pytest.fixture(autouse=True)
def _no_story() -> Iterator[None]:
    """Each test begins outside of any story."""
    clear_contextvars()
    yield
    clear_contextvars()


@pytest.fixture
def log_text() -> Iterator[io.StringIO]:
    """All that is logged in this test, as a process would write it."""
    root = logging.getLogger()
    ours = next(handler for handler in root.handlers if type(handler) is logging.StreamHandler)
    copy = logging.StreamHandler(io.StringIO())
    copy.setFormatter(ours.formatter)
    root.addHandler(copy)
    yield copy.stream
    root.removeHandler(copy)


@pytest.fixture
def log_lines(log_text: io.StringIO) -> Callable[[], list[dict]]:
    """The same, parsed: one object for each line."""
    return lambda: [json.loads(line) for line in log_text.getvalue().splitlines()]
