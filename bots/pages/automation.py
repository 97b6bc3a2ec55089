"""One account's bot: what it does, what it may do, what went wrong, and what to do next."""

from django.core.paginator import Paginator
from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.requests import MemberRequest
from accounts.roles import members
from billing import entitlements
from bots import health, limits, recipes, switch, tasking, tuning, turns
from bots.forms import BotForm
from bots.limits import Today
from bots.models import Action, Bot, BotTask, Kind
from bots.pages import story
from bots.pages.doors import back, bot_of, do
from instagrowth import live

ACTIONS = 20
TASKS = 8


@require_safe
@members("look")
def choose(request: MemberRequest) -> HttpResponse:
    """Answer the bots to choose from; with one there is nothing to choose."""
    bots = Bot.objects.filter(workspace=request.workspace).select_related("account").order_by("account__username")
    found = list(bots)
    if len(found) == 1:
        return redirect("bots:automation", found[0].account.username)
    return render(request, "bots/automation_choose.html", {"bots": found})


@require_safe
@members("look")
def automation(request: MemberRequest, username: str) -> HttpResponse:
    """Answer all about one bot."""
    return _page(request, bot_of(request, username))


@require_POST
@members("act")
def start(request: MemberRequest, username: str) -> HttpResponse:
    """Let the bot run."""
    bot = bot_of(request, username)
    done = f"The bot of @{bot.account.username} runs."
    do(request, lambda: switch.start(bot, request.user), done, name="bot_start", account=bot.account)
    return back(request, "bots:automation", bot.account.username)


@require_POST
@members("act")
def stop(request: MemberRequest, username: str) -> HttpResponse:
    """Stop the bot."""
    bot = bot_of(request, username)
    done = f"The bot of @{bot.account.username} is stopped. What is on its way ends; nothing new is sent."
    do(request, lambda: switch.stop(bot, request.user), done, name="bot_stop", account=bot.account)
    return back(request, "bots:automation", bot.account.username)


@require_POST
@members("act")
def stop_task(request: MemberRequest, username: str, task_id: str) -> HttpResponse:
    """End a task."""
    bot = bot_of(request, username)
    task = get_object_or_404(BotTask, bot=bot, pk=task_id)
    do(request, lambda: tasking.stop(task, request.user), f"Stopped: {task}.", name="task", account=bot.account)
    return redirect("bots:automation", bot.account.username)


@require_http_methods(["GET", "HEAD", "POST"])
@members("act")
def settings(request: MemberRequest, username: str) -> HttpResponse:
    """Change the bot's pace, its hours and the owner's own limits."""
    bot = bot_of(request, username)
    form = BotForm(request.POST if request.method == "POST" else None, instance=bot)
    if request.method == "POST" and form.is_valid():
        changes = {name: form.cleaned_data[name] for name in (*tuning.PACE, "timezone")} | {"limits": form.limits()}
        done = f"The settings of @{bot.account.username} are kept."
        if do(request, lambda: tuning.tune(bot, request.user, changes), done, name="bot_settings", account=bot.account):
            return redirect("bots:automation", bot.account.username)
    own = [form[f"limit_{kind}"] for kind in Kind]
    return render(
        request, "bots/automation_settings.html", {"bot": bot, "account": bot.account, "form": form, "own": own}
    )


def _page(request: MemberRequest, bot: Bot) -> HttpResponse:
    since, now, account = live.latest(request.workspace.pk), timezone.now(), bot.account
    plan = entitlements.plan_of(request.workspace)
    todays = limits.todays([bot], plan, now)[bot.pk]
    tasks = Paginator(bot.tasks.order_by(F("ended_at").desc(nulls_first=True), "-created_at"), TASKS)
    context = {
        "live_since": since,
        "bot": bot,
        "account": account,
        "now": now,
        "story": story.health_of(account, now),
        "rests": [(Kind(kind).label, health.blocked_until(account, kind, now)) for kind in account.blocked_kinds],
        "session": story.session_of(account),
        "last_error": story.last_error(bot),
        "todays": todays,
        "follow": _follow(todays),
        "plan": plan,
        "tasks": tasks.get_page(request.GET.get("page")),
        "open_tasks": bot.tasks.filter(status__in=BotTask.OPEN).count(),
        "actions": Action.objects.filter(account=account).order_by("-created_at")[:ACTIONS],
        "working": bot.lease_until is not None and bot.lease_until > now,
        "cost": turns.cost_of(bot),
        "recipes": recipes.RECIPES.values(),
    }
    return render(request, "bots/automation_live.html" if request.htmx else "bots/automation.html", context)


def _follow(todays: list[Today]) -> dict[str, object]:
    """Why so many follows today: every limit that was weighed, the largest first, and which of them decides."""
    follow = next(today for today in todays if today.caps.kind == Kind.FOLLOW)
    reasons = sorted(follow.caps.reasons, key=lambda reason: -reason.value)
    most = max(reason.value for reason in reasons)
    return {"today": follow, "reasons": reasons, "most": most, "decided_by": follow.caps.decided_by}
