"""How much an account may do, and why: the lowest of plan, platform, the owner's own and the account's trust budget."""

import math
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection
from django.db.models import Q

from accounts.models import Workspace
from billing import entitlements
from billing.models import Plan
from bots.models import Action, Bot, DailyLimit, InstagramAccount, Kind
from errors import codes
from errors.codes import Code

FOLLOW_CAP = 7500  # Instagram's own: an account follows at most so many
WARMUP_DAYS = 21
FIRST_DAY = {"follow": 8, "like": 15, "story_view": 20, "welcome_dm": 1, "unfollow": 5}  # a new account, day one
AFTER_RESTRICTION = ((timedelta(days=1), 0.5), (timedelta(days=10), 0.7))  # "halve the quota next day", then go gently
NEAR = 0.8
REACHED: dict[str, Code] = {
    Kind.FOLLOW: codes.FOLLOW_LIMIT_REACHED,
    Kind.LIKE: codes.LIKE_LIMIT_REACHED,
    Kind.STORY_VIEW: codes.STORY_LIMIT_REACHED,
    Kind.WELCOME_DM: codes.DM_LIMIT_REACHED,
    Kind.UNFOLLOW: codes.UNFOLLOW_LIMIT_REACHED,
}
NEAR_CODES: dict[str, Code] = {
    Kind.FOLLOW: codes.FOLLOW_LIMIT_NEAR,
    Kind.LIKE: codes.LIKE_LIMIT_NEAR,
    Kind.STORY_VIEW: codes.STORY_LIMIT_NEAR,
    Kind.WELCOME_DM: codes.DM_LIMIT_NEAR,
}


class Reason(NamedTuple):
    """One of the limits that were weighed: who sets it, how many a day, and how it came about."""

    source: str
    value: int
    why: str


class Caps(NamedTuple):
    """What an account may do of one kind in an hour, a local day and 7 days, with every limit that was weighed."""

    kind: str
    hourly: int
    daily: int
    weekly: int
    reasons: tuple[Reason, ...]

    @property
    def decided_by(self) -> Reason:
        """The lowest limit: the one that counts today."""
        return min(self.reasons, key=lambda reason: reason.value)


class Today(NamedTuple):
    """Caps with what is taken of them."""

    caps: Caps
    hour_used: int
    day_used: int
    week_used: int
    still_tomorrow: int  # of the week's, what tomorrow's 7 days count as well

    @property
    def near(self) -> bool:
        """Whether four fifths of the day are gone."""
        return self.day_used >= NEAR * self.caps.daily

    @property
    def reached(self) -> bool:
        """Whether nothing is left in the hour, the day or the 7 days."""
        caps = self.caps
        return self.hour_used >= caps.hourly or self.day_used >= caps.daily or self.week_used >= caps.weekly


def _today(day: Caps, hour_used: int = 0, day_used: int = 0, week_used: int = 0, still_tomorrow: int = 0) -> Today:
    return Today(within_week(day, week_used - day_used), hour_used, day_used, week_used, still_tomorrow)


def platform_limits(workspace_id: object) -> dict[str, DailyLimit]:
    """The platform's limit of each kind: the workspace's own row where an admin gave it one, else the default."""
    rows = DailyLimit.objects.filter(Q(workspace_id=workspace_id) | Q(workspace_id=None))
    return {row.kind: row for row in sorted(rows, key=lambda row: row.workspace_id is not None)}


def caps(bot: Bot, kind: str, plan: Plan, platform: dict[str, DailyLimit], now: datetime) -> Caps:
    """Weigh all limits of one kind for today. Quota falls by itself and rises only by a person."""
    row, account = platform[kind], bot.account
    reasons = [
        Reason(
            "Platform",
            min(row.daily, row.weekly),
            "the default for all accounts" if row.workspace_id is None else "set by our staff",
        ),
        _trust(account, kind, row.daily, now),
    ]
    if (most := plan.action_limits.get(kind, 0)) != entitlements.UNLIMITED:
        reasons.insert(0, Reason("Plan", most, plan.name))
    if kind in bot.own_limits:
        reasons.append(Reason("Your setting", bot.own_limits[kind], "set by you"))
    if kind == Kind.FOLLOW and account.following is not None:
        room = max(0, FOLLOW_CAP - account.following)
        if room < row.daily:
            reasons.append(Reason("Instagram", room, f"{account.following:,} of {FOLLOW_CAP:,} followed"))
    daily = min(reason.value for reason in reasons)
    # A day that was made smaller says nothing about those before it: the 7 days are the platform's alone.
    return Caps(kind, min(row.hourly, daily), daily, row.weekly, tuple(reasons))


def within_week(day: Caps, before: int) -> Caps:
    """The caps of a day whose six days before took so many: with the 7 days as a reason where they leave less."""
    left = max(0, day.weekly - before)
    if left >= day.daily:
        return day
    week = Reason("7 days", left, f"{before:,} of {day.weekly:,} taken in the six days before")
    return day._replace(hourly=min(day.hourly, left), daily=left, reasons=(*day.reasons, week))


def _trust(account: InstagramAccount, kind: str, full: int, now: datetime) -> Reason:
    """The account's own budget: it grows over the warm-up and shrinks after a restriction."""
    value, why = float(full), "warmed up"
    if account.warmup_started_at is not None:
        day = (now - account.warmup_started_at).days
        if day < WARMUP_DAYS:
            first = min(FIRST_DAY[kind], full)
            value, why = first + (full - first) * day / WARMUP_DAYS, f"day {day + 1} of {WARMUP_DAYS} of the warm-up"
    for span, share in AFTER_RESTRICTION:
        if account.restricted_at is not None and now - account.restricted_at < span:
            value, why = value * share, f"{why}, × {share:.0%} since the restriction of {account.restricted_at:%d %b}"
            break
    return Reason("Trust budget", max(0, math.floor(value)), why)


def reached(limit: Caps) -> Code:
    """The code of a limit that has no room: what the person who reads it can do differs."""
    source, value, _ = limit.decided_by
    if source == "Plan" and not value:
        return codes.PLAN_FEATURE_MISSING
    return codes.FOLLOW_CAP_REACHED if source == "Instagram" else REACHED[limit.kind]


def take(account: InstagramAccount, limit: Caps) -> int | None:
    """Take one unit of hour, day and 7 days at once; how many of the day are taken now, or None if a limit is reached.

    Parallel takes give exactly the limit (see `take_limit` in the migrations).
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT take_limit(%s, %s, %s, %s, %s, %s, %s)",
            [account.workspace_id, account.pk, limit.kind, account.timezone, limit.hourly, limit.daily, limit.weekly],
        )
        return cursor.fetchone()[0]


_CARRY = """
INSERT INTO bots_usage AS u (id, workspace_id, account_id, kind, period, starts, used)
SELECT gen_random_uuid(), workspace_id, account_id, kind, period,
       date_trunc(period, statement_timestamp() AT TIME ZONE %s) AT TIME ZONE 'UTC', used
FROM bots_usage
WHERE account_id = %s AND starts = date_trunc(period, statement_timestamp() AT TIME ZONE %s) AT TIME ZONE 'UTC'
ON CONFLICT (workspace_id, account_id, kind, period, starts) DO UPDATE SET used = greatest(u.used, excluded.used)
"""


def change_zone(account: InstagramAccount, zone: str) -> None:
    """Count in another zone from now on; its hour and its day begin with what was taken in those of the old one.

    So no date gets more than its limit, however often the zone is changed; the 7 days may count a day in two zones
    twice, never less than once. The caller holds the account and its bot, without which no intent takes a unit.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CARRY, [zone, account.pk, account.timezone])
    account.timezone = zone
    account.save(update_fields=["timezone"])


def refund(action: Action, zone: str) -> None:
    """Give back what a definitely refused action took. An unknown outcome stays charged."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT refund_limit(%s, %s, %s, %s, %s)",
            [action.workspace_id, action.account_id, action.kind, zone, action.created_at],
        )


_USED = """
SELECT account_id, kind,
       coalesce(sum(used) FILTER (WHERE period = 'hour' AND starts = date_trunc('hour', local) AT TIME ZONE 'UTC'), 0),
       coalesce(sum(used) FILTER (WHERE period = 'day' AND starts = date_trunc('day', local) AT TIME ZONE 'UTC'), 0),
       coalesce(sum(used) FILTER (WHERE period = 'day'
                AND starts > date_trunc('day', local) AT TIME ZONE 'UTC' - interval '7 days'), 0),
       coalesce(sum(used) FILTER (WHERE period = 'day'
                AND starts > date_trunc('day', local) AT TIME ZONE 'UTC' - interval '6 days'), 0)
FROM (SELECT u.*, now() AT TIME ZONE a.timezone AS local FROM bots_usage u
      JOIN bots_instagramaccount a ON a.id = u.account_id
      WHERE u.account_id = ANY(%s) AND u.starts > now() - interval '9 days') AS mine
GROUP BY account_id, kind
"""


def todays(bots: list[Bot], plan: Plan, now: datetime) -> dict[object, list[Today]]:
    """For each bot (by id) what it may do today and has done, kind by kind: two queries for any number of bots."""
    platform = platform_limits(bots[0].workspace_id) if bots else {}
    with connection.cursor() as cursor:
        cursor.execute(_USED, [[bot.account_id for bot in bots]])
        used = {(account, kind): counts for account, kind, *counts in cursor.fetchall()}
    return {
        bot.pk: [
            _today(caps(bot, kind, plan, platform, now), *map(int, used.get((bot.account_id, kind), ())))
            for kind in Kind
        ]
        for bot in bots
    }


def busiest(kind: str, workspace: Workspace) -> int:
    """What the busiest account of a workspace has taken of a kind today, each in its own zone."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(max(used), 0) FROM bots_usage u JOIN bots_instagramaccount a ON a.id = u.account_id"
            " WHERE a.workspace_id = %s AND kind = %s AND period = 'day'"
            " AND starts = date_trunc('day', now() AT TIME ZONE a.timezone) AT TIME ZONE 'UTC'",
            [workspace.pk, kind],
        )
        return int(cursor.fetchone()[0])


def room_at(account: InstagramAccount, limit: Caps) -> datetime:
    """When a limit that is reached has room again: the next hour if it was the hour, else the account's midnight."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (date_trunc('hour', local) + interval '1 hour') AT TIME ZONE zone,"
            " (date_trunc('day', local) + interval '1 day') AT TIME ZONE zone,"
            " coalesce((SELECT used FROM bots_usage WHERE account_id = %s AND kind = %s AND period = 'hour'"
            "  AND starts = date_trunc('hour', local) AT TIME ZONE 'UTC'), 0)"
            " FROM (SELECT now() AT TIME ZONE zone AS local, zone FROM (SELECT %s::text AS zone) z) l",
            [account.pk, limit.kind, account.timezone],
        )
        next_hour, next_day, hour_used = cursor.fetchone()
    hour_is_full = limit.hourly > 0 and hour_used >= limit.hourly
    return next_hour if hour_is_full else next_day
