"""The units of a test: whose lot fell how, and what came of it.

The lot falls before anything is changed or sent, and is never drawn again. What came of it is read from facts we hold:
a post's interactions for each account reached, as Meta told them when the post was a week old; whether somebody who
was welcomed wrote back within a week. What Meta does not tell stays missing.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from statistics import fmean, stdev
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils.timezone import now

from accounts.models import User
from bots.actions.welcome_dm import arm
from bots.models import Action, InstagramAccount, Kind
from content import calendar, fitness
from content.models import Experiment, Measuring, Post, PostInsight, Talk, TalkLine, Trial
from errors import codes
from errors.exceptions import BotException

WEEK = timedelta(days=7)  # how old a post is when it is measured, and how long somebody has to write back
LATEST = timedelta(days=14)  # after it is out, or was welcomed: what is not known by then is missing
UNPUBLISHED = timedelta(days=30)  # a post that is not out so long after its lot was drawn is missing
BEFORE = timedelta(days=180)  # how far back one looks for what is usual
LATELY = timedelta(days=56)  # for how many there are a week
POSTS, PEOPLE = 10, 30  # so many are needed to say what is usual
MILLION = 1_000_000
OPENING = "{caption}"
Subject = Experiment.Subject
_TAGS_BELOW = re.compile(r"(\s*#\w+)+\s*\Z")


# What is usual


def usual(account: InstagramAccount, subject: str) -> dict[str, Any]:
    """What is known before a test: `known` units, their `mean` and `spread` (null: too few), and how many `a_week`."""
    found, least = (_welcomes(account), PEOPLE) if subject == Subject.DM else (_rates(account), POSTS)
    values = [value for _, value in found]
    lately = sum(at > now() - WEEK - LATELY for at, _ in found)
    enough = len(values) >= least
    return {
        "known": len(values),
        "least": least,
        "mean": fmean(values) if enough else None,
        "spread": stdev(values) if enough else None,
        "a_week": round(lately * WEEK / LATELY, 1),
    }


def _rates(account: InstagramAccount) -> list[tuple[datetime, float]]:
    """Posts that are older than a week, each with its interactions for each account reached."""
    posts = PostInsight.objects.filter(account=account, reach__gt=0, interactions__isnull=False)
    posts = posts.exclude(product=PostInsight.STORY).filter(posted_at__range=(now() - BEFORE, now() - WEEK))
    return [(post.posted_at, post.rate) for post in posts.order_by("-posted_at")[:300] if post.rate is not None]


def _welcomes(account: InstagramAccount) -> list[tuple[datetime, float]]:
    """People welcomed longer than a week ago, each with 1 or 0 for writing back; none where the inbox is not read."""
    sent = Action.objects.filter(account=account, kind=Kind.WELCOME_DM, state=Action.State.CONFIRMED)
    sent = sent.filter(ended_at__range=(now() - BEFORE, now() - WEEK)).order_by("-ended_at")[:2000]
    heard = _inbox_read_at(account)
    known = [action for action in sent if heard and action.ended_at and heard >= action.ended_at + WEEK]
    wrote = _wrote_back(account, known)
    return [(action.ended_at, float(action.pk in wrote)) for action in known if action.ended_at]


# The lot


def fits(experiment: Experiment) -> QuerySet[Post]:
    """The drafts of its account whose lot can be drawn, those that go out first before the others."""
    drafts = Post.objects.filter(account=experiment.account_id, state=Post.State.DRAFT).exclude(kind=Post.Kind.STORY)
    taken = Trial.objects.filter(experiment__account=experiment.account_id).exclude(experiment__subject=Subject.DM)
    return drafts.exclude(pk__in=list(taken.values_list("unit", flat=True))).order_by("planned_for", "created_at")


def draw(experiment: Experiment, user: User, posts: Sequence[Post]) -> list[Trial]:
    """Draw the lot of drafts, write it down, and then change each as its arm says. It stays a draft.

    Raises EXPERIMENT_INVALID for a post that would not fit with A or with B, so that no arm loses more than the other.
    """
    free = {post.pk for post in fits(experiment).filter(pk__in=[post.pk for post in posts])}
    for post in posts:
        if post.pk not in free:
            raise BotException(codes.EXPERIMENT_INVALID, f"“{post}” is no draft of this account, or in a test already.")
        for text in (experiment.a, experiment.b):
            _check(post, treated(experiment, post, text))
    own = {"workspace_id": experiment.workspace_id, "experiment": experiment}
    lots = [Trial(**own, unit=str(post.pk), arm=arm(experiment.seed, str(post.pk))) for post in posts]
    Trial.objects.bulk_create(lots)
    for post, lot in zip(posts, lots, strict=True):
        calendar.change(post, user, **treated(experiment, post, experiment.a if lot.arm == "A" else experiment.b))
    return lots


def treated(experiment: Experiment, post: Post, text: str) -> dict[str, Any]:
    """What an arm's text makes of a post; an empty one leaves it as it is."""
    if not text:
        return {}
    if experiment.subject == Subject.CAPTION:
        return {"caption": text.replace(OPENING, post.caption).strip()}
    if experiment.subject == Subject.HASHTAGS:
        return {"caption": f"{_TAGS_BELOW.sub('', post.caption)}\n\n{text}".strip()}
    if experiment.subject == Subject.FIRST_COMMENT:
        return {"first_comment": text}
    return {"planned_for": _at(experiment.account, post, time.fromisoformat(text))}


def _at(account: InstagramAccount, post: Post, clock: time) -> datetime:
    """This hour of the account's zone on the post's day, or on the next day on which both hours are still to come."""
    zone = ZoneInfo(account.timezone)
    tomorrow = now().astimezone(zone).date() + timedelta(days=1)  # never today: one of the two may be over
    day = max(post.planned_for.astimezone(zone).date(), tomorrow) if post.planned_for else tomorrow
    return datetime.combine(day, clock, zone).astimezone(UTC)


def _check(post: Post, words: dict[str, Any]) -> None:
    changed = Post(kind=post.kind, caption=post.caption, first_comment=post.first_comment)
    for name, value in words.items():
        setattr(changed, name, value)
    if said := fitness.words(changed):
        raise BotException(codes.EXPERIMENT_INVALID, f"“{post}” would not fit: {said[0]}")


def keep_welcomed(experiment: Experiment) -> None:
    """Write down whom the test's welcomes went to, as the journal says; the lot itself fell with the seed."""
    known = Trial.objects.filter(experiment=experiment).values_list("unit", flat=True)
    written = Action.objects.filter(
        account=experiment.account_id, kind=Kind.WELCOME_DM, task__options__split__experiment=str(experiment.pk)
    ).exclude(target_pk__in=[int(unit) for unit in known])
    Trial.objects.bulk_create(
        (
            Trial(
                workspace_id=experiment.workspace_id,
                experiment=experiment,
                unit=str(action.target_pk),
                arm=arm(experiment.seed, str(action.target_pk)),
                assigned_at=action.created_at,
            )
            for action in written
        ),
        ignore_conflicts=True,
    )


# What came of it


def measure(experiment: Experiment) -> None:
    """Write down what became of units whose week is over, or that nothing will ever be known of them."""
    waiting = list(Trial.objects.filter(experiment=experiment, measured_at=None))
    known = _of_people(experiment, waiting) if experiment.subject == Subject.DM else _of_posts(experiment, waiting)
    for trial in waiting:
        if trial.pk in known:
            value = known[trial.pk]
            trial.value_millionths = None if value is None else round(value * MILLION)
            trial.measured_at = now()
    Trial.objects.bulk_update([one for one in waiting if one.measured_at], ["value_millionths", "measured_at"])


def _of_posts(experiment: Experiment, waiting: Iterable[Trial]) -> dict[Any, float | None]:
    """What is known of posts: their rate, or None where it will stay unknown."""
    posts = {str(post.pk): post for post in Post.objects.filter(pk__in=[trial.unit for trial in waiting])}
    media = [post.instagram_id for post in posts.values() if post.instagram_id]
    told = {one.media_id: one for one in PostInsight.objects.filter(account=experiment.account_id, media_id__in=media)}
    found: dict[Any, float | None] = {}
    for trial in waiting:
        post = posts.get(trial.unit)
        if post is None or post.published_at is None:
            if post is None or trial.assigned_at < now() - UNPUBLISHED:
                found[trial.pk] = None
            continue
        numbers = told.get(post.instagram_id)
        ripe = numbers and numbers.measured_at and numbers.measured_at >= post.published_at + WEEK
        if numbers and ripe and numbers.rate is not None:
            found[trial.pk] = numbers.rate
        elif post.published_at < now() - LATEST:
            found[trial.pk] = None
    return found


def _of_people(experiment: Experiment, waiting: Iterable[Trial]) -> dict[Any, float | None]:
    """1 for who wrote back within a week, 0 for who did not and the inbox was read since, None for who got nothing."""
    actions = Action.objects.filter(
        account=experiment.account_id, kind=Kind.WELCOME_DM, task__options__split__experiment=str(experiment.pk)
    )
    sent = {str(action.target_pk): action for action in actions}
    wrote, heard = _wrote_back(experiment.account, sent.values()), _inbox_read_at(experiment.account)
    found: dict[Any, float | None] = {}
    for trial in waiting:
        action = sent.get(trial.unit)
        if action is None or action.state in (Action.State.REFUSED, Action.State.ABSENT):
            found[trial.pk] = None
        elif action.state != Action.State.CONFIRMED or action.ended_at is None:
            if action.created_at < now() - LATEST:
                found[trial.pk] = None
        elif heard and heard >= action.ended_at + WEEK:
            found[trial.pk] = float(action.pk in wrote)
        elif action.ended_at < now() - LATEST:
            found[trial.pk] = None
    return found


def _wrote_back(account: InstagramAccount, sent: Iterable[Action]) -> set[Any]:
    """Which of these welcomes were answered within a week."""
    by_name = {action.target_username: action for action in sent}
    said = TalkLine.objects.filter(
        talk__account=account, talk__kind=Talk.Kind.MESSAGE, talk__username__in=list(by_name), is_ours=False
    ).values_list("talk__username", "at")
    pairs = ((by_name[name], at) for name, at in said)
    return {action.pk for action, at in pairs if action.ended_at and timedelta() <= at - action.ended_at <= WEEK}


def _inbox_read_at(account: InstagramAccount) -> datetime | None:
    """When the account's messages were last read; None where they never were or the last time failed."""
    return Measuring.objects.filter(account=account).values_list("messages_at", flat=True).first()
