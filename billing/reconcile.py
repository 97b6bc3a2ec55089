"""Stripe's books beside ours, all of them: what webhooks missed is mirrored, what only a person can judge is listed."""

from collections import defaultdict
from typing import Any

from django.db.models.functions import Now
from django.utils.timezone import now

from accounts import tenancy
from accounts.models import Workspace
from billing import gateway, mirror
from billing.gateway import Thing
from billing.models import Drift, Subscription
from errors.recording import log_activity

Kind = Drift.Kind


def reconcile(*, repair: bool = True) -> list[Drift]:
    """Compare every customer and note what differs; with `repair`, mirror at once what is merely stale.

    The drifts found, the repaired ones with `repaired_at`. Raises what `billing.gateway` raises.
    """
    theirs: dict[str, list[Thing]] = defaultdict(list)
    for one in gateway.all_subscriptions():
        theirs[one["customer"]].append(one)
    with tenancy.platform("the books of all workspaces are compared"):
        ours = {
            one.stripe_customer_id: one
            for one in Subscription.objects.select_related("plan").exclude(stripe_customer_id="")
        }
        here = {str(key) for key in Workspace.objects.values_list("pk", flat=True)}
        found = [
            _kept(drift)
            for customer in sorted(theirs.keys() | ours.keys())
            for drift in compare(customer, ours.get(customer), theirs.get(customer, []), here)
        ]
    if repair:
        for drift in found:
            if drift.kind == Kind.STALE:
                repair_one(drift)
    return found


def compare(customer: str, ours: Subscription | None, theirs: list[Thing], workspaces: set[str]) -> list[Drift]:
    """Where a customer's books differ; nobody of ours is nobody's business unless the workspace was."""
    living = [one for one in theirs if one["status"] in mirror.LIVING]
    if ours is None:
        homes = [(one, (one.get("metadata") or {}).get("workspace")) for one in living]
        return [_drift(Kind.ORPHAN, one, "", one["status"]) for one, home in homes if home and home not in workspaces]
    one = mirror.the_one(theirs)
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
    """Repair one drift: mirror what is stale, end at Stripe what is there twice or for nobody; a price needs a plan.

    Raises what `billing.gateway` raises.
    """
    if drift.kind in (Kind.TWICE, Kind.ORPHAN):
        gateway.end_now(drift.stripe_subscription_id)
    outcome = mirror.mirror(drift.stripe_customer_id)
    if drift.kind == Kind.UNKNOWN_PRICE or outcome == "overtaken":
        return drift
    with tenancy.platform("a drift is the platform's"):
        if drift.kind == Kind.STALE and not drift.stripe_subscription_id:
            lost = Subscription.objects.filter(stripe_customer_id=drift.stripe_customer_id).first()
            if lost is not None:  # Stripe has no such subscription: it is over
                _end(lost)
        Drift.objects.filter(pk=drift.pk).update(repaired_at=Now())
        drift.repaired_at = now()
        log_activity("drift_repaired", user=by, drift=drift.kind, customer=drift.stripe_customer_id)
    return drift


def open_drifts() -> list[Drift]:
    """What waits for a person, the newest first."""
    with tenancy.platform("a drift is the platform's"):
        return list(Drift.objects.filter(repaired_at=None).order_by("-found_at")[:500])


def _end(subscription: Subscription) -> None:
    from billing import entitlements

    subscription.status, subscription.mrr = Subscription.Status.CANCELED, 0
    subscription.save(update_fields=["status", "mrr"])
    entitlements.changed(subscription, "reconcile")


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
