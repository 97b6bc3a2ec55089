"""A person's workspaces: seeing them, going to another, making one."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import teams
from accounts.forms import NewWorkspaceForm
from accounts.models import Membership
from accounts.pages.doors import said
from accounts.requests import MemberRequest
from errors.exceptions import BotException
from instagrowth import system


@require_safe
@login_required
def mine(request: MemberRequest) -> HttpResponse:
    """List the person's workspaces: for the menu when it opens, or as a page where no script runs."""
    places = Membership.objects.filter(user=request.user).select_related("workspace").order_by("workspace__name", "pk")
    template = "accounts/workspaces_menu.html" if request.htmx else "accounts/workspaces.html"
    return render(request, template, {"places": places})


@require_POST
@login_required
def switch(request: MemberRequest) -> HttpResponse:
    """Work in another workspace from now on. Raises WORKSPACE_NOT_FOUND."""
    place = teams.switch_to(request.user, request.POST.get("workspace", ""))
    request.session["workspace"] = str(place.workspace_id)
    messages.success(request, f"You work in {place.workspace} now.")
    return redirect("bots:dashboard")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new(request: MemberRequest) -> HttpResponse:
    """Make a workspace on the free plan and go there; a person who belongs to none lands here."""
    form = NewWorkspaceForm(request.POST or None, initial={"name": teams.own_name(request.user)})
    if request.method == "POST" and form.is_valid():
        try:
            workspace = teams.make_workspace(request.user, form.cleaned_data["name"])
        except BotException as refused:
            form.add_error(None, said(refused))
        else:
            request.session["workspace"] = str(workspace.pk)
            messages.success(request, f"{workspace} is made, and you own it.")
            return redirect("bots:dashboard")
    context = {"form": form, "most": system.FREE_WORKSPACES.now()}
    return render(request, "accounts/workspace_new.html", context, status=400 if form.errors else 200)
