"""Invitations into a team: a link by mail, good for 72 hours and for one person, of which only a hash is kept.

The log names an invitation by its id: an address that was only ever invited is not kept for ever.
"""

import hashlib
import secrets
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.conf import settings
from django.urls import reverse
from django.utils.timezone import now

from accounts import approvals, limits, mails, notices, roles, teams, tenancy
from accounts.models import Invitation, Membership, Proposal, User, Workspace, in_72_hours
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity

TOKEN_BYTES = 32  # 256 bits


def ask(place: Membership, email: str, role: str) -> Invitation | Proposal:
    """Invite somebody or, where a manager may only propose it, propose it.

    Raises what `invite` raises.
    """
    if not proposes(place):
        return invite(place.workspace, place.user, email, role)
    roles.check_gives(place, role)
    email = _plain(email)
    if teams.has(place.workspace, email):
        raise BotException(codes.ALREADY_MEMBER)
    summary = f"Invite {email} as {role}"
    return approvals.propose(place.workspace, place.user, "invite", summary, {"email": email, "role": role})


def proposes(place: Membership) -> bool:
    """Whether this member may not invite, but lay it before the owners."""
    return place.workspace.wants_approval and roles.may(place, "act") and not roles.may(place, "decide")


def invite(workspace: Workspace, by: User, email: str, role: str) -> Invitation:
    """Send somebody a link into the team. A link that an address has already dies.

    Raises NO_PERMISSION, TOO_MANY_TRIES, ALREADY_MEMBER, TEAM_FULL or BEING_DELETED.
    """
    email = _plain(email)
    held = teams.hold(workspace)
    roles.check_gives(teams.deciding(held, by), role)
    limits.take(limits.INVITE, held.pk)
    if teams.has(held, email):
        raise BotException(codes.ALREADY_MEMBER)
    invitation = Invitation.objects.filter(workspace=held, email=email).first() or Invitation(
        workspace=held, email=email
    )
    invitation.role, invitation.invited_by = role, by
    _send(held, invitation)
    log_activity("team_invite", workspace=held, user=by, invitation=str(invitation.pk), role=role)
    return invitation


def resend(workspace: Workspace, by: User, invitation_id: UUID) -> Invitation:
    """Send a new link; the old one dies. Raises NOT_FOUND, NO_PERMISSION, TOO_MANY_TRIES or TEAM_FULL."""
    held = teams.hold(workspace)
    teams.deciding(held, by)
    invitation = _one(held, invitation_id)
    limits.take(limits.INVITE, held.pk)
    _send(held, invitation)
    log_activity(
        "team_invite", workspace=held, user=by, invitation=str(invitation.pk), role=invitation.role, again=True
    )
    return invitation


def take_back(workspace: Workspace, by: User, invitation_id: UUID) -> Invitation:
    """Let a link die. Raises NOT_FOUND or NO_PERMISSION."""
    held = teams.hold(workspace)
    teams.deciding(held, by)
    invitation = _one(held, invitation_id)
    invitation.delete()
    log_activity("team_take_back", workspace=held, user=by, invitation=str(invitation_id))
    return invitation


def look_at(token: str) -> Invitation:
    """The invitation behind a link, with its workspace and who sent it.

    Raises INVITATION_INVALID, alike for a link that never was, was used, is too old or was taken back.
    """
    with _by_link():
        good = Invitation.objects.filter(token_hash=_hash(token), expires_at__gt=now())
        invitation = good.select_related("workspace__subscription__plan", "invited_by").first()
    if invitation is None:
        raise BotException(codes.INVITATION_INVALID)
    return invitation


def accept(token: str, user: User) -> Membership:
    """Join the team. A link opens once, and only for the person whose confirmed address it was sent to.

    Raises INVITATION_INVALID, INVITATION_FOREIGN, ALREADY_MEMBER, TEAM_FULL or BEING_DELETED.
    """
    invitation = look_at(token)
    with _by_link():
        held = teams.hold(invitation.workspace)
        _use(invitation, user)
        if Membership.objects.filter(workspace=held, user=user).exists():
            raise BotException(codes.ALREADY_MEMBER)
        teams.take_seat(held, promised=True)
        place = Membership.objects.create(workspace=held, user=user, role=invitation.role)
        log_activity("team_join", workspace=held, user=user, role=invitation.role)
        for owner in teams.owners(held):
            if owner != user:
                role = place.get_role_display().lower()
                notices.notify(owner, "joined", label_of=held, workspace=held, who=user, role=role)
    return place


def decline(token: str, user: User) -> None:
    """Say no: the link dies. Raises INVITATION_INVALID or INVITATION_FOREIGN."""
    invitation = look_at(token)
    with _by_link():
        _use(invitation, user)
        log_activity("team_decline", workspace=invitation.workspace, user=user, invitation=str(invitation.pk))


def is_for(invitation: Invitation, user: User) -> bool:
    """Whether an invitation was sent to an address that this person has confirmed."""
    return EmailAddress.objects.filter(user=user, verified=True, email__iexact=invitation.email).exists()


def has_account(invitation: Invitation) -> bool:
    """Whether somebody uses the address already. Told only to who holds the link, and so reads the address's mail."""
    return (
        User.objects.filter(email__iexact=invitation.email).exists()
        or EmailAddress.objects.filter(email__iexact=invitation.email, verified=True).exists()
    )


def carry_out(workspace: Workspace, by: User, facts: dict[str, Any]) -> None:
    """The deed that a manager proposed and an owner approved."""
    invite(workspace, by, facts["email"], facts["role"])


def _use(invitation: Invitation, user: User) -> None:
    """Take the invitation away: of two who come with one link, the second finds nothing."""
    if not is_for(invitation, user):
        raise BotException(codes.INVITATION_FOREIGN)
    same = Invitation.objects.filter(pk=invitation.pk, token_hash=invitation.token_hash)
    if not same.delete()[0]:
        raise BotException(codes.INVITATION_INVALID)


def _send(held: Workspace, invitation: Invitation) -> None:
    """Make a new link and mail it. An invitation that waits already holds its seat."""
    if invitation._state.adding or invitation.expires_at <= now():
        teams.take_seat(held)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    invitation.token_hash, invitation.expires_at = _hash(token), in_72_hours()
    invitation.save()
    words = {
        "invitation": invitation,
        "by": invitation.invited_by,
        "link": f"{settings.SITE_URL}{reverse('accounts:invitation', args=[token])}",
        "link_word": "Look at the invitation",
    }
    mails.write("mail/invitation", invitation.email, words, workspace=held)


def _one(held: Workspace, invitation_id: UUID) -> Invitation:
    invitation = Invitation.objects.select_related("invited_by").filter(workspace=held, pk=invitation_id).first()
    if invitation is None:
        raise BotException(codes.NOT_FOUND)
    return invitation


def _by_link() -> Any:
    return tenancy.platform("a link is all that says which workspace an invitation is for")


def _plain(email: str) -> str:
    return email.strip().lower()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
