"""Warm doors of this process: building one costs more processor time than a follow, so we keep up to `LIMIT` of them.

A worker forks before it opens its first door, so no two processes share a connection.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from uuid import UUID

from bots.instagram.private import Door

LIMIT = 200  # doors of about 190 KB each

_idle: OrderedDict[UUID, tuple[object, Door]] = OrderedDict()  # by account: which session it is on, and the door
_lock = Lock()


@contextmanager
def borrow(account: UUID, version: object, make: Callable[[], Door]) -> Iterator[Door]:
    """A door for one thread: this process's warm one for this session as it is now, else a new one from `make`.

    A door that met a stop signal, or whose user failed, is closed instead of kept.
    """
    door = _take(account, version) or make()
    kept = False
    try:
        yield door
        kept = not door.halted
    finally:
        if kept:
            _keep(account, version, door)
        else:
            door.close()


def forget(account: UUID) -> None:
    """Close this process's warm door of an account, such as after a logout."""
    with _lock:
        _, door = _idle.pop(account, (0, None))
    if door:
        door.close()


def _take(account: UUID, version: object) -> Door | None:
    with _lock:
        found, door = _idle.pop(account, (0, None))
    if door and found != version:
        door.close()
        return None
    return door


def _keep(account: UUID, version: object, door: Door) -> None:
    with _lock:
        spare = [_idle.pop(account, (0, None))[1]]
        _idle[account] = version, door
        while len(_idle) > LIMIT:
            spare.append(_idle.popitem(last=False)[1][1])
    for old in filter(None, spare):
        old.close()
