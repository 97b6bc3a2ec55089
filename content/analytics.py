"""What the numbers say: a span against the span before, by day, by kind, hour and hashtag, and the best posts.

The database adds up, in a handful of questions whatever the number of accounts. A sum over no known day is None, and on
how many days of how many it is known goes with it. Each day and hour is the account's own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from bots.models import OfficialAccess
from content.measuring import LATE
from content.models import Measuring, Post, PostInsight

SPANS = {7: "7 days", 28: "28 days", 90: "90 days", 365: "1 year", 730: "2 years"}
METRICS = {  # summed over the days
    "reach": "Reach",
    "views": "Views",
    "interactions": "Interactions",
    "engaged": "Accounts engaged",
    "new_followers": "New followers",
}
DAILY = (*METRICS, "likes", "comments", "shares", "saves")
KINDS = {
    ("IMAGE", "FEED"): "Photo",
    ("CAROUSEL_ALBUM", "FEED"): "Carousel",
    ("VIDEO", "FEED"): "Video",
    ("VIDEO", "REELS"): "Reel",
}
BEST, TAGS, STORIES = 10, 12, 10
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ENOUGH = 20  # measured posts, before a best time is told
ENOUGH_EACH = 3  # of them in the same weekday and hours
BLOCK = 3  # hours that are taken together
UNCOMPARED = "“Before” is unknown where the days before were not measured, or not of as many accounts."

_DAYS = """
SELECT day, count(*), count(followers), sum(followers), {sums} FROM content_accountinsight
WHERE account_id = ANY(%s) AND day BETWEEN %s AND %s GROUP BY day
"""
_SPAN = """
WITH post AS MATERIALIZED (
    SELECT kind, product, tags, reach, interactions, extract(hour FROM local_at AT TIME ZONE 'UTC')::int AS hour
    FROM content_postinsight WHERE account_id = ANY(%(ids)s) AND product <> 'STORY'
        AND local_at >= %(since)s AND local_at < %(until)s
), tagged AS (
    SELECT tag, count(*) AS posts, avg(reach) AS reach, avg(interactions) AS interactions,
        sum(interactions) FILTER (WHERE reach > 0)::float
        / nullif(sum(reach) FILTER (WHERE interactions >= 0), 0) AS rate
    FROM post, unnest(tags) AS tag GROUP BY tag HAVING count(*) > 1
    ORDER BY 4 DESC NULLS LAST, 1 LIMIT %(tags)s
)
SELECT CASE WHEN grouping(kind) = 0 THEN 'kind' ELSE 'hour' END, kind, product, hour, count(*), avg(reach),
    avg(interactions),
    sum(interactions) FILTER (WHERE reach > 0)::float
        / nullif(sum(reach) FILTER (WHERE interactions >= 0), 0)
FROM post GROUP BY GROUPING SETS ((kind, product), (hour))
UNION ALL SELECT 'tag', tag, NULL, NULL, posts, reach, interactions, rate FROM tagged
"""
_TIMES = """
SELECT weekday, block, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY rate), sum(count(*)) OVER ()
FROM (
    SELECT extract(isodow FROM local_at AT TIME ZONE 'UTC')::int - 1 AS weekday,
        extract(hour FROM local_at AT TIME ZONE 'UTC')::int / %(block)s * %(block)s AS block,
        interactions::float / reach AS rate
    FROM content_postinsight
    WHERE account_id = %(account)s AND product <> 'STORY' AND reach > 0 AND interactions IS NOT NULL
        AND posted_at > now() - interval '1 year' AND posted_at < now() - interval '2 days'
) post GROUP BY weekday, block
"""


@dataclass(frozen=True)
class Figure:
    """One number of a span, on how many days it is known, and what it was on as many days of the span before."""

    key: str
    name: str
    value: int | None
    before: int | None
    days: int
    series: list[int | None]

    @property
    def change(self) -> float | None:
        """By which share it grew; None where one of both is unknown, or was nothing."""
        return (self.value - self.before) / self.before if self.value is not None and self.before else None


@dataclass(frozen=True)
class Group:
    """Posts that have something in common: how many, their averages, and interactions for each account reached."""

    name: str
    posts: int
    reach: float | None
    interactions: float | None
    rate: float | None


@dataclass(frozen=True)
class Report:
    """All that the page, the CSV, the PDF and the mail tell of some accounts in a span."""

    since: date
    until: date
    figures: list[Figure]
    days: list[dict[str, Any]]
    kinds: list[Group]
    hours: list[Group]
    tags: list[Group]
    best: list[PostInsight]
    stories: list[PostInsight]
    measured_at: datetime | None  # the oldest last look at an account that is still connected
    parted: list[tuple[str, datetime]]  # accounts that are not any more, and when they were last read

    @property
    def length(self) -> int:
        """How many days it tells of."""
        return len(self.days)

    @property
    def caveat(self) -> str:
        """Why some figure stands beside no other; "" where each does."""
        return UNCOMPARED if any(one.value is not None and one.before is None for one in self.figures) else ""

    @property
    def followers(self) -> list[tuple[date, int | None]]:
        """The count of followers by day."""
        return [(row["day"], row["followers"]) for row in self.days]

    @property
    def reach(self) -> list[tuple[date, int | None]]:
        """The reach by day."""
        return [(row["day"], row["reach"]) for row in self.days]

    @property
    def counted(self) -> int | None:
        """The followers as last counted in the span."""
        return next((count for _, count in reversed(self.followers) if count is not None), None)

    @property
    def grown(self) -> tuple[int, int, int] | None:
        """Followers on the first and the last known day, and the difference; None with fewer than two days."""
        known = [count for _, count in self.followers if count is not None]
        return (known[0], known[-1], known[-1] - known[0]) if len(known) > 1 else None


def report(accounts: Iterable[UUID], since: date, until: date) -> Report:
    """Add up a span, both days counted. In the workspace's view."""
    ids, days = list(accounts), (until - since).days + 1
    rows = by_day(ids, since - timedelta(days=days), until)
    former, rows = rows[:days], rows[days:]
    groups = _groups(ids, since, until)
    return Report(
        since,
        until,
        [_figure(name, rows, former) for name in METRICS],
        rows,
        sorted(groups["kind"], key=lambda group: -(group.interactions or 0)),
        sorted(groups["hour"], key=lambda group: group.name),
        groups["tag"],
        best_posts(ids, since, until),
        list(_within(ids, since, until).filter(product=PostInsight.STORY).order_by("-posted_at")[:STORIES]),
        *_ages(ids, since - timedelta(days=days)),
    )


def by_day(ids: list[UUID], since: date, until: date) -> list[dict[str, Any]]:
    """Every day of a span with the sums of all accounts; a number that nobody knows is None.

    The followers of a day on which not every account was counted are None: a sum of some would look like a loss.
    """
    sums = ", ".join([*(f"sum({name})" for name in DAILY), *(f"count({name})" for name in METRICS)])
    with connection.cursor() as cursor:
        cursor.execute(_DAYS.format(sums=sums), [ids, since, until])
        told = {row[0]: row[1:] for row in cursor.fetchall()}
    whole = max((counted for _, counted, *_ in told.values()), default=0)
    days = [since + timedelta(days=n) for n in range((until - since).days + 1)]
    return [_row(day, told.get(day), whole) for day in days]


def best_posts(ids: list[UUID], since: date, until: date, amount: int = BEST) -> list[PostInsight]:
    """The posts that most people did something with."""
    found = _within(ids, since, until).exclude(product=PostInsight.STORY).filter(interactions__isnull=False)
    return list(found.order_by("-interactions", "pk")[:amount])


def of_post(post: Post) -> PostInsight | None:
    """The numbers of a post that we published; None while they are not read yet. Its `days` are for a chart."""
    found = PostInsight.objects.filter(account=post.account_id, media_id=post.instagram_id).first()
    if found is not None:
        found.reach_by_day = list(found.days.order_by("day").values_list("day", "reach"))  # type: ignore[attr-defined]
    return found


def kind_of(post: PostInsight) -> str:
    """What a post is called."""
    return "Story" if post.product == PostInsight.STORY else KINDS.get((post.kind, post.product), "Other")


def best_times(account_id: UUID) -> list[dict[str, Any]] | None:
    """Up to three weekdays and hours whose posts did best, by the median share of the reached who did something.

    None while there are not enough measured posts of the last year to tell. In the workspace's view.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TIMES, {"block": BLOCK, "account": account_id})
        rows = cursor.fetchall()
    good = [row for row in rows if row[2] >= ENOUGH_EACH]
    if not good or rows[0][4] < ENOUGH:
        return None
    good.sort(key=lambda row: (-row[3], row[0], row[1]))
    return [
        {"weekday": weekday, "day": WEEKDAYS[weekday], "hour": block, "until": block + BLOCK, "posts": posts, "rate": r}
        for weekday, block, posts, r, _ in good[:3]
    ]


def csv_days(found: Report) -> Iterator[list[object]]:
    """The days of a report as rows; an unknown number is an empty cell."""
    names = ("followers", *DAILY)
    yield ["day", *names]
    for row in found.days:
        yield [row["day"].isoformat(), *("" if row[name] is None else row[name] for name in names)]


def csv_posts(ids: list[UUID], since: date, until: date) -> Iterator[list[object]]:
    """Every post and story of a span as rows."""
    names = ("reach", "views", "interactions", "likes", "comments", "shares", "saves", "replies")
    yield ["account", "posted_at", "kind", "caption", "permalink", *names, "measured_at"]
    for post in _within(ids, since, until).order_by("-posted_at").iterator(500):
        numbers = ("" if (value := getattr(post, name)) is None else value for name in names)
        measured = post.measured_at.isoformat() if post.measured_at else ""
        yield [post.account.username, post.posted_at.isoformat(), kind_of(post), post.caption, post.permalink,
               *numbers, measured]  # fmt: skip


def _within(ids: list[UUID], since: date, until: date) -> QuerySet[PostInsight]:
    """The posts of a span by the accounts' own days."""
    begins, ends = _bounds(since, until)
    found = PostInsight.objects.filter(account__in=ids, local_at__gte=begins, local_at__lt=ends)
    return found.prefetch_related("account")  # not joined: the wall around accounts would be asked for each post


def _bounds(since: date, until: date) -> tuple[datetime, datetime]:
    """The local time at which a span begins and ends, as `local_at` keeps it."""
    return datetime.combine(since, time(), UTC), datetime.combine(until + timedelta(days=1), time(), UTC)


def _ages(ids: list[UUID], since: date) -> tuple[datetime | None, list[tuple[str, datetime]]]:
    """When the connected account that waits longest was read, and who is connected no more but was, since a day."""
    read = Measuring.objects.filter(account__in=ids, measured_at__isnull=False).order_by("account__username")
    rows: list[Any] = list(read.values_list("account__username", "measured_at", "account__official__status"))
    active = [at for _, at, status in rows if status == OfficialAccess.Status.ACTIVE]
    parted = [(name, at) for name, at, status in rows if status != OfficialAccess.Status.ACTIVE and at.date() >= since]
    return min(active or [at for _, at, _ in rows], default=None), parted


def _row(day: date, told: tuple[Any, ...] | None, whole: int) -> dict[str, Any]:
    """A day, with how many accounts stand behind each number (`behind`)."""
    if told is None:
        nothing = {"day": day, "accounts": 0, "followers": None, "behind": dict.fromkeys(METRICS, 0)}
        return nothing | dict.fromkeys(DAILY)
    accounts, counted, followers, *numbers = told
    row = {"day": day, "accounts": accounts, "followers": followers if counted == whole else None}
    behind = dict(zip(METRICS, numbers[len(DAILY) :], strict=True))
    return row | dict(zip(DAILY, numbers, strict=False)) | {"behind": behind}


def _figure(name: str, rows: list[dict[str, Any]], former: list[dict[str, Any]]) -> Figure:
    known = [row[name] for row in rows if row[name] is not None]
    # Like with like: the same days of the span before, each of as many accounts; else a new account would be growth.
    pairs = [(row, before) for row, before in zip(rows, former, strict=True) if row[name] is not None]
    late = [row["day"] for row in rows[-LATE:]]  # of these Meta has not told everything yet
    alike = all(
        (now := row["behind"][name]) == (then := before["behind"][name]) or (now < then and row["day"] in late)
        for row, before in pairs
    )
    compared = sum(before[name] for _, before in pairs) if pairs and alike else None
    return Figure(name, METRICS[name], sum(known) if known else None, compared, len(known), [row[name] for row in rows])


def _groups(ids: list[UUID], since: date, until: date) -> dict[str, list[Group]]:
    found: dict[str, list[Group]] = {"kind": [], "hour": [], "tag": []}
    with connection.cursor() as cursor:
        begins, ends = _bounds(since, until)
        cursor.execute(_SPAN, {"ids": ids, "since": begins, "until": ends, "tags": TAGS})
        for what, kind, product, hour, posts, reach, interactions, rate in cursor.fetchall():
            names = {"kind": KINDS.get((kind, product), "Other"), "hour": f"{hour or 0:02}:00", "tag": f"#{kind}"}
            numbers = (None if one is None else float(one) for one in (reach, interactions, rate))
            found[what].append(Group(names[what], posts, *numbers))
    return found
