"""Reports that are mailed by themselves: who gets which, when, and the signed address at which the PDF opens."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core import signing
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.timezone import now

from accounts import farewell, mails, tenancy
from accounts.models import User, Workspace
from bots.models import InstagramAccount
from content import analytics, number_pdf
from content.analytics import Report
from content.models import ReportPlan
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity

HOUR = time(8)  # in the workspace's zone
OPENS = timedelta(days=35)  # a mailed address: until after the next month's report
MOST = 20  # plans of a workspace
SALT = "content.report"


def add(workspace: Workspace, user: User, account: InstagramAccount | None, every: str, to: str) -> ReportPlan:
    """Mail a report from now on. Raises VALIDATION_FAILED for too many or the same again, BEING_DELETED."""
    farewell.nothing_new(workspace)  # of two clicks the second waits here, and finds the first's
    mine = ReportPlan.objects.filter(workspace=workspace)
    if mine.filter(account=account, every=every, to__iexact=to).exists():
        raise BotException(codes.VALIDATION_FAILED, f"{to} gets this report already.", field="to")
    if mine.count() >= MOST:
        raise BotException(codes.VALIDATION_FAILED, f"A workspace has at most {MOST} mailed reports.", field="to")
    due = next_time(every, now(), workspace.timezone)
    plan = ReportPlan.objects.create(
        workspace=workspace, account=account, every=every, to=to, created_by=user.pk, due_at=due
    )
    log_activity("report_planned", workspace=workspace, user=user, account=account, every=every, to=to)
    return plan


def remove(plan: ReportPlan, user: User) -> None:
    """Mail it no more; addresses that were mailed open nothing from now on."""
    log_activity("report_stopped", workspace=plan.workspace_id, user=user, account=plan.account_id, to=plan.to)
    plan.delete()


def next_time(every: str, after: datetime, zone: str) -> datetime:
    """The next Monday, or first of a month, at 8 o'clock by a zone's clocks, in UTC."""
    local = after.astimezone(ZoneInfo(zone)).date()
    for offset in range(40):
        day = local + timedelta(days=offset)
        fits = day.weekday() == 0 if every == ReportPlan.Every.WEEK else day.day == 1
        at = datetime.combine(day, HOUR, ZoneInfo(zone)).astimezone(UTC)
        if fits and at > after:
            return at
    raise AssertionError("every 40 days have a Monday and a first of a month")


def span(every: str, at: datetime, zone: str) -> tuple[date, date]:
    """The whole week or month before a moment, both days counted."""
    last = at.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)
    return (last - timedelta(days=6), last) if every == ReportPlan.Every.WEEK else (last.replace(day=1), last)


def due(limit: int = 200) -> list[tuple[UUID, UUID]]:
    """(workspace, plan) of what is to be mailed now."""
    with tenancy.platform("due reports of all workspaces are mailed"):
        waiting = ReportPlan.objects.filter(due_at__lte=Now(), workspace__delete_at=None)
        return list(waiting.order_by("due_at").values_list("workspace_id", "pk")[:limit])


def send(workspace_id: UUID, plan_id: UUID) -> bool:
    """Mail one report if it is due: in the same transaction its next day is written down, so nobody gets it twice."""
    with tenancy.scope(workspace_id):
        plans = ReportPlan.objects.select_for_update(of=("self",)).select_related("workspace", "account")
        plan = plans.filter(pk=plan_id, due_at__lte=Now()).first()
        if plan is None:
            return False
        zone = plan.workspace.timezone
        since, until = span(plan.every, plan.due_at, zone)
        found = of(plan, since, until)
        whose = f"@{plan.account.username}" if plan.account else plan.workspace.name
        drawn = number_pdf.draw(found, plan.workspace, whose)
        pdf = (f"instagram-{since}-{until}.pdf", drawn) if len(drawn) <= mails.FILES else None
        context = {
            "report": found,
            "whose": whose,
            "attached": pdf,
            "link": address(plan, since, until),
            "link_word": "Open the report (PDF, for 35 days)",
        }
        mails.write("mail/report", plan.to, context, workspace=plan.workspace, pdf=pdf)
        plan.sent_at, plan.due_at = now(), next_time(plan.every, now(), zone)
        plan.save(update_fields=["sent_at", "due_at"])
        log_activity("report_mailed", workspace=plan.workspace_id, account=plan.account_id, to=plan.to)
        return True


def of(plan: ReportPlan, since: date, until: date) -> Report:
    """The report of a plan. In the workspace's view."""
    accounts = [plan.account_id] if plan.account_id else InstagramAccount.objects.values_list("pk", flat=True)
    return analytics.report(accounts, since, until)


def address(plan: ReportPlan, since: date, until: date) -> str:
    """Where the PDF opens without signing in, for OPENS and while the plan stands."""
    word = [str(plan.workspace_id), str(plan.pk), since.isoformat(), until.isoformat()]
    return settings.SITE_URL + reverse("analytics:shared", args=[signing.dumps(word, salt=SALT)])


def opened(token: str) -> tuple[UUID, UUID, date, date] | None:
    """What a mailed address says: workspace, plan and span; None where it is not ours or too old."""
    try:
        workspace, plan, since, until = signing.loads(token, salt=SALT, max_age=OPENS)
    except signing.BadSignature:
        return None
    return UUID(workspace), UUID(plan), date.fromisoformat(since), date.fromisoformat(until)
