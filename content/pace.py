"""How much a plan proposes that the bot does: a share, by what the plan is for, of what all limits leave.

No model is asked. What is given to the bot is cut down to the limits of that moment; the engine takes the lowest of all
limits at each action anyway, with the account's own trust budget below them.
"""

from collections.abc import Mapping

from django.utils.timezone import now

from accounts.models import User
from billing import entitlements
from bots import limits, tuning
from bots.models import Bot, InstagramAccount, Kind
from content.models import GrowthPlan
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity

AIMS = {
    "followers": "More followers who care",
    "engagement": "More answers from those who follow",
    "customers": "More messages and customers",
}
# Of what the limits leave, by aim: never all of it, so that a bad day has room.
SHARES: dict[str, dict[str, float]] = {
    "followers": {Kind.FOLLOW: 0.8, Kind.LIKE: 0.7, Kind.STORY_VIEW: 0.6, Kind.WELCOME_DM: 0.5, Kind.UNFOLLOW: 0.7},
    "engagement": {Kind.FOLLOW: 0.3, Kind.LIKE: 0.8, Kind.STORY_VIEW: 0.8, Kind.WELCOME_DM: 0.3, Kind.UNFOLLOW: 0.3},
    "customers": {Kind.FOLLOW: 0.5, Kind.LIKE: 0.5, Kind.STORY_VIEW: 0.5, Kind.WELCOME_DM: 0.8, Kind.UNFOLLOW: 0.5},
}


def most(bot: Bot) -> dict[str, int]:
    """The most a day of each kind that plan, platform, the owner's own limit and Instagram leave.

    Without the trust budget, which changes by the day: the engine holds to that by itself.
    """
    plan, platform = entitlements.plan_of(bot.workspace), limits.platform_limits(bot.workspace_id)
    weighed = {kind.value: limits.caps(bot, kind, plan, platform, now()).reasons for kind in Kind}
    return {
        kind: min(reason.value for reason in reasons if reason.source != "Trust budget")
        for kind, reasons in weighed.items()
    }


def proposed(account: InstagramAccount, aim: str) -> dict[str, int]:
    """What the bot should do at most a day; nothing without a bot, and no kind that is not allowed at all."""
    bot = Bot.objects.select_related("workspace", "account").filter(account=account).first()
    if bot is None:
        return {}
    return {kind: max(1, int(cap * SHARES[aim][kind])) for kind, cap in most(bot).items() if cap}


def apply(plan: GrowthPlan, bot: Bot, user: User, wanted: Mapping[str, int]) -> dict[str, int]:
    """Give the bot these limits, cut down to what is allowed now; kinds that are not named stay as they are.

    Raises VALIDATION_FAILED for a plan that is not accepted, SETTINGS_INVALID.
    """
    if plan.status != GrowthPlan.Status.ACCEPTED:
        raise BotException(codes.VALIDATION_FAILED, "Accept the plan first.")
    allowed = most(bot)
    given = {kind: min(value, allowed[kind]) for kind, value in wanted.items() if kind in allowed}
    tuning.tune(bot, user, {"limits": bot.own_limits | given})
    GrowthPlan.objects.filter(pk=plan.pk).update(limits=given, applied_at=now())
    log_activity(
        "plan", workspace=plan.workspace_id, user=user, account=plan.account_id, plan=str(plan.pk), given=given
    )
    return given
