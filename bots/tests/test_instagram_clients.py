"""Warm doors: one for each account, for one thread at a time, bounded, and never one that was stopped."""

import threading
import uuid

import pytest

from bots.instagram import clients
from errors import codes

ALICE, BOB = uuid.UUID(int=1), uuid.UUID(int=2)


class Door:
    """As much of a door as the cache sees."""

    def __init__(self):
        self.halted = None
        self.closed = 0

    def close(self):
        self.closed += 1


@pytest.fixture(autouse=True)
def nothing_warm(monkeypatch):
    monkeypatch.setattr(clients, "_idle", clients.OrderedDict())


def used(account, version=1):
    with clients.borrow(account, version, Door) as door:
        return door


def test_the_second_turn_gets_the_same_door():
    assert used(ALICE) is used(ALICE)


def test_each_account_has_its_own_door():
    assert used(ALICE) is not used(BOB)


def test_a_new_version_of_the_session_closes_the_old_door():
    old = used(ALICE, version=1)

    assert used(ALICE, version=2) is not old
    assert old.closed == 1


def test_two_threads_never_share_a_door():
    with clients.borrow(ALICE, 1, Door) as first, clients.borrow(ALICE, 1, Door) as second:
        assert first is not second

    assert first.closed + second.closed == 1


def test_many_threads_never_share_a_door():
    inside, shared = set(), []

    def turn():
        for _ in range(200):
            with clients.borrow(ALICE, 1, Door) as door:
                if door in inside:
                    shared.append(door)
                inside.add(door)
                inside.discard(door)

    threads = [threading.Thread(target=turn) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert shared == []


def test_a_stopped_door_is_closed():
    with clients.borrow(ALICE, 1, Door) as door:
        door.halted = codes.CHALLENGE_REQUIRED

    assert door.closed == 1
    assert used(ALICE) is not door


def test_a_door_whose_user_failed_is_closed():
    with pytest.raises(RuntimeError), clients.borrow(ALICE, 1, Door) as door:
        raise RuntimeError

    assert door.closed == 1
    assert used(ALICE) is not door


def test_the_longest_unused_door_makes_room(monkeypatch):
    monkeypatch.setattr(clients, "LIMIT", 2)
    first, second = used(ALICE), used(BOB)
    used(ALICE)

    used(uuid.UUID(int=3))

    assert (first.closed, second.closed) == (0, 1)


def test_a_forgotten_door_is_closed():
    door = used(ALICE)

    clients.forget(ALICE)
    clients.forget(BOB)

    assert door.closed == 1
    assert used(ALICE) is not door
