"""What the doors of all pages share: saying how a deed went, and going back to where one was."""

from collections.abc import Callable

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme

from accounts import roles, teams
from accounts.models import Membership
from accounts.requests import MemberRequest
from errors.exceptions import BotException
from errors.recording import record


def said(refused: BotException, reader: Membership | None = None) -> str:
    """Give the sentence of a refusal: what happened, what to do, and the code, which the page makes a link.

    Where a larger plan would allow it, a reader who may not choose one is told whom to ask.
    """
    next_step = refused.code.do_next.replace("Nothing:", "Nothing to do:", 1)
    whom = ""
    if reader is not None and "upgrade" in refused.meta and not roles.may(reader, "decide"):
        whom = f"The plan is chosen by {' or '.join(map(str, teams.owners(reader.workspace)))}."
    return " ".join(filter(None, (refused.message, next_step, whom, refused.code.id)))


def do(request: MemberRequest, deed: Callable[[], object], done: str, *, name: str, account: object = None) -> bool:
    """Do a deed and say that it is done, or why it was refused; a refusal is undone and written down."""
    try:
        with transaction.atomic():
            deed()
    except BotException as refused:
        refuse(request, refused, name=name, account=account)
        return False
    messages.success(request, done)
    return True


def refuse(request: MemberRequest, refused: BotException, *, name: str, account: object = None) -> None:
    """Write a refusal down and say it."""
    record(refused, action=name, workspace=request.workspace, user=request.user, account=account)
    messages.error(request, said(refused, request.membership))


def back(request: MemberRequest, otherwise: str, *args: object) -> HttpResponse:
    """Go to where the form says it was, if that is here, else to a page of ours."""
    there = request.POST.get("next", "")
    if there and url_has_allowed_host_and_scheme(there, {request.get_host()}, request.is_secure()):
        return redirect(there)
    return redirect(otherwise, *args)
