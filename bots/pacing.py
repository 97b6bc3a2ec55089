"""When a bot works next: its delay with jitter, inside its working hours."""

import random
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bots.models import Bot

_CHANCE = random.SystemRandom()


def next_run(bot: Bot, now: datetime) -> datetime:
    """The moment of the next turn, counted from now and not from the missed one: downtime yields one catch-up turn."""
    spread = _CHANCE.uniform(-bot.jitter, bot.jitter) / 100
    return opens_at(bot, now + timedelta(seconds=bot.cycle_delay * (1 + spread)))


def opens_at(bot: Bot, moment: datetime) -> datetime:
    """`moment` if the bot works then, else the next start of its working hours in the account's zone."""
    zone, opens = ZoneInfo(bot.account.timezone), bot.works_from
    local = moment.astimezone(zone)
    if opens is None or works_at(bot, local.time()):
        return moment
    # Where clocks are put back an hour comes twice; where they are put forward one is missing, or on an island a day.
    starts = (
        datetime.combine(local.date() + timedelta(days=days), opens, zone).replace(fold=fold).astimezone(UTC)
        for days in range(4)
        for fold in (0, 1)
    )
    inside = (start for start in starts if works_at(bot, start.astimezone(zone).time()))
    return next(start for start in inside if start >= moment).astimezone(moment.tzinfo)


def works_at(bot: Bot, at: time) -> bool:
    """Whether a time of the account's day is inside the bot's working hours."""
    opens, closes = bot.works_from, bot.works_to
    if opens is None or closes is None or opens == closes:
        return True
    return opens <= at < closes if opens < closes else at >= opens or at < closes
