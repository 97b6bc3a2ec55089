"""What a workspace may do: the only thing other apps ask of billing."""

from uuid import UUID

from accounts.models import Workspace
from billing.models import Plan, Subscription

ALIVE = (Subscription.Status.TRIALING, Subscription.Status.ACTIVE, Subscription.Status.PAST_DUE)
UNLIMITED = -1


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


def plans_with(feature: str) -> list[str]:
    """The names of the plans on sale that have this, the cheapest first."""
    on_sale = Plan.objects.filter(status=Plan.Status.ACTIVE, **{feature: True})
    return list(on_sale.order_by("price").values_list("name", flat=True))


def allows_another(limit: int, have: int) -> bool:
    """Whether `limit` (-1 is without limit) leaves room for one more than `have`."""
    return limit == UNLIMITED or have < limit


def subscribe(workspace: Workspace, plan_key: str) -> Subscription:
    """Put a workspace on a plan, from now."""
    plan = Plan.objects.get(key=plan_key)
    subscription, _ = Subscription.objects.update_or_create(
        workspace=workspace, defaults={"plan": plan, "status": Subscription.Status.ACTIVE}
    )
    return subscription


def let_go(workspace_id: UUID) -> None:
    """Keep what a workspace paid, and nothing that names it: its rows become nobody's when it is erased."""
    Subscription.objects.filter(workspace=workspace_id).update(stripe_customer_id="", stripe_subscription_id="")
