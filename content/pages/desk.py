"""What the pages of the content tools share: the head with what is left this month, the account in question."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from accounts.requests import MemberRequest
from bots.models import InstagramAccount
from content import ai, metering
from content.models import Run

TABS = (
    ("studio", "Ideas and captions"),
    ("library", "Library"),
    ("audits", "Audit"),
    ("planner", "Planner"),
    ("messages", "DM templates"),
    ("competitors", "Competitors"),
    ("experiments", "A/B tests"),
    ("usage", "Usage"),
)


def show(request: MemberRequest, tab: str, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Answer a tool's page; to htmx its part that is live, `…_live.html`."""
    whole = {
        "tab": tab,
        "tabs": [(name, word, reverse(f"studio:{name}")) for name, word in TABS],
        "allowance": metering.allowance(request.workspace),
        "ai_sandbox": ai.plays(),
        "letters": "ABCDEFGH",
    }
    name = f"studio/{template}_live.html" if getattr(request, "htmx", None) else f"studio/{template}.html"
    return render(request, name, whole | context, status=status)


def accounts_of(request: MemberRequest) -> list[InstagramAccount]:
    """The workspace's accounts."""
    return list(InstagramAccount.objects.filter(workspace=request.workspace).select_related("session"))


def chosen(request: MemberRequest, accounts: list[InstagramAccount]) -> InstagramAccount | None:
    """The account that the address names, else the first. Raises Http404 for one that is not there."""
    named = request.GET.get("account", "")
    if not named:
        return accounts[0] if accounts else None
    return get_object_or_404(
        InstagramAccount.objects.select_related("session"), workspace=request.workspace, username=named.lower()
    )


def run_of(request: MemberRequest, key: str) -> Run:
    """A run of the workspace. Raises Http404."""
    return get_object_or_404(Run.objects.select_related("account"), workspace=request.workspace, pk=key)
