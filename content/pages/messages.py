"""DM templates: drafts by the model, how they read for real people, and taking one over for approval."""

import uuid

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.pages.doors import do
from accounts.requests import MemberRequest
from accounts.roles import members
from bots.actions.welcome_dm import PLACEHOLDERS
from bots.models import MessageTemplate
from content import dm_templates, runs
from content.models import Feature, Piece
from content.pages import desk
from content.studio_forms import MessageForm
from errors import codes
from errors.exceptions import BotException


@require_safe
@members("look")
def page(request: MemberRequest) -> HttpResponse:
    """Answer the newest drafts with their previews, and the workspace's templates."""
    return _page(request, MessageForm(request.workspace, initial={"key": uuid.uuid4(), "tone": "warm"}))


def _page(request: MemberRequest, form: MessageForm, status: int = 200) -> HttpResponse:
    run = runs.latest(request.workspace, Feature.DM_TEMPLATE)
    names = dm_templates.people(request.workspace)
    pieces = list(run.pieces.all()) if run else []
    taken = set(MessageTemplate.objects.filter(workspace=request.workspace).values_list("text", flat=True))
    context = {
        "form": form,
        "run": run,
        "drafts": [(piece, dm_templates.previews(piece.text, names), piece.text in taken) for piece in pieces],
        "templates": list(MessageTemplate.objects.filter(workspace=request.workspace)[:50]),
        "placeholders": [f"{{{name}}}" for name in PLACEHOLDERS],
        "new_key": uuid.uuid4(),
    }
    return desk.show(request, "messages", "messages", context, status)


@require_POST
@members("act")
def ask(request: MemberRequest) -> HttpResponse:
    """Have three drafts written."""
    form = MessageForm(request.workspace, request.POST)
    if not form.is_valid():
        return _page(request, form, 400)
    known = form.cleaned_data
    brief = {name: known[name] for name in ("about", "tone", "language")}

    def deed() -> None:
        runs.ask(
            request.workspace, request.user, Feature.DM_TEMPLATE, brief, account=known["account"], key=known["key"]
        )

    do(request, deed, "Three drafts are being written.", name="ai_run")
    return redirect(f"{reverse('studio:messages')}#result")


@require_POST
@members("act")
def take(request: MemberRequest, piece_id: str) -> HttpResponse:
    """Take a draft over as a message template."""
    drafts = Piece.objects.filter(workspace=request.workspace, kind=Feature.DM_TEMPLATE)
    piece = get_object_or_404(drafts, pk=piece_id)
    name, text = request.POST.get("name", ""), request.POST.get("text", "").replace("\r\n", "\n")

    def deed() -> None:
        if not text.strip():
            raise BotException(codes.DM_TEXT_INVALID, field="text")
        dm_templates.take_over(request.membership, piece, name, text)

    do(
        request,
        deed,
        "It is a text for welcomes now. Nothing is sent before an owner has approved it.",
        name="template",
    )
    return redirect("studio:messages")
