"""Connecting an account through Meta, and taking that back."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from accounts.requests import MemberRequest
from accounts.roles import members
from bots import meta_login
from bots.instagram import graph_login
from bots.models import InstagramAccount, OfficialAccess
from bots.pages.doors import account_of, do, refuse
from errors import codes
from errors.exceptions import BotException

SESSION = "meta_login"


@require_safe
@members("act")
def official(request: MemberRequest) -> HttpResponse:
    """Say what Meta's door is for and what we ask for, before anybody is sent there."""
    account = None
    if username := request.GET.get("account", ""):
        account = account_of(request, username)
    logins = [(login.value, login.label, graph_login.SCOPES[login.value].items()) for login in OfficialAccess.Login]
    context = {"account": account, "logins": logins, "back": meta_login.back_address()}
    return render(request, "bots/official.html", context)


@require_POST
@members("act")
def go(request: MemberRequest) -> HttpResponse:
    """Send the person to Meta."""
    login = request.POST.get("login", "")
    username = request.POST.get("account", "")
    account = account_of(request, username) if username else None
    try:
        if login not in OfficialAccess.Login:
            raise BotException(codes.VALIDATION_FAILED, "Choose one of the two logins.", field="login")
        there, waiting = meta_login.begin(request.workspace, login, account)
    except BotException as refused:
        refuse(request, refused, name="official_connect", account=account)
        return redirect("bots:official")
    request.session[SESSION] = waiting
    return redirect(there)


@require_GET
@members("act")
def come_back(request: MemberRequest) -> HttpResponse:
    """Take what Meta says. The state works once."""
    waiting = request.session.pop(SESSION, {})
    try:
        connected, left_out = meta_login.finish(request.workspace, request.user, waiting, request.GET.dict())
    except BotException as refused:
        refuse(request, refused, name="official_connect")
        return redirect("bots:official")
    names = ", ".join(f"@{account.username}" for account in connected)
    messages.success(request, f"{names} connected through Meta.")
    for one in left_out:
        refuse(request, one, name="official_connect")
    return redirect("bots:accounts")


@require_http_methods(["GET", "HEAD", "POST"])
@members("act")
def disconnect(request: MemberRequest, username: str) -> HttpResponse:
    """Throw our access through Meta away; asked for once more before."""
    account: InstagramAccount = account_of(request, username)
    if request.method != "POST":
        return render(request, "bots/official_disconnect.html", {"account": account})
    done = f"@{account.username} is no longer connected through Meta. Its numbers stay."
    do(request, lambda: meta_login.disconnect(account, request.user), done, name="official_disconnect", account=account)
    return redirect("bots:accounts")
