"""A/B tests: two ways of doing one thing, given out by lot, and what can be said of the difference.

How many units it takes is reckoned before the start, from what is usual for the account and the smallest difference
that matters. The horizon is fixed: no difference is reckoned, shown or told before so many outcomes of each arm are
known and none is awaited any more, so a lucky week can end no test. (A sequential test may end sooner, but its ranges
are wider, and few could check them by hand.) Whoever drew A counts as A, whatever became of the post later.
"""

import re
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.timezone import now

from accounts import farewell, notifications, tenancy
from accounts.models import NoticeKind, User, Workspace
from bots import tasking
from bots.models import Bot, BotTask, InstagramAccount, Kind, MessageTemplate
from bots.official import official_door
from content import chance, fitness, trials
from content.models import Experiment, Post, Trial
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity
from instagrowth import live

SHARES = {0.2: "20 %", 0.3: "30 %", 0.5: "50 %", 1.0: "100 %"}  # of the usual rate of posts
POINTS = {0.05: "5 points", 0.1: "10 points", 0.15: "15 points", 0.2: "20 points", 0.3: "30 points"}  # of replies
UNKNOWN_SHARE = 0.5  # where nobody knows how many reply: the share that needs the most people
LEAST = {Experiment.Subject.DM.value: 30}  # of each arm, whatever the formula says; of posts 10
MOST_UNITS = 5000  # of each arm: more than any account does in a year
Status, Subject = Experiment.Status, Experiment.Subject


@dataclass(frozen=True)
class Progress:
    """How far a test is: units drawn, known, awaited and missing of each arm. No outcome is in it."""

    each: int
    drawn: dict[str, int]
    known: dict[str, int]
    missing: dict[str, int]

    @property
    def awaited(self) -> int:
        """Units whose outcome may still come."""
        return sum(self.drawn.values()) - sum(self.known.values()) - sum(self.missing.values())

    @property
    def both(self) -> int:
        """Outcomes that the end needs, of both arms."""
        return 2 * self.each

    @property
    def room(self) -> bool:
        """Whether an arm needs more units."""
        return any(self.drawn[arm] - self.missing[arm] < self.each for arm in "AB")

    @property
    def counted(self) -> int:
        """Known outcomes that the end needs, at most `each` an arm."""
        return sum(min(self.each, self.known[arm]) for arm in "AB")

    @property
    def whole(self) -> bool:
        """Whether the horizon is reached."""
        return not self.awaited and all(self.known[arm] >= self.each for arm in "AB")


# Before the start


def draft(
    workspace: Workspace, user: User, account: InstagramAccount, *, subject: str, name: str, a: str, b: str,
    difference: float,
) -> Experiment:  # fmt: skip
    """Write a test down, with how many units it takes. For `dm`, `a` and `b` name approved message templates.

    Raises EXPERIMENT_INVALID, DM_NOT_APPROVED, BEING_DELETED.
    """
    farewell.nothing_new(workspace)
    if not name.strip():
        raise BotException(codes.EXPERIMENT_INVALID, "Give the test a name.", field="name")
    known = trials.usual(account, subject)
    if subject == Subject.DM:
        texts = [_template(workspace, named) for named in (a, b)]
        known["names"] = [a, b]
    else:
        texts = [CLEAN[subject](text.strip().replace("\r\n", "\n")) for text in (a, b)]
    if texts[0] == texts[1]:
        raise BotException(codes.EXPERIMENT_INVALID, "A and B are the same.", field="b")
    made = Experiment.objects.create(
        workspace=workspace,
        account=account,
        subject=subject,
        name=name.strip()[:80],
        a=texts[0],
        b=texts[1],
        seed=secrets.token_hex(16),
        baseline=known | {"difference": difference},
        units_each=size(subject, known, difference),
        created_by=user,
    )
    _tell(made, user, "draft")
    return made


def size(subject: str, known: dict[str, Any], difference: float) -> int:
    """How many units of each arm find a difference of so much in 80 of 100 cases.

    For posts `difference` is a share of the usual rate; for welcomes it is a share of people. Raises EXPERIMENT_INVALID
    where too little is known to reckon, or more are needed than any account has.
    """
    if difference not in (POINTS if subject == Subject.DM else SHARES):
        raise BotException(codes.EXPERIMENT_INVALID, "Choose one of the differences.", field="difference")
    if subject == Subject.DM:
        share = UNKNOWN_SHARE if known["mean"] is None else known["mean"]
        found = chance.size_of_shares(min(share, 1 - difference), difference)
    elif not known["mean"]:
        raise BotException(
            codes.EXPERIMENT_INVALID,
            f"Not enough data yet: {known['known']} of {known['least']} posts are measured, so nobody can say how many"
            " the test would take. Publish some more, while the account is connected through Meta.",
        )
    else:
        found = chance.size_of_means(known["spread"], known["mean"] * difference)
    if found > MOST_UNITS:
        raise BotException(
            codes.EXPERIMENT_INVALID,
            f"It would take {found:,} of each to see so small a difference. Choose a larger one.",
            field="difference",
        )
    return max(found, LEAST.get(subject, trials.POSTS))


def _text(text: str, most: int = fitness.LONGEST_COMMENT) -> str:
    if len(text) > most:
        raise BotException(codes.EXPERIMENT_INVALID, f"Write at most {most:,} letters.")
    return text


def _frame(text: str) -> str:
    """A caption's frame: the post's own words stand at {caption}, or below where it is not named."""
    if text and trials.OPENING not in text:
        text = f"{text}\n\n{trials.OPENING}"
    return _text(text, 1000)


def _hashtags(text: str) -> str:
    tags = [tag.lstrip("#") for tag in re.split(r"[\s,]+", text) if tag]
    if len(tags) > fitness.MOST_TAGS:
        raise BotException(codes.EXPERIMENT_INVALID, f"Name at most {fitness.MOST_TAGS} hashtags.")
    try:
        return " ".join(f"#{tasking.clean_hashtag(tag)}" for tag in tags)
    except BotException as refused:
        raise BotException(codes.EXPERIMENT_INVALID, refused.message) from None


def _clock(text: str) -> str:
    try:
        return time.fromisoformat(text).strftime("%H:%M")
    except ValueError:
        raise BotException(codes.EXPERIMENT_INVALID, "Write the time as 18:30.") from None


CLEAN: dict[str, Callable[[str], str]] = {
    Subject.CAPTION: _frame,
    Subject.HASHTAGS: _hashtags,
    Subject.TIME: _clock,
    Subject.FIRST_COMMENT: _text,
}


def _template(workspace: Workspace, named: str) -> str:
    found = MessageTemplate.objects.filter(workspace=workspace, name=named).first()
    if found is None:
        raise BotException(codes.EXPERIMENT_INVALID, "Choose two of your message templates.", field="a")
    if found.approved_at is None:
        raise BotException(codes.DM_NOT_APPROVED)
    return found.text


# Its life


def start(experiment: Experiment, user: User) -> None:
    """Start a test; from here on nothing of it changes. One of welcomes asks the bot for them.

    Raises AI_NOT_READY where it was started already, EXPERIMENT_INVALID where another of its kind runs on the account,
    and what the account's official door says: without it no outcome could be known. For welcomes also as `welcome`.
    """
    held = _held(experiment, Status.DRAFT)
    official_door(held.account)
    InstagramAccount.objects.select_for_update(no_key=True).get(pk=held.account_id)  # two may start at once
    if Experiment.objects.filter(account=held.account, subject=held.subject, status=Status.RUNNING).exists():
        raise BotException(codes.EXPERIMENT_INVALID, "A test of this kind runs on this account already.")
    held.status, held.started_at = Status.RUNNING, now()
    held.save()
    _tell(held, user, "start")
    if held.subject == Subject.DM:
        welcome(held, user)


def stop(experiment: Experiment, user: User) -> None:
    """End a test, or drop its draft, without a verdict. Raises AI_NOT_READY where it has ended."""
    held = _held(experiment, Status.DRAFT, Status.RUNNING)
    held.status, held.ended_at = Status.STOPPED, now()
    held.save()
    _stop_welcomes(held, user)
    _tell(held, user, "stop")


def add(experiment: Experiment, user: User, posts: list[Post]) -> list[Trial]:
    """Draw the lot of drafts and change each as its arm says, see `trials.draw`. Raises AI_NOT_READY as well."""
    held = _held(experiment, Status.RUNNING)
    if held.subject == Subject.DM or not posts:
        raise BotException(codes.EXPERIMENT_INVALID, "Choose drafts of the calendar.", field="posts")
    if not progress(held).room:
        raise BotException(codes.EXPERIMENT_INVALID, "The test has as many posts as it needs. It waits for outcomes.")
    drawn = trials.draw(held, user, posts)
    _tell(held, user, "draw", posts=str(len(drawn)))
    return drawn


def welcome(experiment: Experiment, user: User) -> BotTask:
    """Ask the account's bot to welcome who follows from now on, each in the words of A or B, as the lot falls.

    Raises EXPERIMENT_INVALID where nobody is needed or a welcome of the test runs; DM_NOT_APPROVED where a text lost
    its approval since; and as `tasking.ask`.
    """
    held = _held(experiment, Status.RUNNING)
    if held.subject != Subject.DM or not progress(held).room or open_welcomes(held).exists():
        raise BotException(codes.EXPERIMENT_INVALID, "The bot is at it already, or nobody more is needed.")
    templates = [_approved(held, text) for text in (held.a, held.b)]
    bot = Bot.objects.select_related("account__session", "workspace").filter(account=held.account).first()
    if bot is None:
        raise BotException(codes.SESSION_INVALID)
    drawn = sum(progress(held).drawn.values())
    amount = min(tasking.MOST, max(10, round(2.2 * held.units_each) - drawn))  # the lot is not even to the last one
    task = tasking.ask(bot, Kind.WELCOME_DM, amount, options={"only_new": True}, template=templates[0], user=user)
    task.campaign = f"test {held.pk.hex[:12]}"  # nobody gets A and B
    task.options |= {"split": {"experiment": str(held.pk), "seed": held.seed, "text": held.b}}
    task.save(update_fields=["campaign", "options"])
    return task


def _approved(experiment: Experiment, text: str) -> MessageTemplate:
    found = MessageTemplate.objects.filter(
        workspace=experiment.workspace_id, text=text, approved_at__isnull=False
    ).first()
    if found is None:
        raise BotException(codes.DM_NOT_APPROVED)
    return found


def open_welcomes(experiment: Experiment) -> QuerySet[BotTask]:
    """The tasks that send its welcomes now."""
    open_ones = BotTask.objects.filter(workspace=experiment.workspace_id, status__in=BotTask.OPEN)
    return open_ones.filter(options__split__experiment=str(experiment.pk))


def _stop_welcomes(experiment: Experiment, user: object = None) -> None:
    for task in open_welcomes(experiment):
        tasking.stop(task, user)


def _held(experiment: Experiment, *states: str) -> Experiment:
    """The test as it is now, held until the transaction ends. Raises AI_NOT_READY where it is in another state."""
    held = Experiment.objects.select_for_update(of=("self",)).select_related("account").get(pk=experiment.pk)
    if held.status not in states:
        raise BotException(codes.AI_NOT_READY)
    return held


# What can be said


def progress(experiment: Experiment) -> Progress:
    """How far it is."""
    counts: dict[str, Counter[str]] = {"drawn": Counter(), "known": Counter(), "missing": Counter()}
    rows = Trial.objects.filter(experiment=experiment).values_list("arm", "value_millionths", "measured_at")
    for arm, value, measured_at in rows:
        counts["drawn"][arm] += 1
        if measured_at:
            counts["missing" if value is None else "known"][arm] += 1
    return Progress(experiment.units_each, *({arm: count[arm] for arm in "AB"} for count in counts.values()))


def look_after(experiment: Experiment) -> None:
    """Write down what became known, end welcomes that are enough, and give the verdict when the horizon is reached.

    In the workspace's view, in a transaction.
    """
    held = _held(experiment, Status.RUNNING)
    if held.subject == Subject.DM:
        trials.keep_welcomed(held)
    trials.measure(held)
    now_at = progress(held)
    if not now_at.room:
        _stop_welcomes(held)
    if now_at.whole:
        _decide(held, now_at)


def _decide(held: Experiment, now_at: Progress) -> None:
    known = Trial.objects.filter(experiment=held).exclude(value_millionths=None).values_list("arm", "value_millionths")
    a, b = ([value / trials.MILLION for drawn, value in known if drawn == arm and value is not None] for arm in "AB")
    found = (chance.shares if held.subject == Subject.DM else chance.means)(a, b)
    held.status, held.ended_at = Status.DECIDED, now()
    held.verdict = {
        "winner": found.winner,
        "a": found.a,
        "b": found.b,
        "effect": found.effect,
        "low": found.low,
        "high": found.high,
        "known": now_at.known,
        "missing": now_at.missing,
    }
    held.verdict["says"] = says(held)
    held.save()
    _tell(held, None, "verdict", winner=found.winner or "neither")
    notifications.notify(
        held.workspace_id, NoticeKind.TASKS, f"The test {held.name} is decided"[:120], body=held.verdict["says"],
        path=f"/content/experiments/{held.pk}/",
    )  # fmt: skip


def says(experiment: Experiment) -> str:
    """The verdict in a sentence."""
    told = experiment.verdict
    low, high = sorted((told["low"] * 100, told["high"] * 100))
    between = f"B less A lies between {low:+.1f} and {high:+.1f} points, with 95 % confidence."
    if told["winner"]:
        return f"{told['winner']} did better. {between}"
    return f"No difference was found. {between}"


def learnt(account: InstagramAccount, most: int = 5) -> list[dict[str, Any]]:
    """What tests found for this account, the newest first: `subject`, `a`, `b`, `winner` (A, B or none), `says`.

    The planner asks this. In the workspace's view.
    """
    decided = Experiment.objects.filter(account=account, status=Status.DECIDED).order_by("-ended_at")[:most]
    return [
        {
            "subject": one.get_subject_display(), "a": one.a, "b": one.b, "winner": one.verdict["winner"],
            "says": one.verdict["says"],
        }
        for one in decided
    ]  # fmt: skip


def best_time(account: InstagramAccount) -> time | None:
    """The hour that won the newest test of posting times, in the account's zone; None where none was found better."""
    tests = Experiment.objects.filter(account=account, subject=Subject.TIME, status=Status.DECIDED)
    newest = tests.order_by("-ended_at").first()
    if newest is None or not newest.verdict["winner"]:
        return None
    return time.fromisoformat(newest.a if newest.verdict["winner"] == "A" else newest.b)


def running() -> list[tuple[UUID, UUID]]:
    """(workspace, test) of every running test."""
    with tenancy.platform("running tests of all workspaces are looked after"):
        return list(Experiment.objects.filter(status=Status.RUNNING).values_list("workspace_id", "pk"))


def look_in(workspace: UUID, key: UUID) -> None:
    """Look after one test, if it still runs."""
    with tenancy.scope(workspace), transaction.atomic():
        experiment = Experiment.objects.filter(pk=key, status=Status.RUNNING).first()
        if experiment is not None:
            look_after(experiment)


def _tell(experiment: Experiment, user: User | None, deed: str, **facts: str) -> None:
    log_activity(
        "experiment", workspace=experiment.workspace_id, user=user, account=experiment.account_id, deed=deed,
        test=experiment.name, **facts,  # type: ignore[arg-type]
    )  # fmt: skip
    live.publish(experiment.workspace_id, "experiment", {"experiment": str(experiment.pk), "status": experiment.status})
