"""The texts of welcomes: writing, changing, approving, throwing away."""

from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.requests import MemberRequest
from accounts.roles import may, members
from bots import welcomes
from bots.actions.welcome_dm import PLACEHOLDERS, worded
from bots.forms import TextForm
from bots.models import MessageTemplate
from bots.pages.doors import do, do_for
from errors import codes
from errors.exceptions import BotException


@require_http_methods(["GET", "HEAD", "POST"])
@members("look")
def texts(request: MemberRequest) -> HttpResponse:
    """Answer the workspace's texts, and keep a new or changed one. Raises NO_PERMISSION."""
    mine = MessageTemplate.objects.filter(workspace=request.workspace)
    chosen = get_object_or_404(mine, pk=request.GET["change"]) if request.GET.get("change") else None
    known = {"name": chosen.name, "text": chosen.text} if chosen else None
    form = TextForm(request.POST if request.method == "POST" else None, initial=known)

    def deed() -> str:
        template = welcomes.write(request.membership, **form.cleaned_data, template=chosen)
        then = "It may be sent." if template.approved_at else "An owner approves it before it is sent."
        return f"The text “{template}” is kept. {then}"

    if request.method == "POST":
        if not may(request.membership, "act"):
            raise BotException(codes.NO_PERMISSION)
        if form.is_valid() and do_for(request, form, deed, name="template"):
            return redirect("bots:templates")
    waiting_first = F("approved_at").desc(nulls_first=True)
    found = list(mine.select_related("written_by", "approved_by").order_by(waiting_first, "name"))
    for template in found:
        template.example = worded(template.text, "mira.clay")  # type: ignore[attr-defined]
        template.mark = welcomes.mark(template.text)  # type: ignore[attr-defined]
    context = {
        "texts": found,
        "chosen": chosen,
        "form": form,
        "placeholders": [f"{{{name}}}" for name in PLACEHOLDERS],
    }
    return render(request, "bots/texts.html", context, status=400 if request.method == "POST" else 200)


@require_POST
@members("decide")
def approve(request: MemberRequest, template_id: str) -> HttpResponse:
    """Let a text be sent, if it still says what was shown."""
    template = get_object_or_404(MessageTemplate, workspace=request.workspace, pk=template_id)
    shown = request.POST.get("shown", "")
    do(request, lambda: welcomes.approve(template, request.user, shown), f"“{template}” may be sent.", name="template")
    return redirect("bots:templates")


@require_http_methods(["GET", "HEAD", "POST"])
@members("act")
def throw_away(request: MemberRequest, template_id: str) -> HttpResponse:
    """Delete a text; asked for once more before. Tasks that were asked with it keep their words."""
    template = get_object_or_404(MessageTemplate, workspace=request.workspace, pk=template_id)
    if request.method != "POST":
        return render(request, "bots/text_throw_away.html", {"template": template})
    do(request, template.delete, f"“{template}” is gone.", name="template")
    return redirect("bots:templates")
