"""The accounts of a workspace and what a list shows of them: the same few queries for any number of accounts."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from accounts.models import Workspace
from billing.models import Plan
from bots import health, limits, sessions
from bots.limits import Today
from bots.models import Bot, InstagramAccount, Kind, OfficialAccess
from bots.pages import story
from bots.pages.story import Story
from errors import codes


@dataclass(frozen=True)
class Line:
    """One account of a list."""

    account: InstagramAccount
    bot: Bot | None
    story: Story
    session: tuple[str, str, str]
    follow: Today | None
    todays: tuple[Today, ...]

    @property
    def official(self) -> OfficialAccess | None:
        """What Meta gave us for it, if it is connected there."""
        return getattr(self.account, "official", None)

    @property
    def parked(self) -> bool:
        """Tell whether we gave up on the bot until somebody looks."""
        return self.bot is not None and self.bot.status == Bot.Status.PARKED

    @property
    def waits_for_person(self) -> bool:
        """Tell whether only a person can bring it further."""
        return self.account.health in health.NEEDS_A_PERSON or self.parked

    @property
    def needs_login(self) -> bool:
        """Tell whether the next step is to log in."""
        return self.account.health == health.Health.NEEDS_LOGIN

    @property
    def needs_check(self) -> bool:
        """Tell whether the next step is to solve something in the app, and then a test of the session."""
        return self.account.health in (health.Health.NEEDS_YOU, health.Health.FROZEN)

    @property
    def needs_password(self) -> bool:
        """Tell whether Instagram wants a new password, after which only a login helps."""
        return self.account.health_code == codes.PASSWORD_CHANGE_FORCED.id

    @property
    def desk(self) -> tuple[str, str]:
        """Tell what to do in the official app."""
        return story.desk_of(self.account)

    @property
    def can_start(self) -> bool:
        """Tell whether a start would not be refused for the account's sake."""
        return sessions.is_usable(self.account) and self.account.health not in health.NEEDS_A_PERSON


@dataclass(frozen=True)
class Sum:
    """What all accounts together may do today of one kind, and have done."""

    kind: Kind
    used: int
    cap: int
    decided_by: str
    decides: int
    accounts: int


def lines(workspace: Workspace, plan: Plan, now: datetime) -> list[Line]:
    """Give every account of the workspace, in the order of their names."""
    accounts = list(
        InstagramAccount.objects.filter(workspace=workspace)
        .select_related("session", "bot", "official")
        .defer("session__sealed", "official__sealed_token")
    )
    bots = [_bot(account, workspace) for account in accounts if hasattr(account, "bot")]
    todays = limits.todays(bots, plan, now)
    return [
        _line(account, todays.get(account.bot.pk, []) if hasattr(account, "bot") else [], now) for account in accounts
    ]


def sums(all_lines: list[Line]) -> list[Sum]:
    """Add today's limits up, kind by kind, and say what decides on most accounts."""
    found = []
    for kind in Kind:
        days = [today for line in all_lines for today in line.todays if today.caps.kind == kind]
        used, cap = sum(day.day_used for day in days), sum(day.caps.daily for day in days)
        decided = Counter(day.caps.decided_by.source for day in days).most_common(1)
        source, decides = decided[0] if decided else ("", 0)
        found.append(Sum(kind, used, cap, source, decides, len(days)))
    return found


def _bot(account: InstagramAccount, workspace: Workspace) -> Bot:
    account.bot.account, account.bot.workspace = account, workspace
    return account.bot


def _line(account: InstagramAccount, todays: list[Today], now: datetime) -> Line:
    follow = next((today for today in todays if today.caps.kind == Kind.FOLLOW), None)
    bot = account.bot if hasattr(account, "bot") else None
    return Line(account, bot, story.health_of(account, now), story.session_of(account), follow, tuple(todays))
