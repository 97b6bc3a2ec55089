"""Approvals: what managers propose, and what owners decide about it."""

from functools import partial
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts import approvals
from accounts.models import Proposal
from accounts.pages.doors import do
from accounts.requests import MemberRequest
from accounts.roles import members
from errors.recording import log_activity

SHOWN = 50  # of those that are decided


@require_safe
@members("look")
def approvals_page(request: MemberRequest) -> HttpResponse:
    """Answer what waits, oldest first, and what was decided last."""
    every = Proposal.objects.filter(workspace=request.workspace).select_related("proposed_by", "decided_by")
    waiting = every.filter(state=Proposal.State.WAITING).order_by("created_at")
    decided = every.exclude(state=Proposal.State.WAITING).order_by("-decided_at")[:SHOWN]
    context = {
        "waiting": [(proposal, approvals.words_of(proposal)) for proposal in waiting],
        "decided": [(proposal, approvals.words_of(proposal)) for proposal in decided],
    }
    return render(request, "accounts/approvals.html", context)


@require_POST
@members("decide")
def want(request: MemberRequest) -> HttpResponse:
    """Switch on or off that managers propose and owners approve."""
    request.workspace.wants_approval = request.POST.get("wants_approval") == "on"
    request.workspace.save(update_fields=["wants_approval"])
    wanted = request.workspace.wants_approval
    log_activity("approvals_on" if wanted else "approvals_off", workspace=request.workspace, user=request.user)
    messages.success(
        request, "Managers propose now, owners approve." if wanted else "No approval is asked for any more."
    )
    return redirect("accounts:approvals")


@require_POST
@members("decide")
def decide(request: MemberRequest, proposal: UUID) -> HttpResponse:
    """Approve a proposal, which does it, or refuse it."""
    answer = request.POST.get("answer")
    if answer not in ("approve", "refuse"):
        raise BadRequest
    deed = partial(approvals.decide, request.workspace, request.user, proposal, approve=answer == "approve")
    do(request, deed, "Approved, and done." if answer == "approve" else "Refused.", name="proposal")
    return redirect("accounts:approvals")


@require_POST
@members("act")
def withdraw(request: MemberRequest, proposal: UUID) -> HttpResponse:
    """Take back what one proposed oneself."""
    do(request, partial(approvals.withdraw, request.workspace, request.user, proposal), "Withdrawn.", name="proposal")
    return redirect("accounts:approvals")
