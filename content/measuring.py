"""Reading an account's numbers from Meta and keeping them: by day, by post, and of stories before they vanish.

Everything is asked first, outside of any transaction, and written in one short one. Each row is written over by the
next look of its day, so that a look twice does no harm; a number that Meta does not give stays unknown.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.dateparse import parse_datetime
from django.utils.timezone import now

from accounts import tenancy
from accounts.models import User
from bots.instagram.graph import GraphDoor
from bots.models import InstagramAccount, OfficialAccess
from bots.official import door_of
from content import hooks
from content.models import AccountInsight, Measuring, PostDay, PostInsight
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity, record

EVERY = timedelta(hours=4)  # a story lives 24 hours, so it is seen six times
AGAIN = timedelta(hours=1)  # after a refusal of Meta's
HANDOVER = timedelta(minutes=20)  # an account that was handed to a worker is handed to nobody else for so long
SOON = timedelta(minutes=2)  # after a post went out
JUST_READ = timedelta(minutes=2)  # a person who asks again sooner would learn nothing new
BACK = 28  # days that are asked for when an account is new; Meta gives at most 30 at a time
LATE = 2  # days that are asked again, because Meta's numbers come up to 48 hours late
FRESH, STILL = timedelta(days=7), timedelta(days=90)  # posts measured at each look, and once a day
POSTS = 100  # of the newest, seen at each look
MOST = 80  # posts measured in one look: the others in the next
BUSY = 80  # per cent of Meta's allowance: from there on the rest waits for the next look
TAG = re.compile(r"#(\w{1,100})")
BOTH = {"reach": "reach", "views": "views", "interactions": "total_interactions", "likes": "likes",
        "comments": "comments", "shares": "shares"}  # fmt: skip
ACCOUNT = BOTH | {"saves": "saves", "engaged": "accounts_engaged", "new_followers": "follower_count"}
POST = BOTH | {"saves": "saved", "replies": "replies"}  # our column: Meta's metric
DAILY = ("reach", "views", "interactions")  # what is kept of a post for each day
OF_ONE_POST = (
    codes.GRAPH_NO_INSIGHTS,
    codes.GRAPH_NOT_FOUND,
    codes.GRAPH_NOT_UNDERSTOOD,
    codes.GRAPH_REFUSED,
    codes.GRAPH_UNAVAILABLE,
)  # refusals that say nothing of the others
ALL = "numbers of all workspaces are read"


def due(limit: int = 500) -> list[tuple[UUID, UUID]]:
    """Workspace and account of those whose numbers are due, the longest waiting first; nobody else gets them now."""
    with tenancy.platform(ALL), transaction.atomic():
        waiting = OfficialAccess.objects.filter(status=OfficialAccess.Status.ACTIVE)
        never = Q(account__measuring=None)
        found = list(
            waiting.filter(never | Q(account__measuring__due_at__lte=Now()))
            .order_by("account__measuring__due_at")
            .values_list("workspace_id", "account_id")[:limit]
        )
        _hand_out(found)
        return found


def soon(account_id: UUID) -> None:
    """Have an account read within two minutes, as it has something new. In the workspace's view."""
    Measuring.objects.filter(account=account_id, due_at__gt=now() + SOON).update(due_at=now() + SOON)


def ask(accounts: list[InstagramAccount], user: User) -> int:
    """Have accounts read at once, but those that were read a moment ago; how many are. In a transaction."""
    from content.tasks import measure as task

    ids = [account.pk for account in accounts]
    fresh = Measuring.objects.filter(account__in=ids, measured_at__gt=now() - JUST_READ).values("account")
    waiting = OfficialAccess.objects.filter(account__in=ids, status=OfficialAccess.Status.ACTIVE)
    found = list(waiting.exclude(account__in=fresh).values_list("workspace_id", "account_id"))
    _hand_out(found)
    for workspace, account in found:
        log_activity("measure", workspace=workspace, user=user, account=account)
        words = (str(workspace), str(account))
        transaction.on_commit(lambda words=words: task.apply_async(words, expires=600), robust=True)  # type: ignore[misc]
    return len(found)


def measure(workspace: UUID, account_id: UUID) -> None:
    """Read one account's numbers and keep them; a refusal of Meta's is written down, and tried again in an hour."""
    with tenancy.scope(workspace):
        access = OfficialAccess.objects.select_related("account").filter(account=account_id).first()
        if access is None or not access.is_active:
            return
        known = dict(PostInsight.objects.filter(account=account_id).values_list("media_id", "measured_at"))
        latest = AccountInsight.objects.filter(account=account_id, reach__isnull=False).order_by("-day").first()
    today = now().astimezone(ZoneInfo(access.account.timezone)).date()
    first = max(today - timedelta(days=BACK), latest.day - timedelta(days=LATE) if latest else date.min)
    try:
        with tenancy.scope(workspace):
            door = door_of(access)
        told = door.me()
        days = {day: _day(door, day, access.account.timezone) for day in _span(first, today)}
        posts, refusals = _posts(door, known)
    except BotException as refused:
        _note(access, AGAIN, refused.code.id)
        with tenancy.scope(workspace):
            record(refused, action="measure", workspace=workspace, account=access.account)
        return
    with tenancy.scope(workspace), transaction.atomic():
        keep(access, today, told, days, posts)
        for one in refusals:
            record(one, action="measure", workspace=workspace, account=access.account)
    _note(access, EVERY, "")


def keep(
    access: OfficialAccess,
    today: date,
    told: dict[str, Any],
    days: dict[date, dict[str, int | None]],
    posts: list[dict[str, Any]],
) -> None:
    """Write down what Meta told. In the workspace's view, in a transaction."""
    at, account = now(), access.account
    own = {"workspace_id": access.workspace_id, "account_id": account.pk}
    rows = [AccountInsight(**own, day=day, measured_at=at, **numbers) for day, numbers in days.items()]
    _write(AccountInsight, rows, ["workspace", "account", "day"], [*ACCOUNT, "measured_at"])
    if (followers := told.get("followers_count")) is not None:
        AccountInsight.objects.filter(**own, day=today).update(followers=followers)
        InstagramAccount.objects.filter(pk=account.pk).update(
            followers=followers, following=told.get("follows_count", account.following), measured_at=at
        )
    measured = [_post(own, account.timezone, post, at) for post in posts if "numbers" in post]
    _write(PostInsight, measured, ["workspace", "account", "media_id"], ["caption", "tags", *POST, "measured_at"])
    PostInsight.objects.bulk_create(
        [_post(own, account.timezone, post, None) for post in posts if "numbers" not in post], ignore_conflicts=True
    )
    _keep_day(own, measured, today)
    told_of = max((day for day in days if day < today), default=today)  # today is not over
    facts = {"account": account.username, "followers": followers, "day": told_of.isoformat(), **days[told_of]}
    hooks.publish(access.workspace_id, "analytics.measured", facts)


def keep_story(access: OfficialAccess, told: dict[str, Any]) -> bool:
    """A story's last numbers, as Meta's webhook tells them; False for a story that we never saw."""
    numbers = {ours: told[theirs] for ours, theirs in POST.items() if isinstance(told.get(theirs), int)}
    mine = PostInsight.objects.filter(account=access.account_id, media_id=str(told.get("media_id", "")))
    return bool(mine.update(**numbers, measured_at=now()))


def _hand_out(found: list[tuple[UUID, UUID]]) -> None:
    """Let nobody else be handed these accounts for HANDOVER."""
    later = now() + HANDOVER
    rows = [Measuring(workspace_id=workspace, account_id=account, due_at=later) for workspace, account in found]
    _write(Measuring, rows, ["workspace", "account"], ["due_at"])


def _note(access: OfficialAccess, pause: timedelta, code: str) -> None:
    went_well = {} if code else {"measured_at": now()}
    with tenancy.scope(access.workspace_id):
        Measuring.objects.update_or_create(
            workspace_id=access.workspace_id,
            account_id=access.account_id,
            defaults={"due_at": now() + pause, "error_code": code} | went_well,
        )


def _span(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _day(door: GraphDoor, day: date, zone: str) -> dict[str, int | None]:
    """The numbers of one day of the account's own zone."""
    starts, ends = (datetime.combine(day + timedelta(days=n), time(), ZoneInfo(zone)) for n in (0, 1))
    found = door.account_insights(starts, ends)
    return {ours: found.get(theirs) for ours, theirs in ACCOUNT.items()}


def _posts(door: GraphDoor, known: dict[str, datetime | None]) -> tuple[list[dict[str, Any]], list[BotException]]:
    """The living stories and the newest posts, each with its numbers where it is time to measure them.

    With them what Meta refused of single posts, of each kind one: such a post is without numbers, and looked at.
    """
    refusals = {}
    posts = [*door.stories(), *door.recent_media(POSTS)]
    for post in posts:
        post["posted_at"] = parse_datetime(post["timestamp"]) or now()
    for post in [post for post in posts if _is_due(post, known.get(post["id"]))][:MOST]:
        new = known.get(post["id"]) is None
        try:
            post["numbers"] = door.media_insights(post["id"], story=post["media_product_type"] == PostInsight.STORY)
        except BotException as refused:
            if refused.code not in OF_ONE_POST:
                raise
            if new and refused.code is not codes.GRAPH_UNAVAILABLE:  # that one is asked again
                post["numbers"] = {}
            if new or refused.code is not codes.GRAPH_NO_INSIGHTS:  # which is told once
                refusals[refused.code.id] = refused
        if door.usage >= BUSY:
            break
    return [post for post in posts if "numbers" in post or post["id"] not in known], [*refusals.values()]


def _is_due(post: dict[str, Any], measured: datetime | None) -> bool:
    age = now() - post["posted_at"]
    return measured is None or age < FRESH or (age < STILL and measured < now() - timedelta(hours=20))


def _keep_day(own: dict[str, Any], measured: list[PostInsight], today: date) -> None:
    """The day's snapshot of each post that was measured now."""
    ids = dict(
        PostInsight.objects.filter(**own, media_id__in=[post.media_id for post in measured]).values_list(
            "media_id", "pk"
        )
    )
    rows = [
        PostDay(
            workspace_id=own["workspace_id"],
            post_id=ids[post.media_id],
            day=today,
            **{name: getattr(post, name) for name in DAILY},
        )
        for post in measured
    ]
    _write(PostDay, rows, ["workspace", "post", "day"], list(DAILY))


def _write(model: Any, rows: list[Any], key: list[str], fields: list[str]) -> None:
    model.objects.bulk_create(rows, update_conflicts=True, unique_fields=key, update_fields=fields)


def local(at: datetime, zone: str) -> datetime:
    """A moment as the account's clock shows it, kept as if UTC."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC)


def _post(own: dict[str, Any], zone: str, post: dict[str, Any], measured_at: datetime | None) -> PostInsight:
    caption, numbers = str(post.get("caption") or ""), post.get("numbers", {})
    return PostInsight(
        **own,
        media_id=post["id"],
        kind=post["media_type"],
        product=post["media_product_type"],
        caption=caption,
        permalink=str(post.get("permalink") or "")[:300],
        tags=sorted({tag.lower() for tag in TAG.findall(caption)}),
        posted_at=post["posted_at"],
        local_at=local(post["posted_at"], zone),
        measured_at=measured_at,
        **{ours: numbers.get(theirs) for ours, theirs in POST.items()},
    )
