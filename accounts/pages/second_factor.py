"""The authenticator app. allauth's pages do the rest: what there is, recovery codes, passkeys."""

from allauth.account.decorators import reauthentication_required
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import second_factor
from accounts.factor_forms import said
from accounts.requests import MemberRequest
from errors.exceptions import BotException


class CodeForm(forms.Form):
    """The first code of a new authenticator app."""

    code = forms.CharField(label="Code", max_length=20)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@reauthentication_required(app="allauth.mfa")
def turn_on(request: MemberRequest) -> HttpResponse:
    """Show a secret to scan, and turn it on by its first code."""
    if second_factor.app_of(request.user):
        return redirect("mfa_index")
    door = second_factor.door_of(request)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            second_factor.turn_on(request.user, door, form.cleaned_data["code"])
        except BotException as refused:
            form.add_error("code", said(refused))
        else:
            messages.success(request, "The second factor is on. Keep these recovery codes where your phone is not.")
            return redirect("mfa_view_recovery_codes")
    kept = second_factor.waiting(request.user, door) if request.method == "POST" else None
    secret = kept or second_factor.begin(request.user, door)
    url = get_adapter().build_totp_url(request.user, secret)
    shown = {"form": form, "secret": secret, "totp_url": url, "totp_svg": get_adapter().build_totp_svg(url)}
    return render(request, "mfa/totp/activate_form.html", shown)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required(app="allauth.mfa")
def turn_off(request: MemberRequest) -> HttpResponse:
    """Ask whether the app should go, and let it go."""
    if second_factor.app_of(request.user) is None:
        return redirect("mfa_index")
    if request.method != "POST":
        passkeys = Authenticator.objects.filter(user=request.user, type="webauthn").exists()
        return render(request, "mfa/totp/deactivate_form.html", {"passkeys": passkeys})
    second_factor.turn_off(request.user, second_factor.door_of(request))
    messages.success(request, "The authenticator app is off.")
    return redirect("mfa_index")
