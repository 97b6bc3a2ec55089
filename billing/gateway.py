"""Stripe, asked in our words: beside `billing.webhooks` the only importer of its SDK, which is heavy, so inside.

Every answer is plain dicts. What Stripe refuses becomes one of our codes by one table. A page waits 8 s at most; after
a failure pages say that Stripe is away (`is_away`) until it answers again, or for two minutes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache

from accounts.models import Workspace
from billing.models import Plan, Subscription
from errors import codes, steps
from errors.codes import Code
from errors.exceptions import BotException

Thing = dict[str, Any]
SECONDS = 8.0  # for one request; nothing is asked twice by itself
AWAY = "billing:stripe-away"
EXPAND = ["data.discounts.source.coupon"]
_clients: dict[tuple[str, str], Any] = {}


def is_on() -> bool:
    """Whether payments are set up."""
    return bool(settings.STRIPE_SECRET_KEY)


def is_live() -> bool:
    """Whether the key moves real money."""
    return "_live_" in settings.STRIPE_SECRET_KEY


def is_sandbox() -> bool:
    """Whether a stand-in plays Stripe."""
    return bool(settings.STRIPE_API_URL)


def is_away() -> bool:
    """Whether Stripe failed to answer in the last two minutes and has not answered since."""
    return bool(cache.get(AWAY))


# ── Plans ──


def keep_product(plan: Plan) -> str:
    """Make the plan's product, or give it its present name; its id. Stripe may have it no more, or be another one."""
    fields: Thing = {"name": plan.name, "active": True, "metadata": {"plan": plan.key}}
    if plan.stripe_product_id:
        with _unless_gone(), _asked() as stripe:
            return str(stripe.v1.products.update(plan.stripe_product_id, cast(Any, fields)).id)
    with _asked() as stripe:
        return str(stripe.v1.products.create(cast(Any, fields)).id)


def keep_price(plan: Plan, interval: str) -> str:
    """The id of a price at Stripe with today's amount: the plan's own if it has it, else a new one."""
    if sells(plan, interval):
        return plan.stripe_price_of(interval)
    fields = {
        "product": plan.stripe_product_id,
        "unit_amount": plan.price_of(interval),
        "currency": plan.currency,
        "recurring": {"interval": interval},
        "metadata": {"plan": plan.key},
    }
    with _asked() as stripe:
        return str(stripe.v1.prices.create(cast(Any, fields)).id)


def sells(plan: Plan, interval: str) -> bool:
    """Whether the price that we know of is at Stripe, and of today's amount: only then what we show is charged."""
    known = plan.stripe_price_of(interval)
    price = _price(known) if known else None
    today = (plan.price_of(interval), plan.currency)
    return bool(price and price["active"] and (price["unit_amount"], price["currency"]) == today)


def name_price(key: str, plan_key: str) -> None:
    """Write beside a price which plan it is of: whoever pays it is on that plan."""
    with _asked() as stripe:
        stripe.v1.prices.update(key, {"metadata": {"plan": plan_key}})


def _price(key: str) -> Thing | None:
    """A price, or None where somebody deleted it at Stripe."""
    with _unless_gone(), _asked() as stripe:
        return _plain(stripe.v1.prices.retrieve(key))
    return None


# ── Customers and their pages ──


def customer_of(workspace: Workspace) -> str:
    """The id of the customer that a workspace has at Stripe already, as far as Stripe can search; "" without one."""
    query = f"metadata['workspace']:'{workspace.pk}'"
    try:
        with _asked() as stripe:
            found = stripe.v1.customers.search({"query": query, "limit": 1}).data
    except BotException as refused:
        if refused.code is not codes.STRIPE_REFUSED:  # for merchants in India there is no search
            raise
        return ""
    return str(found[0].id) if found else ""


def make_customer(workspace: Workspace, email: str) -> str:
    """Make a workspace a customer; whoever asks does so alone, so that it is made once. Its id."""
    fields = {"name": workspace.name, "email": email, "metadata": {"workspace": str(workspace.pk)}}
    with _asked() as stripe:
        return str(stripe.v1.customers.create(cast(Any, fields)).id)


def has_customer(customer: str) -> bool:
    """Whether Stripe knows a customer: it may have been another Stripe that did, or somebody deleted it there."""
    with _unless_gone(), _asked() as stripe:
        return not getattr(stripe.v1.customers.retrieve(customer), "deleted", False)
    return False


def checkout(subscription: Subscription, plan: Plan, interval: str, *, trial_days: int, once: str) -> str:
    """The address of a page of Stripe's on which the plan is paid; `once` names the click, so that two make one.

    Pages that were opened before and not finished are closed, so that nobody pays twice.
    """
    back = f"{settings.SITE_URL}/billing/"
    customer, price = subscription.stripe_customer_id, plan.stripe_price_of(interval)
    data: Thing = {"metadata": {"workspace": str(subscription.workspace_id)}}
    if trial_days:
        data["trial_period_days"] = trial_days
    fields: Thing = {
        "mode": "subscription",
        "customer": customer,
        "client_reference_id": str(subscription.workspace_id),
        "line_items": [{"price": price, "quantity": 1}],
        "allow_promotion_codes": True,
        "success_url": f"{back}paid/",
        "cancel_url": back,
        "subscription_data": data,
    }
    if settings.STRIPE_TAX:
        fields |= {"automatic_tax": {"enabled": True}, "customer_update": {"address": "auto"}}
    with _asked() as stripe:
        sessions = stripe.v1.checkout.sessions
        page = sessions.create(fields, {"idempotency_key": f"checkout-{once}-{price}"})
        waiting = {one.id for one in sessions.list({"customer": customer, "status": "open"}).data}
        if page.id not in waiting:  # this click's page was closed by a later one
            page = sessions.create(fields)
        for other in waiting - {page.id}:
            sessions.expire(other)
        return str(page.url)


def portal(customer: str) -> str:
    """The address of the page on which a customer changes the card and sees all invoices."""
    with _asked() as stripe:
        fields = {"customer": customer, "return_url": f"{settings.SITE_URL}/billing/"}
        return str(stripe.v1.billing_portal.sessions.create(fields).url)


# ── What there is ──


def subscriptions_of(customer: str) -> list[Thing]:
    """Every subscription a customer has or had, the newest first; none of one whom Stripe does not know."""
    with _unless_gone(), _asked() as stripe:
        asked = {"customer": customer, "status": "all", "limit": 100, "expand": EXPAND}
        return [_plain(one) for one in stripe.v1.subscriptions.list(cast(Any, asked)).data]
    return []


def invoices_of(customer: str) -> list[Thing]:
    """The newest 50 invoices of a customer; none of one whom Stripe does not know."""
    with _unless_gone(), _asked() as stripe:
        return [_plain(one) for one in stripe.v1.invoices.list({"customer": customer, "limit": 50}).data]
    return []


def all_subscriptions() -> Iterator[Thing]:
    """Every subscription there is at Stripe, page by page."""
    with _asked() as stripe:
        asked = {"status": "all", "limit": 100, "expand": EXPAND}
        for one in stripe.v1.subscriptions.list(cast(Any, asked)).auto_paging_iter():
            yield _plain(one)


# ── Changes ──


def preview(subscription: Thing, price: str, at: int) -> Thing:
    """The invoice that a change of price would make at a moment (a Unix second)."""
    item = subscription["items"]["data"][0]["id"]
    details = {
        "items": [{"id": item, "price": price}],
        "proration_behavior": "always_invoice",
        "proration_date": at,
    }
    fields = {
        "customer": subscription["customer"],
        "subscription": subscription["id"],
        "subscription_details": details,
    }
    with _asked() as stripe:
        return _plain(stripe.v1.invoices.create_preview(cast(Any, fields)))


def change_price(subscription: Thing, price: str, *, at: int, pays_now: bool, once: str) -> None:
    """Put a subscription on another price; what costs more is paid at once, or refused (CARD_REFUSED)."""
    fields: Thing = {
        "items": [{"id": subscription["items"]["data"][0]["id"], "price": price}],
        "proration_behavior": "always_invoice" if pays_now else "create_prorations",
        "cancel_at_period_end": False,
    }
    if subscription["status"] != "trialing":
        fields["proration_date"] = at
    if pays_now:
        fields["payment_behavior"] = "error_if_incomplete"
    with _asked() as stripe:
        options = {"idempotency_key": f"change-{once}"}
        stripe.v1.subscriptions.update(subscription["id"], cast(Any, fields), cast(Any, options))


def set_renewal(subscription_id: str, *, renews: bool) -> None:
    """Let a subscription end with its period, or go on after all."""
    with _asked() as stripe:
        stripe.v1.subscriptions.update(subscription_id, {"cancel_at_period_end": not renews})


def end_now(subscription_id: str) -> None:
    """End a subscription at once; one that is over already stays over."""
    with _unless_gone(), _asked() as stripe:
        stripe.v1.subscriptions.cancel(subscription_id)


def extend(subscription: Thing, until: datetime) -> None:
    """Charge nothing until a moment. Stripe calls it a trial; for who pays already the metadata says it is a gift."""
    fields: Thing = {"trial_end": int(until.timestamp()), "proration_behavior": "none"}
    if subscription["status"] != "trialing":
        fields["metadata"] = {"gift_until": until.isoformat()}
    with _asked() as stripe:
        stripe.v1.subscriptions.update(subscription["id"], cast(Any, fields))


def redeem(subscription_id: str, word: str) -> None:
    """Take a promotion code's discount from now on. Raises COUPON_UNKNOWN."""
    with _asked() as stripe:
        found = stripe.v1.promotion_codes.list({"code": word, "active": True, "limit": 1}).data
        if not found:
            raise BotException(codes.COUPON_UNKNOWN)
        fields = {"discounts": [{"promotion_code": found[0].id}]}
        stripe.v1.subscriptions.update(subscription_id, cast(Any, fields))


# ── How it is asked ──


@contextmanager
def _asked() -> Iterator[Any]:
    """Give the client; turn what it raises into our codes. Raises BILLING_OFF without a key."""
    if not is_on():
        raise BotException(codes.BILLING_OFF)
    import stripe

    try:
        yield _client()
    except stripe.StripeError as error:
        code = _code_of(error)
        if code is codes.STRIPE_UNREACHABLE:
            cache.set(AWAY, True, 120)
        raise BotException(code, kind=type(error).__name__, stripe_code=error.code or "") from error
    if is_away():
        cache.delete(AWAY)


@contextmanager
def _unless_gone() -> Iterator[None]:
    """Go on behind the block where Stripe has no more what it is about."""
    try:
        yield
    except BotException as refused:
        if refused.code is not codes.PRICE_GONE:
            raise


def _code_of(error: Any) -> Code:
    import stripe

    table: list[tuple[type[Exception] | tuple[type[Exception], ...], Code]] = [
        (stripe.CardError, codes.CARD_REFUSED),
        ((stripe.APIConnectionError, stripe.RateLimitError), codes.STRIPE_UNREACHABLE),
        ((stripe.AuthenticationError, stripe.PermissionError), codes.BILLING_OFF),
        ((stripe.InvalidRequestError, stripe.IdempotencyError), codes.STRIPE_REFUSED),
    ]
    found = next((code for kinds, code in table if isinstance(error, kinds)), codes.STRIPE_UNREACHABLE)
    if error.code == "resource_missing" or "inactive" in str(error):
        return codes.PRICE_GONE
    return found


def _client() -> Any:
    import stripe

    where = (settings.STRIPE_SECRET_KEY, settings.STRIPE_API_URL)
    if where not in _clients:
        _clients.clear()
        addresses = {"api": settings.STRIPE_API_URL} if settings.STRIPE_API_URL else {}
        _clients[where] = stripe.StripeClient(
            settings.STRIPE_SECRET_KEY,
            base_addresses=cast(Any, addresses),
            http_client=_noting(stripe.RequestsClient(timeout=SECONDS)),
            max_network_retries=0,
        )
    return _clients[where]


def _noting(client: Any) -> Any:
    """Let each call be a step of its story."""
    send = client.request

    def sending(method: str, url: str, *rest: Any, **more: Any) -> Any:
        with steps.call(method.upper(), f"https://api.stripe.com{urlsplit(url).path}") as told:
            answer = send(method, url, *rest, **more)
            told.outcome = str(answer[1])
        return answer

    client.request = sending
    return client


def _plain(thing: Any) -> Thing:
    return cast(Thing, thing.to_dict())
