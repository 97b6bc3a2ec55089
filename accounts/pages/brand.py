"""White label: its settings for owners, and its picture and style sheet for whoever sees a page or a mail."""

import re
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from accounts import allowance, brand, tenancy
from accounts.forms import BrandForm, WorkspaceForm
from accounts.models import Logo, Workspace
from accounts.pages.workspace import settings_of
from accounts.requests import MemberRequest
from accounts.roles import members
from errors import codes
from errors.recording import log_activity

A_YEAR, A_MOMENT = 365 * 24 * 3600, 300  # seconds


@require_POST
@members("decide")
def save_brand(request: MemberRequest) -> HttpResponse:
    """Keep logo, colour and reply-to. Raises PLAN_FEATURE_MISSING."""
    _must_have_it(request.workspace)
    form = BrandForm(request.POST, request.FILES, instance=request.workspace)
    if not form.is_valid():
        request.workspace.refresh_from_db()
        return settings_of(request, WorkspaceForm(instance=request.workspace), form)
    form.save()
    if png := form.cleaned_data["logo"]:
        brand.keep_logo(request.workspace, png)
    log_activity("brand_changed", workspace=request.workspace, user=request.user, fields=form.changed_data)
    messages.success(request, "Your brand is kept.")
    return redirect("accounts:workspace")


@require_POST
@members("decide")
def remove_logo(request: MemberRequest) -> HttpResponse:
    """Take the logo away, whatever the plan."""
    brand.remove_logo(request.workspace)
    log_activity("logo_removed", workspace=request.workspace, user=request.user)
    messages.success(request, "The logo is gone.")
    return redirect("accounts:workspace")


@require_safe
def logo(request: HttpRequest, workspace: UUID) -> HttpResponse:
    """Answer with the logo of a workspace whose plan has white label; everybody else does not exist."""
    with tenancy.platform("a logo is public: mails and invitations show it to people who are in no workspace yet"):
        place = _labelled(workspace)
        png = Logo.objects.filter(workspace=place).values_list("png", flat=True).first()
    if png is None:
        raise Http404
    return _public(request, bytes(png), "image/png", brand.logo_edition(place))


@require_safe
def stylesheet(request: HttpRequest, workspace: UUID) -> HttpResponse:
    """Answer with the colours of a workspace whose plan has white label."""
    with tenancy.platform("a colour is public: invitations show it to people who are in no workspace yet"):
        place = _labelled(workspace)
    if not place.accent:
        raise Http404
    css = brand.css(place.accent)
    return _public(request, css.encode(), "text/css; charset=utf-8", brand.edition(css))


@require_safe
def preview(request: HttpRequest) -> HttpResponse:
    """Answer with the colours that `?accent=0a7f83` would give, for the example on the settings page."""
    accent = request.GET.get("accent", "").lower()
    if not re.fullmatch(r"[0-9a-f]{6}", accent):
        raise Http404
    css = brand.css(f"#{accent}", within=".brand-example")
    return _public(request, css.encode(), "text/css; charset=utf-8", request.GET.get("v", ""))


def _labelled(key: UUID) -> Workspace:
    place = Workspace.objects.select_related("subscription__plan").filter(pk=key).first()
    if place is None or not allowance.plan_of(place).white_label:
        raise Http404
    return place


def _must_have_it(workspace: Workspace) -> None:
    if not allowance.plan_of(workspace).white_label:
        raise allowance.short_of(workspace, "white_label", codes.PLAN_FEATURE_MISSING)


def _public(request: HttpRequest, content: bytes, kind: str, edition: str) -> HttpResponse:
    """The same for everybody, for a year where the address names this very edition."""
    known = request.GET.get("v", "") == edition
    request.session.accessed = False  # the log looked at who asks; the answer does not depend on it
    return HttpResponse(
        content,
        content_type=kind,
        headers={"Cache-Control": f"public, max-age={A_YEAR}, immutable" if known else f"public, max-age={A_MOMENT}"},
    )
