"""What the workspace's AI runs came to this month, and what they may cost."""

from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, Sum
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from accounts.pages.doors import do
from accounts.requests import MemberRequest
from accounts.roles import members
from content import metering
from content.models import AiBudget, AiCall, Feature
from content.pages import desk
from content.studio_forms import BudgetForm
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity

SHOWN = 30


@require_safe
@members("look")
def page(request: MemberRequest) -> HttpResponse:
    """Answer this month by feature and by person, and the newest calls."""
    calls = AiCall.objects.filter(workspace=request.workspace, month=metering.this_month())
    charged = Q(state=AiCall.State.CHARGED)
    freed = Q(state=AiCall.State.RELEASED)

    def summed(*by: str) -> list[dict[str, Any]]:
        rows = calls.values(*by).annotate(
            charged=Count("pk", filter=charged),
            free=Count("pk", filter=freed),
            micros=Sum("cost_micros", filter=charged, default=0),
        )
        return sorted(rows, key=lambda row: -row["micros"])

    own = AiBudget.objects.filter(workspace=request.workspace).first()
    context = {
        "features": [row | {"word": Feature(row["feature"]).label} for row in summed("feature")],
        "people": summed("user__name", "user__email"),
        "calls": list(calls.select_related("user", "run")[:SHOWN]),
        "budget": own,
        "form": BudgetForm(initial={"dollars": Decimal(own.cents) / 100 if own else None}),
        "platform_micros": metering.budget_micros(request.workspace) if own is None else None,
    }
    return desk.show(request, "usage", "usage", context)


@require_POST
@members("decide")
def budget(request: MemberRequest) -> HttpResponse:
    """Set what AI may cost the workspace a month."""
    form = BudgetForm(request.POST)

    def deed() -> None:
        if not form.is_valid():
            raise BotException(codes.VALIDATION_FAILED, "Write an amount like 25 or 12.50.", field="dollars")
        dollars = form.cleaned_data["dollars"]
        cents = None if dollars is None else int(dollars * 100)
        metering.set_budget(request.workspace, request.user, cents)
        log_activity("ai_budget", workspace=request.workspace, user=request.user, cents=cents)

    do(request, deed, "The budget is set.", name="ai_budget")
    return redirect("studio:usage")
