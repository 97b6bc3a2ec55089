"""Growth plans: which days and hours have room, what the model fills them with, and how a plan becomes the calendar.

Days, hours and the bot's limits are ours; the model gives topics and routines. Nothing is published by a plan:
accepted, its posts are drafts.
"""

from collections.abc import Iterable
from datetime import date, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils.timezone import now

from accounts import tenancy
from accounts.models import User, Workspace
from bots.models import AccountDay, InstagramAccount
from content import analytics, calendar, experiments, pace, plan_review, runs, slots, studio
from content.figures import BLOCK
from content.models import Audit, Feature, GrowthPlan, PlannedPost, Post, Run, Slot
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity
from instagrowth import live

MONTH, WEEK = 30, 7  # days of a plan
EVENING = time(18)  # where nothing is known of an account's hours
HOURS = {  # what told them, the first that is there
    "slots": "the account’s posting slots",
    "test": "a finished A/B test of posting times",
    "numbers": "its best times, measured by Meta",
    "audit": "the hours that did best in its last audit",
    "none": "nothing yet: 18:00, until slots or numbers say better",
}
Status = GrowthPlan.Status


def ask(account: InstagramAccount, user: User, brief: dict[str, Any], key: str = "") -> Run:
    """Have a plan written from `aim`, `goal`, `niche`, `posts_a_week`, `minutes`, `days` and `language`.

    Raises as `runs.ask`.
    """
    return runs.ask(account.workspace, user, Feature.PLAN, brief, account=account, key=key)


def gather(run: Run) -> dict[str, Any]:
    """The brief with the account's history: voice, best posts, findings, tests, and what came of the former plan."""
    assert run.account is not None
    facts = studio.gather(run)
    with tenancy.scope(run.workspace_id):
        audit = Audit.objects.filter(account=run.account).first()
        former = GrowthPlan.objects.filter(account=run.account, status=Status.ACCEPTED).first()
        facts |= {
            "posts": max(1, round(facts["posts_a_week"] * facts["days"] / 7)),
            "findings": [fix["title"] for fix in audit.findings["fixes"]] if audit else None,
            "tested": experiments.learnt(run.account),
            "former_plan": former and plan_review.told(former),
        }
    return facts


def keep(run: Run, answer: Any, facts: dict[str, Any]) -> None:
    """Keep the plan: the model's topics on our days, its routines as far as there is time, our limits."""
    account = run.account
    assert account is not None
    starts_on = plan_review.today(account) + timedelta(days=1)
    times, hours_from = room(account, starts_on, facts["days"], min(facts["posts"], len(answer.posts)))
    plan = GrowthPlan.objects.create(
        workspace_id=run.workspace_id,
        account=account,
        run=run,
        goal=facts["goal"][:200],
        niche=facts["niche"][:120],
        posts_a_week=facts["posts_a_week"],
        starts_on=starts_on,
        days=facts["days"],
        hours_from=hours_from,
        summary=answer.summary,
        routines=within(facts["minutes"], [each.model_dump() for each in answer.routines]),
        limits=pace.proposed(account, facts["aim"]),
        followers=_followers(account),
    )
    PlannedPost.objects.bulk_create(
        PlannedPost(
            workspace_id=run.workspace_id, plan=plan, day=day, at=at, kind=each.kind, title=each.title,
            caption=each.caption,
        )
        for (day, at), each in zip(times, answer.posts, strict=False)
    )  # fmt: skip
    log_activity("plan", workspace=run.workspace_id, user=run.asked_by_id, account=account, plan=str(plan.pk))


def within(minutes: int, routines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The routines that fit into so many minutes a day, in their order; one that does not is made rarer or left out."""
    left, kept = minutes * 7, []
    for routine in routines:
        times = min(routine["weekly"], left // routine["minutes"])
        if times:
            kept.append(routine | {"weekly": times, "done": {}})
            left -= times * routine["minutes"]
    return kept


def room(account: InstagramAccount, starts_on: date, days: int, amount: int) -> tuple[list[tuple[date, time]], str]:
    """So many days of a span, evenly spread, each with its hour, and what told the hours.

    A day on which the account has a post already is left out while there are enough others. In the workspace's view.
    """
    hours, told_by = _hours(account)
    span = [starts_on + timedelta(days=n) for n in range(days)]
    good = [day for day in span if day.weekday() in hours] or span
    busy = _busy_days(account)
    for choice in ([day for day in good if day not in busy], [day for day in span if day not in busy], span):
        if len(choice) >= amount:
            break
    first = next(iter(hours.values()), EVENING)
    chosen = [choice[n * len(choice) // amount] for n in range(amount)]
    return [(day, hours.get(day.weekday(), first)) for day in chosen], told_by


def _hours(account: InstagramAccount) -> tuple[dict[int, time], str]:
    """An hour by weekday, the best first, and what told it."""
    found: dict[int, time] = {}
    for slot in Slot.objects.filter(account=account).order_by("weekday", "-at"):
        found[slot.weekday] = slot.at  # the earliest of a day comes last
    if found:
        return found, "slots"
    if tested := experiments.best_time(account):
        return dict.fromkeys(range(7), tested), "test"
    for one in analytics.best_times(account.pk) or ():
        found.setdefault(one["weekday"], time(one["hour"] + 1))
    if found:
        return found, "numbers"
    audit = Audit.objects.filter(account=account).first()
    known = [row for row in audit.facts.get("by_hours", ()) if row["enough"]] if audit else []
    if known:
        return dict.fromkeys(range(7), time(int(known[0]["name"][:2]) + BLOCK // 2)), "audit"
    return {}, "none"


def _busy_days(account: InstagramAccount) -> set[date]:
    zone = ZoneInfo(account.timezone)
    planned = Post.objects.filter(account=account, planned_for__gt=now()).values_list("planned_for", flat=True)
    return {moment.astimezone(zone).date() for moment in planned if moment}


def _followers(account: InstagramAccount) -> int | None:
    """How many follow it, as last counted."""
    days = AccountDay.objects.filter(account=account, followers__isnull=False).order_by("-day")
    return days.values_list("followers", flat=True).first()


def accept(plan: GrowthPlan, user: User) -> int:
    """Put the plan's posts into the calendar as drafts, once; how many there are of them.

    A post whose hour is over becomes a draft without one. Raises VALIDATION_FAILED while another plan of the account
    runs, NOT_FOUND for a dropped one, BEING_DELETED.
    """
    # All of the account's, so that of two plans accepted at one moment the second sees the first.
    held = {one.pk: one for one in GrowthPlan.objects.select_for_update().filter(account=plan.account_id)}
    mine = held[plan.pk]
    if mine.status == Status.DROPPED:
        raise BotException(codes.NOT_FOUND, "This plan was dropped.")
    if mine.status == Status.ACCEPTED:  # a second click
        return mine.posts.filter(post__isnull=False).count()
    today = plan_review.today(plan.account)
    if any(one.status == Status.ACCEPTED and one.ends_on >= today for one in held.values()):
        raise BotException(codes.VALIDATION_FAILED, "Another plan of this account runs. Drop it first.")
    posts = list(mine.posts.all())
    for planned in posts:
        planned.post = _draft(planned, plan.account, user)
    PlannedPost.objects.bulk_update(posts, ["post"])
    GrowthPlan.objects.filter(pk=plan.pk).update(
        status=Status.ACCEPTED, accepted_at=now(), review_on=plan_review.next_on(mine, today)
    )
    _tell(plan, user, accepted=len(posts))
    return len(posts)


def _draft(planned: PlannedPost, account: InstagramAccount, user: User) -> Post:
    at = slots.at(planned.day, planned.at, account.timezone)
    return calendar.draft(
        account.workspace,
        account,
        user,
        caption="\n\n".join(filter(None, (planned.title, planned.caption)))[:2200],
        planned_for=at if at > now() else None,
        kind=planned.kind,
        origin=Post.Origin.AI,
    )


def drop(plan: GrowthPlan, user: User) -> None:
    """Let a plan go. What it put into the calendar stays there."""
    GrowthPlan.objects.filter(pk=plan.pk).update(status=Status.DROPPED, review_on=None)
    _tell(plan, user, dropped=True)


def change(planned: PlannedPost, user: User, **words: Any) -> None:
    """Change a post of a plan that is not accepted: kind, title, caption, day, at.

    Raises PUB_STATE, VALIDATION_FAILED.
    """
    plan = _open(planned.plan)
    _check_day(plan, words["day"])
    for name, value in words.items():
        setattr(planned, name, value)
    planned.save(update_fields=list(words))
    _tell(plan, user, changed=planned.title)


def add(plan: GrowthPlan, user: User, **words: Any) -> PlannedPost:
    """Add a post to a plan that is not accepted. Raises PUB_STATE, VALIDATION_FAILED."""
    held = _open(plan)
    _check_day(held, words["day"])
    if held.posts.count() >= 2 * held.days:
        raise BotException(codes.VALIDATION_FAILED, "Two posts a day are the most of a plan.", field="day")
    planned = PlannedPost.objects.create(workspace_id=plan.workspace_id, plan=held, **words)
    _tell(held, user, added=planned.title)
    return planned


def _check_day(plan: GrowthPlan, day: date) -> None:
    if not plan.starts_on <= day <= plan.ends_on:
        said = f"The plan is from {plan.starts_on:%-d %B} to {plan.ends_on:%-d %B}."
        raise BotException(codes.VALIDATION_FAILED, said, field="day")


def remove(planned: PlannedPost, user: User) -> None:
    """Take a post out of a plan that is not accepted. Raises PUB_STATE."""
    plan = _open(planned.plan)
    planned.delete()
    _tell(plan, user, removed=planned.title)


def change_routine(plan: GrowthPlan, user: User, place: int, *, title: str, weekly: int, minutes: int) -> None:
    """Change a routine of a plan; one that is done no more times a week goes. Raises NOT_FOUND."""
    held, routine = _routine(plan, place)
    if weekly:
        routine |= {"title": title[:180], "weekly": weekly, "minutes": minutes}
    else:
        held.routines.remove(routine)
    held.save(update_fields=["routines"])
    _tell(plan, user, routine=title[:180])


def did(plan: GrowthPlan, place: int, times: int) -> None:
    """Note how often a person did a routine this week. Raises NOT_FOUND, VALIDATION_FAILED outside of the plan."""
    held, routine = _routine(plan, place)
    week = plan_review.week_of(plan, plan_review.today(plan.account))
    if week is None:
        raise BotException(codes.VALIDATION_FAILED, "The plan does not run today.")
    routine["done"][str(week)] = times
    held.save(update_fields=["routines"])


def _routine(plan: GrowthPlan, place: int) -> tuple[GrowthPlan, dict[str, Any]]:
    held = GrowthPlan.objects.select_for_update().get(pk=plan.pk)
    if not 0 <= place < len(held.routines):
        raise BotException(codes.NOT_FOUND)
    return held, held.routines[place]


def _open(plan: GrowthPlan) -> GrowthPlan:
    """The plan, held, while it can still be changed. Raises PUB_STATE."""
    held = GrowthPlan.objects.select_for_update().get(pk=plan.pk)
    if held.status != Status.DRAFT:
        raise BotException(codes.PUB_STATE, "The plan is accepted: change its posts in the calendar.")
    return held


def plans(workspace: Workspace) -> QuerySet[GrowthPlan]:
    """The workspace's plans that were not dropped, the newest first."""
    found = GrowthPlan.objects.filter(workspace=workspace).exclude(status=Status.DROPPED)
    return found.select_related("account", "run")


def weeks(plan: GrowthPlan) -> list[tuple[int, date, date, list[PlannedPost]]]:
    """The plan week by week: number, first and last day, its posts."""
    posts = list(plan.posts.select_related("post"))
    return [
        (number, first, last, [one for one in posts if first <= one.day <= last])
        for number, first, last in plan_review.spans(plan)
    ]


def _tell(plan: GrowthPlan, user: User, **facts: Any) -> None:
    log_activity("plan", workspace=plan.workspace_id, user=user, account=plan.account_id, plan=str(plan.pk), **facts)
    live.publish(plan.workspace_id, "ai", {"plan": str(plan.pk)})
