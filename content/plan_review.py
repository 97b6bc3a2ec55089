"""A plan beside what came of it, week by week: counted by us or told by Meta; what is not known is None."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils.timezone import now

from accounts import notifications, tenancy
from accounts.models import NoticeKind
from bots.models import AccountDay, Action, InstagramAccount, Kind
from content import slots
from content.models import AccountInsight, GrowthPlan, Measuring, Post, PostInsight

NUMBERS = ("Followers", "Reach", "Interactions")  # told with a week's review; the page has all lines
MORNING = time(8)
NO_METER = "nothing was read through the official API"


@dataclass(frozen=True)
class Line:
    """One thing beside what was planned of it; `note` says why a fact is missing, or how it was counted."""

    word: str
    planned: int | None
    fact: int | None
    note: str = ""
    signed: bool = False  # a difference

    @property
    def number(self) -> str:
        """The fact for reading."""
        if self.fact is None:
            return "unknown"
        return f"{self.fact:+,}" if self.signed else f"{self.fact:,}"


@dataclass(frozen=True)
class Week:
    """One week of a plan."""

    number: int
    since: date
    until: date
    over: bool
    lines: list[Line]

    @property
    def says(self) -> str:
        """What follows from the posts, by rule."""
        posts = self.lines[0]
        missing = (posts.planned or 0) - (posts.fact or 0)
        if not posts.planned:
            return "No post was planned."
        if missing <= 0:
            return "Every planned post is out."
        verb = "is" if missing == 1 else "are"
        return f"{missing} of {posts.planned} planned posts {verb} {'not out' if self.over else 'still to come'}."

    @property
    def told(self) -> str:
        """The same with the numbers, in a few sentences; what is not known is said to be."""
        return " ".join([self.says, *(f"{line.word}: {line.number}." for line in self.lines if line.word in NUMBERS)])


def spans(plan: GrowthPlan) -> list[tuple[int, date, date]]:
    """The weeks of a plan: number, first and last day. The last may be short."""
    return [
        (n + 1, plan.starts_on + timedelta(days=7 * n), min(plan.starts_on + timedelta(days=7 * n + 6), plan.ends_on))
        for n in range((plan.days + 6) // 7)
    ]


def week_of(plan: GrowthPlan, day: date) -> int | None:
    """In which week of the plan a day is; None outside."""
    return next((number for number, first, last in spans(plan) if first <= day <= last), None)


def today(account: InstagramAccount) -> date:
    """The account's own date."""
    return now().astimezone(ZoneInfo(account.timezone)).date()


def weeks(plan: GrowthPlan) -> list[Week]:
    """Every week of an accepted plan that has begun, the newest first; as many questions for one as for five."""
    if plan.status != GrowthPlan.Status.ACCEPTED:
        return []
    day, facts = today(plan.account), _Facts(plan)
    return [
        Week(number, first, last, last < day, facts.lines(number, first, last, min(last, day)))
        for number, first, last in reversed(spans(plan))
        if first <= day
    ]


def told(plan: GrowthPlan) -> dict[str, Any]:
    """The weeks that are over, for a prompt."""
    found = [week for week in weeks(plan) if week.over]
    return {
        "goal": plan.goal,
        "weeks": [{line.word: [line.planned, line.fact] for line in week.lines} for week in found],
        "read_as": "[planned, what came of it]; null is unknown",
    }


def next_on(plan: GrowthPlan, day: date) -> date | None:
    """When the week is over that runs on a day or begins after it; None after the last."""
    return next((last + timedelta(days=1) for _, _, last in spans(plan) if last >= day), None)


def due(limit: int = 200) -> list[tuple[UUID, UUID]]:
    """(workspace, plan) of what has a week behind it that nobody was told of."""
    latest = now().date() + timedelta(days=1)  # it is tomorrow already somewhere
    with tenancy.platform("reviews of all workspaces are told"):
        waiting = GrowthPlan.objects.filter(review_on__lte=latest, workspace__delete_at=None).order_by("review_on")
        return list(waiting.values_list("workspace_id", "pk")[:limit])


def tell(workspace: UUID, plan_id: UUID) -> bool:
    """Ring the bell of a week that is over, once, at 8 by the account's clock; the next one's day is written down."""
    with tenancy.scope(workspace):
        plans = GrowthPlan.objects.select_for_update(of=("self",)).select_related("account")
        plan = plans.filter(pk=plan_id, review_on__isnull=False).first()
        if plan is None or slots.at(plan.review_on, MORNING, plan.account.timezone) > now():  # type: ignore[arg-type]
            return False
        over = next(week for week in weeks(plan) if week.over)
        plan.review_on = next_on(plan, today(plan.account))
        plan.save(update_fields=["review_on"])
        notifications.notify(
            workspace,
            NoticeKind.TASKS,
            f"Week {over.number} of the plan of {plan.account} is over",
            body=over.told,
            path=f"/content/planner/?account={plan.account.username}",
        )
        return True


class _Facts:
    """What is known of the days of a plan, read once."""

    def __init__(self, plan: GrowthPlan) -> None:
        self.plan, account = plan, plan.account
        self.zone = ZoneInfo(account.timezone)
        self.posts = list(plan.posts.select_related("post"))
        since, until = plan.starts_on - timedelta(days=1), plan.ends_on
        span = {"account": account, "day__range": (since, until)}
        self.meta = {row.day: row for row in AccountInsight.objects.filter(**span)}
        counted = AccountDay.objects.filter(followers__isnull=False, **span).values_list("day", "followers")
        by_meta = {row.day: row.followers for row in self.meta.values() if row.followers is not None}
        self.followers: dict[date, int] = {day: count for day, count in counted if count is not None} | by_meta
        self.measured = Measuring.objects.filter(account=account, measured_at__isnull=False).exists()
        begin, end = datetime.combine(plan.starts_on, datetime.min.time(), UTC), until + timedelta(days=1)
        seen = PostInsight.objects.filter(
            account=account, local_at__gte=begin, local_at__lt=datetime.combine(end, datetime.min.time(), UTC)
        ).exclude(product=PostInsight.STORY)
        self.seen = [moment.date() for moment in seen.values_list("local_at", flat=True)]
        done = Action.objects.filter(
            account=account,
            state=Action.State.CONFIRMED,
            created_at__gte=slots.at(plan.starts_on, datetime.min.time(), account.timezone),
            created_at__lt=slots.at(end, datetime.min.time(), account.timezone),
        )
        counts = done.values("kind", day=TruncDate("created_at", tzinfo=self.zone)).annotate(count=Count("pk"))
        self.actions = [(row["kind"], row["day"], row["count"]) for row in counts]

    def lines(self, number: int, first: date, last: date, until: date) -> list[Line]:
        """The lines of one week, which is known up to `until`."""
        days = (until - first).days + 1
        return [
            self._posts(first, last),
            Line("Posts on Instagram in all", None, *self._all_posts(first, last)),
            Line("Followers", None, *self._grown(first, until), signed=True),
            Line("Reach", None, *self._sum("reach", first, until)),
            Line("Interactions", None, *self._sum("interactions", first, until)),
            *self._bot(first, until, days),
            *self._routines(number),
        ]

    def _posts(self, first: date, last: date) -> Line:
        mine = [one for one in self.posts if first <= one.day <= last]
        out = [one for one in mine if one.post and one.post.state == Post.State.PUBLISHED]
        late = sum(
            1
            for one in out
            if one.post and one.post.published_at and one.post.published_at.astimezone(self.zone).date() > one.day
        )
        gone = sum(one.post is None for one in mine)
        note = "; ".join(filter(None, (late and f"{late} later than planned", gone and f"{gone} thrown away")))  # type: ignore[arg-type]
        return Line("Posts of the plan", len(mine), len(out), note)

    def _all_posts(self, first: date, last: date) -> tuple[int | None, str]:
        if not self.measured:
            return None, NO_METER
        return sum(first <= day <= last for day in self.seen), "as Meta shows them, stories left out"

    def _grown(self, first: date, until: date) -> tuple[int | None, str]:
        """Followers from the evening before the week to its last known evening."""
        before = self.followers.get(first - timedelta(days=1), self.followers.get(first))
        known = [day for day in self.followers if first < day <= until]
        if before is None or not known:
            return None, "not counted on its first and a later day"
        last = max(known)
        return self.followers[last] - before, f"{self.followers[last]:,} on {last:%-d %b}"

    def _sum(self, name: str, first: date, until: date) -> tuple[int | None, str]:
        values = [getattr(row, name) for day, row in self.meta.items() if first <= day <= until]
        known = [value for value in values if value is not None]
        if not known:
            return None, "Meta has not told yet" if self.measured else NO_METER
        days = (until - first).days + 1
        return sum(known), "" if len(known) == days else f"known for {len(known)} of {days} days"

    def _bot(self, first: date, until: date, days: int) -> list[Line]:
        """What the bot did, beside the most that the plan gave it."""
        found = []
        for kind, most in self.plan.limits.items():
            done = sum(count for what, day, count in self.actions if what == kind and first <= day <= until)
            planned = most * days if self.plan.applied_at else None
            note = "at most" if self.plan.applied_at else "the plan’s limits were not given to the bot"
            found.append(Line(f"{Kind(kind).label}s by the bot", planned, done, note))
        return found

    def _routines(self, number: int) -> list[Line]:
        return [
            Line(routine["title"], routine["weekly"], routine["done"].get(str(number)), "as you ticked it")
            for routine in self.plan.routines
        ]
