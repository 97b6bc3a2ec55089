"""One event is one line."""

import io
import logging
from collections.abc import Callable

import pytest
import structlog

HOSTILE = ["a\r\nb", '\n{"level":"critical"}', "\x1b[2J\x1b[31mred", "a\x00b", "\u2028line", "\x85next", "\x0b\x0c"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_adds_no_line_and_no_control_character(name: str, log_text: io.StringIO) -> None:
    structlog.get_logger("ours").warning("follow", target=name)
    logging.getLogger("a.library").warning("follow %s", name)
    try:
        int(name)
    except ValueError:
        logging.getLogger("a.library").exception("failed")

    written = log_text.getvalue()
    assert written.count("\n") == len(written.splitlines()) == 3
    assert all(" " <= character <= "~" or character == "\n" for character in written)


def test_libraries_log_in_the_same_shape_with_the_same_story(log_lines: Callable[[], list[dict]]) -> None:
    structlog.contextvars.bind_contextvars(correlation_id="c-0011223344aa")
    logging.getLogger("a.library").warning("hello %s", "you")

    (line,) = log_lines()
    assert {key: line[key] for key in ("event", "level", "logger", "correlation_id")} == {
        "event": "hello you",
        "level": "warning",
        "logger": "a.library",
        "correlation_id": "c-0011223344aa",
    }
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize("name", ["instagrapi", "instagrapi.mixins.private", "private_request", "urllib3.connection"])
def test_talkative_libraries_stay_quiet_even_when_we_debug(name: str, log_text: io.StringIO) -> None:
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.DEBUG)
    try:
        logging.getLogger(name).info("whole answers with tokens")
    finally:
        root.setLevel(level)

    assert log_text.getvalue() == ""
