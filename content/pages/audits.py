"""Audits: the numbers of an account, what changed since the last one, and what to do."""

import uuid

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from accounts.pages.doors import do
from accounts.requests import MemberRequest
from accounts.roles import members
from content import audits, figures, reading, reports, runs
from content.models import Audit, Feature
from content.pages import desk
from content.studio_forms import AccountForm
from errors import codes
from errors.exceptions import BotException

# What an area leads to, with one click: the studio's tool and how its brief begins; "plan" is the planner.
FOLLOW = {
    "bio": ("Rewrite the bio", "bio", "A bio for"),
    "rhythm": ("Plan a week", "plan", ""),
    "engagement": ("Write captions that ask", "captions", "A post that asks the followers something, by"),
    "mix": ("Write a reel script", "script", "A short reel by"),
    "captions": ("Write captions", "captions", "The next post of"),
    "hashtags": ("Find hashtags", "hashtags", "The next post of"),
}


@require_safe
@members("look")
def page(request: MemberRequest) -> HttpResponse:
    """Answer the newest audit of an account, or the one that the address names."""
    accounts = desk.accounts_of(request)
    account = desk.chosen(request, accounts)
    found = Audit.objects.filter(workspace=request.workspace).select_related("account", "run")
    audit = found.filter(account=account).first()
    if named := request.GET.get("audit"):
        audit = get_object_or_404(found, pk=named)
        account = audit.account
    run = runs.latest(request.workspace, Feature.AUDIT, account) if account else None
    former = audits.before(audit) if audit else None
    context = {
        "accounts": accounts,
        "account": account,
        "audit": audit,
        "former": former,
        "score": figures.whole(audit.scores) if audit else None,
        "former_score": figures.whole(former.scores) if former else None,
        "compared": audits.compare(audit, former) if audit else [],
        "fixes": [_with_follow_up(fix, audit) for fix in audit.findings["fixes"]] if audit else [],
        "door": reading.DOORS.get(audit.door, audit.door) if audit else "",
        "others": list(found.filter(account=account)[:10]) if account else [],
        "run": run if run and run.status != "done" else None,
        "new_key": uuid.uuid4(),
    }
    return desk.show(request, "audits", "audits", context)


def _with_follow_up(fix: dict[str, str], audit: Audit) -> dict[str, str]:
    word, feature, start = FOLLOW[fix["area"]]
    account = audit.account.username
    if feature == Feature.PLAN:
        week = {"account": account, "days": 7, "goal": fix["title"][:200]}
        return fix | {"follow": word, "path": f"{reverse('studio:planner')}?{urlencode(week)}#new"}
    asked = {"feature": feature, "account": account, "about": f"{start} @{account}. {fix['title']}. {fix['how']}"[:600]}
    return fix | {"follow": word, "path": f"{reverse('studio:studio')}?{urlencode(asked)}#brief"}


@require_POST
@members("act")
def start(request: MemberRequest) -> HttpResponse:
    """Have an account audited."""
    form = AccountForm(request.workspace, request.POST)

    def deed() -> None:
        if not form.is_valid():
            raise BotException(codes.VALIDATION_FAILED, "Choose one of your accounts.", field="account")
        key = request.POST.get("key", "")[:64]
        runs.ask(request.workspace, request.user, Feature.AUDIT, {}, account=form.cleaned_data["account"], key=key)

    do(request, deed, "The audit has begun. It reads the account once and takes about half a minute.", name="audit")
    query = urlencode({"account": form.cleaned_data["account"].username}) if form.is_valid() else ""
    return redirect(f"{reverse('studio:audits')}?{query}")


@require_safe
@members("look")
def report(request: MemberRequest, audit_id: str) -> HttpResponse:
    """Answer an audit as a PDF."""
    audit = get_object_or_404(Audit.objects.select_related("account"), workspace=request.workspace, pk=audit_id)
    name = f"audit-{audit.account.username}-{audit.read_at:%Y-%m-%d}.pdf"
    return HttpResponse(
        reports.pdf(audit),
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
