"""The addresses for programs, tried as everybody; the pages are in `test_matrix.py`."""

from typing import Any

from accounts.tests.matrix import Person, addresses
from accounts.tests.test_matrix import nobody_gets_more, people, quiet, things

__all__ = ["people", "quiet", "things"]  # fixtures


def test_nobody_reads_or_changes_what_is_not_theirs_by_a_program(
    things: Any,
    people: list[Person],
    quiet: None,
) -> None:
    found = nobody_gets_more(things, people, [place for place in addresses(things) if place.is_api])

    assert found.opened.get("half", set()) <= found.opened["anonymous"]
