"""The registry: the only place where an error code is born. A number is never reused, not even after its error is gone."""

from dataclasses import dataclass
from enum import StrEnum


class Then(StrEnum):
    """What the engine does when the error is met while it works for an account."""

    TELL = "tell"  # tell the person; nothing else changes
    SKIP = "skip"  # leave this target alone, remember why, go on
    RETRY = "retry"  # a read may be repeated twice with backoff; a write becomes `unknown`
    WAIT = "wait"  # the task waits until a clock allows it again
    COOL_1H = "cool_1h"  # all of the account rests 1 h, doubling to 24 h when it comes back
    COOL_24H = "cool_24h"  # all writes of the account rest 24 h
    BLOCK_KIND = "block_kind"  # this kind of action rests 24 h; again within 7 days 72 h; a third time freezes
    NEEDS_LOGIN = "needs_login"  # the session is dead; only the owner can log in again
    FREEZE = "freeze"  # Instagram wants a person; nothing is sent until they solved it in the app
    BAN = "ban"  # Instagram suspended the account
    ALERT = "alert"  # our own fault or drift: operators are told


@dataclass(frozen=True)
class Code:
    """One registered error: its id, its name in answers, what happened, what to do next, and the engine's reaction."""

    id: str
    name: str
    what: str
    do_next: str
    then: Then = Then.TELL
    http: int = 400

    @property
    def module(self) -> str:
        """AUTH, FLW, …: the second part of the id."""
        return self.id.split("-")[1]

    @property
    def severity(self) -> str:
        """I, W, E or C: the third part of the id."""
        return self.id.split("-")[2]
