"""Asking to be forgotten: everything stops at once, and for 14 days it can be undone. Then `accounts.erasing` comes.

The rooms to our right say here, when they start, what stopping and letting go mean to them.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet
from django.utils.timezone import now

from accounts import notices, teams, tenancy
from accounts.models import Membership, User, Workspace
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity
from instagrowth import system

Stop = Callable[[Workspace, User], None]
LetGo = Callable[[UUID], None]
_stops: list[Stop] = []
_partings: list[LetGo] = []


def waits() -> timedelta:
    """How long a deletion can be undone."""
    return timedelta(days=system.DELETION_WAITS.now())


def stopped_by(stop: Stop) -> None:
    """Let this function stop whatever works in a workspace."""
    _stops.append(stop)


def let_go_by(let_go: LetGo) -> None:
    """Let this function take what must outlive a workspace (its id) out of it, right before it is erased."""
    _partings.append(let_go)


def part(workspace_id: UUID) -> None:
    """Let every room take out what must outlive the workspace."""
    for let_go in _partings:
        let_go(workspace_id)


def nothing_new(workspace: object) -> None:
    """Raise BEING_DELETED where a workspace (or its id) waits for its end.

    The row is held until the caller's transaction ends, so that nothing starts beside a deletion that is being asked.
    """
    held = Workspace.objects.select_for_update(no_key=True).filter(pk=getattr(workspace, "pk", workspace))
    if held.values_list("delete_at", flat=True).first() is not None:
        raise BotException(codes.BEING_DELETED)


def ask_for_workspace(workspace: Workspace, user: User) -> None:
    """Stop everything in a workspace and let it wait for its end; one that waits already keeps its day."""
    at = now() + waits()
    if Workspace.objects.filter(pk=workspace.pk, delete_at=None).update(delete_at=at):
        _close(workspace, user, at)


def keep_workspace(workspace: Workspace, user: User) -> None:
    """Undo: everything is as before; bots stay stopped. Raises BEING_DELETED while the person's own end waits."""
    if user.delete_at is not None:
        raise BotException(codes.BEING_DELETED, "Your account is about to be deleted. Undo that first.")
    if Workspace.objects.filter(pk=workspace.pk, delete_at__isnull=False).update(delete_at=None):
        _stay(workspace, user)


def ask_for_account(user: User) -> None:
    """Let a person wait for their end, and with them the workspaces where nobody else is.

    Raises LAST_OWNER where others would be left without an owner.
    """
    at = now() + waits()
    with tenancy.platform("all workspaces of the person who leaves are looked at together"):
        if not User.objects.select_for_update(no_key=True).filter(pk=user.pk, delete_at=None).exists():
            return
        refuse_to_leave(user)
        User.objects.filter(pk=user.pk).update(delete_at=at)
        for workspace in alone(user).filter(delete_at=None):
            Workspace.objects.filter(pk=workspace.pk).update(delete_at=at)
            _close(workspace, user, at)
        log_activity("account_deletion_asked", user=user, delete_at=at.isoformat())
    notices.notify(user, "account_deletion_asked", day=_day(at, user))


def keep_account(user: User) -> None:
    """Undo: the person stays, and so do the workspaces that were to go with them; bots stay stopped."""
    with tenancy.platform("the workspaces that were to go with the person stay with them"):
        at = User.objects.select_for_update(no_key=True).filter(pk=user.pk).values_list("delete_at", flat=True).first()
        if at is None:
            return
        User.objects.filter(pk=user.pk).update(delete_at=None)
        for workspace in Workspace.objects.filter(memberships__user=user, delete_at=at):
            Workspace.objects.filter(pk=workspace.pk).update(delete_at=None)
            _stay(workspace, user)
        log_activity("account_deletion_undone", user=user)
    notices.notify(user, "account_deletion_undone")


def alone(user: User) -> QuerySet[Workspace]:
    """The workspaces where this person is and nobody else. Needs the platform's view."""
    others = Count("memberships", filter=~Q(memberships__user=user))
    return Workspace.objects.filter(pk__in=_places(user).values("workspace")).annotate(others=others).filter(others=0)


def refuse_to_leave(user: User) -> None:
    """Raise LAST_OWNER where others would be left without an owner who stays. Needs the platform's view."""
    stays = Q(memberships__role=Membership.Role.OWNER, memberships__user__delete_at=None)
    others = ~Q(memberships__user=user)
    mine = Workspace.objects.filter(
        delete_at=None, pk__in=_places(user, role=Membership.Role.OWNER).values("workspace")
    )
    counted = mine.annotate(
        others=Count("memberships", filter=others), owners=Count("memberships", filter=stays & others)
    )
    left = counted.filter(others__gt=0, owners=0).values_list("name", flat=True)
    if names := sorted(left):
        raise BotException(codes.LAST_OWNER, f"You are the last owner of {' and '.join(names)}, and others are there.")


def _places(user: User, **by: str) -> QuerySet[Membership]:
    return Membership.objects.filter(user=user, **by)


def _close(workspace: Workspace, user: User, at: datetime) -> None:
    for stop in _stops:
        stop(workspace, user)
    log_activity("workspace_deletion_asked", workspace=workspace, user=user, delete_at=at.isoformat())
    for owner in teams.owners(workspace):
        notices.notify(owner, "workspace_deletion_asked", by=user, workspace=workspace.name, day=_day(at, owner))


def _stay(workspace: Workspace, user: User) -> None:
    log_activity("workspace_deletion_undone", workspace=workspace, user=user)
    for owner in teams.owners(workspace):
        notices.notify(owner, "workspace_deletion_undone", workspace=workspace.name)


def _day(at: datetime, reader: User) -> str:
    return f"{at.astimezone(ZoneInfo(reader.timezone)):%A %-d %B %Y, %H:%M} ({reader.timezone})"
