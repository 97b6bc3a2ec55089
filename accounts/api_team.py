"""Doors for programs: a person's workspaces, and the team of the one they work in."""

from typing import Any, cast
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import invitations, teams
from accounts.api import Done, Place
from accounts.api_auth import IsMember, MayDecide
from accounts.api_contract import SIGNED_IN, contract
from accounts.models import Invitation, Membership, User
from accounts.requests import MemberRequest
from errors import codes
from errors.answers import payload

TAG = "Team"
DECIDING = (*SIGNED_IN, codes.NO_PERMISSION, codes.TOKEN_SCOPE_MISSING, codes.WORKSPACE_REQUIRED, codes.NOT_FOUND)


class Teammate(serializers.ModelSerializer):
    """Somebody of the team. `id` is the person's own."""

    id = serializers.UUIDField(source="user_id")
    name = serializers.CharField(source="user.name")
    email = serializers.EmailField(source="user.email", allow_null=True)
    since = serializers.DateTimeField(source="created_at")

    class Meta:
        model = Membership
        fields = ["id", "name", "email", "role", "since"]


class Invited(serializers.ModelSerializer):
    """An invitation that nobody has answered. Its link is in the mail and nowhere else."""

    class Meta:
        model = Invitation
        fields = ["id", "email", "role", "created_at", "expires_at"]


class SeatCount(serializers.Serializer):
    """The seats of the plan."""

    limit = serializers.IntegerField(help_text="-1 is without limit.")
    people = serializers.IntegerField()
    invited = serializers.IntegerField(help_text="Seats that open invitations hold.")


class Team(Done):
    """Everybody, the invitations that wait, and the seats."""

    people = Teammate(many=True)
    invitations = Invited(many=True)
    seats = SeatCount()


class Places(Done):
    """The workspaces of a person."""

    workspaces = Place(many=True)


class InviteForm(serializers.Serializer):
    """Whom to invite, and as what."""

    email = serializers.EmailField(max_length=254)
    role = serializers.ChoiceField(Membership.Role.choices)


class InvitationSent(Done):
    """The invitation is on its way by mail."""

    invitation = Invited()


class RoleForm(serializers.Serializer):
    """The new role."""

    role = serializers.ChoiceField(Membership.Role.choices)


class RoleChanged(Done):
    """The role is changed."""

    person = Teammate()


class MayInvite(IsMember):
    """Owners invite; managers propose it, where the workspace wants that."""

    def deed_of(self, request: Request) -> str | None:
        """To propose is to act, to invite is to decide."""
        place = _http(request).membership
        return "act" if place and invitations.proposes(place) else "decide"


class MayRemove(MayDecide):
    """Owners remove others. Anybody may go, but not by a token with scopes."""

    def deed_of(self, request: Request) -> str | None:
        """To leave is the person's own matter."""
        match = _http(request).resolver_match
        leaves = request.method == "DELETE" and match is not None and match.kwargs.get("person") == request.user.pk
        return None if leaves else super().deed_of(request)


class Workspaces(APIView):
    """A person's workspaces."""

    open_without_workspace = True

    @contract(gives=Places, refuses=SIGNED_IN, tag=TAG)
    def get(self, request: Request) -> dict[str, object]:
        """List your workspaces, the one you came to first first. Name one in `X-Workspace` to work in it."""
        mine = Membership.objects.filter(user=cast(User, request.user)).select_related("workspace")
        return {"success": True, "workspaces": Place(mine.order_by("created_at", "pk"), many=True).data}


class WholeTeam(APIView):
    """The team of the workspace."""

    @contract(gives=Team, refuses=(*SIGNED_IN, codes.WORKSPACE_REQUIRED), tag=TAG)
    def get(self, request: Request) -> dict[str, object]:
        """Tell who belongs to the workspace, who is invited, and how many more the plan lets in."""
        here = _http(request).workspace
        people = Membership.objects.filter(workspace=here).select_related("user").order_by("created_at", "pk")
        invited = Invitation.objects.filter(workspace=here).order_by("created_at")
        return {
            "success": True,
            "people": Teammate(people, many=True).data,
            "invitations": Invited(invited, many=True).data,
            "seats": SeatCount(teams.seats(here)).data,
        }


class Invitations(APIView):
    """Inviting."""

    permission_classes = (MayInvite,)

    @contract(
        takes=InviteForm,
        gives=InvitationSent,
        refuses=(
            *DECIDING,
            codes.APPROVAL_NEEDED,
            codes.ALREADY_MEMBER,
            codes.TEAM_FULL,
            codes.BEING_DELETED,
            codes.TOO_MANY_TRIES,
        ),
        status=201,
        tag=TAG,
    )
    def post(self, request: Request, wanted: dict[str, str]) -> dict[str, object] | Response:
        """Invite somebody by mail. Where the workspace wants approval, a manager's call becomes a proposal (202)."""
        asked = invitations.ask(_http(request).membership, wanted["email"], wanted["role"])
        if isinstance(asked, Invitation):
            return {"success": True, "invitation": Invited(asked).data}
        return Response(payload(codes.APPROVAL_NEEDED, proposal=str(asked.pk)), codes.APPROVAL_NEEDED.http)


class OneInvitation(APIView):
    """One invitation that waits."""

    permission_classes = (MayDecide,)

    @contract(gives=Done, refuses=DECIDING, tag=TAG)
    def delete(self, request: Request, invitation: UUID) -> dict[str, object]:
        """Take an invitation back: its link dies."""
        invitations.take_back(_http(request).workspace, cast(User, request.user), invitation)
        return {"success": True}


class OnePerson(APIView):
    """One person of the team."""

    permission_classes = (MayRemove,)

    @contract(takes=RoleForm, gives=RoleChanged, refuses=(*DECIDING, codes.LAST_OWNER), tag=TAG)
    def patch(self, request: Request, person: UUID, wanted: dict[str, Any]) -> dict[str, object]:
        """Give somebody another role."""
        place = teams.change_role(_http(request).workspace, cast(User, request.user), person, wanted["role"])
        return {"success": True, "person": Teammate(place).data}

    @contract(gives=Done, refuses=(*DECIDING, codes.LAST_OWNER), tag=TAG)
    def delete(self, request: Request, person: UUID) -> dict[str, object]:
        """Take somebody out of the team, or leave it yourself."""
        here, user = _http(request).workspace, cast(User, request.user)
        if person == user.pk:
            teams.leave(here, user)
        else:
            teams.remove(here, user, person)
        return {"success": True}


def _http(request: Request) -> MemberRequest:
    return cast(MemberRequest, request._request)
