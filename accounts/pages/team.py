"""The team: who belongs to the workspace, who is invited, and what an owner decides about them."""

from functools import partial
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import allowance, invitations, roles, teams
from accounts.forms import InviteForm
from accounts.models import Invitation, Membership
from accounts.pages.doors import do, refuse
from accounts.requests import MemberRequest
from accounts.roles import members
from errors.exceptions import BotException


@require_safe
@members("look")
def team_page(request: MemberRequest) -> HttpResponse:
    """Answer the people, the invitations that wait, and the seats of the plan."""
    return _page(request, InviteForm(request.membership))


@require_POST
@members("act")
def invite(request: MemberRequest) -> HttpResponse:
    """Invite somebody or, where a manager may only propose it, propose it. Raises NO_PERMISSION."""
    form = InviteForm(request.membership, request.POST)
    if not form.is_valid():
        return _page(request, form, 400)
    email, role = form.cleaned_data["email"].lower(), form.cleaned_data["role"]
    proposes = invitations.proposes(request.membership)
    done = f"Proposed: invite {email}. An owner decides." if proposes else f"{email} has an invitation by mail."
    do(request, partial(invitations.ask, request.membership, email, role), done, name="team_invite")
    return redirect("accounts:team")


@require_POST
@members("decide")
def resend(request: MemberRequest, invitation: UUID) -> HttpResponse:
    """Send a new link; the old one dies."""
    done = "The invitation is sent once more. The link of the mail before no longer works."
    do(request, partial(invitations.resend, request.workspace, request.user, invitation), done, name="team_invite")
    return redirect("accounts:team")


@require_POST
@members("decide")
def take_back(request: MemberRequest, invitation: UUID) -> HttpResponse:
    """Let an invitation die."""
    done = "The invitation is taken back. Its link no longer works."
    do(
        request,
        partial(invitations.take_back, request.workspace, request.user, invitation),
        done,
        name="team_take_back",
    )
    return redirect("accounts:team")


@require_POST
@members("decide")
def change_role(request: MemberRequest, person: UUID) -> HttpResponse:
    """Give somebody another role."""
    place = _place(request, person)
    role = request.POST.get("role", "")
    done = f"{place.user} is {dict(Membership.Role.choices).get(role, role).lower()} now."
    do(request, partial(teams.change_role, request.workspace, request.user, person, role), done, name="team_role")
    return redirect("accounts:team")


@require_http_methods(["GET", "HEAD", "POST"])
@members("decide")
def remove(request: MemberRequest, person: UUID) -> HttpResponse:
    """Take somebody out of the team; asked for once more before."""
    place = _place(request, person)
    if request.method != "POST":
        return render(request, "accounts/team_sure.html", {"title": f"Remove {place.user}", "remove": place})
    done = f"{place.user} no longer belongs to {request.workspace}."
    do(request, partial(teams.remove, request.workspace, request.user, person), done, name="team_remove")
    return redirect("accounts:team")


@require_http_methods(["GET", "HEAD", "POST"])
@members("decide")
def transfer(request: MemberRequest) -> HttpResponse:
    """Make another member the owner; asked for once more before. Raises Http404."""
    others = _people(request).exclude(user=request.user)
    if request.method != "POST":
        return render(request, "accounts/team_sure.html", {"title": "Transfer ownership", "heirs": others})
    heir = get_object_or_404(others, user_id=_uuid(request.POST.get("person", "")))
    done = f"{heir.user} owns {request.workspace} now. You are a manager."
    do(request, partial(teams.transfer, request.workspace, request.user, heir.user_id), done, name="team_transfer")
    return redirect("accounts:team")


@require_http_methods(["GET", "HEAD", "POST"])
@members("look")
def leave(request: MemberRequest) -> HttpResponse:
    """Leave the workspace; asked for once more before."""
    try:
        if request.method != "POST":
            teams.may_leave(request.workspace, request.user)
            return render(request, "accounts/team_sure.html", {"title": f"Leave {request.workspace}", "leave": True})
        teams.leave(request.workspace, request.user)
    except BotException as refused:
        refuse(request, refused, name="team_leave")
        return redirect("accounts:team")
    request.session.pop("workspace", None)
    messages.success(request, f"You left {request.workspace}.")
    return redirect("home")


def _page(request: MemberRequest, form: InviteForm, status: int = 200) -> HttpResponse:
    people = list(_people(request))
    waiting = Invitation.objects.filter(workspace=request.workspace).select_related("invited_by").order_by("created_at")
    invited = list(waiting)
    plan = allowance.plan_of(request.workspace)
    context = {
        "people": people,
        "owners": sum(place.role == Membership.Role.OWNER for place in people),
        "others": [place for place in people if place.user_id != request.user.pk],
        "invited": invited,
        "now": now(),
        "seats": teams.Seats(plan.team_limit, len(people), sum(one.expires_at > now() for one in invited)),
        "roles": Membership.Role.choices,
        "form": form,
        "may_invite": bool(roles.may(request.membership, "decide") or invitations.proposes(request.membership)),
        "proposes": invitations.proposes(request.membership),
    }
    return render(request, "accounts/team.html", context, status=status)


def _people(request: MemberRequest) -> QuerySet[Membership]:
    mine = Membership.objects.filter(workspace=request.workspace)
    return mine.select_related("user").order_by("created_at", "pk")


def _place(request: MemberRequest, person: UUID) -> Membership:
    return get_object_or_404(_people(request), user_id=person)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
