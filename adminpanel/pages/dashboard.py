"""The first page: how the whole business is doing, each number with a link to what it counts."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse

from adminpanel import figures, navigation, roles
from adminpanel.pages.ai import dollars
from adminpanel.pages.money import money
from adminpanel.site import site
from errors.models import ActivityLog


def dashboard(request: HttpRequest) -> HttpResponseBase:
    """Figures, a chart with ranges, the newest of the log, and every page this person may open."""
    context = {**site.each_context(request), "title": "Control room", "groups": navigation.groups(request)}
    if roles.may(request.user, "dashboard"):
        span = request.GET.get("range", "24h")
        span = span if span in figures.RANGES else "24h"
        found = figures.gather(span)
        context |= {
            "figures": found,
            "span": span,
            "ranges": list(figures.RANGES),
            "sees_run": roles.may(request.user, "bots"),
            "sees_money": roles.may(request.user, "revenue"),
            "mrr": [money(minor, currency) for currency, minor in found["mrr"]],
            "ai_cost": dollars(found["ai_cost"]),
            "newest": list(ActivityLog.objects.all()[:12]),
        }
    return TemplateResponse(request, "adminpanel/dashboard.html", context)
