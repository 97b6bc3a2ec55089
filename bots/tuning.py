"""How a bot works: its pace, its hours, its owner's limits, its time zone."""

from typing import Any

from django.core.exceptions import ValidationError

from accounts.models import User, known_timezone
from bots import tasking
from bots.models import Bot, Kind
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity
from instagrowth import live

PACE = {"display_name", "cycle_delay", "jitter", "burst"}
MOST_A_DAY = 10_000  # what an owner's own limit may say; the other limits are far below


def tune(bot: Bot, user: User, *, timezone: str = "", **changes: Any) -> None:
    """Change a bot (cycle_delay, jitter, burst, works_from, works_to, own_limits) and its account's time zone.

    Raises SETTINGS_INVALID with the field that does not fit.
    """
    for name, value in changes.items():
        setattr(bot, name, value)
    _check(bot, changes, timezone)
    if timezone:
        bot.account.timezone = timezone
        bot.account.save(update_fields=["timezone"])
    bot.save(update_fields=[*changes, "updated_at"])
    tasking.wake(bot)
    changed = sorted([*changes, *(["timezone"] if timezone else [])])
    log_activity("bot_settings", workspace=bot.workspace_id, user=user, account=bot.account_id, changed=changed)
    live.publish(bot.workspace_id, "bot", {"account": bot.account.username, "action": "bot_settings"})


def _check(bot: Bot, changes: dict[str, Any], timezone: str) -> None:
    try:
        bot.clean_fields(exclude={field.name for field in bot._meta.fields} - (changes.keys() & PACE))
        if timezone:
            known_timezone(timezone)
    except ValidationError as wrong:
        field = next(iter(wrong.message_dict)) if hasattr(wrong, "error_dict") else "timezone"
        raise _invalid(" ".join(wrong.messages), field) from None
    if (bot.works_from is None) != (bot.works_to is None) or (bot.works_from and bot.works_from == bot.works_to):
        raise _invalid("Working hours have a start and another end, or neither to work round the clock.", "works_to")
    for kind, most in bot.own_limits.items():
        whole = isinstance(most, int) and not isinstance(most, bool)
        if kind not in Kind.values or not whole or not 0 <= most <= MOST_A_DAY:
            raise _invalid(f"A limit is 0 to {MOST_A_DAY:,} a day, for {', '.join(Kind.values)}.", "limits")


def _invalid(message: str, field: str) -> BotException:
    return BotException(codes.SETTINGS_INVALID, f"{field}: {message}", field=field)
