"""What a workspace may do: the only thing other apps ask of billing.

The rooms to our right say here, when they start, how much of a limit is used (`counted_by`) and what a change of plan
means to them (`followed_by`).
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils.timezone import now

from accounts import teams
from accounts.models import Workspace
from billing import history
from billing.models import ALIVE as ALIVE
from billing.models import Plan, Subscription
from errors.codes import Code
from errors.exceptions import BotException

UNLIMITED = -1
Count = Callable[[Workspace], int]


class Usage(NamedTuple):
    """How much of one limit of the plan is used; `allowed` of -1 is without limit."""

    field: str
    name: str
    used: int
    allowed: int
    larger: Plan | None  # the cheapest plan on sale with more of it

    @property
    def is_full(self) -> bool:
        """Whether nothing is left."""
        return not allows_another(self.allowed, self.used)


_counts: dict[str, tuple[str, Count]] = {}
_followers: list[Callable[[UUID], None]] = []


def counted_by(field: str, name: str, count: Count) -> None:
    """Let this function count what a workspace has used of the limit that `field` of a plan sets."""
    _counts[field] = (name, count)


def followed_by(follow: Callable[[UUID], None]) -> None:
    """Let this function fit a workspace (its id) to its plan, in the transaction that changes the plan."""
    _followers.append(follow)


def count_people(workspace: Workspace) -> int:
    """How many people a team has, with the seats that invitations hold."""
    seats = teams.seats(workspace)
    return seats.people + seats.invited


def plan_of(workspace: Workspace) -> Plan:
    """The plan that counts today: the subscription's while it lives, else the free one."""
    memory = workspace.__dict__  # asked several times in a request, and the object lives no longer than that
    if "_plan" not in memory:
        memory["_plan"] = _look_up(workspace)
    plan: Plan = memory["_plan"]
    return plan


def _look_up(workspace: Workspace) -> Plan:
    if "subscription" in workspace._state.fields_cache:  # brought along by whoever fetched the workspace
        subscription = workspace._state.fields_cache["subscription"]
        found = subscription.plan if subscription and subscription.status in ALIVE else None
    else:
        found = Plan.objects.filter(subscriptions__workspace=workspace, subscriptions__status__in=ALIVE).first()
    return found or Plan.objects.get(key="free")


def on_sale() -> QuerySet[Plan]:
    """The plans that one can choose, the cheapest first."""
    return Plan.objects.filter(status=Plan.Status.ACTIVE).order_by("price", "name")


def allows_another(limit: int, have: int) -> bool:
    """Whether `limit` (-1 is without limit) leaves room for one more than `have`."""
    return limit == UNLIMITED or have < limit


def amount(plan: Plan, field: str) -> int:
    """How much of a limit a plan gives, -1 without limit; `action_limits.follow` is of that kind, a feature 0 or 1."""
    if field.startswith("action_limits."):
        return int(plan.action_limits.get(field.partition(".")[2], 0))
    if field == "execution_mode":
        return int(plan.execution_mode == Plan.Execution.PARALLEL)
    return int(getattr(plan, field))


def larger_than(plan: Plan, field: str) -> Plan | None:
    """The cheapest plan on sale that allows more of `field` (see `amount`) than this one; None where nothing does."""
    have = amount(plan, field)
    if have == UNLIMITED:
        return None
    return next((one for one in on_sale() if amount(one, field) == UNLIMITED or amount(one, field) > have), None)


def offer(plan: Plan, field: str) -> str:
    """A sentence about what a plan gives of a limit, such as: Growth has room for 10."""
    most = amount(plan, field)
    if field in ("account_limit", "team_limit"):
        words = "has room for any number" if most == UNLIMITED else f"has room for {most:,}"
    elif field == "ai_limit":
        words = "has no limit" if most == UNLIMITED else f"gives {most:,} a month"
    elif field == "history_days":
        words = "shows everything" if most == UNLIMITED else f"shows {most:,} days"
    elif field == "execution_mode":
        words = "runs all bots at the same time"
    elif field.startswith("action_limits."):
        words = "has no limit of its own" if most == UNLIMITED else f"allows {most:,} a day"
    else:
        words = "includes it"
    return f"{plan.name} {words}."


def short_of(workspace: Workspace, field: str, code: Code) -> BotException:
    """The refusal of what the plan does not allow; it says what plan would, to people and to programs (`upgrade`)."""
    larger = larger_than(plan_of(workspace), field)
    if larger is None:
        return BotException(code)
    upgrade = {"plan": larger.key, "name": larger.name, "allows": amount(larger, field)}
    page = f"{settings.SITE_URL}/billing/?plan={larger.key}"
    return BotException(code, f"{code.what} {offer(larger, field)}", upgrade=upgrade | {"page": page})


def usage(workspace: Workspace) -> list[Usage]:
    """How much of each limit is used, in the order in which the rooms stand."""
    plan = plan_of(workspace)
    return [
        Usage(field, name, count(workspace), amount(plan, field), larger_than(plan, field))
        for field, (name, count) in _counts.items()
    ]


def history_since(workspace: Workspace) -> datetime | None:
    """From when on the plan shows what happened; None is without limit."""
    days = plan_of(workspace).history_days
    return None if days == UNLIMITED else now() - timedelta(days=days)


def subscribe(workspace: Workspace, plan_key: str, *, until: datetime | None = None) -> Subscription:
    """Give a workspace a plan without payment, from now, until a moment or for good."""
    plan = Plan.objects.get(key=plan_key)
    given = {
        "plan": plan,
        "status": Subscription.Status.ACTIVE,
        "stripe_subscription_id": "",
        "mrr": 0,
        "amount": 0,
        "currency": "",
        "discount": "",
        "current_period_end": until,
        "cancel_at_period_end": False,
        "past_due_since": None,
    }
    subscription, _ = Subscription.objects.update_or_create(workspace=workspace, defaults=given)
    changed(subscription, "given")
    return subscription


def changed(subscription: Subscription, reason: str) -> None:
    """Write a change down and let every room fit the workspace to its plan, in the caller's transaction."""
    if history.note(subscription, reason) and subscription.workspace_id:
        for follow in _followers:
            follow(subscription.workspace_id)
