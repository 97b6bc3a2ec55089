"""A dry run: whom a task would meet, and what tomorrow would look like. It reads; nothing is sent or kept."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from accounts import tenancy
from billing import entitlements
from bots import growth, health, limits, lists, pacing, sessions, targeting
from bots.actions import MODULES
from bots.instagram.private import Door, Person
from bots.limits import Caps, Today
from bots.models import Action, Bot, BotTask, Candidate
from bots.searching import KNOWN
from bots.targeting import Verdict
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity

PROFILES = 12  # asked for at most, where a filter needs what the search does not tell
SHOWN = 50


@dataclass(frozen=True)
class Weighed:
    """A person the task would meet, and why they would be kept or skipped."""

    person: Person
    keep: bool
    reason: str = ""
    unsure: bool = False  # only because a profile was not asked for


@dataclass(frozen=True)
class Preview:
    """What a task would do: `tomorrow` actions of the kind, decided by `decided_by` in words."""

    people: list[Weighed]
    tomorrow: int
    decided_by: str
    caps: Caps
    today: Today
    more: bool  # whether the search goes on behind these people

    @property
    def kept(self) -> int:
        """How many of the people would be kept."""
        return sum(weighed.keep for weighed in self.people)


def look(bot: Bot, task: BotTask, user: object = None) -> Preview:
    """Search once, and weigh whom the task (not saved) would meet.

    Raises what `sessions.visit` does: it takes the reaction that a stop sign asks for, here as well.
    """
    tenancy.wait_patiently()
    with sessions.visit(bot.account) as door:
        page = MODULES[task.kind].find(door, task)
        people = _weigh(bot, task, door, page.people[:SHOWN])
    log_activity("preview", workspace=bot.workspace_id, user=user, account=bot.account_id, kind=task.kind)
    now, plan = timezone.now(), entitlements.plan_of(bot.workspace)
    today = next(today for today in limits.todays([bot], plan, now)[bot.pk] if today.caps.kind == task.kind)
    caps = limits.caps(bot, task.kind, plan, limits.platform_limits(bot.workspace_id), now + timedelta(days=1))
    works, blocked = _minutes(bot, now), health.blocked_until(bot.account, task.kind, now)
    free = [minute for minute in works if blocked is None or minute >= blocked]
    kept, more = sum(weighed.keep for weighed in people), bool(page.cursor) or len(page.people) > SHOWN
    choices = {"Instagram’s block of this kind": _pace(bot, free)} if len(free) < len(works) else {}
    choices |= {
        f"the limit of the day ({caps.decided_by.source.lower()})": caps.daily,
        "the amount you ask for": task.amount,
        "the pace of the bot": _pace(bot, works),
        "the limit of the hour": caps.hourly * len({minute.replace(minute=0) for minute in free}),
        "the limit of 7 days": max(0, caps.weekly - today.still_tomorrow),
    }
    if not more:
        choices["people left"] = kept
    decided_by = min(choices, key=lambda name: choices[name])
    return Preview(people, choices[decided_by], decided_by, caps, today, more)


def _weigh(bot: Bot, task: BotTask, door: Door, people: list[Person]) -> list[Weighed]:
    keys = [int(person.pk) for person in people]
    mine = Action.objects.filter(account=bot.account_id, target_pk__in=keys)
    contacted = set(mine.values_list("target_pk", flat=True))
    same = set(mine.filter(kind=task.kind).values_list("target_pk", "campaign"))
    today = timezone.now().astimezone(ZoneInfo(bot.account.timezone)).date()
    barring = lists.barring(bot.workspace_id, task.kind).values_list("username", "target_pk")
    listed = {key for pair in barring for key in pair}
    weighed, profiles = [], PROFILES
    for person in (person for person in people if person.pk != door.pk):
        facts = targeting.facts_of(person) | {"contacted": int(person.pk) in contacted}
        verdict = targeting.judge(facts, task.filters)
        met = Candidate(target_pk=int(person.pk), username=person.username, media_id=person.media_id or "")
        if listed & {person.username.lower(), met.target_pk}:
            weighed.append(Weighed(person, False, codes.LISTED.what))
        elif (met.target_pk, MODULES[task.kind].once(task, met, today)) in same:
            weighed.append(Weighed(person, False, KNOWN))
        elif verdict.unknown and not profiles:
            weighed.append(Weighed(person, False, verdict.reason, unsure=True))
        else:
            if verdict.unknown:
                profiles -= 1
                verdict = _judge_closely(door, person, facts, task.filters)
            if verdict.keep and task.kind in growth.CONTACTS and growth.leaves_alone(bot, met):
                verdict = Verdict(False, "left alone, to compare with")
            weighed.append(Weighed(person, verdict.keep, verdict.reason))
    return weighed


def _judge_closely(door: Door, person: Person, facts: dict[str, object], filters: dict[str, object]) -> Verdict:
    """Ask for the profile, because a filter needs what the search did not tell."""
    try:
        return targeting.judge(facts | targeting.facts_of(door.person(person.pk)), filters)
    except BotException as gone:
        if not door.leaves_one(gone.code):
            raise
        return Verdict(False, gone.code.what)


def _minutes(bot: Bot, now: datetime) -> list[datetime]:
    """The minutes of the account's tomorrow in which the bot works."""
    zone = ZoneInfo(bot.account.timezone)
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    clock = (time(hour, minute) for hour in range(24) for minute in range(60))
    return [datetime.combine(tomorrow, at, zone) for at in clock if pacing.works_at(bot, at)]


def _pace(bot: Bot, minutes: list[datetime]) -> int:
    """How many actions fit into these minutes."""
    return 60 * len(minutes) // bot.cycle_delay * bot.burst
