"""The pages of content, calendar and control room, tried as everybody; the others are in `test_matrix.py`."""

from typing import Any

from accounts.tests.matrix import Person, addresses
from accounts.tests.test_matrix import ROOMS, nobody_gets_more, people, quiet, things

__all__ = ["people", "quiet", "things"]  # fixtures


def test_nobody_reads_or_changes_what_is_not_theirs_in_these_rooms(
    things: Any,
    people: list[Person],
    quiet: None,
) -> None:
    places = [place for place in addresses(things) if not place.is_api and place.name.startswith(ROOMS)]

    found = nobody_gets_more(things, people, places)

    assert found.opened.get("half", set()) <= found.opened["anonymous"]
