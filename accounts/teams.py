"""Workspaces and who belongs to them."""

from accounts import tenancy
from accounts.models import Membership, User, Workspace


def open_workspace(user: User, name: str = "") -> Workspace:
    """A new workspace with this person as its owner."""
    with tenancy.platform("a workspace that is being made has no members yet who could see it"):
        workspace = Workspace.objects.create(name=name or _own_name(user), timezone=user.timezone)
        Membership.objects.create(workspace=workspace, user=user, role=Membership.Role.OWNER)
    return workspace


def _own_name(user: User) -> str:
    who = user.name or (user.email or "").partition("@")[0] or f"Member {(user.access_code or '')[:4]}"
    return f"{who[:60]}'s workspace"
