"""A person's API tokens."""

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import tokens
from accounts.forms import TokenForm
from accounts.requests import MemberRequest
from errors.exceptions import BotException

SIGN_INS = 20  # shown; a program that signs in every hour has hundreds


@require_safe
@login_required
def tokens_page(request: MemberRequest) -> HttpResponse:
    """List what opens the API in this person's name."""
    sign_ins = tokens.signed_in(request.user)
    shown = {"named": tokens.made_by(request.user), "sign_ins": sign_ins[:SIGN_INS], "all_sign_ins": sign_ins.count()}
    return render(request, "accounts/tokens.html", shown | {"most": tokens.MOST})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required
@never_cache
def new_token(request: MemberRequest) -> HttpResponse:
    """Ask what a token is for, make it, and show its words this once."""
    form = TokenForm(request.POST or None)
    if form.is_valid():
        try:
            token, words = tokens.make(request.user, **form.cleaned_data, request=request)
        except BotException as full:
            form.add_error(None, f"{full.message} {full.code.do_next} {full.code.id}")
        else:
            return render(request, "accounts/token_made.html", {"token": token, "words": words})
    return render(request, "accounts/token_new.html", {"form": form}, status=400 if form.errors else 200)


@require_POST
@login_required
def revoke_token(request: MemberRequest, key: str) -> HttpResponse:
    """End one token."""
    token = tokens.revoke(request.user, key, request)
    if token is None:
        raise Http404
    messages.success(request, f"The token {token.name} opens nothing any more.")
    return redirect("accounts:tokens")


@require_POST
@login_required
def revoke_all_tokens(request: MemberRequest) -> HttpResponse:
    """End every token, those of sign-ins too."""
    ended = tokens.revoke_all(request.user, request)
    messages.success(request, f"{ended} token{'s open' if ended != 1 else ' opens'} nothing any more.")
    return redirect("accounts:tokens")
