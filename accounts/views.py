"""Settings pages."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.forms import PersonForm, WorkspaceForm
from accounts.models import Membership
from accounts.requests import MemberRequest
from accounts.roles import members


@require_safe
@login_required
def settings_page(request: MemberRequest) -> HttpResponse:
    """Answer the settings of person and workspace."""
    return _page(request)


@require_POST
@login_required
def save_person(request: MemberRequest) -> HttpResponse:
    """Keep a person's name and time zone."""
    form = PersonForm(request.POST, instance=request.user, auto_id="person_%s")
    if not form.is_valid():
        request.user.refresh_from_db()  # the page round the form says who they are, not who they tried to be
        return _page(request, person=form)
    form.save()
    messages.success(request, "Your name and time zone are kept.")
    return redirect("accounts:settings")


@require_POST
@members("decide")
def save_workspace(request: MemberRequest) -> HttpResponse:
    """Keep the workspace's name and time zone."""
    form = WorkspaceForm(request.POST, instance=request.workspace, auto_id="workspace_%s")
    if not form.is_valid():
        request.workspace.refresh_from_db()
        return _page(request, workspace_form=form)
    form.save()
    messages.success(request, "The workspace's name and time zone are kept.")
    return redirect("accounts:settings")


def _page(
    request: MemberRequest, person: PersonForm | None = None, workspace_form: WorkspaceForm | None = None
) -> HttpResponse:
    wrong = person is not None or workspace_form is not None
    context: dict[str, object] = {"person": person or PersonForm(instance=request.user, auto_id="person_%s")}
    if request.membership:  # a person may be in no workspace any more
        team = Membership.objects.filter(workspace=request.workspace).select_related("user").order_by("created_at")
        context["workspace_form"] = workspace_form or WorkspaceForm(instance=request.workspace, auto_id="workspace_%s")
        context["team"] = team[:50]
    return render(request, "accounts/settings.html", context, status=400 if wrong else 200)
