"""What programs send to the engine's doors and get back."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api import Done
from accounts.api_contract import PageQuery
from accounts.models import Workspace
from billing import entitlements
from bots import limits, sessions
from bots.limits import Today
from bots.models import Bot, BotTask, InstagramAccount
from bots.pages import story
from errors import codes
from errors.models import ActivityLog

# ── What comes in ───────────────────────────────────────────────────────────────────────────────────────────────────


class ConnectForm(serializers.Serializer):
    """A login at Instagram. The password is used once and never kept."""

    username = serializers.CharField(max_length=64)
    password = serializers.CharField(
        trim_whitespace=False, max_length=256, required=False, allow_blank=True, default=""
    )
    verification_code = serializers.CharField(max_length=32, required=False, allow_blank=True, default="")
    accept_risk = serializers.BooleanField(default=False, help_text="You read the notice about the risk and agree.")


class AccountForm(serializers.Serializer):
    """One of the workspace's accounts."""

    account = serializers.CharField(max_length=64, help_text="Its Instagram username, or its id.")


class AnyAccountForm(serializers.Serializer):
    """One of the workspace's accounts; without a name, the one that is connected longest."""

    account = serializers.CharField(max_length=64, required=False, allow_null=True, allow_blank=True, default="")


class AskForm(AnyAccountForm):
    """How many, and whom to leave out."""

    amount = serializers.IntegerField(help_text="1 to 1,000 people.")
    filters = serializers.DictField(
        required=False,
        allow_null=True,
        help_text="min_/max_ followers, following, media_count, ratio (numbers); private, verified, business, "
        "contacted (booleans); language, bio_words, bio_without (lists of words).",
    )


class HashtagForm(AskForm):
    """People who posted under a hashtag."""

    hashtag = serializers.CharField(max_length=200)


class FollowersForm(AskForm):
    """People who follow an account."""

    username = serializers.CharField(max_length=64, help_text="An Instagram username.")


class LikersForm(AskForm):
    """People who liked a post."""

    post = serializers.CharField(max_length=300, help_text="The post's address on instagram.com, or its code.")


class StoriesForm(AskForm):
    """People whose stories are seen: name a hashtag or a username."""

    hashtag = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    username = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")


class WelcomeForm(AskForm):
    """The words of a welcome, and to whom."""

    template = serializers.CharField(max_length=40, help_text="The name of a message template.")
    text = serializers.CharField(
        max_length=2000,
        required=False,
        allow_blank=True,
        default="",
        help_text="The template's words, if it is new or changed. {username} and {first_name} are filled in.",
    )
    only_new = serializers.BooleanField(
        default=False, help_text="Only who follows from now on; else who follows today too."
    )


class UnfollowForm(AskForm):
    """Whom to let go."""

    after_days = serializers.IntegerField(
        default=7, min_value=1, max_value=365, help_text="People the bot followed at least so many days ago."
    )
    keep_mutual = serializers.BooleanField(default=False, help_text="Spare who follows the account.")


class WorkingHours(serializers.Serializer):
    """From and to by the clock of the account's time zone; to may be on the next day."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """`from` is a word of Python."""
        return {"from": serializers.TimeField(format="%H:%M"), "to": serializers.TimeField(format="%H:%M")}


class SettingsForm(serializers.Serializer):
    """What is given is changed, the rest stays."""

    cycle_delay = serializers.IntegerField(required=False, help_text="Seconds between turns, 1 to 86,400.")
    jitter = serializers.IntegerField(required=False, help_text="Per cent of the delay, either way: 0 to 50.")
    burst = serializers.IntegerField(required=False, help_text="Actions in a turn, 1 to 10.")
    holdout = serializers.IntegerField(
        required=False, help_text="Per cent of the people worth following who are left alone to compare with, 0 to 20."
    )
    working_hours = WorkingHours(required=False, allow_null=True, help_text="null: round the clock.")
    timezone = serializers.CharField(max_length=64, required=False, help_text="An IANA name, such as Europe/Oslo.")
    limits = serializers.DictField(
        child=serializers.IntegerField(allow_null=True),
        required=False,
        help_text="Your own most a day by kind; null takes yours away. They can only lower the limit.",
    )


class TaskQuery(PageQuery):
    """Which tasks."""

    account = serializers.CharField(max_length=64, required=False)
    status = serializers.ChoiceField(choices=BotTask.Status.choices, required=False)


class ActivityQuery(PageQuery):
    """Which rows of the log."""

    action = serializers.CharField(max_length=40, required=False, help_text="follow, connect, bot_start, health, …")
    status = serializers.CharField(max_length=12, required=False, help_text="ok, info, warning or error")
    person = serializers.UUIDField(required=False, help_text="Whose deeds: the id of a member.")
    code = serializers.CharField(max_length=40, required=False, help_text="A code's id or name.")
    account = serializers.CharField(max_length=64, required=False, help_text="Username or id.")
    correlation_id = serializers.CharField(max_length=40, required=False)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)
    format = serializers.ChoiceField(["json", "csv"], required=False, help_text="csv: all that is found, in one file.")


# ── What goes out ───────────────────────────────────────────────────────────────────────────────────────────────────


class Reason(serializers.Serializer):
    """One of the limits that were weighed."""

    source = serializers.CharField()  # type: ignore[assignment]  # a field, which Field's own `source` does not meet
    value = serializers.IntegerField()
    why = serializers.CharField()


class Limit(serializers.Serializer):
    """What may be done today of one kind, what is done, and why it is so much: the lowest of the reasons counts."""

    limit = serializers.IntegerField(source="caps.daily")
    used = serializers.IntegerField(source="day_used")
    hourly = serializers.IntegerField(source="caps.hourly")
    hour_used = serializers.IntegerField()
    weekly = serializers.IntegerField(source="caps.weekly")
    week_used = serializers.IntegerField()
    near = serializers.BooleanField()
    reached = serializers.BooleanField()
    decided_by = Reason(source="caps.decided_by")
    reasons = Reason(source="caps.reasons", many=True)


class Health(serializers.Serializer):
    """How an account is doing at Instagram."""

    status = serializers.ChoiceField(InstagramAccount.Health.choices)
    cause = serializers.CharField()
    code = serializers.CharField(allow_null=True)
    error = serializers.CharField(allow_null=True)
    next_step = serializers.CharField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True)


class Account(serializers.ModelSerializer):
    """An Instagram account of the workspace."""

    health = serializers.SerializerMethodField()
    session_valid = serializers.SerializerMethodField(help_text="As Instagram said when it was last asked.")
    session_checked_at = serializers.SerializerMethodField()
    bot = serializers.SerializerMethodField()

    class Meta:
        model = InstagramAccount
        fields = [
            "id", "username", "full_name", "followers", "following", "measured_at", "timezone", "health",
            "session_valid", "session_checked_at", "bot", "created_at",
        ]  # fmt: skip

    @extend_schema_field(Health)
    def get_health(self, account: InstagramAccount) -> dict[str, Any]:
        """Tell cause, code, end and next step."""
        return Health(health_of(account, timezone.now())).data

    def get_session_valid(self, account: InstagramAccount) -> bool:
        """Tell whether the account can work."""
        return sessions.is_usable(account)

    def get_session_checked_at(self, account: InstagramAccount) -> datetime | None:
        """Tell when Instagram was last asked."""
        return account.session.probed_at if hasattr(account, "session") else None

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_bot(self, account: InstagramAccount) -> str | None:
        """Give the id of its bot."""
        return str(account.bot.pk) if hasattr(account, "bot") else None


class LastError(serializers.Serializer):
    """The last thing that went wrong."""

    code = serializers.CharField()
    error = serializers.CharField()
    message = serializers.CharField()
    do_next = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)
    correlation_id = serializers.CharField(allow_blank=True)


class AccountName(serializers.Serializer):
    """Which account."""

    id = serializers.UUIDField()
    username = serializers.CharField()


class BotShape(serializers.Serializer):
    """A bot: how it works, how its account is doing, and what it may do today."""

    id = serializers.UUIDField()
    display_name = serializers.CharField(allow_blank=True)
    account = AccountName()
    status = serializers.ChoiceField(Bot.Status.choices)
    health = Health()
    session_valid = serializers.BooleanField()
    limits = serializers.DictField(child=Limit(), help_text="By kind of action.")
    next_run_at = serializers.DateTimeField(allow_null=True, help_text="null while it is not running.")
    cycle_delay = serializers.IntegerField()
    jitter = serializers.IntegerField()
    burst = serializers.IntegerField()
    holdout = serializers.IntegerField()
    working_hours = WorkingHours(allow_null=True)
    timezone = serializers.CharField()
    own_limits = serializers.DictField(child=serializers.IntegerField())
    last_error = LastError(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class Task(serializers.ModelSerializer):
    """A task and how far it is."""

    account = serializers.CharField(source="bot.account.username")
    last_error = serializers.SerializerMethodField(help_text="The name of `last_code`.")
    story = serializers.CharField(source="correlation_id", help_text="The correlation id under which it all is logged.")

    class Meta:
        model = BotTask
        fields = [
            "id", "bot", "account", "kind", "source", "value", "amount", "filters", "status", "confirmed", "unknown",
            "skipped", "waits_until", "last_code", "last_error", "story", "created_at", "ended_at",
        ]  # fmt: skip

    def get_last_error(self, task: BotTask) -> str:
        """Give the code's name."""
        code = codes.by_id(task.last_code)
        return code.name if code else ""


class Row(serializers.ModelSerializer):
    """One row of the activity log."""

    account = serializers.SerializerMethodField()
    metadata = serializers.SerializerMethodField()

    class Meta:
        model = ActivityLog
        fields = [
            "id", "at", "action", "status", "error_code", "error_message", "account", "user_id", "correlation_id",
            "metadata",
        ]  # fmt: skip

    def get_account(self, row: ActivityLog) -> str | None:
        """Give the username."""
        return self.context["usernames"].get(row.account_id)

    @extend_schema_field(serializers.DictField())
    def get_metadata(self, row: ActivityLog) -> dict[str, object]:
        """Give what is known of the case, without what only operators need."""
        return {
            name: value for name, value in row.metadata.items() if name not in ("stack", "file", "line", "exception")
        }


class Connected(Done):
    """Connected, or a code is wanted: send it as `verification_code` with the same username within ten minutes."""

    message = serializers.CharField()
    requires_verification = serializers.BooleanField(required=False)
    method = serializers.CharField(required=False, help_text="totp, sms or email")
    account = Account(required=False)
    bot = BotShape(required=False)


class Checked(serializers.Serializer):
    """Whether the session is good; if Instagram gave a sign against it, which."""

    session_valid = serializers.BooleanField()
    account = serializers.CharField(allow_null=True)
    checked_at = serializers.DateTimeField()
    error = serializers.CharField(required=False)
    error_code = serializers.CharField(required=False)
    message = serializers.CharField(required=False)
    do_next = serializers.CharField(required=False)


class TaskAsked(Done):
    """The task is written down; the bot gets to it when it runs."""

    task = Task()


def tell_bots(bots: list[Bot], workspace: Workspace) -> list[dict[str, Any]]:
    """Give bots as programs see them, for any number in the same few queries; `account__session` is at hand."""
    now = timezone.now()
    todays = limits.todays(bots, entitlements.plan_of(workspace), now) if bots else {}
    return [BotShape(_facts(bot, todays[bot.pk], now)).data for bot in bots]


def health_of(account: InstagramAccount, now: datetime) -> dict[str, Any]:
    """Tell how an account is doing."""
    told = story.health_of(account, now)
    return {
        "status": account.health,
        "cause": told.cause,
        "code": told.code.id if told.code else None,
        "error": told.code.name if told.code else None,
        "next_step": told.next_step,
        "since": account.health_since,
        "until": told.until,
    }


def _facts(bot: Bot, todays: list[Today], now: datetime) -> dict[str, Any]:
    hours = {"from": bot.works_from, "to": bot.works_to} if bot.works_from and bot.works_to else None
    return {
        **{name: getattr(bot, name) for name in ("id", "display_name", "account", "status", "own_limits")},
        **{
            name: getattr(bot, name)
            for name in ("cycle_delay", "jitter", "burst", "holdout", "started_at", "created_at")
        },
        "health": health_of(bot.account, now),
        "session_valid": sessions.is_usable(bot.account),
        "limits": {today.caps.kind: today for today in todays},
        "next_run_at": bot.next_run_at if bot.status == Bot.Status.RUNNING else None,
        "working_hours": hours,
        "timezone": bot.account.timezone,
        "last_error": _last_error(bot),
    }


def _last_error(bot: Bot) -> dict[str, Any] | None:
    code = story.last_error(bot)
    if code is None:
        return None
    return {
        "code": bot.last_error_code,
        "error": code.name,
        "message": code.what,
        "do_next": code.do_next,
        "at": bot.last_error_at,
        "correlation_id": bot.last_error_correlation,
    }
