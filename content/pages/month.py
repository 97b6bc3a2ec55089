"""The calendar by month, by week, and as a list."""

from calendar import Calendar
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.timezone import now
from django.views.decorators.http import require_POST, require_safe

from accounts.pages.doors import back, refuse
from accounts.requests import MemberRequest
from accounts.roles import members
from bots.models import InstagramAccount, OfficialAccess
from content import calendar as planning
from content import missed
from content.models import Post
from instagrowth import live

VIEWS = {"month": "Month", "week": "Week", "list": "List"}
DONE = {
    "now": "{} will go out, starting now, ten minutes apart for each account.",
    "slots": "{} went into the next free slots.",
    "draft": "{} kept among the drafts.",
}
A_PAGE = 50
A_CELL = 4  # posts of a day that a month shows; the rest is one click away


@dataclass
class Day:
    """A day of the grid."""

    date: date
    in_month: bool = True
    posts: list[Post] = field(default_factory=list)

    @property
    def shown(self) -> list[Post]:
        """The first posts of the day."""
        return self.posts[:A_CELL]

    @property
    def more(self) -> int:
        """How many are not shown."""
        return len(self.posts) - len(self.shown)


@require_safe
@members("look")
def calendar(request: MemberRequest) -> HttpResponse:
    """Answer the plan of all accounts or of one, around a day."""
    since = live.latest(request.workspace.pk)
    accounts = InstagramAccount.objects.filter(workspace=request.workspace)
    account = get_object_or_404(accounts, username=request.GET["account"]) if request.GET.get("account") else None
    zone = account.timezone if account else request.workspace.timezone
    view = request.GET.get("view", "month")
    view = view if view in VIEWS else "month"
    today = now().astimezone(ZoneInfo(zone)).date()
    day = _day(request.GET.get("day", ""), today)
    posts = planning.with_media(Post.objects.filter(workspace=request.workspace).exclude(state=Post.State.IDEA))
    if account:
        posts = posts.filter(account=account)
    context: dict[str, Any] = {
        "live_since": since,
        "view": view,
        "views": VIEWS,
        "accounts": accounts.order_by("username"),
        "account": account,
        "zone": zone,
        "today": today,
        "day": day,
        "connected": OfficialAccess.objects.filter(workspace=request.workspace).exists(),
        "missed": missed.missed(request.workspace, account).count(),
        "undated": posts.filter(planned_for=None).order_by("-created_at")[:20],
    }
    if view == "list":
        dated = posts.filter(planned_for__isnull=False, planned_for__gte=_start(day, zone)).order_by("planned_for")
        context["page"] = Paginator(dated, A_PAGE).get_page(request.GET.get("page"))
    else:
        weeks = _month(day) if view == "month" else [_week(day)]
        _fill(weeks, posts, zone)
        first, last = weeks[0][0].date, weeks[-1][-1].date
        step = timedelta(days=7)
        context |= {
            "weeks": weeks,
            "first": first,
            "last": last,
            "before": (day.replace(day=1) - timedelta(days=1)).replace(day=1) if view == "month" else day - step,
            "after": (day.replace(day=28) + timedelta(days=4)).replace(day=1) if view == "month" else day + step,
        }
    return render(request, "content/calendar_live.html" if request.htmx else "content/calendar.html", context)


@require_POST
@members("act")
def catch_up(request: MemberRequest) -> HttpResponse:
    """Let everything go out that was missed while Meta did not let us in, of all accounts or of one."""
    accounts = InstagramAccount.objects.filter(workspace=request.workspace)
    named = request.POST.get("account", "")
    account = get_object_or_404(accounts, username=named) if named else None
    how = request.POST.get("how", "")
    done, refused = missed.catch_up(request.membership, how, account)
    if done:
        words = DONE.get(how, DONE["draft"]).format(f"{len(done)} post{'' if len(done) == 1 else 's'}")
        messages.success(request, words)
    if refused:
        refuse(request, refused[0], name="post_catch_up")
    return back(request, "calendar:calendar")


def _day(text: str, today: date) -> date:
    """A day that an address names, within the years a calendar has; else today."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return today
    return day if abs(day.year - today.year) <= 20 else today


def _month(day: date) -> list[list[Day]]:
    weeks = Calendar().monthdatescalendar(day.year, day.month)
    return [[Day(one, one.month == day.month) for one in week] for week in weeks]


def _week(day: date) -> list[Day]:
    monday = day - timedelta(days=day.weekday())
    return [Day(monday + timedelta(days=offset)) for offset in range(7)]


def _start(day: date, zone: str) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)


def _fill(weeks: list[list[Day]], posts: Any, zone: str) -> None:
    """Put each post into its day, by the zone's dates."""
    days = {day.date: day for week in weeks for day in week}
    first, last = min(days), max(days)
    span = {"planned_for__gte": _start(first, zone), "planned_for__lt": _start(last + timedelta(days=1), zone)}
    for post in posts.filter(**span).order_by("planned_for", "pk"):
        days[post.planned_for.astimezone(ZoneInfo(zone)).date()].posts.append(post)
