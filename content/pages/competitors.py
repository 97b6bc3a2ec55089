"""Competitors: side by side with the account, over time, and what stands out."""

import uuid

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from accounts.pages.doors import do
from accounts.requests import MemberRequest
from accounts.roles import members
from bots.models import InstagramAccount
from content import competitors, reading, runs
from content.models import Competitor, Feature
from content.pages import desk


@require_safe
@members("look")
def page(request: MemberRequest) -> HttpResponse:
    """Answer the table of an account, and the newest summary."""
    accounts = desk.accounts_of(request)
    account = desk.chosen(request, accounts)
    run = runs.latest(request.workspace, Feature.COMPETITORS, account) if account else None
    rows = competitors.table(account) if account else []
    context = {
        "accounts": accounts,
        "account": account,
        "rows": [row | {"through": reading.DOORS.get(row["door"], "")} for row in rows],
        "seen": sum(bool(row["facts"]) for row in rows if not row["own"]),
        "run": run,
        "new_key": uuid.uuid4(),
    }
    return desk.show(request, "competitors", "competitors", context)


@require_POST
@members("act")
def add(request: MemberRequest) -> HttpResponse:
    """Watch one more."""
    account = _account(request)
    name = request.POST.get("username", "")
    done = f"@{name.strip().lstrip('@').lower()} is looked at now, and then once a day."
    do(request, lambda: competitors.add(account, request.user, name), done, name="competitor", account=account)
    return _back(account)


@require_POST
@members("act")
def remove(request: MemberRequest, competitor_id: str) -> HttpResponse:
    """Watch one no more."""
    found = Competitor.objects.select_related("account").filter(workspace=request.workspace)
    competitor = get_object_or_404(found, pk=competitor_id)
    do(request, lambda: competitors.remove(competitor, request.user), f"{competitor} is watched no more.",
       name="competitor", account=competitor.account)  # fmt: skip
    return _back(competitor.account)


@require_POST
@members("act")
def summary(request: MemberRequest) -> HttpResponse:
    """Have the numbers put into words."""
    account, key = _account(request), request.POST.get("key", "")[:64]
    do(
        request,
        lambda: runs.ask(request.workspace, request.user, Feature.COMPETITORS, {}, account=account, key=key),
        "The comparison is being put into words.",
        name="ai_run",
        account=account,
    )
    return _back(account)


def _account(request: MemberRequest) -> InstagramAccount:
    named = request.POST.get("account", "").lower()
    return get_object_or_404(InstagramAccount, workspace=request.workspace, username=named)


def _back(account: InstagramAccount) -> HttpResponse:
    return redirect(f"{reverse('studio:competitors')}?{urlencode({'account': account.username})}")
