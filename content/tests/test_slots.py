"""Slots keep to the clock on the account's wall, also in the weeks in which that clock is changed."""

import threading
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connections

from accounts import tenancy
from accounts.models import Membership, User
from bots.models import InstagramAccount
from content import calendar, slots
from content.models import Post, Slot
from content.tests.making import kept
from instagrowth.testing import everywhere

pytestmark = pytest.mark.django_db
# Each with a Monday, two weeks after which its clocks have changed (Kathmandu's never do).
CHANGES = [
    ("Europe/Oslo", (2026, 10, 19)),
    ("Europe/Oslo", (2027, 3, 22)),
    ("America/New_York", (2026, 10, 26)),
    ("Australia/Lord_Howe", (2026, 9, 28)),  # by half an hour
    ("America/Santiago", (2026, 8, 31)),  # at midnight
    ("Asia/Kathmandu", (2026, 10, 19)),
]


def plan(account: InstagramAccount, zone: str, *clocks: time) -> None:
    with everywhere():
        InstagramAccount.objects.update(timezone=zone)
        account.timezone = zone
        for weekday in range(7):
            for clock in clocks:
                Slot.objects.create(workspace_id=account.workspace_id, account=account, weekday=weekday, at=clock)


@pytest.mark.parametrize(("zone", "monday"), CHANGES)
def test_two_weeks_across_a_change_go_out_at_the_right_minute(
    alices_account: InstagramAccount, zone: str, monday: tuple[int, int, int]
) -> None:
    plan(alices_account, zone, time(9, 30), time(18, 0))
    start = datetime(*monday, tzinfo=ZoneInfo(zone))
    with everywhere():
        found = [moment for moment in slots.upcoming(alices_account, start, 20) if moment < start + timedelta(days=14)]

    shown = [moment.astimezone(ZoneInfo(zone)) for moment in found]
    assert len(found) == 28
    assert [(one.date() - start.date()).days for one in shown] == [day for day in range(14) for _ in range(2)]
    assert [f"{one:%H:%M}" for one in shown] == ["09:30", "18:00"] * 14
    assert found == sorted(found)


def test_the_hour_that_spring_leaves_out_comes_an_hour_later_and_the_doubled_one_comes_once(
    alices_account: InstagramAccount,
) -> None:
    plan(alices_account, "Europe/Oslo", time(2, 30))
    with everywhere():
        spring = next(slots.upcoming(alices_account, datetime(2027, 3, 27, 12, tzinfo=UTC)))
        autumn = list(slots.upcoming(alices_account, datetime(2026, 10, 24, 12, tzinfo=UTC), 2))

    assert spring == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    assert f"{spring.astimezone(ZoneInfo('Europe/Oslo')):%H:%M}" == "03:30"
    assert autumn[:2] == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 26, 1, 30, tzinfo=UTC)]


def test_without_the_zone_the_minute_would_be_wrong() -> None:
    """The negative control: the same clock is another instant before and after the change."""
    before, after = (
        slots.at(datetime(2026, 10, day, tzinfo=UTC).date(), time(9, 30), "Europe/Oslo") for day in (19, 26)
    )

    assert after - before != timedelta(days=7)


def test_a_slot_is_kept_once(alice: User, alices_account: InstagramAccount) -> None:
    with everywhere():
        for _ in range(2):
            slots.add(alices_account, alice, [0, 3], time(9, 30, 59))
        assert sorted(Slot.objects.values_list("weekday", "at")) == [(0, time(9, 30)), (3, time(9, 30))]


@pytest.mark.parametrize("held", [True, False])
def test_posts_that_want_the_next_slot_at_one_moment_take_one_each(
    committed: None, alices_official: InstagramAccount, alice: User, monkeypatch: pytest.MonkeyPatch, held: bool
) -> None:
    """Its control lets go of the lock, and all take the same."""
    gate, find, workspace = threading.Barrier(4), slots.next_free, alices_official.workspace
    media = [kept(alices_official, alice)]
    with tenancy.scope(workspace):
        slots.add(alices_official, alice, list(range(7)), time(9, 30))
        owner = Membership.objects.select_related("workspace", "user").get(workspace=workspace, user=alice)
        posts = [calendar.draft(workspace, alices_official, alice, caption=f"{n}", media=media) for n in range(4)]
    if not held:
        monkeypatch.setattr("django.db.models.query.QuerySet.select_for_update", lambda rows, **_: rows)
        monkeypatch.setattr(slots, "next_free", lambda *what, **more: (find(*what, **more), gate.wait(10))[0])

    def queue(post: Post) -> None:
        try:
            if held:
                gate.wait(10)
            with tenancy.scope(workspace):
                calendar.enqueue(owner, post)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=queue, args=[post]) for post in posts]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    with everywhere():
        hours = set(Post.objects.filter(state=Post.State.SCHEDULED).values_list("planned_for", flat=True))
    assert len(hours) == (4 if held else 1)
