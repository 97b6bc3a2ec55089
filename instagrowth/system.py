"""System settings: what staff change while the product runs.

Each is named here with its type, bounds and default; only what differs from that is kept, in `system_settings`.

A change reaches every process within `FRESH` seconds: the values are in the cache, written with each change, and read
from the table where the cache does not have them. What is stored but not valid any more counts as not stored.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

import structlog
from django import forms
from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import DatabaseError, connection
from redis.exceptions import RedisError

FRESH = 2.0  # seconds a process goes without asking the cache
REBUILT = 30  # seconds that values stay in the cache: a change at the same moment may have been missed
_KEY = "system settings"
_known: tuple[float, dict[str, Any]] = (float("-inf"), {})
logger = structlog.get_logger("instagrowth")
T = TypeVar("T")


class Emails(forms.CharField):
    """Some e-mail addresses with commas between them; a list."""

    def clean(self, value: Any) -> list[str]:
        """Each is one."""
        text = ", ".join(value) if isinstance(value, list) else value or ""
        found = [one.strip() for one in super().clean(text).split(",") if one.strip()]
        for one in found:
            validate_email(one)
        return found


@dataclass(frozen=True)
class Setting(Generic[T]):
    """One setting. `field` is its type: what it does not clean is not stored."""

    key: str
    section: str
    title: str
    says: str  # what changes with it, in one or two sentences
    field: Callable[[], forms.Field]
    default: Callable[[], T]

    def now(self) -> T:
        """Its value, at most `FRESH` seconds old."""
        stored = _current().get(self.key)
        if stored is None:
            return self.default()
        if self.refused(stored):
            logger.warning("setting_invalid", setting=self.key)
            return self.default()
        return self.clean(stored)

    def refused(self, stored: Any) -> bool:
        """Whether something is stored that is not valid any more."""
        try:
            return stored is not None and self.clean(stored) is None
        except ValidationError:
            return True

    def clean(self, value: Any) -> T:
        """The value as it is stored. Raises ValidationError."""
        cleaned: T = self.field().clean(value)
        return cleaned


def _yes_no() -> forms.Field:
    return forms.TypedChoiceField(
        choices=[(True, "Yes"), (False, "No")], coerce=lambda value: str(value) == "True", empty_value=None
    )


def _number(least: int, most: int) -> Callable[[], forms.Field]:
    return lambda: forms.IntegerField(min_value=least, max_value=most)


_DOORS, _ENGINE, _AI, _MONEY, _KEPT, _TOLD = (
    "Who comes in", "What runs", "AI", "Money", "What is kept", "Who is told",
)  # fmt: skip

SIGN_UP_OPEN = Setting(
    "sign_up_open", _DOORS, "Anybody may sign up",
    "If not, only people with an invitation can, by page and by Google.", _yes_no, lambda: True,
)  # fmt: skip
MAINTENANCE = Setting(
    "maintenance", _DOORS, "Closed for maintenance",
    "Members' pages and API answer that we are back soon (503). Staff, health checks, and what Stripe and Meta tell us"
    " still come in; bots run unless they are stopped below.", _yes_no, lambda: False,
)  # fmt: skip
FREE_WORKSPACES = Setting(
    "free_workspaces", _DOORS, "Free workspaces of one person",
    "A free plan is for trying, not for splitting one team into many. Who has more keeps them.",
    _number(1, 100), lambda: 5,
)  # fmt: skip
BOTS_RUN = Setting(
    "bots_run", _ENGINE, "Bots run",
    "If not, no bot gets a turn. A turn that has begun sends what it has set out to send, for a minute at most. Bots go"
    " on by themselves when this is turned on again.", _yes_no, lambda: True,
)  # fmt: skip
CALENDAR_PUBLISHES = Setting(
    "calendar_publishes", _ENGINE, "The calendar publishes",
    "If not, due posts wait. When this is turned on again they go out one after the other.",
    _yes_no, lambda: True,
)  # fmt: skip
AI_ANSWERS = Setting(
    "ai_answers", _AI, "AI tools answer",
    "If not, no new question is asked; what was written stays, and nothing is counted.", _yes_no, lambda: True,
)  # fmt: skip
AI_MODEL = Setting(
    "ai_model", _AI, "Model",
    "As the provider spells it. A name that it does not know makes every question fail until this is mended.",
    lambda: forms.RegexField(
        r"^[A-Za-z0-9._:/-]{1,80}$", error_messages={"invalid": "Letters, digits and . _ : / - only."}
    ),
    lambda: settings.OPENAI_MODEL,
)  # fmt: skip
AI_BUDGET = Setting(
    "ai_budget_cents", _AI, "AI budget of a workspace, in US cents a month",
    "What AI may cost us for one workspace; its owner may want less, never more.",
    _number(0, 10_000_000), lambda: settings.AI_BUDGET_CENTS,
)  # fmt: skip
PAYMENT_GRACE = Setting(
    "payment_grace_days", _MONEY, "Days after a failed payment",
    "For so long the plan still counts, then the free plan does.", _number(0, 60), lambda: 7,
)  # fmt: skip
LOG_KEPT = Setting(
    "activity_kept_months", _KEPT, "Months the activity log is kept",
    "Whole months; 0 keeps it for ever. What is older goes for good with the next night.",
    _number(0, 240), lambda: settings.ACTIVITY_KEPT_MONTHS,
)  # fmt: skip
NOTIFICATIONS_KEPT = Setting(
    "notifications_kept_days", _KEPT, "Days a notification is kept", "Then it leaves its bell, read or not.",
    _number(7, 730), lambda: 90,
)  # fmt: skip
DELETION_WAITS = Setting(
    "deletion_waits_days", _KEPT, "Days a deletion can be undone",
    "From asking for the end of an account or a workspace until it is erased. Who asked before keeps their day.",
    _number(1, 90), lambda: 14,
)  # fmt: skip
SUPPORT_EMAIL = Setting(
    "support_email", _TOLD, "Address for members who need help",
    "Shown with an error, beside the id to name. Empty: none is shown.",
    lambda: forms.EmailField(required=False), lambda: "",
)  # fmt: skip
ALERT_EMAILS = Setting(
    "alert_emails", _TOLD, "Addresses that alerts are mailed to", "With commas between them. Empty: none is mailed.",
    lambda: Emails(max_length=1000, required=False), lambda: list(settings.ALERT_EMAILS),
)  # fmt: skip
ALERT_STORM = Setting(
    "alert_storm", _TOLD, "An ordinary error is told of after so many times",
    "Within ten minutes. Critical and unforeseen errors are told of the first time.",
    _number(2, 10_000), lambda: 25,
)  # fmt: skip

ALL: dict[str, Setting[Any]] = {
    one.key: one
    for one in (
        SIGN_UP_OPEN, MAINTENANCE, FREE_WORKSPACES, BOTS_RUN, CALENDAR_PUBLISHES, AI_ANSWERS, AI_MODEL, AI_BUDGET,
        PAYMENT_GRACE, LOG_KEPT, NOTIFICATIONS_KEPT, DELETION_WAITS, SUPPORT_EMAIL, ALERT_EMAILS, ALERT_STORM,
    )
}  # fmt: skip


def refresh() -> None:
    """Let every process know what the table says now; should this fail, each reads the table after REBUILT."""
    cache.set(_KEY, _stored(), timeout=REBUILT)
    forget()


def forget() -> None:
    """Let this process ask the cache the next time."""
    global _known
    _known = float("-inf"), {}


def sync(**_: object) -> None:
    """Make a row for each setting, so that staff find it; runs after each migrate. Rows that no code names go.

    A migration to an earlier state may have taken the table away.
    """
    table = apps.get_model("adminpanel", "SystemSetting")._default_manager
    if table.model._meta.db_table not in connection.introspection.table_names():
        return
    table.exclude(key__in=ALL).delete()
    table.bulk_create([table.model(key=key) for key in ALL], ignore_conflicts=True)
    try:
        refresh()
    except RedisError:  # it may be started after the database is laid out; then the first reader fills it
        logger.warning("settings_unknown")


def _stored() -> dict[str, Any]:
    table = apps.get_model("adminpanel", "SystemSetting")._default_manager
    return dict(table.filter(value__isnull=False).values_list("key", "value"))


def _current() -> dict[str, Any]:
    global _known
    at, found = _known
    if time.monotonic() - at > FRESH:
        try:
            found = _asked()
        except DatabaseError:
            logger.warning("settings_unknown")  # what was known last stands
        _known = time.monotonic(), found
    return found


def _asked() -> dict[str, Any]:
    """What the cache has, else the table."""
    try:
        if (kept := cache.get(_KEY)) is None:
            cache.add(_KEY, kept := _stored(), timeout=REBUILT)
    except RedisError:
        kept = _stored()
    return cast(dict[str, Any], kept)
