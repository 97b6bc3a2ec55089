"""Nobody misses an event because transactions end in another order than they began."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection

from accounts import tenancy
from accounts.models import User
from instagrowth import live
from instagrowth.models import LiveEvent
from instagrowth.testing import everywhere, workspace_of
from instagrowth.testing_processes import eventually


@pytest.fixture
def slow(alice: User, committed: None) -> Iterator[Callable[[], None]]:
    """A transaction that has published "slow" and waits; to call it commits it."""
    workspace, published, go_on = workspace_of(alice), Event(), Event()

    def run() -> None:
        try:
            with tenancy.scope(workspace):
                live.publish(workspace.pk, "slow")
                published.set()
                assert go_on.wait(20)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(run)
        assert published.wait(20)

        def commit() -> None:
            go_on.set()
            running.result(20)

        yield commit
        go_on.set()


def _names(messages: list[dict] | None) -> list[str]:
    return [message["name"] for message in messages or []]


def test_what_a_slow_transaction_wrote_comes_after_all(alice: User, slow: Callable[[], None]) -> None:
    workspace = workspace_of(alice)
    with tenancy.scope(workspace):
        live.publish(workspace.pk, "quick")
    with tenancy.scope(workspace):
        told, moment = live.missed(workspace.pk, 0)
    assert _names(told) == ["quick"]

    slow()

    with tenancy.scope(workspace):
        assert _names(live.missed(workspace.pk, moment)[0]) == ["slow", "quick"]
        # The control: by number alone it would have been lost.
        last = max(message["seq"] for message in told or [])
        assert not LiveEvent.objects.filter(pk__gt=last).exists()


def test_a_page_that_was_drawn_meanwhile_gets_it_too(alice: User, slow: Callable[[], None]) -> None:
    workspace = workspace_of(alice)
    with tenancy.scope(workspace):
        drawn = live.latest(workspace.pk)

    slow()

    with tenancy.scope(workspace):
        told, moment = live.missed(workspace.pk, drawn)
        assert _names(told) == ["slow"]

    def nothing_more() -> bool:
        nonlocal moment
        with tenancy.scope(workspace):
            again, moment = live.missed(workspace.pk, moment)
        return again == []

    eventually(nothing_more)  # a transaction of another database on this server may hold the moment back


def test_who_missed_too_much_is_told_so(alice: User, committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = workspace_of(alice)
    monkeypatch.setattr(live, "REPLAY", 2)
    with tenancy.scope(workspace):
        moment = live.latest(workspace.pk)
        for _ in range(3):
            live.publish(workspace.pk, "bell")
        assert live.missed(workspace.pk, moment)[0] is None


def test_staff_are_told_from_an_errand_of_one_workspace_which_sees_nothing_of_it(alice: User, committed: None) -> None:
    workspace = workspace_of(alice)
    with tenancy.errand(workspace), tenancy.scope(workspace):
        live.publish(live.STAFF, "bell", {"of": "the platform"})
        assert not LiveEvent.objects.exists()
    with everywhere():
        assert [event["data"] for event in live.missed(live.STAFF, 0)[0] or []] == [{"of": "the platform"}]
