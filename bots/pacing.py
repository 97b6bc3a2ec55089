"""When a bot works next: its delay with jitter, inside its working hours."""

import random
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bots.models import Bot

_CHANCE = random.SystemRandom()


def next_run(bot: Bot, now: datetime) -> datetime:
    """The moment of the next turn, counted from now and not from the missed one: downtime yields one catch-up turn."""
    spread = _CHANCE.uniform(-bot.jitter, bot.jitter) / 100
    return opens_at(bot, now + timedelta(seconds=bot.cycle_delay * (1 + spread)))


def opens_at(bot: Bot, moment: datetime) -> datetime:
    """`moment` if the bot works then, else the next start of its working hours in the account's zone."""
    if bot.works_from is None or bot.works_to is None or bot.works_from == bot.works_to:
        return moment
    local = moment.astimezone(ZoneInfo(bot.account.timezone))
    time, opens, closes = local.time(), bot.works_from, bot.works_to
    at_work = opens <= time < closes if opens < closes else time >= opens or time < closes
    if at_work:
        return moment
    start = local.replace(hour=opens.hour, minute=opens.minute, second=opens.second, microsecond=0, fold=0)
    if start <= local:
        start = (local + timedelta(days=1)).replace(
            hour=opens.hour, minute=opens.minute, second=opens.second, microsecond=0, fold=0
        )
    return start.astimezone(moment.tzinfo)
