"""Other people's public accounts, looked at once a day: what they showed, and how one's own compares."""

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from accounts import farewell, tenancy
from accounts.models import User
from bots.models import InstagramAccount
from bots.tasking import clean_username
from content import figures, reading
from content.models import Audit, Competitor, CompetitorDay, Run
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity, record
from instagrowth import live

MOST = 10  # for one account: each costs two requests a day
WORDS = {
    "followers": "followers",
    "posts_a_week": "posts a week",
    "engagement": "median engagement",
    "likes": "median likes",
    "comments": "median comments",
    "longest_gap_days": "longest gap in days",
}
EACH = timedelta(hours=24)


def add(account: InstagramAccount, user: User, username: str) -> Competitor:
    """Watch an account from now on. Raises SOURCE_INVALID, BEING_DELETED, VALIDATION_FAILED for too many or oneself."""
    farewell.nothing_new(account.workspace_id)  # of two clicks the second waits here, and finds the first's
    name = clean_username(username)
    if name == account.username:
        raise BotException(codes.VALIDATION_FAILED, "This is the account itself.", field="username")
    mine = Competitor.objects.filter(account=account)
    if mine.filter(username=name).exists():
        raise BotException(codes.VALIDATION_FAILED, f"@{name} is watched already.", field="username")
    if mine.count() >= MOST:
        raise BotException(codes.VALIDATION_FAILED, f"At most {MOST} accounts are watched for one.", field="username")
    made = Competitor.objects.create(workspace_id=account.workspace_id, account=account, username=name, added_by=user)
    log_activity("competitor", workspace=account.workspace_id, user=user, account=account, added=name)
    send(made)
    return made


def remove(competitor: Competitor, user: User) -> None:
    """Watch it no more, and forget what was seen."""
    competitor.delete()
    log_activity(
        "competitor", workspace=competitor.workspace_id, user=user, account=competitor.account_id,
        removed=competitor.username,
    )  # fmt: skip


def send(competitor: Competitor) -> None:
    """Hand one look to a worker, once the row is there."""
    from django.db import transaction

    from content.tasks import look_at as task

    ids = (str(competitor.workspace_id), str(competitor.pk))
    transaction.on_commit(lambda: task.apply_async(ids, queue="ai", expires=3600), robust=True)


def due() -> list[Competitor]:
    """Whom nobody looked at for a day, in all workspaces. Needs the platform's view."""
    old = Q(looked_at=None) | Q(looked_at__lt=timezone.now() - EACH)
    return list(Competitor.objects.filter(old).order_by("looked_at")[:100])


def look(competitor: Competitor) -> None:
    """Look once and keep the day; what went wrong is kept too. Holds no transaction while it reads."""
    with tenancy.scope(competitor.workspace_id):
        competitor = Competitor.objects.select_related("account__session").get(pk=competitor.pk)
    now = timezone.now()
    try:
        found = reading.read(competitor.account, competitor.username)
    except BotException as refused:
        with tenancy.scope(competitor.workspace_id):
            record(refused, action="competitor", workspace=competitor.workspace_id, account=competitor.account_id)
            Competitor.objects.filter(pk=competitor.pk).update(error_code=refused.code.id, looked_at=now)
            live.publish(competitor.workspace_id, "competitor", {"competitor": str(competitor.pk)})
        return
    facts = figures.of(found, competitor.account.timezone)
    with tenancy.scope(competitor.workspace_id):
        CompetitorDay.objects.update_or_create(
            workspace_id=competitor.workspace_id,
            competitor=competitor,
            day=now.date(),
            defaults={"door": found.door, "followers": found.followers, "facts": facts, "read_at": now},
        )
        Competitor.objects.filter(pk=competitor.pk).update(
            error_code="", looked_at=now, full_name=found.full_name[:150]
        )
        live.publish(competitor.workspace_id, "competitor", {"competitor": str(competitor.pk)})


def table(account: InstagramAccount) -> list[dict[str, Any]]:
    """The account beside those it watches: the newest figures of each, with their days for a line."""
    since = timezone.now().date() - timedelta(days=90)
    rows = []
    own = Audit.objects.filter(account=account).first()
    if own is not None:
        rows.append({"own": True, "name": account.username, "facts": own.facts, "at": own.read_at, "door": own.door})
    watched = list(Competitor.objects.filter(account=account))
    days: dict[Any, list[CompetitorDay]] = {}
    for day in CompetitorDay.objects.filter(competitor__in=watched, day__gte=since):
        days.setdefault(day.competitor_id, []).append(day)
    for competitor in watched:
        seen = days.get(competitor.pk, [])
        last = seen[-1] if seen else None
        rows.append(
            {
                "own": False,
                "competitor": competitor,
                "reason": codes.by_id(competitor.error_code),
                "name": competitor.username,
                "facts": last.facts if last else {},
                "at": last.read_at if last else None,
                "door": last.door if last else "",
                "days": [(day.day, day.followers) for day in seen],
            }
        )
    return rows


def gather(run: Run) -> dict[str, Any]:
    """The figures side by side. Raises NOTHING_TO_COMPARE while there is nothing to compare."""
    assert run.account is not None
    with tenancy.scope(run.workspace_id):
        rows = table(run.account)
    told = ("followers", "posts_a_week", "engagement", "likes", "comments", "by_kind", "by_day", "longest_gap_days")
    figures_of = {row["name"]: {name: row["facts"].get(name) for name in told} for row in rows if row["facts"]}
    others = {name: facts for name, facts in figures_of.items() if name != run.account.username}
    if not others:
        raise BotException(codes.NOTHING_TO_COMPARE)
    return {"name": run.account.username, "own": figures_of.get(run.account.username), "others": others}


def keep(run: Run, answer: Any, facts: dict[str, Any]) -> None:
    """Keep the points whose number we have, each with that number as it was read; a point without one goes."""
    known = facts["others"] | {facts["name"]: facts["own"] or {}}
    points = []
    for point in answer.points:
        name = point.account.removeprefix("@")
        value = known.get(name, {}).get(point.figure)
        if value is not None:
            points.append(
                {"says": point.says, "rests_on": f"@{name}, {WORDS[point.figure]} {_written(point.figure, value)}"}
            )
    run.answer = answer.model_dump() | {"points": points}
    run.brief = {"numbers": {"own": facts["own"], "others": facts["others"]}}
    run.save(update_fields=["brief", "answer"])


def _written(figure: str, value: float) -> str:
    return f"{value:.2%}" if figure == "engagement" else f"{value:,.10g}"
