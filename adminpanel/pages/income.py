"""Revenue: what comes in a month, what moved it, who stays, and what their AI calls cost."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone

from adminpanel import audit, roles
from adminpanel.pages.money import money
from adminpanel.site import site
from billing import revenue
from billing.revenue import Month
from bots.pages.activity import lines

MONTHS = (6, 12, 24)
WORKSPACES = 50  # the largest, whose AI cost is shown
UP, DOWN = ("new", "expansion", "reactivation"), ("contraction", "churn")
HEADS = (
    "Month", "MRR", "New", "Expansion", "Reactivation", "Contraction", "Churn", "Customers", "ARR", "ARPU",
    "Customer churn", "Revenue churn", "Trial conversion", "LTV",
)  # fmt: skip


def revenue_page(request: HttpRequest) -> HttpResponseBase:
    """MRR by month, with what moved it; computed from the history of subscriptions."""
    roles.check(request.user, "revenue")
    span = next((one for one in MONTHS if str(one) == request.GET.get("months")), 12)
    today = timezone.now().date()
    known = revenue.currencies()
    currency = request.GET.get("currency", "")
    currency = currency if currency in known else known[0]
    first = today.year * 12 + today.month - span  # counted in months since the year 0
    since = today.replace(year=first // 12, month=first % 12 + 1, day=1)
    if "csv" in request.GET:
        audit.record("revenue.export", request=request, currency=currency, months=span)
        rows = lines([[*row] for row in revenue.csv_rows(since, today, currency)])
        name = f'attachment; filename="revenue-{currency}-{today}.csv"'
        return HttpResponse(rows, "text/csv; charset=utf-8", headers={"Content-Disposition": name})
    months = revenue.months(since, today, currency)
    context = {
        **site.each_context(request),
        "title": "Revenue",
        "bars": _bars(months, currency),
        "moves": _moves(months, currency),
        "names": (*UP, *DOWN),
        "heads": HEADS,
        "table": [_row(month, currency) for month in reversed(months)],
        "now": money(months[-1].closing, currency),
        "cohorts": [
            (one.month, one.size, [f"{part:.0%}" for part in one.retention])
            for one in revenue.cohorts(since, today, currency)
        ],
        "ages": range(span),
        "margins": [
            (one.name or "gone", one.plan, money(one.mrr, currency), money(round(one.ai_cost), "usd"))
            for one in revenue.margins(today, currency)[:WORKSPACES]
        ],
        "definitions": revenue.DEFINITIONS.items(),
        "spans": MONTHS,
        "span": span,
        "currencies": known,
        "currency": currency,
        "at": timezone.now(),
    }
    return TemplateResponse(request, "adminpanel/revenue.html", context)


def _bars(months: list[Month], currency: str) -> list[dict[str, Any]]:
    """Each month's MRR as a bar of a hundred at most."""
    highest = max(month.closing for month in months) or 1
    return [
        {"month": one.month, "told": money(one.closing, currency), "parts": [_part(100, 100 * one.closing / highest)]}
        for one in months
    ]


def _moves(months: list[Month], currency: str) -> list[dict[str, Any]]:
    """What each month won above a line and lost below it, all months on one scale."""
    won = max(sum(getattr(month, name) for name in UP) for month in months)
    lost = max(-sum(getattr(month, name) for name in DOWN) for month in months)
    scale = 100 / (won + lost or 1)
    line, found = won * scale, []
    for month in months:
        above, below, parts = line, line, []
        for name in UP:
            parts.append(_part(above, getattr(month, name) * scale, name))
            above -= getattr(month, name) * scale
        for name in DOWN:
            below -= getattr(month, name) * scale
            parts.append(_part(below, -getattr(month, name) * scale, name))
        told = ", ".join(f"{name} {money(getattr(month, name), currency)}" for name in (*UP, *DOWN))
        found.append({"month": month.month, "told": told, "parts": parts})
    return found


def _part(foot: float, height: float, name: str = "") -> dict[str, str]:
    return {"y": f"{foot - height:.2f}", "height": f"{height:.2f}", "name": name}


def _row(month: Month, currency: str) -> list[str]:
    """A month in words; a dash is unknown."""
    ltv = month.ltv
    return [
        f"{month.month:%b %Y}",
        *(money(getattr(month, name), currency) for name in ("closing", *UP, *DOWN)),
        f"{month.customers:,} (+{month.customers_won:,}, −{month.customers_lost:,})",
        money(month.arr, currency),
        "–" if month.arpu is None else money(round(month.arpu), currency),
        *(
            "–" if part is None else f"{part:.1%}"
            for part in (month.customer_churn, month.revenue_churn, month.trial_conversion)
        ),
        "–" if ltv is None else money(round(ltv), currency),
    ]
