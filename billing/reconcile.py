"""Stripe's books beside ours, all of them: what webhooks missed is mirrored, what only a person can judge is listed."""

from collections import defaultdict
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models.functions import Now
from django.utils.timezone import now

from accounts import tenancy
from accounts.models import Workspace
from billing import gateway, mirror
from billing.gateway import Thing
from billing.models import Drift, Plan, Subscription
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity, record

Kind = Drift.Kind


def reconcile(*, repair: bool = True) -> list[Drift]:
    """Compare every customer, note what differs and close what no longer does; with `repair`, mend what only lags.

    The drifts found, the repaired ones with `repaired_at`. Raises what `billing.gateway` raises.
    """
    began = now()
    theirs: dict[str, list[Thing]] = defaultdict(list)
    for one in gateway.all_subscriptions():
        theirs[one["customer"]].append(one)
    with tenancy.platform("the books of all workspaces are compared"):
        ours = {
            one.stripe_customer_id: one
            for one in Subscription.objects.select_related("plan").exclude(stripe_customer_id="")
        }
        held = {one.stripe_subscription_id for one in ours.values() if one.is_at_stripe}
        found = [
            _kept(drift)
            for customer in sorted(theirs.keys() | ours.keys())
            for drift in compare(customer, ours.get(customer), theirs.get(customer, []))
        ]
        gone = Drift.objects.filter(repaired_at=None, found_at__lt=began).exclude(pk__in=[drift.pk for drift in found])
        gone.update(repaired_at=Now())
    # With the key of another Stripe all are missing there: then nobody is ended without a person.
    is_other = bool(held) and held.isdisjoint(one["id"] for many in theirs.values() for one in many)
    if repair:
        for drift in found:
            if drift.kind in (Kind.STALE, Kind.UNCLAIMED) and (drift.stripe_subscription_id or not is_other):
                _mend(drift)
    return found


def _mend(drift: Drift) -> None:
    """Repair one, so that what Stripe refuses of one customer holds up no other."""
    try:
        repair_one(drift)
    except BotException as refused:
        if refused.code in (codes.STRIPE_UNREACHABLE, codes.BILLING_OFF):
            raise
        record(refused, action="reconcile_stripe", customer=drift.stripe_customer_id)


def compare(customer: str, ours: Subscription | None, theirs: list[Thing]) -> list[Drift]:
    """Where a customer's books differ; one we do not know is nobody's business unless it pays for a workspace."""
    living = [one for one in theirs if one["status"] in mirror.LIVING]
    if ours is None:
        homes = [(one, (one.get("metadata") or {}).get("workspace")) for one in living]
        return [_drift(_strange(home), one, home, one["status"]) for one, home in homes if home]
    one = mirror.the_one(theirs, ours)
    found = [_drift(Kind.TWICE, extra, "", extra["status"]) for extra in living if one and extra["id"] != one["id"]]
    if one is None:
        stale = ours.is_at_stripe
        return [*found, Drift(kind=Kind.STALE, stripe_customer_id=customer, ours=ours.status)] if stale else found
    if one in living and mirror.plan_of_price(one["items"]["data"][0]["price"]) is None:
        found.append(_drift(Kind.UNKNOWN_PRICE, one, ours.plan.key, one["items"]["data"][0]["price"]["id"]))
    before = mirror.facts(ours)
    mirror.take_over(ours, one)
    after = mirror.facts(ours)
    if differing := [name for name in before if before[name] != after[name]]:
        told = [", ".join(f"{name}: {facts[name]}" for name in differing)[:200] for facts in (before, after)]
        found.append(_drift(Kind.STALE, one, *told))
    return found


def repair_one(drift: Drift, by: Any = None) -> Drift:
    """Mirror what is stale or unclaimed, end at Stripe what is there twice or for nobody: if it is so now.

    What still differs then (a price needs a plan) stays open. Raises what `billing.gateway` raises.
    """
    if drift.kind in (Kind.TWICE, Kind.ORPHAN) and _stands(drift):
        gateway.end_now(drift.stripe_subscription_id)
    elif drift.kind == Kind.UNCLAIMED and _stands(drift):
        _claim(drift)
    mirror.mirror(drift.stripe_customer_id)
    if _stands(drift):
        return drift
    with tenancy.platform("a drift is the platform's"):
        Drift.objects.filter(pk=drift.pk).update(repaired_at=Now())
        drift.repaired_at = now()
        log_activity("drift_repaired", user=by, drift=drift.kind, customer=drift.stripe_customer_id)
    return drift


def _stands(drift: Drift) -> bool:
    """Whether Stripe and we still differ so, asked anew."""
    customer = drift.stripe_customer_id
    theirs = gateway.subscriptions_of(customer)
    with tenancy.platform("a customer of Stripe is looked for everywhere"):
        ours = Subscription.objects.select_related("plan").filter(stripe_customer_id=customer).first()
        found = compare(customer, ours, theirs)
    same = ("kind",) if drift.kind == Kind.STALE else ("kind", "stripe_subscription_id")
    return any(all(getattr(one, name) == getattr(drift, name) for name in same) for one in found)


def price_is(drift: Drift, plan_key: str, by: Any = None) -> Drift:
    """Say of the price of a drift which plan it is of, at Stripe, for all who pay it: the others follow at night.

    Raises what `billing.gateway` raises.
    """
    gateway.name_price(drift.theirs, plan_key)
    return repair_one(drift, by)


def open_drifts() -> list[Drift]:
    """What waits for a person, the newest first."""
    with tenancy.platform("a drift is the platform's"):
        return list(Drift.objects.filter(repaired_at=None).order_by("-found_at")[:500])


def _strange(home: str) -> Kind:
    """What a living subscription is whose customer we do not know, by the workspace that Checkout wrote beside it."""
    try:
        workspace = Workspace.objects.filter(pk=home).first()
    except ValidationError:  # no id of ours
        workspace = None
    if workspace is None:
        return Kind.ORPHAN
    present = Subscription.objects.filter(workspace=workspace).first()
    return Kind.TWICE if present and present.is_at_stripe and present.is_alive else Kind.UNCLAIMED


def _claim(drift: Drift) -> None:
    """Make the customer its workspace's, which a backup that was put back has forgotten."""
    free = {"plan": Plan.objects.get(key="free"), "status": Subscription.Status.INCOMPLETE}
    known = {"stripe_customer_id": drift.stripe_customer_id}
    with tenancy.platform("whose a customer is, Stripe knows"):
        Subscription.objects.update_or_create(workspace_id=drift.ours, defaults=known, create_defaults=known | free)


def _drift(kind: str, theirs: Thing, ours: str, told: str) -> Drift:
    return Drift(
        kind=kind,
        stripe_customer_id=theirs["customer"],
        stripe_subscription_id=theirs["id"],
        ours=ours,
        theirs=told,
    )


def _kept(drift: Drift) -> Drift:
    """The row of a drift, the one that is open already where it was found before."""
    same: dict[str, Any] = {
        "kind": drift.kind,
        "stripe_customer_id": drift.stripe_customer_id,
        "stripe_subscription_id": drift.stripe_subscription_id,
        "repaired_at": None,
    }
    row, _ = Drift.objects.update_or_create(defaults={"ours": drift.ours, "theirs": drift.theirs}, **same)
    return row
