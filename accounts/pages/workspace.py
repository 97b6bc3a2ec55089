"""The workspace: its name and where its days begin."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts import allowance
from accounts.forms import BrandForm, WorkspaceForm
from accounts.requests import MemberRequest
from accounts.roles import may, members
from errors import codes
from errors.exceptions import BotException


@require_http_methods(["GET", "HEAD", "POST"])
@members("look")
def workspace_page(request: MemberRequest) -> HttpResponse:
    """Answer the workspace's settings, and keep them for an owner. Raises NO_PERMISSION."""
    form = WorkspaceForm(request.POST or None, instance=request.workspace)
    if request.method == "POST":
        if not may(request.membership, "decide"):
            raise BotException(codes.NO_PERMISSION)
        if form.is_valid():
            form.save()
            messages.success(request, "The workspace's name and time zone are kept.")
            return redirect("accounts:workspace")
        request.workspace.refresh_from_db()
    return settings_of(request, form, BrandForm(instance=request.workspace))


def settings_of(request: MemberRequest, form: WorkspaceForm, brand: BrandForm) -> HttpResponse:
    """Answer with the page of both forms."""
    context: dict[str, object] = {"form": form}
    if allowance.plan_of(request.workspace).white_label:
        context["brand"] = brand
    return render(request, "accounts/workspace.html", context, status=400 if form.errors or brand.errors else 200)
