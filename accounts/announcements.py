"""Banners: what the operators say to all members, or to those of some plans and roles, for a while.

What is to be said is in the cache, written with each change and again every half minute: no page asks the database.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.cache import cache
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.timezone import now
from redis.exceptions import RedisError

from accounts.models import Announcement

COOKIE = "put_away"  # remembers what a browser was shown enough of
REMEMBERED = 50  # of them
FRESH = 5  # seconds a process goes without asking the cache
WORDS = ("pk", "title", "body", "path", "tone", "plans", "roles", "starts_at", "ends_at", "may_put_away")
_KEY = "announcements"
_known: tuple[float, list[dict[str, Any]]] = (float("-inf"), [])


def refresh() -> None:
    """Write what is said now, or will be, where pages look for it."""
    coming = Announcement.objects.filter(Q(ends_at=None) | Q(ends_at__gt=Now())).order_by("-pk")
    cache.set(_KEY, list(coming.values(*WORDS)[:50]), timeout=None)
    forget()


def forget() -> None:
    """Let this process ask the cache with its next page."""
    global _known
    _known = float("-inf"), []


def told(plan: Callable[[], str], role: str, cookie: str) -> list[dict[str, Any]]:
    """What a member of this plan and role is shown, the newest first, and has not put away.

    The plan is asked for only where something is said to some plans.
    """
    away, moment = seen(cookie), now()
    return [
        one
        for one in _current()
        if one["starts_at"] <= moment
        and (one["ends_at"] is None or one["ends_at"] > moment)
        and (not one["plans"] or plan() in one["plans"])
        and (not one["roles"] or role in one["roles"])
        and not (one["may_put_away"] and one["pk"] in away)
    ]


def _current() -> list[dict[str, Any]]:
    global _known
    at, found = _known
    if time.monotonic() - at > FRESH:
        try:
            found = cache.get(_KEY) or []
        except RedisError:
            logging.getLogger("accounts").warning("announcements_unknown")  # what was said last stands
        _known = time.monotonic(), found
    return found


def seen(cookie: str) -> set[int]:
    """The announcements a browser has put away."""
    return {int(number) for number in cookie.split(".") if number.isdecimal() and len(number) < 19}


def put_away(cookie: str, number: int) -> str:
    """The cookie with one more."""
    return ".".join(map(str, sorted({*seen(cookie), number})[-REMEMBERED:]))
