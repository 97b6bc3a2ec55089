"""The life of a subscription: what an owner does on the billing page, and what staff do for them.

Each deed is done at Stripe, then `billing.mirror` writes down what Stripe made of it; our row is never ahead of theirs.
All raise what `billing.gateway` raises. Call them without a transaction: they open short views of their own, and hold
none while they wait for Stripe. Two deeds of one workspace take turns (`alone`).
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.timezone import now
from django_redis import get_redis_connection
from redis.exceptions import LockError

from accounts import farewell, tenancy
from accounts.models import User, Workspace
from billing import entitlements, gateway, history, mirror
from billing.gateway import Thing
from billing.models import OVER, Invoice, Plan, Subscription
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity, record


@dataclass(frozen=True)
class Preview:
    """What a change costs: now, and what is taken off for the time that was paid already. In minor units."""

    plan: Plan
    interval: str
    due_now: int
    credit: int
    price: int
    pays_now: bool
    at: int  # the second for which it was computed; the change is made for the same one
    prices: tuple[str, str]  # Stripe's, before and after

    @property
    def terms(self) -> list[int | str]:
        """What somebody agrees to who was shown this."""
        return [self.due_now, self.credit, *self.prices]


# ── Owners ──


def begin(workspace: Workspace, user: User, plan_key: str, interval: str, once: str) -> str:
    """The address of the page on which a workspace pays for its first plan, or for one after the last ended.

    `once` names the click: two clicks give the same page. Raises SUBSCRIBED_ALREADY, PLAN_IS_GIVEN, PLAN_NOT_SOLD,
    BEING_DELETED.
    """
    with tenancy.scope(workspace):
        farewell.nothing_new(workspace)
    with alone(workspace):
        plan = _sold(plan_key, interval)
        present = _row(workspace)
        if present is not None and present.covers(plan):
            raise BotException(codes.PLAN_IS_GIVEN)
        subscription = _customer(workspace, user)
        if any(one["status"] in mirror.LIVING for one in gateway.subscriptions_of(subscription.stripe_customer_id)):
            raise BotException(codes.SUBSCRIBED_ALREADY)
        trial = 0 if subscription.had_trial else plan.trial_days
        page = gateway.checkout(subscription, plan, interval, trial_days=trial, once=f"{subscription.pk}-{once}")
    _note("checkout", workspace, user, plan=plan.key, interval=interval)
    return page


def preview(workspace: Workspace, plan_key: str, interval: str) -> Preview:
    """What it would cost to change the plan now. Raises NOT_SUBSCRIBED, PLAN_NOT_SOLD, DAYS_ARE_GIVEN."""
    plan, theirs = _sold(plan_key, interval), _theirs(workspace)
    at = int(now().timestamp())
    return _preview(theirs, plan, interval, at)


def change(
    workspace: Workspace,
    user: User | None,
    plan_key: str,
    interval: str,
    *,
    at: int,
    once: str,
    terms: list[int | str] | None = None,
) -> Subscription:
    """Change plan or period: what costs more is paid at once, what costs less becomes a credit.

    `terms` are those of the preview that was confirmed. Raises NOT_SUBSCRIBED, PLAN_NOT_SOLD, CARD_REFUSED,
    DAYS_ARE_GIVEN for a dearer plan while nothing is charged, and OFFER_EXPIRED where the change would cost something
    else by now.
    """
    with alone(workspace):
        plan, theirs = _sold(plan_key, interval), _theirs(workspace)
        if theirs["items"]["data"][0]["price"]["id"] == plan.stripe_price_of(interval):
            return _after(workspace)  # the other click of a double one has done it
        shown = _preview(theirs, plan, interval, at)
        if terms is not None and terms != shown.terms:
            raise BotException(codes.OFFER_EXPIRED)
        gateway.change_price(theirs, plan.stripe_price_of(interval), at=at, pays_now=shown.pays_now, once=once)
    _note("plan_change", workspace, user, plan=plan.key, interval=interval)
    return _after(workspace)


def cancel(workspace: Workspace, user: User | None) -> Subscription:
    """Let the plan end with its period; one that is not paid ends at once. Raises NOT_SUBSCRIBED."""
    mine = _mine(workspace)
    if mine.is_alive:
        gateway.set_renewal(mine.stripe_subscription_id, renews=False)
    else:
        gateway.end_now(mine.stripe_subscription_id)
    _note("plan_cancel", workspace, user)
    return _after(workspace)


def resume(workspace: Workspace, user: User | None) -> Subscription:
    """Let a plan that was cancelled go on after all. Raises NOT_SUBSCRIBED."""
    gateway.set_renewal(_mine(workspace).stripe_subscription_id, renews=True)
    _note("plan_resume", workspace, user)
    return _after(workspace)


def redeem(workspace: Workspace, user: User | None, word: str) -> Subscription:
    """Take the discount of a promotion code. Raises NOT_SUBSCRIBED, COUPON_UNKNOWN."""
    gateway.redeem(_mine(workspace).stripe_subscription_id, word.strip())
    _note("coupon", workspace, user)
    return _after(workspace)


def card(workspace: Workspace) -> str:
    """The address of the page with card and invoices. Raises NOT_SUBSCRIBED for who never was a customer."""
    subscription = _row(workspace)
    if subscription is None or not subscription.stripe_customer_id:
        raise BotException(codes.NOT_SUBSCRIBED)
    return gateway.portal(subscription.stripe_customer_id)


def refresh(workspace: Workspace) -> Subscription | None:
    """Ask Stripe at once how things stand, for a person who comes back from its pages."""
    known = _row(workspace)
    return _after(workspace) if known is not None and known.stripe_customer_id else None


# ── Staff ──


def comp(workspace: Workspace, plan_key: str, until: datetime | None, by: User | None) -> Subscription:
    """Give a plan without payment, until a moment or for good. Raises PLAN_IS_PAID where Stripe has one."""
    present = _row(workspace)
    if present is not None and present.is_at_stripe:
        raise BotException(codes.PLAN_IS_PAID)
    _note("plan_comp", workspace, by, plan=plan_key, until=until.isoformat() if until else "")
    with tenancy.scope(workspace):
        return entitlements.subscribe(workspace, plan_key, until=until)


def extend(workspace: Workspace, days: int, by: User | None) -> Subscription:
    """Give days for nothing: the next payment, or the end of a plan we gave, moves. Raises NOT_SUBSCRIBED."""
    present = _row(workspace)
    if present is None or not present.is_alive or present.current_period_end is None:
        raise BotException(codes.NOT_SUBSCRIBED)
    until = max(present.current_period_end, now()) + timedelta(days=days)
    if present.is_at_stripe:
        gateway.extend(_theirs(workspace), until)
    _note("plan_extend", workspace, by, days=days)
    if present.is_at_stripe:
        return _after(workspace)
    with tenancy.scope(workspace):
        return entitlements.subscribe(workspace, present.plan.key, until=until)


def end_now(workspace: Workspace, by: User | None) -> Subscription:
    """End a plan at once; one that we gave too. Raises NOT_SUBSCRIBED."""
    present = _row(workspace)
    if present is None or not (present.is_alive or present.is_at_stripe):
        raise BotException(codes.NOT_SUBSCRIBED)
    if present.is_at_stripe:
        gateway.end_now(present.stripe_subscription_id)
    _note("plan_end", workspace, by)
    if present.is_at_stripe:
        return _after(workspace)
    with tenancy.scope(workspace):
        present.status = Subscription.Status.CANCELED
        present.save(update_fields=["status"])
        entitlements.changed(present, "admin")
    return present


# ── Leaving ──


def stop_renewing(workspace: Workspace, user: User) -> None:
    """A workspace that waits for its end pays no further period; who keeps it renews on the billing page."""
    present = Subscription.objects.filter(workspace=workspace).first()
    if present is not None and present.is_at_stripe:
        _later("stop_renewing", present.stripe_subscription_id)


def renew_no_more(subscription_id: str) -> None:
    """Do that at Stripe, unless the workspace was kept meanwhile."""
    with tenancy.platform("a subscription that is let go is named by Stripe's id alone"):
        present = Subscription.objects.filter(workspace__delete_at__isnull=False)
        customer = present.filter(stripe_subscription_id=subscription_id).values_list("stripe_customer_id").first()
    if customer is not None:
        gateway.set_renewal(subscription_id, renews=False)
        mirror.mirror(*customer)


def let_go(workspace_id: UUID) -> None:
    """What is erased is charged no more. What it paid stays, as nobody's; what names it goes once it is ended."""
    Invoice.objects.filter(workspace=workspace_id).update(page_url="", pdf_url="")
    present = Subscription.objects.filter(workspace=workspace_id).select_related("plan").first()
    if present is not None and present.is_at_stripe and gateway.is_on():
        _later("end_at_stripe", present.stripe_subscription_id)
    elif present is not None:
        _forget(present)


def end_erased(subscription_id: str) -> None:
    """End at Stripe what is erased here; it brings nothing from now on."""
    gateway.end_now(subscription_id)
    with tenancy.platform("what is erased has no workspace"):
        erased = Subscription.objects.select_for_update(of=("self",)).select_related("plan")
        for one in erased.filter(workspace=None, stripe_subscription_id=subscription_id):
            _forget(one)
        Invoice.objects.filter(workspace=None).exclude(page_url="").update(page_url="", pdf_url="")


def sweep() -> None:
    """Do what Stripe missed when a workspace was let go: each hour, until it is done."""
    with tenancy.platform("what is let go is looked for everywhere"):
        at_stripe = Subscription.objects.exclude(stripe_subscription_id="")
        goes = at_stripe.filter(workspace__delete_at__isnull=False, cancel_at_period_end=False).exclude(status__in=OVER)
        ways = ((end_erased, at_stripe.filter(workspace=None)), (renew_no_more, goes))
        due = [(deed, one) for deed, rows in ways for one in rows.values_list("stripe_subscription_id", flat=True)]
    for deed, subscription_id in due:
        try:
            deed(subscription_id)
        except BotException as refused:
            record(refused, action=deed.__name__)


def _forget(subscription: Subscription) -> None:
    subscription.status, subscription.mrr = Subscription.Status.CANCELED, 0
    subscription.stripe_customer_id = subscription.stripe_subscription_id = ""
    subscription.save(update_fields=["status", "mrr", "stripe_customer_id", "stripe_subscription_id"])
    history.note(subscription, "erased")


def _later(task: str, subscription_id: str) -> None:
    from billing import tasks

    transaction.on_commit(lambda: getattr(tasks, task).apply_async((subscription_id,), retry=False), robust=True)


# ── What all need ──


def _sold(plan_key: str, interval: str) -> Plan:
    plan = entitlements.on_sale().filter(key=plan_key).first()
    if plan is None or interval not in Subscription.Interval.values or not plan.price_of(interval):
        raise BotException(codes.PLAN_NOT_SOLD)
    if not gateway.sells(plan, interval):  # it is dearer or cheaper by now, or somebody took it away at Stripe
        keep_at_stripe(plan)
    return plan


def keep_at_stripe(plan: Plan) -> None:
    """Make the plan's product and prices at Stripe, or bring them up to date; people on an old price keep it."""
    plan.stripe_product_id = gateway.keep_product(plan)
    if plan.price:
        plan.stripe_price_id = gateway.keep_price(plan, "month")
    if plan.yearly_price:
        plan.stripe_yearly_price_id = gateway.keep_price(plan, "year")
    plan.save(update_fields=["stripe_product_id", "stripe_price_id", "stripe_yearly_price_id"])


@contextmanager
def alone(workspace: Workspace) -> Iterator[None]:
    """Let two deeds of one workspace take turns, without a row held meanwhile. Raises BILLING_BUSY after 20 s."""
    lock = get_redis_connection().lock(f"billing:{workspace.pk}", timeout=90, blocking_timeout=20, thread_local=False)
    if not lock.acquire():
        raise BotException(codes.BILLING_BUSY)
    try:
        yield
    finally:
        with suppress(LockError):  # it ended by itself: there is nothing to give back
            lock.release()


def _customer(workspace: Workspace, user: User) -> Subscription:
    """The workspace's row with its customer at Stripe, made where Stripe knows of none. Call it `alone`."""
    free = {"plan": Plan.objects.get(key="free"), "status": Subscription.Status.INCOMPLETE}
    with tenancy.scope(workspace):
        subscription, _ = Subscription.objects.get_or_create(workspace=workspace, defaults=free)
    if not (subscription.stripe_customer_id and gateway.has_customer(subscription.stripe_customer_id)):
        known = gateway.customer_of(workspace)  # before a backup was put back
        subscription.stripe_customer_id = known or gateway.make_customer(workspace, user.email or "")
        with tenancy.scope(workspace):
            subscription.save(update_fields=["stripe_customer_id"])
        if known:
            return _after(workspace)
    return subscription


def _note(deed: str, workspace: Workspace, user: User | None, **more: Any) -> None:
    with tenancy.scope(workspace):
        log_activity(deed, workspace=workspace, user=user, **more)


def _row(workspace: Workspace) -> Subscription | None:
    with tenancy.scope(workspace):
        return Subscription.objects.select_related("plan").filter(workspace=workspace).first()


def _mine(workspace: Workspace) -> Subscription:
    subscription = _row(workspace)
    if subscription is None or not subscription.is_at_stripe:
        raise BotException(codes.NOT_SUBSCRIBED)
    return subscription


def _theirs(workspace: Workspace) -> Thing:
    subscription = _mine(workspace)
    found = gateway.subscriptions_of(subscription.stripe_customer_id)
    one = next((one for one in found if one["id"] == subscription.stripe_subscription_id), None)
    if one is None or one["status"] not in mirror.LIVING:
        raise BotException(codes.NOT_SUBSCRIBED)
    return one


def _preview(theirs: Thing, plan: Plan, interval: str, at: int) -> Preview:
    present = theirs["items"]["data"][0]["price"]
    prices = (present["id"], plan.stripe_price_of(interval))
    wanted = {"unit_amount": plan.price_of(interval), "recurring": {"interval": interval}}
    if mirror.is_gift(theirs) and mirror.monthly(wanted, None) > mirror.monthly(present, None):
        raise BotException(codes.DAYS_ARE_GIVEN)
    invoice = gateway.preview(theirs, plan.stripe_price_of(interval), at)
    credit = -sum(line["amount"] for line in invoice["lines"]["data"] if line["amount"] < 0)
    pays_now = invoice["total"] > 0
    due = invoice["amount_due"] if pays_now else 0
    return Preview(plan, interval, due, credit, plan.price_of(interval), pays_now, at, prices)


def _after(workspace: Workspace) -> Subscription:
    with tenancy.scope(workspace):
        customer = Subscription.objects.values_list("stripe_customer_id", flat=True).get(workspace=workspace)
    mirror.mirror(customer)
    workspace.__dict__.pop("_plan", None)
    workspace._state.fields_cache.pop("subscription", None)
    with tenancy.scope(workspace):
        return Subscription.objects.select_related("plan").get(workspace=workspace)
