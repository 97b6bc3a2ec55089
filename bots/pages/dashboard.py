"""What happened, what needs you, and the numbers."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import Workspace
from accounts.requests import MemberRequest
from accounts.roles import members
from billing import entitlements
from bots.models import Action
from bots.pages import activity, overview
from instagrowth import live

DAYS = 7
RECENT, RECENT_WHEN_CALM = 9, 16  # lines of "What happened": more where nothing waits for the person
STRIP = 12  # accounts in the strip ...
WAITING = 5  # ... and in "Needs you"; the rest is one click away


@dataclass
class Day:
    """How the actions of one day ended, by the workspace's own date."""

    date: date
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Count all of them, those in flight too."""
        return sum(self.counts.values())


@require_safe
@members("look")
def dashboard(request: MemberRequest) -> HttpResponse:
    """Answer what happened, what needs the person, and today's limits."""
    since, now, plan = live.latest(request.workspace.pk), timezone.now(), entitlements.plan_of(request.workspace)
    accounts = overview.lines(request.workspace, plan, now)
    days = outcomes(request.workspace)
    waiting = [line for line in accounts if line.waits_for_person]
    context = {
        "live_since": since,
        "accounts": accounts,
        "strip": accounts[:STRIP],
        "waiting": waiting[:WAITING],
        "more_waiting": max(0, len(waiting) - WAITING),
        "running": sum(line.bot is not None and line.bot.status == "running" for line in accounts),
        "plan": plan,
        "sums": overview.sums(accounts),
        "days": days,
        "today": days[0].counts,
        "today_total": days[0].total,
        "scale": max(day.total for day in days),
        "recent": activity.newest(
            request.workspace,
            RECENT if waiting else RECENT_WHEN_CALM,
            {line.account.pk: line.account for line in accounts},
        ),
    }
    return render(request, "bots/dashboard_live.html" if request.htmx else "bots/dashboard.html", context)


_OUTCOMES = """
SELECT (created_at AT TIME ZONE %(zone)s)::date, state, count(*) FROM bots_action
WHERE workspace_id = %(workspace)s AND account_id = ANY(ARRAY(
          SELECT id FROM bots_instagramaccount WHERE workspace_id = %(workspace)s))
  AND created_at >= (date_trunc('day', now() AT TIME ZONE %(zone)s) - make_interval(days => %(days)s - 1))
                    AT TIME ZONE %(zone)s
GROUP BY 1, 2
"""


def outcomes(workspace: Workspace) -> list[Day]:
    """Count how the actions of the last 7 days ended, today first, by the dates of the workspace's zone."""
    with connection.cursor() as cursor:
        cursor.execute(_OUTCOMES, {"zone": workspace.timezone, "workspace": workspace.pk, "days": DAYS})
        found = cursor.fetchall()
    today = local_date(timezone.now(), workspace.timezone)
    days = {today - timedelta(days=back): Day(today - timedelta(days=back)) for back in range(DAYS)}
    for when, state, count in found:
        # A midnight may pass between the two clocks; such a day is shown with the next look.
        if when in days:
            days[when].counts = {**dict.fromkeys(Action.State.values, 0), **days[when].counts, state: count}
    for day in days.values():
        day.counts = day.counts or dict.fromkeys(Action.State.values, 0)
    return list(days.values())


def local_date(moment: datetime, zone: str) -> date:
    """Give the date of a moment in a zone."""
    return timezone.localtime(moment, ZoneInfo(zone)).date()
