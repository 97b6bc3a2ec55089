"""Changing how a bot works: its pace, its hours, the owner's own limits."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User, known_timezone
from bots import health, limits, tasking
from bots.models import Bot, Kind
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity
from instagrowth import live

PACE = ("cycle_delay", "jitter", "burst", "works_from", "works_to", "holdout")
MOST_A_DAY = 10_000  # an own limit above this is a slip of the hand


def tune(bot: Bot, user: User, changes: dict[str, object]) -> None:
    """Change what is named: any of `PACE`, `timezone` of the account, and `limits`, the most a day of each kind.

    A kind that `limits` gives no number falls back to the other limits. Raises SETTINGS_INVALID, and changes nothing.
    """
    most_a_day = changes.get("limits", bot.own_limits)
    if not isinstance(most_a_day, dict) or not all(_is_limit(kind, most) for kind, most in most_a_day.items()):
        raise _invalid("limits", f"A limit is a whole number from 0 to {MOST_A_DAY:,} for a kind of action we know.")
    zone = changes.get("timezone", bot.account.timezone)
    try:
        known_timezone(str(zone))
    except ValidationError as unknown:
        raise _invalid("timezone", " ".join(unknown.messages)) from None
    for name in PACE:
        setattr(bot, name, changes.get(name, getattr(bot, name)))
    bot.own_limits = most_a_day
    _check(bot)
    with transaction.atomic():
        health.hold(bot.account)
        bot.save(update_fields=[*PACE, "own_limits", "updated_at"])
        if "timezone" in changes:
            limits.change_zone(bot.account, str(zone))
        tasking.wake(bot)
        told: dict[str, Any] = {name: value for name, value in changes.items() if name in (*PACE, "timezone", "limits")}
        log_activity("bot_settings", workspace=bot.workspace_id, user=user, account=bot.account_id, **_plain(told))
        live.publish(bot.workspace_id, "bot", {"account": bot.account.username, "action": "bot_settings"})


def _check(bot: Bot) -> None:
    if (bot.works_from is None) != (bot.works_to is None):
        raise _invalid("works_to", "Working hours need both times, or neither.")
    hours = [name for name in ("works_from", "works_to") if getattr(bot, name) is None]  # none: round the clock
    try:
        bot.clean_fields(exclude={field.name for field in Bot._meta.fields if field.name not in PACE} | set(hours))
    except ValidationError as wrong:
        name, sentences = next(iter(wrong.message_dict.items()))
        raise _invalid(name, " ".join(sentences)) from None


def _is_limit(kind: object, most: object) -> bool:
    whole = isinstance(most, int) and not isinstance(most, bool) and 0 <= most <= MOST_A_DAY
    return kind in Kind.values and whole


def _plain(changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, int | dict | None) else str(value) for name, value in changes.items()}


def _invalid(field: str, sentence: str) -> BotException:
    return BotException(codes.SETTINGS_INVALID, sentence, field=field)
