"""Making ours what Stripe has: whatever an event says, and in whatever order it comes, the present is fetched.

Who asked later has the newer answer, so an answer is written only if nothing younger was (`asked_at`, the database's
clock). A change after that makes an event of its own.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils.timezone import now

from accounts import tenancy
from billing import dunning, entitlements, gateway
from billing.gateway import Thing
from billing.models import Invoice, Plan, Subscription
from instagrowth import live, system

Status = Subscription.Status
MONTHS = {"day": 12 / 365.25, "week": 84 / 365.25, "month": 1, "year": 12}
LIVING = ("active", "trialing", "past_due", "unpaid", "paused", "incomplete")


def grace() -> timedelta:
    """How long a plan counts after a failed payment; then the free plan does."""
    return timedelta(days=system.PAYMENT_GRACE.now())


def mirror(customer: str, done: Callable[[], object] = lambda: None) -> str:
    """Ask Stripe for a customer's present and write it down; `done` shares the transaction.

    `mirrored`, `unchanged`, `overtaken` by a younger answer, or `unknown` for a customer who is none of ours.
    Raises what `billing.gateway` raises.
    """
    with tenancy.platform("a customer of Stripe is looked for everywhere"):
        if not Subscription.objects.filter(stripe_customer_id=customer).exists():
            done()
            return "unknown"
        asked = _clock()
    theirs, invoices = gateway.subscriptions_of(customer), gateway.invoices_of(customer)
    with tenancy.platform("what Stripe has is written down for whoever it concerns"):
        ours = Subscription.objects.select_for_update(of=("self",)).select_related("plan", "workspace")
        subscription = ours.filter(stripe_customer_id=customer).first()
        if subscription is None or (subscription.asked_at and subscription.asked_at >= asked):
            done()
            return "overtaken"
        before = facts(subscription)
        subscription.asked_at = asked
        tried = any(one["trial_start"] and not _has_gift(one) for one in theirs)
        subscription.had_trial = subscription.had_trial or tried
        if (one := the_one(theirs, subscription)) is not None:
            take_over(subscription, one)
        elif subscription.is_at_stripe:  # Stripe knows nothing of it any more: it is over
            subscription.status, subscription.mrr = Status.CANCELED, 0
        subscription.save()
        _keep_invoices(subscription, invoices)
        entitlements.changed(subscription, "stripe")
        done()
        if facts(subscription) == before:
            return "unchanged"
        dunning.tell(subscription, before)
        if subscription.workspace_id:
            live.publish(subscription.workspace_id, "billing", {"status": subscription.status})
    return "mirrored"


def the_one(theirs: list[Thing], ours: Subscription) -> Thing | None:
    """Which of a customer's subscriptions counts: the oldest that lives and pays, else the one we have already.

    So nothing that is over, or not paid yet, takes the place of a plan that we gave since. Who never had one and waits
    for the first gets the newest.
    """
    is_given = ours.is_alive and not ours.is_at_stripe
    ranks = LIVING[:3] if is_given else LIVING
    living = [one for one in theirs if one["status"] in ranks]
    if living:
        return min(living, key=lambda one: (ranks.index(one["status"]), one["created"], one["id"]))
    if not ours.stripe_subscription_id and ours.status == Status.INCOMPLETE:
        return max(theirs, key=lambda one: one["created"], default=None)
    return next((one for one in theirs if one["id"] == ours.stripe_subscription_id), None)


def take_over(subscription: Subscription, theirs: Thing) -> None:
    """Give our row Stripe's facts; a price that none of our plans has leaves the plan as it is."""
    item = theirs["items"]["data"][0]
    price = item["price"]
    if subscription.stripe_subscription_id not in ("", theirs["id"]):
        subscription.past_due_since, subscription.reminders = None, 0
    subscription.plan = plan_of_price(price) or subscription.plan
    subscription.stripe_subscription_id = theirs["id"]
    subscription.interval = price["recurring"]["interval"]
    subscription.amount, subscription.currency = price["unit_amount"] or 0, price["currency"]
    subscription.current_period_end = _moment(item["current_period_end"])
    subscription.cancel_at_period_end = bool(theirs["cancel_at_period_end"])
    discount = lasting(theirs)
    subscription.discount = (discount or {}).get("name") or ""
    _set_status(subscription, Status.ACTIVE if is_gift(theirs) else theirs["status"])
    subscription.trial_ends_at = _moment(theirs["trial_end"]) if subscription.status == Status.TRIALING else None
    if subscription.status == Status.ACTIVE:
        subscription.mrr = monthly(price, discount, item.get("quantity") or 0)
    elif subscription.status != Status.PAST_DUE:  # which keeps what it counted before
        subscription.mrr = 0


def is_gift(theirs: Thing) -> bool:
    """Whether these are days that we gave to somebody who pays (`gateway.extend`): Stripe calls them a trial."""
    return theirs["status"] == Status.TRIALING and _has_gift(theirs)


def _has_gift(theirs: Thing) -> bool:
    return "gift_until" in (theirs.get("metadata") or {})


def _set_status(subscription: Subscription, status: str) -> None:
    if status != Status.PAST_DUE:
        subscription.status, subscription.past_due_since, subscription.reminders = status, None, 0
        return
    subscription.past_due_since = subscription.past_due_since or now()
    over = subscription.past_due_since + grace() <= now()
    subscription.status = Status.UNPAID if over else Status.PAST_DUE


def plan_of_price(price: Thing) -> Plan | None:
    """The plan that is sold at a price; one of an older amount is found by its metadata."""
    by_id = Q(stripe_price_id=price["id"]) | Q(stripe_yearly_price_id=price["id"])
    key = (price.get("metadata") or {}).get("plan")
    return Plan.objects.filter(by_id).first() or Plan.objects.filter(key=key).first()


def lasting(theirs: Thing) -> Thing | None:
    """The coupon whose discount goes on; one that is for a single invoice changes no month's revenue."""
    for discount in theirs.get("discounts") or []:
        coupon: Thing = discount["source"]["coupon"]
        if coupon["duration"] != "once" and (discount["end"] is None or discount["end"] > now().timestamp()):
            return coupon
    return None


def monthly(price: Thing, discount: Thing | None, quantity: int = 1) -> int:
    """What a price brings in a month, in minor units, a year's being twelve months'; one by steps or use nothing."""
    amount = float(price["unit_amount"] or price.get("unit_amount_decimal") or 0) * quantity
    if discount:
        amount -= amount * discount["percent_off"] / 100 if discount.get("percent_off") else discount["amount_off"]
    every = price["recurring"]
    return max(0, round(amount / (MONTHS[every["interval"]] * every.get("interval_count", 1))))


def facts(subscription: Subscription) -> dict[str, Any]:
    """What there is to compare of a subscription, with Stripe and with itself before."""
    names = ("plan_id", "status", "interval", "stripe_subscription_id", "current_period_end", "cancel_at_period_end",
             "trial_ends_at", "mrr", "amount", "currency", "discount")  # fmt: skip
    return {name: getattr(subscription, name) for name in names}


def lapse() -> int:
    """End what time has ended: days of grace, and plans given for a while. How many were ended."""
    with tenancy.platform("what is over ends in all workspaces"):
        late = Q(status=Status.PAST_DUE, past_due_since__lte=now() - grace())
        given = Q(status=Status.ACTIVE, stripe_subscription_id="", current_period_end__lte=now())
        over = Subscription.objects.select_for_update(skip_locked=True, of=("self",)).select_related(
            "plan", "workspace"
        )
        found = list(over.filter(late | given)[:500])
        for subscription in found:
            before = facts(subscription)
            is_late = subscription.status == Status.PAST_DUE
            subscription.status, subscription.mrr = (Status.UNPAID if is_late else Status.CANCELED), 0
            subscription.save(update_fields=["status", "mrr"])
            entitlements.changed(subscription, "lapse")
            dunning.tell(subscription, before)
        return len(found)


def _keep_invoices(subscription: Subscription, invoices: list[Thing]) -> None:
    rows = [
        Invoice(
            workspace_id=subscription.workspace_id,
            stripe_invoice_id=one["id"],
            number=one["number"] or "",
            status=one["status"],
            total=one["total"],
            amount_paid=one["amount_paid"],
            tax=sum(tax["amount"] for tax in one.get("total_taxes") or []),
            currency=one["currency"],
            page_url=one["hosted_invoice_url"] or "",
            pdf_url=one["invoice_pdf"] or "",
            next_attempt_at=_moment(one["next_payment_attempt"]),
            paid_at=_moment(one["status_transitions"]["paid_at"]),
            created_at=datetime.fromtimestamp(one["created"], UTC),
        )
        for one in invoices
        if one["status"]
    ]
    changing = [field.name for field in Invoice._meta.fields if field.name not in ("id", "stripe_invoice_id")]
    Invoice.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["stripe_invoice_id"], update_fields=changing
    )


def _moment(second: int | None) -> datetime | None:
    return None if second is None else datetime.fromtimestamp(second, UTC)


def _clock() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
        return moment
