"""How a session may move: the one table. What is not in it the database refuses as well (migration 0006).

A new login in the same row, which raises its version, is a new session and may be assigned from anywhere; and from
anywhere a session can be deleted.
"""

from typing import Any

from django.db.models import QuerySet

from bots.models import Session

Status = Session.Status
MOVES: dict[str, frozenset[str]] = {
    Status.UNUSED: frozenset({Status.ASSIGNED}),  # given to an account
    Status.ASSIGNED: frozenset({Status.UNUSED, Status.FROZEN, Status.BANNED}),  # given back, or stopped by Instagram
    Status.FROZEN: frozenset({Status.ASSIGNED, Status.BANNED}),  # solved, as a passed probe shows; or suspended
    Status.BANNED: frozenset(),
}


def move(sessions: QuerySet[Session], to: str, **also: Any) -> int:
    """Move those that may move there, and say how many did: of a hundred that try at once, one does."""
    return sessions.filter(status__in=[one for one, onward in MOVES.items() if to in onward]).update(status=to, **also)
