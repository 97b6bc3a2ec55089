"""The Instagram accounts: how they do, connecting one, testing and ending a session."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.requests import MemberRequest
from accounts.roles import members
from billing import entitlements
from bots import connecting, sessions
from bots.forms import CodeForm, LoginForm, RiskForm
from bots.models import InstagramAccount
from bots.pages import overview
from bots.pages.doors import account_of, back, do, refuse, said
from bots.pages.overview import Line
from errors import codes
from errors.exceptions import BotException
from instagrowth import live

SHOWN = 25
# By which way the code of the second step comes.
WAYS = {
    "totp": "Open your authenticator app and type the 6 digits it shows for Instagram now.",
    "sms": "Instagram has sent a code to your phone by SMS.",
    "email": "Instagram has sent a code to the e-mail address of this account.",
}


@require_safe
@members("look")
def accounts(request: MemberRequest) -> HttpResponse:
    """Answer the accounts of the workspace, all of them, those that run, or those that need a person."""
    since, plan = live.latest(request.workspace.pk), entitlements.plan_of(request.workspace)
    every = overview.lines(request.workspace, plan, timezone.now())
    running = [line for line in every if line.bot is not None and line.bot.status == "running"]
    waiting = [line for line in every if line.waits_for_person]
    show, q = request.GET.get("show", ""), request.GET.get("q", "").strip().lower().removeprefix("@")[:30]
    chosen = {"running": running, "waiting": waiting}.get(show, every)
    shown = [line for line in chosen if q in line.account.username]
    context = {
        "live_since": since,
        "every": every,
        "running": running,
        "waiting": waiting,
        "desk": [line for line in every if line.needs_check],
        "show": show if show in ("running", "waiting") else "",
        "q": q,
        "page": Paginator(shown, SHOWN).get_page(request.GET.get("page")),
        "plan": plan,
        "full": _is_full(every, plan.account_limit),
    }
    return render(request, "bots/accounts_live.html" if request.htmx else "bots/accounts.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@members("act")
def connect(request: MemberRequest) -> HttpResponse:
    """Step 1: what automation risks. Nothing goes on before it is accepted."""
    form = RiskForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        request.session["risk_accepted"] = True
        return redirect("bots:connect_login")
    return render(request, "bots/connect_risk.html", {"form": form})


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@members("act")
def connect_login(request: MemberRequest) -> HttpResponse:
    """Step 2: username and password, used once."""
    username = request.POST.get("username") or request.GET.get("username", "")
    accepted = bool(request.session.get("risk_accepted"))
    if not accepted and not _has_accepted(request, username):
        return redirect("bots:connect")
    form = LoginForm(request.POST if request.method == "POST" else None, initial={"username": username})
    if request.method == "POST" and form.is_valid():
        answer = connecting.connect(
            request.workspace,
            request.user,
            form.cleaned_data["username"],
            form.cleaned_data["password"],
            accept_risk=accepted,
        )
        if answer.wants_code:
            request.session["connecting"] = {
                "username": _plain(form.cleaned_data["username"]),
                "way": answer.wants_code,
            }
            return redirect("bots:connect_code")
        if answer.account is not None:
            return _connected(request, answer.account)
        _explain(request, form, answer.refused)
    return render(request, "bots/connect_login.html", {"form": form, "again": bool(username and not accepted)})


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
@members("act")
def connect_code(request: MemberRequest) -> HttpResponse:
    """Step 3: the code. The password waits sealed for ten minutes, so this form posts only username and code."""
    waiting = request.session.get("connecting")
    if not waiting:
        return redirect("bots:connect_login")
    form = CodeForm(request.POST if request.method == "POST" else None, initial={"username": waiting["username"]})
    expired = False
    if request.method == "POST" and form.is_valid():
        answer = connecting.connect(
            request.workspace,
            request.user,
            form.cleaned_data["username"],
            code=form.cleaned_data["code"],
            accept_risk=bool(request.session.get("risk_accepted")),
        )
        if answer.account is not None:
            return _connected(request, answer.account)
        if answer.wants_code:
            form.add_error("code", "Instagram wants another code.")
            request.session["connecting"] = {**waiting, "way": answer.wants_code}
        else:
            _explain(request, form, answer.refused)
            expired = answer.refused is not None and answer.refused.code is not codes.IG_CODE_WRONG
    context = {"form": form, "username": waiting["username"], "way": WAYS.get(waiting["way"], ""), "expired": expired}
    return render(request, "bots/connect_code.html", context)


@require_POST
@members("act")
def test_session(request: MemberRequest, username: str) -> HttpResponse:
    """Ask Instagram once whether the session is good, and let an account that waited for it go on."""
    account = account_of(request, username)
    try:
        checked = sessions.check(account, request.user)
    except BotException as refused:
        refuse(request, refused, name="test_session", account=account)
    else:
        if checked.valid:
            messages.success(request, f"The session of @{account.username} is valid. Instagram answered just now.")
        elif checked.stop:
            messages.error(request, said(checked.stop))  # written down with the reaction it asked for
        else:
            refuse(request, BotException(codes.SESSION_INVALID), name="test_session", account=account)
    return back(request, "bots:accounts")


@require_http_methods(["GET", "HEAD", "POST"])
@members("act")
def disconnect(request: MemberRequest, username: str) -> HttpResponse:
    """Log out at Instagram and throw the session away; asked for once more before."""
    account = account_of(request, username)
    if request.method != "POST":
        return render(request, "bots/disconnect.html", {"account": account})
    done = f"@{account.username} is disconnected. Its history stays."
    do(request, lambda: connecting.disconnect(account, request.user), done, name="disconnect", account=account)
    return redirect("bots:accounts")


def _connected(request: MemberRequest, account: InstagramAccount) -> HttpResponse:
    request.session.pop("connecting", None)
    request.session.pop("risk_accepted", None)
    messages.success(
        request, f"@{account.username} is connected. Nothing happens on Instagram until you start the bot."
    )
    return redirect("bots:automation", account.username)


def _explain(request: MemberRequest, form: LoginForm | CodeForm, refused: BotException | None) -> None:
    """Put the refusal where it belongs in the form."""
    if refused is None:
        return
    name = str(refused.meta.get("field", ""))
    form.add_error(name if name in form.fields else None, said(refused, request.membership))


def _has_accepted(request: MemberRequest, username: str) -> bool:
    """Whether the risk of this account was accepted when it was connected before."""
    known = InstagramAccount.objects.filter(workspace=request.workspace, username=_plain(username))
    return known.exclude(risk_accepted_at=None).exists()


def _plain(username: str) -> str:
    return username.strip().lower().removeprefix("@")


def _is_full(every: list[Line], limit: int) -> bool:
    connected = sum(line.official is not None or hasattr(line.account, "session") for line in every)
    return 0 <= limit <= connected
