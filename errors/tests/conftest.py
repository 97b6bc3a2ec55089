"""What the tests of errors share."""

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
from structlog.contextvars import clear_contextvars

from errors.tests import log


@pytest.fixture(autouse=True)
def _log_of_its_own(request: pytest.FixtureRequest) -> None:
    """Each test that has a database sees what it wrote into the log itself."""
    marker = request.node.get_closest_marker("django_db")
    if marker:
        request.getfixturevalue("transactional_db" if marker.kwargs.get("transaction") else "db")
        log.begin()


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
