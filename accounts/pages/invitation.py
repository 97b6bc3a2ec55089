"""Where the link of an invitation leads: who invites to what, and the answer."""

from collections.abc import Callable
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import brand, invitations, limits
from accounts.models import Invitation
from errors import codes


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation_page(request: HttpRequest, token: str) -> HttpResponse:
    """Answer an invitation, or take the answer to it. Raises INVITATION_INVALID or TOO_MANY_TRIES."""
    limits.take(limits.INVITATION, limits.client_address(request))
    invitation = invitations.look_at(token)
    if request.method != "POST":
        return _page(request, token, invitation)
    answer = ANSWERS.get(request.POST.get("answer", ""))
    if answer is None:
        raise BadRequest
    return answer(request, token, invitation)


def _accept(request: HttpRequest, token: str, invitation: Invitation) -> HttpResponse:
    if not request.user.is_authenticated:
        return redirect(_with_way_back("account_login_short", request))
    place = invitations.accept(token, request.user)
    request.session["workspace"] = str(place.workspace_id)
    messages.success(request, f"You are in. You work in {place.workspace} as {place.get_role_display().lower()}.")
    return redirect("bots:dashboard")


def _decline(request: HttpRequest, token: str, invitation: Invitation) -> HttpResponse:
    if not request.user.is_authenticated:
        return redirect(_with_way_back("account_login_short", request))
    invitations.decline(token, request.user)
    messages.success(request, f"You declined the invitation to {invitation.workspace}. Its link no longer works.")
    return redirect("home")


def _sign_up(request: HttpRequest, token: str, invitation: Invitation) -> HttpResponse:
    """Go and make an account: that the link was in the address's mail proves the address."""
    if request.user.is_authenticated or invitations.has_account(invitation):
        return redirect(request.path)
    get_adapter().stash_verified_email(request, invitation.email)
    return redirect(_with_way_back("account_signup_short", request))


ANSWERS: dict[str, Callable[[HttpRequest, str, Invitation], HttpResponse]] = {
    "accept": _accept,
    "decline": _decline,
    "sign_up": _sign_up,
}


def _page(request: HttpRequest, token: str, invitation: Invitation) -> HttpResponse:
    foreign = request.user.is_authenticated and not invitations.is_for(invitation, request.user)
    context = {
        "invitation": invitation,
        "label": brand.label_of(invitation.workspace),
        "foreign": codes.INVITATION_FOREIGN if foreign else None,
        "has_account": not request.user.is_authenticated and invitations.has_account(invitation),
        "sign_in": _with_way_back("account_login_short", request),
    }
    return render(request, "accounts/invitation.html", context, status=403 if foreign else 200)


def _with_way_back(name: str, request: HttpRequest) -> str:
    return f"{reverse(name)}?{urlencode({'next': request.path})}"
