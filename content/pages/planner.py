"""Growth plans: what a month is for, its posts and routines, what the bot may do for it, and what came of it."""

import uuid
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from accounts.pages.doors import back, do, said
from accounts.requests import MemberRequest
from accounts.roles import members
from bots.models import Bot, InstagramAccount, Kind
from content import pace, plan_review, planner, runs
from content.models import Feature, GrowthPlan, PlannedPost
from content.pages import desk
from content.studio_forms import LimitsForm, PlanForm, PlannedForm, RoutineForm
from errors import codes
from errors.exceptions import BotException
from errors.recording import record

FIRST = {"days": 30, "aim": "followers", "posts_a_week": 3, "minutes": 20}  # how the form begins


@require_safe
@members("look")
def page(request: MemberRequest) -> HttpResponse:
    """Answer the newest plan of an account, or the one that the address names."""
    account = desk.chosen(request, desk.accounts_of(request))
    plans = planner.plans(request.workspace)
    plan = plans.filter(account=account).first()
    if named := request.GET.get("plan"):
        plan = get_object_or_404(plans, pk=named)
        account = plan.account
    known = FIRST | (plan.run.brief if plan and plan.run else {})
    known |= {name: request.GET[name] for name in ("goal", "days", "niche") if request.GET.get(name)}
    known |= {"account": account and account.username, "key": uuid.uuid4()}
    return _page(request, account, plan, PlanForm(request.workspace, initial=known))


def _page(
    request: MemberRequest, account: InstagramAccount | None, plan: GrowthPlan | None, form: PlanForm, status: int = 200
) -> HttpResponse:
    run = runs.latest(request.workspace, Feature.PLAN, account) if account else None
    context = {
        "accounts": desk.accounts_of(request),
        "account": account,
        "plan": plan,
        "others": list(planner.plans(request.workspace).filter(account=account)[:10]) if account else [],
        "form": form,
        "asking": form.is_bound or not plan or bool(request.GET.get("goal")),
        "run": run if run and run.status != "done" else None,
        "new_key": uuid.uuid4(),
    }
    return desk.show(request, "planner", "planner", context | (_parts(plan) if plan else {}), status)


def _parts(plan: GrowthPlan) -> dict[str, object]:
    """What the page shows of a plan."""
    bot = Bot.objects.select_related("workspace", "account").filter(account=plan.account).first()
    allowed = pace.most(bot) if bot else {}
    today = plan_review.today(plan.account)
    return {
        "weeks": planner.weeks(plan),
        "hours": planner.HOURS[plan.hours_from],
        "review": plan_review.weeks(plan),
        "this_week": plan_review.week_of(plan, today) if plan.status == GrowthPlan.Status.ACCEPTED else None,
        "bot": bot,
        "limits": [
            (
                kind,
                Kind(kind).label,
                min(value, allowed.get(kind, 0)),
                allowed.get(kind, 0),
                bot and bot.own_limits.get(kind),
            )
            for kind, value in plan.limits.items()
        ],
        "kinds": PlannedPost._meta.get_field("kind").choices,
        "over": plan.ends_on < today,
    }


@require_POST
@members("act")
def ask(request: MemberRequest) -> HttpResponse:
    """Have a plan written."""
    form = PlanForm(request.workspace, request.POST)
    account = None
    if form.is_valid():
        account = form.cleaned_data["account"]
        try:
            planner.ask(account, request.user, form.brief(), form.cleaned_data["key"])
            return _home(account)
        except BotException as refused:
            record(refused, action="plan", workspace=request.workspace, user=request.user)
            form.add_error(None, said(refused, request.membership))
    return _page(request, account or form.cleaned_data.get("account"), None, form, 400)


@require_POST
@members("act")
def accept(request: MemberRequest, growth_id: str) -> HttpResponse:
    """Put a plan's posts into the calendar."""
    plan = _plan(request, growth_id)
    done = "The plan’s posts are in the calendar as drafts. Nothing is published until you schedule it there."
    do(request, lambda: planner.accept(plan, request.user), done, name="plan", account=plan.account)
    return _back(plan)


@require_POST
@members("act")
def drop(request: MemberRequest, growth_id: str) -> HttpResponse:
    """Let a plan go."""
    plan = _plan(request, growth_id)
    done = "The plan is dropped. What it put into the calendar stays there."
    do(request, lambda: planner.drop(plan, request.user), done, name="plan", account=plan.account)
    return _home(plan.account)


@require_POST
@members("decide")
def limits(request: MemberRequest, growth_id: str) -> HttpResponse:
    """Give the bot what the plan proposes, as an owner changed it."""
    plan = _plan(request, growth_id)
    bot = get_object_or_404(Bot.objects.select_related("workspace", "account"), account=plan.account)
    form = LimitsForm(request.POST)

    def deed() -> None:
        _clean(form)
        pace.apply(plan, bot, request.user, form.wanted())

    do(request, deed, "The bot has these limits from its next turn.", name="bot_settings", account=plan.account)
    return _back(plan)


@require_POST
@members("act")
def add(request: MemberRequest, growth_id: str) -> HttpResponse:
    """Add a post to a plan."""
    plan, form = _plan(request, growth_id), PlannedForm(request.POST)
    do(request, lambda: planner.add(plan, request.user, **_clean(form)), "Added.", name="plan", account=plan.account)
    return _back(plan)


@require_POST
@members("act")
def edit(request: MemberRequest, planned_id: str) -> HttpResponse:
    """Change a post of a plan."""
    planned, form = _planned(request, planned_id), PlannedForm(request.POST)
    do(request, lambda: planner.change(planned, request.user, **_clean(form)), "Changed.", name="plan",
       account=planned.plan.account)  # fmt: skip
    return _back(planned.plan)


@require_POST
@members("act")
def remove(request: MemberRequest, planned_id: str) -> HttpResponse:
    """Take a post out of a plan."""
    planned = _planned(request, planned_id)
    do(request, lambda: planner.remove(planned, request.user), "Taken out.", name="plan", account=planned.plan.account)
    return _back(planned.plan)


@require_POST
@members("act")
def routine(request: MemberRequest, growth_id: str, place: int) -> HttpResponse:
    """Change a routine."""
    plan, form = _plan(request, growth_id), RoutineForm(request.POST)
    do(request, lambda: planner.change_routine(plan, request.user, place, **_clean(form)), "Changed.", name="plan",
       account=plan.account)  # fmt: skip
    return _back(plan)


@require_POST
@members("act")
def did(request: MemberRequest, growth_id: str, place: int) -> HttpResponse:
    """Note how often a routine was done this week."""
    plan, times = _plan(request, growth_id), request.POST.get("times", "")

    def deed() -> None:
        if not times.isascii() or not times.isdigit() or int(times) > 7:
            raise BotException(codes.VALIDATION_FAILED, "Say 0 to 7 times.", field="times")
        planner.did(plan, place, int(times))

    do(request, deed, "Noted.", name="plan", account=plan.account)
    return back(request, "studio:planner")


def _clean(form: forms.BaseForm) -> dict[str, Any]:
    """What the form holds. Raises VALIDATION_FAILED with its first complaint."""
    if not form.is_valid():
        name, sentences = next(iter(form.errors.items()))
        raise BotException(codes.VALIDATION_FAILED, f"{form.fields[name].label or name}: {sentences[0]}", field=name)
    return form.cleaned_data


def _plan(request: MemberRequest, key: str) -> GrowthPlan:
    return get_object_or_404(planner.plans(request.workspace), pk=key)


def _planned(request: MemberRequest, key: str) -> PlannedPost:
    found = PlannedPost.objects.select_related("plan__account").filter(workspace=request.workspace)
    return get_object_or_404(found, pk=key)


def _home(account: InstagramAccount) -> HttpResponse:
    return redirect(f"{reverse('studio:planner')}?{urlencode({'account': account.username})}")


def _back(plan: GrowthPlan) -> HttpResponse:
    return redirect(f"{reverse('studio:planner')}?plan={plan.pk}")
