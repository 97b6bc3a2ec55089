"""What managers propose and owners decide, where a workspace wants that.

Each deed is registered here with its name, by whichever room does it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.timezone import now

from accounts import notices, teams
from accounts.models import Proposal, User, Workspace
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity

State = Proposal.State


@dataclass(frozen=True)
class Deed:
    """What an approval sets off. `does(workspace, by, facts)` runs with the deciding owner as `by`."""

    words: str  # what kind of thing it is, for the list: "Invitation"
    does: Callable[[Workspace, User, dict[str, Any]], object]


DEEDS: dict[str, Deed] = {}


def register(name: str, words: str, does: Callable[[Workspace, User, dict[str, Any]], object]) -> None:
    """Let a deed be proposed under this name."""
    DEEDS[name] = Deed(words, does)


def words_of(proposal: Proposal) -> str:
    """What kind of thing a proposal is about; empty for a deed that is no longer done."""
    return DEEDS[proposal.deed].words if proposal.deed in DEEDS else ""


def propose(workspace: Workspace, by: User, deed: str, summary: str, facts: dict[str, Any]) -> Proposal:
    """Lay a registered deed before the owners; the same one, where it waits already. `facts` are JSON, no secrets."""
    assert deed in DEEDS
    waiting = Proposal.objects.filter(workspace=workspace, state=State.WAITING, deed=deed, facts=facts).first()
    if waiting is not None:
        return waiting
    proposal = Proposal.objects.create(
        workspace=workspace, deed=deed, summary=summary[:200], facts=facts, proposed_by=by
    )
    log_activity("propose", workspace=workspace, user=by, deed=deed, proposal=str(proposal.pk))
    for owner in teams.owners(workspace):
        notices.notify(owner, "proposed", label_of=workspace, workspace=workspace, by=by, summary=proposal.summary)
    return proposal


def decide(workspace: Workspace, by: User, proposal_id: UUID, *, approve: bool) -> Proposal:
    """Approve a proposal, and do it, or refuse it: once, whoever else decides at this moment.

    If the deed is refused now (a full team, say) nothing is decided. Raises NOT_FOUND, PROPOSAL_DECIDED, NO_PERMISSION
    or what the deed raises.
    """
    teams.deciding(teams.hold(workspace), by)
    proposal = _end(workspace, by, proposal_id, State.APPROVED if approve else State.REFUSED)
    if approve:
        if proposal.deed not in DEEDS:  # proposed before an update that knows it no more
            raise BotException(codes.NOT_FOUND)
        DEEDS[proposal.deed].does(workspace, by, proposal.facts)
    if proposal.proposed_by is not None:
        how, what = "approved" if approve else "refused", proposal.summary
        notices.notify(proposal.proposed_by, how, label_of=workspace, workspace=workspace, by=by, summary=what)
    return proposal


def withdraw(workspace: Workspace, by: User, proposal_id: UUID) -> Proposal:
    """Take back what one proposed oneself. Raises NOT_FOUND or PROPOSAL_DECIDED."""
    return _end(workspace, by, proposal_id, State.WITHDRAWN, proposed_by=by)


def _end(workspace: Workspace, by: User, proposal_id: UUID, state: str, **whose: User) -> Proposal:
    """Move a proposal out of WAITING by compare-and-swap: whoever comes second meets PROPOSAL_DECIDED."""
    found = Proposal.objects.filter(workspace=workspace, pk=proposal_id, **whose)
    swapped = found.filter(state=State.WAITING).update(state=state, decided_by=by, decided_at=now())
    proposal = found.select_related("proposed_by").first()
    if proposal is None:
        raise BotException(codes.NOT_FOUND)
    if not swapped:
        raise BotException(codes.PROPOSAL_DECIDED)
    log_activity("proposal", workspace=workspace, user=by, deed=proposal.deed, proposal=str(proposal.pk), state=state)
    return proposal
