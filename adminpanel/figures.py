"""How the whole business is doing: a handful of queries, kept for a minute, with the time they were asked."""

from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from accounts import tenancy
from billing import revenue
from bots.models import InstagramAccount

KEPT = 60  # seconds
RANGES = {"24h": ("hour", 24), "7d": ("day", 7), "30d": ("day", 30)}

_NOW = """
SELECT (SELECT count(*) FROM bots_bot WHERE status = 'running'),
       (SELECT count(*) FROM bots_bot WHERE status = 'parked'),
       (SELECT coalesce(extract(epoch FROM now() - min(next_run_at)), 0) FROM bots_bot
         WHERE status = 'running' AND lease_until IS NULL AND next_run_at <= now()),
       (SELECT count(*) FROM users WHERE role = 'user' AND created_at > now() - interval '24 hours'),
       (SELECT count(*) FROM activity_logs WHERE status = 'error' AND at > now() - interval '24 hours'),
       (SELECT coalesce(json_object_agg(health, many), '{}')
        FROM (SELECT health, count(*) AS many FROM bots_instagramaccount GROUP BY 1) AS by_health),
       (SELECT coalesce(sum(cost_micros), 0) FROM content_aicall
        WHERE created_at >= now() - %(many)s * ('1 ' || %(unit)s)::interval)
"""
_ACTIONS = """
SELECT s.at, coalesce(sum(n) FILTER (WHERE state = 'confirmed'), 0),
       coalesce(sum(n) FILTER (WHERE state = 'refused'), 0),
       coalesce(sum(n) FILTER (WHERE state IN ('unknown', 'intent', 'absent')), 0)
FROM generate_series(date_trunc(%(unit)s, now()) - (%(many)s - 1) * ('1 ' || %(unit)s)::interval,
                     date_trunc(%(unit)s, now()), ('1 ' || %(unit)s)::interval) AS s(at)
LEFT JOIN (SELECT date_trunc(%(unit)s, created_at) AS at, state, count(*) AS n FROM bots_action
           WHERE created_at >= date_trunc(%(unit)s, now()) - (%(many)s - 1) * ('1 ' || %(unit)s)::interval
           GROUP BY 1, 2) AS a ON a.at = s.at
GROUP BY 1 ORDER BY 1
"""
_ERRORS = """
SELECT error_code, count(*) FROM activity_logs
WHERE error_code <> '' AND status IN ('warning', 'error') AND at > now() - interval '24 hours'
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 8
"""
_SIGN_UPS = """
SELECT s.at, count(u.id)
FROM generate_series(date_trunc(%(unit)s, now()) - (%(many)s - 1) * ('1 ' || %(unit)s)::interval,
                     date_trunc(%(unit)s, now()), ('1 ' || %(unit)s)::interval) AS s(at)
LEFT JOIN users u ON u.created_at >= s.at AND u.created_at < s.at + ('1 ' || %(unit)s)::interval AND u.role = 'user'
GROUP BY 1 ORDER BY 1
"""


def gather(span: str) -> dict[str, Any]:
    """All figures of the dashboard for one range, at most a minute old."""
    name = f"control-room:{span}"
    found: dict[str, Any] | None = cache.get(name)
    if found is None:
        found = _ask(span)
        cache.set(name, found, KEPT)
    return found


def _ask(span: str) -> dict[str, Any]:
    unit, many = RANGES[span]
    span_of: dict[str, Any] = {"unit": unit, "many": many}
    with tenancy.platform("the dashboard counts in all workspaces"), connection.cursor() as cursor:
        cursor.execute(_NOW, span_of)
        running, parked, waited, sign_ups, errors, health, ai_cost = cursor.fetchone()
        cursor.execute(_SIGN_UPS, span_of)
        newcomers = cursor.fetchall()
        cursor.execute(_ACTIONS, span_of)
        actions = [(at, *map(int, counts)) for at, *counts in cursor.fetchall()]
        cursor.execute(_ERRORS)
        codes = cursor.fetchall()
    return {
        "asked_at": timezone.now(),
        "running": running,
        "parked": parked,
        "waited": round(float(waited)),
        "sign_ups": sign_ups,
        "errors": errors,
        "health": [(choice.value, choice.label, health.get(choice.value, 0)) for choice in InstagramAccount.Health],
        "actions": [_bar(row, max((sum(one[1:]) for one in actions), default=0) or 1, unit) for row in actions],
        "newcomers": _columns(newcomers, unit),
        "codes": codes,
        "ai_cost": int(ai_cost),
        "mrr": _mrr(),
    }


def when(at: datetime, unit: str) -> str:
    """A bar's hour or day, as lists take it (`spans.When`)."""
    return f"{at:%Y-%m-%dT%H}" if unit == "hour" else f"{at:%Y-%m-%d}"


def _bar(row: tuple[datetime, int, int, int], highest: int, unit: str) -> dict[str, Any]:
    """Heights of a hundred, from the ground up: confirmed, unknown, refused."""
    at, confirmed, refused, unknown = row
    parts, top = [], 100.0
    for name, count in (("", confirmed), ("wait", unknown), ("bad", refused)):
        height = 100 * count / highest
        top -= height
        parts.append({"name": name, "y": round(top, 2), "height": round(height, 2)})
    label = f"{at:%H}" if unit == "hour" else f"{at:%d}"
    return {
        "at": at,
        "when": when(at, unit),
        "label": label,
        "confirmed": confirmed,
        "refused": refused,
        "unknown": unknown,
        "parts": parts,
    }


def _columns(found: list[tuple[datetime, int]], unit: str) -> list[dict[str, Any]]:
    """The same for one number of each step."""
    highest = max((count for _, count in found), default=0) or 1
    shape = "%H" if unit == "hour" else "%d"
    return [
        {"at": at, "when": when(at, unit), "label": f"{at:{shape}}", "count": count, "height": 100 * count / highest,
         "y": 100 - 100 * count / highest}
        for at, count in found
    ]  # fmt: skip


def _mrr() -> list[tuple[str, int]]:
    today = timezone.now().date()
    return [
        (currency, months[-1].closing)
        for currency in revenue.currencies()
        if (months := revenue.months(today - timedelta(days=1), today, currency))
    ]
