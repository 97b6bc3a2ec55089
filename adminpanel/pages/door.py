"""Staff's way in and out: sign in, set up an authenticator, one's own password, a fresh code for danger."""

from typing import Any, cast

from allauth.mfa.adapter import get_adapter
from django import forms
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from accounts import sign_in
from accounts.models import User
from adminpanel import audit, presence, staff
from errors import codes
from errors.exceptions import BotException

CODE = {"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": "8"}


def _code(label: str = "Code of your authenticator", **more: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=16, widget=UnfoldAdminTextInputWidget(attrs=CODE), **more)


def _password(label: str, purpose: str) -> forms.CharField:
    widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": purpose})
    return forms.CharField(label=label, strip=False, max_length=sign_in.LONGEST_PASSWORD, widget=widget)


class SignInForm(forms.Form):
    """All that staff need to come in."""

    email = forms.CharField(
        label="E-mail", max_length=254,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "username", "autofocus": True, "type": "email"}),
    )  # fmt: skip
    password = _password("Password", "current-password")
    code = _code(required=False, help_text="At your first sign-in, leave it empty if you have no authenticator yet.")


class NewPasswordForm(forms.Form):
    """A password of one's own, twice."""

    new_password = _password("New password", "new-password")
    again = _password("New password once more", "new-password")

    def clean(self) -> dict[str, Any]:
        """Both must be the same."""
        found = super().clean() or {}
        if found.get("new_password") != found.get("again"):
            self.add_error("again", "The two passwords differ.")
        return found


class EnrolForm(NewPasswordForm):
    """The first code, and a password of one's own."""

    code = _code("Code your authenticator shows now")
    field_order = ["code", "new_password", "again"]


class ChangePasswordForm(NewPasswordForm):
    """The present password, and another."""

    old_password = _password("Present password", "current-password")
    field_order = ["old_password", "new_password", "again"]


class ProveForm(forms.Form):
    """A fresh code."""

    code = _code()


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_page(request: HttpRequest) -> HttpResponseBase:
    """Password and code; with a one-time password and no authenticator yet, on to setting one up."""
    if request.user.is_authenticated:
        return redirect("admin:index")
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            if not given["code"]:
                return _welcome(request, given["email"], given["password"])
            user = staff.identify(given["email"], given["password"], given["code"])
            _come_in(request, user)
            return redirect(_onward(request))
        except BotException as refused:
            _refuse(form, refused)
    return _door(request, "Sign in", form, "Sign in", next=_onward(request))


def _welcome(request: HttpRequest, email: str, password: str) -> HttpResponseBase:
    user = staff.newcomer(email, password)
    if user is None:
        raise BotException(codes.INVALID_CREDENTIALS, tries_left=sign_in.guesses_left(email))
    staff.begin_enrolment(request.session, user)
    return redirect("admin:enrol")


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def enrol(request: HttpRequest) -> HttpResponseBase:
    """First sign-in: scan the picture, give the first code, choose a password of one's own."""
    found = staff.enrolling(request.session)
    if found is None:
        return redirect("admin:login")
    form = EnrolForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = staff.finish_enrolment(request.session, form.cleaned_data["code"], form.cleaned_data["new_password"])
            _come_in(request, user, "staff.enrol")
            return redirect("admin:index")
        except BotException as refused:
            _refuse(form, refused)
    address = staff.address_of(*found)
    picture = mark_safe(get_adapter().build_totp_svg(address))  # noqa: S308  (drawn by us)
    return _door(request, "Set up your authenticator", form, "Finish", picture=picture, secret=address)


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def password_change(request: HttpRequest) -> HttpResponseBase:
    """One's own password; the first is changed here before anything else."""
    form = ChangePasswordForm(request.POST or None)
    user = cast(User, request.user)
    if request.method == "POST" and form.is_valid():
        try:
            _prove_password(user, form.cleaned_data["old_password"])
            sign_in.change_password(user, form.cleaned_data["new_password"], request=request)
            update_session_auth_hash(request, user)
            audit.record("staff.password", target=user, request=request)
            messages.success(request, "Your password is changed. Everywhere else you are signed out.")
            return redirect("admin:index")
        except BotException as refused:
            _refuse(form, refused)
    return _door(request, "Choose a password of your own", form, "Change password", forced=user.must_change_password)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def prove(request: HttpRequest) -> HttpResponseBase:
    """A fresh code before something dangerous; it holds for five minutes."""
    form = ProveForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            staff.prove(cast(User, request.user), form.cleaned_data["code"])
            presence.prove(request.session)
            return redirect(_onward(request))
        except BotException as refused:
            _refuse(form, refused)
    return _door(request, "Enter a fresh code", form, "Go on", next=_onward(request), why=True)


@require_POST
def sign_out_page(request: HttpRequest) -> HttpResponseBase:
    """End the session."""
    if request.user.is_authenticated:
        audit.record("staff.sign_out", target=request.user, request=request)
    logout(request)
    return redirect("admin:login")


def _come_in(request: HttpRequest, user: User, deed: str = "staff.sign_in") -> None:
    presence.begin(request, user)
    audit.record(deed, by=user, target=user, request=request)


def _prove_password(user: User, password: str) -> None:
    """Counted like a guess at the door. Raises PASSWORD_WRONG or TOO_MANY_TRIES."""
    try:
        sign_in.prove(user.email or "", password, staff=True)
    except BotException as refused:
        if refused.code is codes.INVALID_CREDENTIALS:
            raise BotException(codes.PASSWORD_WRONG) from None
        raise
    sign_in.forgive(user.email or "")


def _onward(request: HttpRequest) -> str:
    """Where somebody wanted to go; only to our own pages."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    own = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
    return wanted if own and presence.in_control_room(wanted) else "/admin/"


def _refuse(form: forms.Form, refused: BotException) -> None:
    form.add_error(None, f"{refused} {refused.code.do_next} ({refused.code.id})")


def _door(request: HttpRequest, title: str, form: forms.Form, button: str, **more: Any) -> HttpResponseBase:
    from adminpanel.site import site

    context = {**site.each_context(request), "title": title, "form": form, "button": button, **more}
    status = 400 if form.errors else 200
    return TemplateResponse(request, "adminpanel/door.html", context, status=status)
