"""The numbers: of all accounts or one, in a span beside the span before; as CSV, as PDF, and mailed by themselves."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import urlencode
from django.utils.timezone import now
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import tenancy
from accounts.pages.doors import back, do
from accounts.requests import MemberRequest
from accounts.roles import may, members
from bots.models import InstagramAccount, OfficialAccess
from bots.pages.activity import lines
from bots.pages.doors import do_for
from content import analytics, measuring, number_pdf, report_plans
from content.analytics_forms import ReportPlanForm
from content.models import Measuring, ReportPlan
from errors import codes
from errors.exceptions import BotException

USUAL = 28
LONGEST = 731  # days of one report


@dataclass(frozen=True)
class Asked:
    """What an address asks for: which accounts, and which days."""

    account: InstagramAccount | None
    accounts: list[InstagramAccount]
    since: date
    until: date
    days: int  # 0: of the person's own choice

    @property
    def ids(self) -> list[Any]:
        """The accounts' ids."""
        return [self.account.pk] if self.account else [account.pk for account in self.accounts]

    @property
    def query(self) -> str:
        """The same again, for another address."""
        who = {"account": self.account.username if self.account else ""}
        if self.days:
            return urlencode(who | {"days": str(self.days)})
        return urlencode(who | {"since": self.since.isoformat(), "until": self.until.isoformat()})


def asked(request: MemberRequest) -> Asked:
    """Read an address; what is no span becomes the usual one. Raises Http404 for an account that is not there."""
    accounts = list(InstagramAccount.objects.filter(workspace=request.workspace).order_by("username"))
    named = request.GET.get("account", "").lower()
    account = next((one for one in accounts if one.username == named), None)
    if named and account is None:
        raise Http404
    zone = account.timezone if account else request.workspace.timezone
    today = now().astimezone(ZoneInfo(zone)).date()
    since, until = _day(request.GET.get("since", "")), _day(request.GET.get("until", ""))
    wanted = request.GET.get("days", "")
    other = wanted and wanted != request.GET.get("was", wanted)  # chosen just now: it counts more than old days
    if not other and since and until and timedelta(0) <= until - since < timedelta(days=LONGEST):
        return Asked(account, accounts, since, until, 0)
    days = int(wanted) if wanted in map(str, analytics.SPANS) else USUAL
    return Asked(account, accounts, today - timedelta(days=days - 1), today, days)


@require_safe
@members("look")
def page(request: MemberRequest) -> HttpResponse:
    """Answer the numbers of a span."""
    ask = asked(request)
    access = OfficialAccess.objects.filter(account__in=ask.ids)
    context = {
        "ask": ask,
        "spans": analytics.SPANS,
        "chosen": f"{analytics.SPANS.get(ask.days, 'Own days')}, {ask.account or 'all accounts'}",
        "report": analytics.report(ask.ids, ask.since, ask.until),
        "connected": access.count(),
        "lost": access.exclude(status=OfficialAccess.Status.ACTIVE).exists(),
        "troubles": _troubles(ask),
    }
    return render(request, "content/analytics.html", context)


@require_POST
@members("act")
def read(request: MemberRequest) -> HttpResponse:
    """Have the numbers of one account, or of all, read at once."""
    accounts = list(InstagramAccount.objects.filter(workspace=request.workspace))
    named = request.POST.get("account", "")
    count = measuring.ask([one for one in accounts if named in ("", one.username)], request.user)
    words = "They are being read. Load the page again in a minute." if count else "They were read a moment ago."
    messages.success(request, words)
    return back(request, "analytics:page")


@require_safe
@members("look")
def export(request: MemberRequest, what: str) -> HttpResponse:
    """Answer the days or the posts of a span as CSV."""
    ask = asked(request)
    rows: Iterator[list[object]] = (
        analytics.csv_days(analytics.report(ask.ids, ask.since, ask.until))
        if what == "days"
        else analytics.csv_posts(ask.ids, ask.since, ask.until)
    )
    text = lines([[str(cell) for cell in row] for row in rows])
    return HttpResponse(
        text,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{_name(ask, what)}.csv"'},
    )


@require_safe
@members("look")
def pdf(request: MemberRequest) -> HttpResponse:
    """Answer a span as a PDF, under the workspace's own name where its plan has white label."""
    ask = asked(request)
    found = analytics.report(ask.ids, ask.since, ask.until)
    whose = f"@{ask.account.username}" if ask.account else request.workspace.name
    return _pdf(number_pdf.draw(found, request.workspace, whose), _name(ask, "report"))


@require_http_methods(["GET", "HEAD", "POST"])
@members("look")
def reports(request: MemberRequest) -> HttpResponse:
    """Answer the reports that are mailed by themselves, and plan one. Raises NO_PERMISSION."""
    posted = request.method == "POST"
    form = ReportPlanForm(
        request.workspace, request.POST if posted else None, initial={"to": request.user.email, "every": "week"}
    )

    def plan() -> str:
        made = report_plans.add(request.workspace, request.user, **form.cleaned_data)
        return f"The first report goes to {made.to} on {made.due_at:%a %-d %b}."

    if posted:
        if not may(request.membership, "act"):
            raise BotException(codes.NO_PERMISSION)
        if form.is_valid() and do_for(request, form, plan, name="report_planned"):
            return redirect("analytics:reports")
    plans = ReportPlan.objects.filter(workspace=request.workspace).select_related("account")
    return render(request, "content/reports.html", {"form": form, "plans": plans}, status=400 if posted else 200)


@require_POST
@members("act")
def stop(request: MemberRequest, plan_id: str) -> HttpResponse:
    """Mail a report no more."""
    plan = get_object_or_404(ReportPlan, workspace=request.workspace, pk=plan_id)
    do(request, lambda: report_plans.remove(plan, request.user), "It is mailed no more.", name="report_stopped")
    return redirect("analytics:reports")


@require_safe
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """Answer a mailed report as a PDF to whoever has its address; any other does not exist."""
    said = report_plans.opened(token)
    if said is None:
        raise Http404
    workspace, plan_id, since, until = said
    with tenancy.scope(workspace):
        plan = ReportPlan.objects.select_related("workspace", "account").filter(pk=plan_id).first()
        if plan is None:
            raise Http404
        whose = f"@{plan.account.username}" if plan.account else plan.workspace.name
        drawn = number_pdf.draw(report_plans.of(plan, since, until), plan.workspace, whose)
    return _pdf(drawn, f"report-{until:%Y-%m-%d}")


def _troubles(ask: Asked) -> list[tuple[InstagramAccount, Measuring]]:
    """The accounts whose last look came to nothing."""
    names = {account.pk: account for account in ask.accounts}
    found = Measuring.objects.filter(account__in=ask.ids).exclude(error_code="").order_by("pk")[:5]
    return [(names[one.account_id], one) for one in found]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _name(ask: Asked, what: str) -> str:
    whose = ask.account.username if ask.account else "all"
    return f"{whose}-{what}-{ask.since:%Y-%m-%d}-{ask.until:%Y-%m-%d}"


def _pdf(drawn: bytes, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}.pdf"', "Cache-Control": "private, no-store"}
    return HttpResponse(drawn, content_type="application/pdf", headers=headers)
