"""Posting slots: weekdays and times in the account's own zone, and the next one that is free."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.timezone import now

from accounts.models import User
from bots.models import InstagramAccount
from content.models import Post, Slot
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity

HORIZON = 60  # days
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MOST = 70  # slots of an account
TAKEN = (Post.State.PROPOSED, Post.State.SCHEDULED, Post.State.PUBLISHING, Post.State.PUBLISHED, Post.State.UNKNOWN)


def at(day: date, clock: time, zone: str) -> datetime:
    """The instant of a local time, in UTC.

    Of an hour that comes twice in autumn the first one counts; a time that spring leaves out comes an hour later.
    """
    return datetime.combine(day, clock, ZoneInfo(zone)).astimezone(UTC)


def upcoming(account: InstagramAccount, after: datetime, days: int = HORIZON) -> Iterator[datetime]:
    """The instants of an account's slots after a moment, the nearest first."""
    slots = list(Slot.objects.filter(account=account).order_by("at"))
    first = after.astimezone(ZoneInfo(account.timezone)).date()
    for offset in range(days + 1):
        day = first + timedelta(days=offset)
        found = sorted(at(day, slot.at, account.timezone) for slot in slots if slot.weekday == day.weekday())
        yield from (instant for instant in found if instant > after)


def next_free(account: InstagramAccount, *, but: Post | None = None) -> datetime:
    """The next slot that no post of the account has. Raises PUB_NO_SLOT."""
    mine = Post.objects.filter(account=account, state__in=TAKEN, planned_for__gt=now())
    if but is not None:
        mine = mine.exclude(pk=but.pk)
    taken = set(mine.values_list("planned_for", flat=True))
    for instant in upcoming(account, now()):
        if instant not in taken:
            return instant
    raise BotException(codes.PUB_NO_SLOT)


def add(account: InstagramAccount, user: User, weekdays: list[int], clock: time) -> None:
    """Add a time on some weekdays; one that is there stays. Raises VALIDATION_FAILED for too many."""
    clock = clock.replace(second=0, microsecond=0)
    if Slot.objects.filter(account=account).count() + len(weekdays) > MOST:
        raise BotException(codes.VALIDATION_FAILED, f"An account has at most {MOST} slots.", field="at")
    rows = [Slot(workspace_id=account.workspace_id, account=account, weekday=day, at=clock) for day in weekdays]
    Slot.objects.bulk_create(rows, ignore_conflicts=True)
    log_activity("slots", workspace=account.workspace_id, user=user, account=account, at=f"{clock:%H:%M}")


def remove(slot: Slot, user: User) -> None:
    """Take a slot away; what is scheduled at it stays."""
    slot.delete()
    log_activity("slots", workspace=slot.workspace_id, user=user, account=slot.account_id, removed=f"{slot.at:%H:%M}")
