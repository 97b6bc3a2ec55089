"""Workspaces and who belongs to them."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.utils.timezone import now

from accounts import allowance, notices, roles, tenancy
from accounts.models import Invitation, Membership, User, Workspace
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity
from instagrowth import system

Role = Membership.Role
SUPPORT = "Our support"  # what members are told of staff, whose names are not for them


@dataclass(frozen=True)
class Seats:
    """How many people the plan lets in (-1 is without limit), how many are, and how many seats invitations hold."""

    limit: int
    people: int
    invited: int

    @property
    def left(self) -> int | None:
        """How many more may be invited; None is without limit."""
        return None if self.limit < 0 else max(0, self.limit - self.people - self.invited)


# ── Workspaces ──────────────────────────────────────────────────────────────────────────────────────────────────────


def open_workspace(user: User, name: str = "") -> Workspace:
    """A new workspace with this person as its owner."""
    with tenancy.platform("a workspace that is being made has no members yet who could see it"):
        workspace = Workspace.objects.create(name=name or own_name(user), timezone=user.timezone)
        Membership.objects.create(workspace=workspace, user=user, role=Role.OWNER)
    return workspace


def make_workspace(user: User, name: str) -> Workspace:
    """Another workspace on the free plan, made by the person themselves. Raises WORKSPACE_LIMIT."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two clicks at once count one after the other
    with tenancy.platform("a person's workspaces are counted across the walls"):
        owned = Workspace.objects.filter(memberships__user=user, memberships__role=Role.OWNER)
        free = [one for one in owned.select_related("subscription__plan") if allowance.plan_of(one).price == 0]
    if len(free) >= system.FREE_WORKSPACES.now():
        raise BotException(codes.WORKSPACE_LIMIT)
    workspace = open_workspace(user, name)
    with tenancy.scope(workspace):
        log_activity("workspace_made", workspace=workspace, user=user)
    return workspace


def own_name(user: User) -> str:
    """What a workspace is called until somebody names it."""
    who = user.name or (user.email or "").partition("@")[0] or f"Member {(user.access_code or '')[:4]}"
    return f"{who[:60]}'s workspace"


def switch_to(user: User, workspace_id: str) -> Membership:
    """The person's place in another of their workspaces. Raises WORKSPACE_NOT_FOUND."""
    try:
        wanted = UUID(workspace_id)
    except ValueError:
        raise BotException(codes.WORKSPACE_NOT_FOUND) from None
    mine = Membership.objects.select_related("workspace").filter(user=user, workspace_id=wanted).first()
    if mine is None:
        raise BotException(codes.WORKSPACE_NOT_FOUND)
    return mine


# ── The team's size and order ───────────────────────────────────────────────────────────────────────────────────────


def hold(workspace: Workspace) -> Workspace:
    """Keep a team as it is until the transaction ends, so that deeds about it come one after the other."""
    return Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)


def seats(workspace: Workspace) -> Seats:
    """The seats of a team now."""
    return Seats(
        limit=allowance.plan_of(workspace).team_limit,
        people=Membership.objects.filter(workspace=workspace).count(),
        invited=Invitation.objects.filter(workspace=workspace, expires_at__gt=now()).count(),
    )


def take_seat(held: Workspace, *, promised: bool = False) -> None:
    """Check that a held team has room for one more: the one place where the plan's team limit counts.

    Who comes by an invitation was `promised` a seat, so only people count against them: after a change to a smaller
    plan, whoever accepts first gets what is left. Raises TEAM_FULL, or BEING_DELETED.
    """
    if held.delete_at:
        raise BotException(codes.BEING_DELETED)
    now_taken = seats(held)
    taken = now_taken.people if promised else now_taken.people + now_taken.invited
    if 0 <= now_taken.limit <= taken:
        raise allowance.short_of(held, "team_limit", codes.TEAM_FULL)


def deciding(held: Workspace, by: User) -> Membership:
    """The place of an owner in a held team, asked again now that nobody can change it. Raises NO_PERMISSION."""
    actor = Membership.objects.filter(workspace=held, user=by).first()
    if not roles.may(actor, "decide"):
        raise BotException(codes.NO_PERMISSION)
    assert actor is not None
    return actor


# ── Deeds ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def change_role(workspace: Workspace, by: User, person: UUID, role: str) -> Membership:
    """Give somebody another role. Raises NOT_FOUND, NO_PERMISSION or LAST_OWNER."""
    held = hold(workspace)
    roles.check_gives(deciding(held, by), role)
    return give_role(held, by, person, role)


def give_role(held: Workspace, by: User, person: UUID, role: str) -> Membership:
    """The same in a held team by whoever may, such as staff. Raises NOT_FOUND or LAST_OWNER."""
    place = _place_of(held, person)
    if place.role == role:
        return place
    _spare_last_owner(place)
    place.role = role
    place.save(update_fields=["role"])
    log_activity("team_role", workspace=held, user=by, person=str(person), role=role)
    who, now_is = SUPPORT if by.is_staff else by, place.get_role_display().lower()
    notices.notify(place.user, "role_changed", label_of=held, workspace=held, by=who, role=now_is)
    return place


def remove(workspace: Workspace, by: User, person: UUID) -> User:
    """Take somebody out of the team: from their next request on they see nothing of it.

    Raises NOT_FOUND, NO_PERMISSION or LAST_OWNER.
    """
    held = hold(workspace)
    deciding(held, by)
    return take_out(held, by, person)


def take_out(held: Workspace, by: User, person: UUID) -> User:
    """The same in a held team by whoever may, such as staff. Raises NOT_FOUND or LAST_OWNER."""
    place = _place_of(held, person)
    _spare_last_owner(place)
    place.delete()
    log_activity("team_remove", workspace=held, user=by, person=str(person))
    notices.notify(place.user, "removed", label_of=held, workspace=held)
    return place.user


def may_leave(workspace: Workspace, user: User) -> None:
    """Find out before somebody is asked whether they are sure. Raises NOT_FOUND or LAST_OWNER."""
    _spare_last_owner(_place_of(workspace, user.pk))


def leave(workspace: Workspace, user: User) -> None:
    """Go. Raises NOT_FOUND or LAST_OWNER."""
    held = hold(workspace)
    place = _place_of(held, user.pk)
    _spare_last_owner(place)
    place.delete()
    log_activity("team_leave", workspace=held, user=user)


def transfer(workspace: Workspace, by: User, person: UUID) -> Membership:
    """Make another member the owner; the former owner works on as a manager. Raises NOT_FOUND or NO_PERMISSION."""
    held = hold(workspace)
    former = deciding(held, by)
    heir = _place_of(held, person)
    if heir == former:
        raise BotException(codes.NOT_FOUND)
    heir.role, former.role = Role.OWNER, Role.MANAGER
    Membership.objects.bulk_update([heir, former], ["role"])
    log_activity("team_transfer", workspace=held, user=by, person=str(person))
    notices.notify(heir.user, "ownership_received", label_of=held, workspace=held, by=by)
    notices.notify(by, "ownership_given", label_of=held, workspace=held, whom=heir.user, role="manager")
    return heir


def owners(workspace: Workspace) -> list[User]:
    """Who decides in a workspace."""
    return list(User.objects.filter(memberships__workspace=workspace, memberships__role=Role.OWNER))


def has(workspace: Workspace, email: str) -> bool:
    """Whether the person behind an address belongs to the workspace already."""
    known = Q(user__email__iexact=email) | Q(user__emailaddress__email__iexact=email, user__emailaddress__verified=True)
    return Membership.objects.filter(known, workspace=workspace).exists()


def _place_of(held: Workspace, person: UUID) -> Membership:
    place = Membership.objects.select_related("user").filter(workspace=held, user_id=person).first()
    if place is None:
        raise BotException(codes.NOT_FOUND)
    return place


def _spare_last_owner(place: Membership) -> None:
    """Two owners who demote each other at once: the team is held, so the second finds that they are the last."""
    others = Membership.objects.filter(workspace_id=place.workspace_id, role=Role.OWNER).exclude(pk=place.pk)
    if place.role == Role.OWNER and not others.exists():
        raise BotException(codes.LAST_OWNER)
