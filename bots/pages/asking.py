"""Asking a bot for something: a form for each recipe, and what it would do before it does it."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.requests import MemberRequest
from accounts.roles import members
from bots import preview, tasking
from bots.forms import WHERE, TaskForm
from bots.models import Bot, MessageTemplate
from bots.pages.doors import bot_of, said
from bots.recipes import RECIPES, Recipe
from errors.exceptions import BotException
from errors.recording import record


@require_http_methods(["GET", "HEAD", "POST"])
@members("act")
def ask(request: MemberRequest, username: str, name: str) -> HttpResponse:
    """Answer the form of one recipe; take the task, or show what it would do where `preview` was pressed."""
    bot, recipe = bot_of(request, username), RECIPES.get(name)
    if recipe is None:
        raise Http404
    form = TaskForm(recipe, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _page(request, bot, recipe, form, 400 if form.is_bound else 200)
    asked, amount = form.asked(), form.cleaned_data["amount"]
    try:
        if "preview" in request.POST:
            draft = tasking.draft(bot, recipe.kind, amount, **asked)
            return _page(request, bot, recipe, form, look=preview.look(bot, draft, request.user))
        task = tasking.ask(bot, recipe.kind, amount, **asked, user=request.user)
    except BotException as refused:
        record(refused, action="task", workspace=request.workspace, user=request.user, account=bot.account)
        meant = {"E-FLW-E-0001": "hashtag"}.get(refused.code.id, str(refused.meta.get("field", "")))
        if meant == "value":
            meant = WHERE[recipe.source][0]
        form.add_error(meant if meant in form.fields else None, said(refused, request.membership))
        return _page(request, bot, recipe, form, refused.code.http)
    running = bot.status == Bot.Status.RUNNING
    then = "The bot begins with it at its next turn." if running else "It waits until you start the bot."
    messages.success(request, f"Task taken: {task}. {then}")
    return redirect("bots:automation", bot.account.username)


def _page(
    request: MemberRequest,
    bot: Bot,
    recipe: Recipe,
    form: TaskForm,
    status: int = 200,
    look: preview.Preview | None = None,
) -> HttpResponse:
    context = {
        "bot": bot,
        "account": bot.account,
        "recipe": recipe,
        "recipes": RECIPES.values(),
        "siblings": [other for other in RECIPES.values() if other.kind == recipe.kind],
        "form": form,
        "look": look,
        "unsure": look is not None and any(met.unsure for met in look.people),
        "no_template": "template" in form.fields and not MessageTemplate.objects.exclude(approved_at=None).exists(),
    }
    return render(request, "bots/ask.html", context, status=status)
