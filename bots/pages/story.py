"""How an account is doing, told: cause, until when, what we did, what next, code. And the last error of its bot."""

from dataclasses import dataclass
from datetime import datetime

from bots.health import WARMUP, Health
from bots.models import Bot, InstagramAccount, Session
from errors import codes
from errors.codes import Code

# Where no code tells more: what each health means, and the next step.
PLAIN: dict[str, tuple[str, str]] = {
    Health.ACTIVE: ("Nothing is wrong.", "Nothing to do."),
    Health.WARMING: (
        "The account is new to us, so it starts small. Its limits grow every day.",
        "Nothing to do. Post as you always do, and let the warm-up run.",
    ),
    Health.SLOWED: ("The account comes back from a rest and goes gently.", "Nothing to do."),
    Health.COOLING: ("The account rests.", "Nothing to do. It goes on by itself."),
    Health.NEEDS_LOGIN: ("There is no session for this account.", "Log in again."),
    Health.NEEDS_YOU: (
        "Instagram wants to see that it is you.",
        "Open Instagram on your phone, confirm there, then let us check.",
    ),
    Health.FROZEN: (
        "Instagram blocked the same action three times in a week.",
        "Look into the Instagram app for a notice, then let us check.",
    ),
    Health.BANNED: ("Instagram suspended the account.", "Appeal in the Instagram app. We send nothing any more."),
}


# What a person does in the official app before we may ask again: by code, else by health.
DESK: dict[str, tuple[str, str]] = {
    codes.CHALLENGE_REQUIRED.id: (
        "Open Instagram on your phone and confirm",
        "Use the phone and network you always use. Type the code it sends, or tap “This was me”.",
    ),
    codes.PASSWORD_CHANGE_FORCED.id: (
        "Change the password in the Instagram app",
        "Instagram wants a new one. Afterwards the old session is gone: log in again here with the new password.",
    ),
    codes.INSTAGRAM_SENTRY_BLOCK.id: (
        "Leave the account alone for 72 hours",
        "Instagram's guard blocked it or your network. Then log in once in the official app, and come back.",
    ),
    codes.ACCOUNT_SUSPENDED.id: (
        "Appeal in the Instagram app",
        "Only Instagram can open the account again. Everything here stays stopped until it does.",
    ),
    Health.FROZEN: (
        "Look for a notice in the Instagram app",
        "Settings, then Account status. The same action was blocked three times in a week: wait until that is gone.",
    ),
}
ANYWAY = ("Open Instagram on your phone and look", "Use the phone and network you always use, and do what it asks.")


def desk_of(account: InstagramAccount) -> tuple[str, str]:
    """What the person does in the app: a title and a sentence."""
    by_health = DESK.get(account.health) if account.health == Health.FROZEN else None
    return by_health or DESK.get(account.health_code) or ANYWAY


@dataclass(frozen=True)
class Story:
    """What the health card says."""

    cause: str
    next_step: str
    code: Code | None = None
    until: datetime | None = None
    passed: int = 0  # per cent of the way from `since` to `until`
    day: int = 0  # of the warm-up
    days: int = 0


def health_of(account: InstagramAccount, now: datetime) -> Story:
    """Tell how an account is doing."""
    code = codes.by_id(account.health_code) if account.health_code else None
    cause, next_step = PLAIN[account.health]
    if code and account.health != Health.FROZEN:  # the code of a freeze tells of one block, not of the third
        cause, next_step = code.what, code.do_next
    by_the_clock = account.health in (Health.COOLING, Health.SLOWED)
    rests = account.health_until is not None and (by_the_clock or account.health_until > now)
    until = account.health_until if rests else None
    if account.health == Health.WARMING and account.warmup_started_at:
        since, until = account.warmup_started_at, account.warmup_started_at + WARMUP
        day = min((now - since).days + 1, WARMUP.days)
        return Story(cause, next_step, code, until, _passed(since, until, now), day, WARMUP.days)
    return Story(cause, next_step, code, until, _passed(account.health_since, until, now) if until else 0)


def last_error(bot: Bot) -> Code | None:
    """Find the code of the bot's last error; one that nobody registered is told as an error of ours."""
    if not bot.last_error_code:
        return None
    return codes.by_id(bot.last_error_code) or codes.INTERNAL_ERROR


def session_of(account: InstagramAccount) -> tuple[str, str, str]:
    """Tell the session's state as word, tone and shape."""
    session: Session | None = getattr(account, "session", None)
    if session is None:
        return "None", "", "x"
    if session.status == Session.Status.FROZEN:
        return "Frozen", "info", "snowflake"
    if session.status == Session.Status.BANNED:
        return "Banned", "bad", "ban"
    return ("Valid", "ok", "ok") if session.valid else ("Ended", "warn", "warn")


def _passed(since: datetime, until: datetime, now: datetime) -> int:
    whole = (until - since).total_seconds()
    return max(0, min(100, round(100 * (now - since).total_seconds() / whole))) if whole > 0 else 100
