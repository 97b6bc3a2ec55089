"""What the bot's work brought, told honestly: who follows after being followed, against who does without.

A few people who are worth following are left alone (`Bot.holdout`). Some days later both groups are asked, once each,
whether they follow the account. The difference is what the work caused; its range says how sure that is.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now
from django.utils import timezone

from accounts import tenancy
from billing import entitlements
from bots import lists, targeting
from bots.instagram.private import Door
from bots.models import AccountDay, Action, Bot, Candidate, FollowBack, InstagramAccount, Kind
from errors.exceptions import BotException

AFTER = timedelta(days=7)  # people have so long to follow back
ASKED_A_TURN = 3  # reads, so that a turn stays small
ENOUGH = 30  # people in each group, below which a rate says nothing (the usual rule of thumb)
Z = 1.96  # 95 % of a normal distribution
MONTH = timedelta(days=30)
CONTACTS = (Kind.FOLLOW, Kind.LIKE, Kind.STORY_VIEW)  # a welcome is none: it goes to who follows already, held or not
Group = FollowBack.Group


@dataclass(frozen=True)
class Rate:
    """`follow` of `asked` people follow the account; `low` and `high` are Wilson's range of 95 %."""

    follow: int
    asked: int

    @property
    def value(self) -> float:
        """The share, 0 where nobody was asked."""
        return self.follow / self.asked if self.asked else 0.0

    @property
    def range(self) -> tuple[float, float]:
        """Wilson's score interval: right for small numbers and for shares near 0 too."""
        if not self.asked:
            return 0.0, 1.0
        n, p = self.asked, self.value
        middle, spread = p + Z * Z / (2 * n), Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
        return max(0.0, (middle - spread) / (1 + Z * Z / n)), min(1.0, (middle + spread) / (1 + Z * Z / n))


def newcombe(one: Rate, other: Rate) -> tuple[float, float]:
    """The range of 95 % of how much larger the share of `one` is (Newcombe 1998, method 10, from Wilson's ranges)."""
    (low, high), (other_low, other_high) = one.range, other.range
    a, b = one.value, other.value
    down, up = sqrt((a - low) ** 2 + (other_high - b) ** 2), sqrt((high - a) ** 2 + (b - other_low) ** 2)
    return a - b - down, a - b + up


@dataclass(frozen=True)
class Growth:
    """Both groups, their difference with its range, and what a follower cost; None where there is not enough to say."""

    contacted: Rate
    held: Rate
    waiting: int  # people of both groups whose week is not over, or who were not asked yet
    followed_lately: int  # people followed in the last 30 days
    price: int  # of the plan in 30 days, in minor units
    currency: str

    @property
    def enough(self) -> bool:
        """Whether both groups are large enough."""
        return self.contacted.asked >= ENOUGH and self.held.asked >= ENOUGH

    @property
    def difference(self) -> float:
        """How many more of the contacted follow, as a share."""
        return self.contacted.value - self.held.value

    @property
    def range(self) -> tuple[float, float]:
        """Newcombe's range of the difference."""
        return newcombe(self.contacted, self.held)

    @property
    def cost(self) -> int | None:
        """Minor units a caused follower: the plan's month over what a month's follows caused, if that is not luck."""
        caused = self.difference * self.followed_lately
        return round(self.price / caused) if self.enough and self.range[0] > 0 and caused >= 1 and self.price else None


def of(account: InstagramAccount) -> Growth:
    """What is known of an account's growth."""
    asked = FollowBack.objects.filter(account=account).aggregate(
        contacted=Count("pk", Q(group=Group.CONTACTED, follows__isnull=False)),
        back=Count("pk", Q(group=Group.CONTACTED, follows=True)),
        held=Count("pk", Q(group=Group.HELD, follows__isnull=False)),
        alone=Count("pk", Q(group=Group.HELD, follows=True)),
    )
    plan = entitlements.plan_of(account.workspace)
    lately = Action.objects.filter(
        account=account, kind=Kind.FOLLOW, state=Action.State.CONFIRMED, ended_at__gt=Now() - MONTH
    )
    return Growth(
        Rate(asked["back"], asked["contacted"]),
        Rate(asked["alone"], asked["held"]),
        _left_alone(account.pk).count() + _contacted(account.pk).count(),
        lately.count(),
        plan.price,
        plan.currency,
    )


def leaves_alone(bot: Bot, candidate: Candidate) -> bool:
    """Whether a person belongs to those who are left alone, by follows, likes and story views alike.

    Once held, until they were asked, whatever the percentage is by then. Drawn is nobody whom the account has contacted
    before, nor who is on the block list: neither would be contacted anew without a holdout.
    """
    if not bot.holdout:
        return False
    person = {"account": bot.account_id, "target_pk": candidate.target_pk}
    if FollowBack.objects.filter(**person, group=Group.HELD, asked_at=None).exists():
        return True
    if not targeting.is_held(bot, candidate.target_pk) or Action.objects.filter(**person, kind__in=CONTACTS).exists():
        return False
    named = Q(username=candidate.username.lower()) | Q(target_pk=candidate.target_pk)
    return not lists.barring(bot.workspace_id, Kind.FOLLOW).filter(named).exists()


def hold(bot: Bot, candidate: Candidate) -> None:
    """Note that somebody worth following is left alone."""
    FollowBack.objects.get_or_create(
        workspace_id=bot.workspace_id,
        account_id=bot.account_id,
        target_pk=candidate.target_pk,
        defaults={"group": Group.HELD},
    )


def note_day(account: InstagramAccount, day: date) -> None:
    """Keep today's counts of an account, as they were last measured."""
    AccountDay.objects.update_or_create(
        workspace_id=account.workspace_id,
        account=account,
        day=day,
        defaults={"followers": account.followers, "following": account.following},
    )


def ask_some(workspace: UUID, bot: Bot, door: Door) -> int:
    """Ask of a few people whose week is over whether they follow the account; how many. Only with a holdout."""
    if not bot.holdout:
        return 0
    with tenancy.scope(workspace):
        due = _due(bot.account_id)
    for row in due:
        try:
            row.follows = door.relation(str(row.target_pk)).followed_by
        except BotException as gone:
            if not door.leaves_one(gone.code):
                raise
        row.asked_at = timezone.now()
        with tenancy.scope(workspace):
            FollowBack.objects.bulk_create(
                [row],
                update_conflicts=True,
                unique_fields=["workspace", "account", "target_pk"],
                update_fields=["follows", "asked_at"],
            )
    return len(due)


def _due(account: UUID) -> list[FollowBack]:
    """Both groups in turn, the longest waiting first."""
    held = list(_left_alone(account).filter(since__lte=Now() - AFTER).order_by("since")[:ASKED_A_TURN])
    contacted = _contacted(account).filter(ended_at__lte=Now() - AFTER).order_by("ended_at")[:ASKED_A_TURN]
    asked = [
        FollowBack(
            workspace_id=action.workspace_id,
            account_id=account,
            target_pk=action.target_pk,
            group=Group.CONTACTED,
            since=action.ended_at or action.created_at,
        )
        for action in contacted
    ]
    pairs = [row for pair in zip(held, asked, strict=False) for row in pair]
    return [*pairs, *held[len(asked) :], *asked[len(held) :]][:ASKED_A_TURN]


def _left_alone(account: UUID) -> QuerySet[FollowBack]:
    """Who was held and not asked yet, without those whom the account has contacted since, with the holdout off."""
    contacts = Action.objects.filter(account=account, target_pk=OuterRef("target_pk"), kind__in=CONTACTS)
    return FollowBack.objects.filter(~Exists(contacts), account=account, group=Group.HELD, asked_at=None)


def _contacted(account: UUID) -> QuerySet[Action]:
    """Follows of which nobody has asked yet what became of them, of people first contacted since some were held.

    Whom the account knew before then could not be held, and so is in neither group.
    """
    asked = FollowBack.objects.filter(account=account, target_pk=OuterRef("target_pk"))
    first_held = FollowBack.objects.filter(account=account, group=Group.HELD).order_by("since").values("since")[:1]
    before = Action.objects.filter(
        account=account, target_pk=OuterRef("target_pk"), kind__in=CONTACTS, created_at__lt=Subquery(first_held)
    )
    mine = Action.objects.filter(account=account, kind=Kind.FOLLOW, state=Action.State.CONFIRMED)
    return mine.filter(~Exists(asked), ~Exists(before))
