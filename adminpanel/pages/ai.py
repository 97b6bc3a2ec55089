"""What the language model is used for: its calls, and what they cost and bring by workspace, feature and model."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import display

from adminpanel import audit, roles
from adminpanel.choices import Choice
from adminpanel.pages.accounts import link_to
from adminpanel.pages.base import Page
from adminpanel.site import site
from adminpanel.spans import When
from bots.pages.activity import lines
from content import costs
from content.models import AiCall

RANGES = {"24h": ("hour", 1), "7d": ("day", 7), "30d": ("day", 30), "90d": ("day", 90), "12m": ("month", 365)}
SHOWN = 100  # the dearest; the CSV has all


def dollars(micros: int | None) -> str:
    """`$0.0123`: millionths in words; what is less than a cent keeps its digits."""
    if micros is None:
        return "–"
    sign, amount = "−" if micros < 0 else "", abs(micros) / 1_000_000
    return f"{sign}${amount:,.4f}" if 0 < amount < 1 else f"{sign}${amount:,.2f}"


class Ended(Choice):
    """How a call ended."""

    title = "outcome"
    parameter_name = "state"
    ways = (
        ("charged", "Charged", Q(state="charged")),
        ("released", "Failed", Q(state="released")),
        ("reserved", "On its way", Q(state="reserved")),
    )


@admin.register(AiCall, site=site)
class AiCallPage(Page):
    """Calls of the language model."""

    page = "ai_calls"
    says = "Each exchange with the language model: for whom, what for, its tokens and what it cost."
    ready_views = (("Last 24 h", "when=24h"), ("Failed", "state=released"))
    no_rows = "No AI tool was used."
    list_display = ("created_at", "workspace", "feature", "model", "shown_state", "tokens", "cost", "error_code")
    list_filter = (When, Ended, "feature")
    list_select_related = ("workspace",)
    ordering = ("-created_at",)
    sortable_by = ("created_at",)
    search_exact = ("model", "error_code")
    search_ids = ("pk", "workspace_id", "user_id", "run_id")
    search_help_text = "A model, an error code, or the id of a workspace, a person or a run"
    export_columns = (
        "id", "created_at", "workspace_id", "feature", "model", "prompt_version", "state", "requests", "input_tokens",
        "output_tokens", "cost_micros", "error_code",
    )  # fmt: skip
    fields = readonly_fields = (
        "workspace", "user", "feature", "model", "prompt_version", "state", "requests", "input_tokens", "output_tokens",
        "milliseconds", "cost", "set_aside", "error_code", "created_at", "ended_at",
    )  # fmt: skip

    def beside(self, row: AiCall) -> list[dict[str, Any]]:
        """The other calls of the same run: retries and repairs are calls too."""
        found = AiCall.objects.filter(run=row.run_id).exclude(pk=row.pk)[:10] if row.run_id else []
        return [
            {"title": "Workspace", "rows": [link_to("accounts_workspace", row.workspace)]},
            {"title": "Other calls of this run", "rows": [_line(one) for one in found]},
        ]

    @display(description="Outcome", label={"charged": "success", "released": "danger", "reserved": "info"})
    def shown_state(self, row: AiCall) -> str:
        """Its state."""
        return row.state

    @display(description="Tokens in, out")
    def tokens(self, row: AiCall) -> str:
        """What was read and what was written."""
        return f"{row.input_tokens:,}, {row.output_tokens:,}"

    @display(description="Cost")
    def cost(self, row: AiCall) -> str:
        """What the provider bills, by our price table."""
        return dollars(row.cost_micros)

    @display(description="Set aside")
    def set_aside(self, row: AiCall) -> str:
        """The worst case that was held while it was on its way."""
        return dollars(row.reserved_micros)


def _line(call: AiCall) -> dict[str, Any]:
    return link_to("content_aicall", call, f"{call.state}, {dollars(call.cost_micros)}")


def usage_page(request: HttpRequest) -> HttpResponseBase:
    """Cost, and of workspaces what they bring, over a range; as CSV with every group."""
    roles.check(request.user, "ai_usage")
    span = request.GET.get("range", "30d")
    span = span if span in RANGES else "30d"
    by = request.GET.get("by", "workspace")
    by = by if by in costs.GROUPS else "workspace"
    unit, days = RANGES[span]
    until = timezone.now()
    since = until - timedelta(days=days)
    if "csv" in request.GET:
        audit.record("ai_usage.export", request=request, by_=by, range=span)
        name = f'attachment; filename="ai-{by}-{span}-{until:%Y-%m-%d}.csv"'
        rows = lines([*costs.csv_rows(by, since, until)])
        return HttpResponse(rows, "text/csv; charset=utf-8", headers={"Content-Disposition": name})
    found = costs.lines(by, since, until, SHOWN)
    context = {
        **site.each_context(request),
        "title": "AI usage",
        "all": _told(costs.total(since, until), "", span),
        "rows": [_told(line, by, span) for line in found],
        "most": SHOWN if len(found) == SHOWN else 0,
        "bars": _bars(costs.over_time(since, until, unit), unit),
        "ranges": list(RANGES),
        "span": span,
        "groups": [(name, name.title()) for name in costs.GROUPS],
        "by": by,
        "since": since,
        "at": until,
    }
    return TemplateResponse(request, "adminpanel/ai_usage.html", context)


def _told(line: costs.Line, by: str, span: str) -> dict[str, Any]:
    calls = reverse("admin:content_aicall_changelist")
    links = {
        "workspace": f"{calls}?q={line.key}",
        "feature": f"{calls}?feature__exact={line.key}",
        "model": f"{calls}?q={line.key}",
    }
    share = line.margin_share
    return {
        "line": line,
        "link": links.get(by, calls),
        "cost": dollars(line.cost),
        "earned": dollars(line.earned),
        "margin": dollars(line.margin),
        "share": "–" if share is None else f"{share:.0%}",
    }


def _bars(found: list[tuple[datetime, int]], unit: str) -> list[dict[str, Any]]:
    highest = max((micros for _, micros in found), default=0) or 1
    shape = {"hour": "%H", "day": "%d", "month": "%b"}[unit]
    bars = []
    for at, micros in found:
        height = round(100 * micros / highest, 1)
        bars.append({"at": at, "label": f"{at:{shape}}", "cost": dollars(micros), "height": height, "y": 100 - height})
    return bars
