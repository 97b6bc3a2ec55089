"""Stripe's API as its own SDK speaks it: products to invoices, Checkout, the portal, events and signed webhooks.

| call | what it is |
|---|---|
| `/v1/products`, `/v1/prices`, `/v1/coupons`, `/v1/promotion_codes`, `/v1/customers` | kept and listed |
| `/v1/customers/search` | by one word of the metadata |
| `/v1/checkout/sessions` | a session whose `url` is a page here, `/c/pay/…`; `…/expire` ends it |
| `/v1/billing_portal/sessions` | a session whose `url` is a page here, `/p/session/…` |
| `/v1/subscriptions` | made, read, listed, changed (items, trial_end, cancel_at_period_end, discounts), cancelled |
| `/v1/invoices` | read, listed, paid; `create_preview`; pages at `/i/…` |
| `/v1/events`, `/v1/webhook_endpoints` | what happened, and where it is told (the last one made) |

Any key that begins with `sk_test_` opens. Bad days are orders of `/_control/faults` with a `path` of `v1/…`; those of
webhooks (`webhook_lost`, `webhook_twice`, `webhook_late`) one of `webhooks/<type of event>`. `/_control/stripe` puts
the clock forward and changes cards: see `sandbox.stripe_control`.
"""

import json
import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any
from urllib.parse import parse_qsl

from sandbox import stripe_hooks, stripe_pages
from sandbox.faults import Fault, fault_answer
from sandbox.stripe_world import DAY, Refusal, StripeWorld, Thing
from sandbox.wire import Answer, Receive, Request, Send, answer_json, drop, send_answer, wait
from sandbox.world import World

HOSTS = frozenset({"api.stripe.com", "checkout.stripe.com", "billing.stripe.com", "invoice.stripe.com"})
KINDS = (
    "products", "prices", "coupons", "promotion_codes", "customers", "checkout/", "billing_portal/", "subscriptions",
    "invoices", "events", "webhook_endpoints",
)  # fmt: skip
PREFIXES = (*(f"/v1/{kind}" for kind in KINDS), "/c/pay/", "/p/session/", "/i/")
SINGULAR = {"products": "product", "prices": "price", "coupons": "coupon", "promotion_codes": "promotion_code",
            "customers": "customer", "subscriptions": "subscription", "invoices": "invoice",
            "checkout/sessions": "checkout.session"}  # fmt: skip
_KEY = re.compile(r"\[([^\]]*)\]")


async def serve(world: World, request: Request, receive: Receive, send: Send) -> None:
    """Answer one request, or do what the fault on order says; then send out what happened."""
    fault = world.faults.take(request.method, request.path.lstrip("/"), "")
    if fault is None or await survives(world, request, fault, receive, send):
        await send_answer(send, perform(world.stripe, request))
    if request.method != "GET":
        world.stripe.keep()
    stripe_hooks.send_out(world)


async def survives(world: World, request: Request, fault: Fault, receive: Receive, send: Send) -> bool:
    """Let a request meet its fault; whether it is answered as usual after that."""
    if fault.apply:
        perform(world.stripe, request)
    if fault.kind in ("hang", "slow") and not await wait(fault.seconds, receive):
        return False
    if fault.kind in ("hang", "reset"):
        await drop(send, receive)
        return False
    if fault.kind == "slow":
        return True
    if fault.kind == "429":
        await send_answer(send, refused(Refusal("Too many requests.", 429, code="rate_limit")))
    elif fault.kind.isdigit() or fault.kind == "5xx":
        await send_answer(send, refused(Refusal("Something went wrong.", fault.status, "api_error")))
    else:
        answer = fault_answer(fault)
        await send_answer(send, answer)
        if answer.missing:
            await drop(send, receive, reset=False)
    return False


def perform(stripe: StripeWorld, request: Request) -> Answer:
    """Do what the request asks: a page for people, or the API."""
    if not request.path.startswith("/v1/"):
        return stripe_pages.answer(stripe, request)
    if not request.headers.get("authorization", "").startswith("Bearer sk_test_"):
        return refused(Refusal("Invalid API Key provided", 401))
    key = request.headers.get("idempotency-key", "")
    asked = f"{request.method} {request.path} {request.body.decode()}"
    if key and key in stripe.answers:
        before, status, document = stripe.answers[key]
        if before != asked:
            return refused(Refusal("Keys for idempotent requests can only be used with the same parameters they were"
                                   " first used with.", 400, "idempotency_error"))  # fmt: skip
        return answer_json(document, status, {"idempotent-replayed": "true"})
    try:
        document, status = shown(stripe, call(stripe, request), request), 200
    except Refusal as no:
        answer = refused(no)
        document, status = json.loads(answer.body), answer.status
    if key and request.method == "POST":
        stripe.answers[key] = (asked, status, document)
    return answer_json(document, status, {"request-id": f"req_{len(stripe.answers)}"})


def refused(no: Refusal) -> Answer:
    """Stripe's shape of an error."""
    error = {"message": no.message, "type": no.type, "code": no.code, "param": no.param, "decline_code": ""}
    return answer_json({"error": {name: value for name, value in error.items() if value}}, no.status)


def call(stripe: StripeWorld, request: Request) -> Thing:
    """Find the deed of a path and do it."""
    path = request.path.removeprefix("/v1/").strip("/")
    form = nested(parse_qsl(request.body.decode(), keep_blank_values=True))
    query = nested([(name, value) for name, value in request.query.items()])
    if deed := DEEDS.get((request.method, path)):
        return deed(stripe, form, request)
    if request.method == "GET" and path in SINGULAR:
        return listed(stripe, SINGULAR[path], query, path)
    collection, _, key = path.rpartition("/")
    if request.method == "GET" and collection == "events":
        return next(event for event in stripe.events if event["id"] == key)
    if request.method == "GET" and collection in SINGULAR:
        return stripe.get(SINGULAR[collection], key)
    for (method, pattern), change in ONE.items():
        if request.method == method and (match := re.fullmatch(pattern, path)):
            return change(stripe, match[1], form)
    raise Refusal(f"Unrecognized request URL ({request.method}: /v1/{path}).", 404)


def nested(pairs: list[tuple[str, str]]) -> Thing:
    """Stripe's forms: `items[0][price]=x` is `{"items": {"0": {"price": "x"}}}`."""
    form: Thing = {}
    for name, value in pairs:
        first, *rest = [name.partition("[")[0], *_KEY.findall(name)]
        here = form
        for part in (first, *rest)[:-1]:
            here = here.setdefault(part, {})
        here[(first, *rest)[-1]] = value
    return form


def shown(stripe: StripeWorld, thing: Thing, request: Request) -> Thing:
    """An object without our own notes, its pages on this host, and expanded where asked."""
    form = nested([*request.query.items(), *parse_qsl(request.body.decode())])
    wants = {word.removeprefix("data.") for word in (form.get("expand") or {}).values()}
    copy = deepcopy(thing)
    for one in copy["data"] if copy.get("object") in ("list", "search_result") else [copy]:
        clean(stripe, one, wants, request.own_url)
    return copy


def clean(stripe: StripeWorld, thing: Thing, wants: set[str], own_url: str) -> None:
    """Make one object as Stripe shows it."""
    for name in [name for name in thing if name.startswith("_")]:
        del thing[name]
    for name in ("url", "hosted_invoice_url", "invoice_pdf"):
        if str(thing.get(name) or "").startswith("/") and thing["object"] != "list":
            thing[name] = f"{own_url}{thing[name]}"
    if {"discounts", "discounts.source.coupon"} & wants and "discounts" in thing:
        thing["discounts"] = [deepcopy(stripe.things[key]) for key in thing["discounts"]]
        for one in thing["discounts"]:
            one["source"]["coupon"] = deepcopy(stripe.things[one["source"]["coupon"]])


def listed(stripe: StripeWorld, kind: str, query: Thing, path: str) -> Thing:
    """A page of a list."""
    status = query.get("status")
    if (customer := query.get("customer")) and customer not in stripe.things:
        raise Refusal(f"No such customer: '{customer}'", code="resource_missing", param="customer")
    where = {name: query[name] for name in ("customer", "product", "code") if name in query}
    found = stripe.all(kind, **where)
    if kind == "subscription" and status != "all":
        found = [
            thing
            for thing in found
            if thing["status"] == (status or thing["status"]) and (status or thing["status"] != "canceled")
        ]
    elif status and kind != "subscription":
        found = [thing for thing in found if thing["status"] == status]
    if subscription := query.get("subscription"):
        found = [t for t in found if t["parent"]["subscription_details"]["subscription"] == subscription]
    if after := query.get("starting_after"):
        keys = [thing["id"] for thing in found]
        found = found[keys.index(after) + 1 :] if after in keys else []
    most = int(query.get("limit", 10))
    return {"object": "list", "url": f"/v1/{path}", "has_more": len(found) > most, "data": found[:most]}


# ── What can be made ──


def make_product(stripe: StripeWorld, form: Thing, _: Request) -> Thing:
    """A product."""
    made = stripe.make("product", "prod", name=form["name"], active=True, metadata=form.get("metadata", {}))
    if key := form.get("id"):
        stripe.things[key] = stripe.things.pop(made["id"]) | {"id": key}
        return stripe.things[key]
    return made


def make_price(stripe: StripeWorld, form: Thing, _: Request) -> Thing:
    """A price that comes again each month or year."""
    stripe.get("product", form.get("product"))
    return stripe.make(
        "price", "price", product=form["product"], unit_amount=int(form["unit_amount"]), currency=form["currency"],
        active=True, recurring={"interval": form["recurring"]["interval"], "interval_count": 1}, type="recurring",
        metadata=form.get("metadata", {}), lookup_key=form.get("lookup_key"),
    )  # fmt: skip


def make_coupon(stripe: StripeWorld, form: Thing, _: Request) -> Thing:
    """A coupon; `id` may be chosen."""
    made = stripe.make(
        "coupon", "co", name=form.get("name") or form.get("id"), duration=form.get("duration", "once"), valid=True,
        percent_off=float(form["percent_off"]) if "percent_off" in form else None, currency=form.get("currency"),
        amount_off=int(form["amount_off"]) if "amount_off" in form else None,
        duration_in_months=int(form["duration_in_months"]) if "duration_in_months" in form else None,
    )  # fmt: skip
    if key := form.get("id"):
        stripe.things[key] = stripe.things.pop(made["id"]) | {"id": key}
        return stripe.things[key]
    return made


def make_promotion_code(stripe: StripeWorld, form: Thing, _: Request) -> Thing:
    """A word that people type for a coupon."""
    coupon = form.get("promotion", {}).get("coupon") or form.get("coupon")
    stripe.get("coupon", coupon)
    return stripe.make("promotion_code", "promo", code=form["code"], active=True,
                       promotion={"type": "coupon", "coupon": coupon})  # fmt: skip


def make_customer(stripe: StripeWorld, form: Thing, _: Request) -> Thing:
    """A customer without a card."""
    made = stripe.make("customer", "cus", email=form.get("email"), name=form.get("name"), balance=0,
                       metadata=form.get("metadata", {}), _card="")  # fmt: skip
    stripe.tell("customer.created", made)
    return made


def search_customers(stripe: StripeWorld, form: Thing, request: Request) -> Thing:
    """The customers with a word in their metadata; of Stripe's language for queries that is all we speak."""
    asked = re.fullmatch(r"metadata\['(\w+)'\]:'([\w-]+)'", request.query.get("query", ""))
    if asked is None:
        raise Refusal("We were unable to parse your search query.", param="query")
    found = [one for one in stripe.all("customer") if one["metadata"].get(asked[1]) == asked[2]]
    most = int(request.query.get("limit", 10))
    return {"object": "search_result", "url": "/v1/customers/search", "has_more": len(found) > most,
            "data": found[:most]}  # fmt: skip


def make_checkout(stripe: StripeWorld, form: Thing, _: Request) -> Thing:
    """A Checkout session in subscription mode."""
    price = stripe.get("price", form["line_items"]["0"].get("price"))
    if not price["active"]:
        raise Refusal("The price specified is inactive.", param="line_items[0][price]")
    customer = stripe.get("customer", form.get("customer"))
    data = form.get("subscription_data", {})
    made = stripe.make(
        "checkout.session", "cs_test", customer=customer["id"], mode="subscription", status="open",
        payment_status="unpaid", success_url=form["success_url"], cancel_url=form.get("cancel_url"), subscription=None,
        client_reference_id=form.get("client_reference_id"), metadata=form.get("metadata", {}),
        expires_at=stripe.now() + DAY, _price=price["id"], _trial=int(data.get("trial_period_days", 0)),
        _metadata=data.get("metadata", {}), _tax=form.get("automatic_tax", {}).get("enabled") == "true",
        _codes=form.get("allow_promotion_codes") == "true", _coupon=form.get("discounts", {}).get("0", {}),
    )  # fmt: skip
    made["url"] = f"/c/pay/{made['id']}"
    return made


def make_portal(stripe: StripeWorld, form: Thing, _: Request) -> Thing:
    """A session of the customer's own pages."""
    customer = stripe.get("customer", form.get("customer"))
    made = stripe.make("billing_portal.session", "bps", customer=customer["id"], return_url=form.get("return_url"))
    made["url"] = f"/p/session/{made['id']}"
    return made


def make_subscription(stripe: StripeWorld, form: Thing, _: Request) -> Thing:
    """A subscription without Checkout."""
    customer, price = stripe.get("customer", form.get("customer")), stripe.get("price", form["items"]["0"]["price"])
    return stripe.subscribe(
        customer, price, trial_days=int(form.get("trial_period_days", 0)), metadata=form.get("metadata")
    )


def make_preview(stripe: StripeWorld, form: Thing, _: Request) -> Thing:
    """The invoice that a change would make, and nothing else happens."""
    subscription = stripe.get("subscription", form.get("subscription"))
    details = form.get("subscription_details", {})
    price = stripe.get("price", details["items"]["0"]["price"])
    at = int(details.get("proration_date", stripe.now()))
    lines = stripe.prorate(subscription, price, at)
    return {"id": None, "object": "invoice", "created": stripe.now(), "livemode": False, "status": "draft",
            "customer": subscription["customer"], **stripe.sum_up(subscription, lines)}  # fmt: skip


def make_endpoint(stripe: StripeWorld, form: Thing, _: Request) -> Thing:
    """Where webhooks go from now on."""
    stripe.endpoint, stripe.secret = form["url"], stripe.secret or "whsec_sandbox"
    return stripe.make("webhook_endpoint", "we", url=form["url"], secret=stripe.secret, status="enabled",
                       enabled_events=list((form.get("enabled_events") or {}).values()))  # fmt: skip


def list_events(stripe: StripeWorld, form: Thing, request: Request) -> Thing:
    """What happened, the newest first."""
    most = int(request.query.get("limit", 10))
    return {"object": "list", "url": "/v1/events", "has_more": False, "data": stripe.events[::-1][:most]}


Deed = Callable[[StripeWorld, Thing, Request], Thing]
DEEDS: dict[tuple[str, str], Deed] = {
    ("POST", "products"): make_product,
    ("POST", "prices"): make_price,
    ("POST", "coupons"): make_coupon,
    ("POST", "promotion_codes"): make_promotion_code,
    ("POST", "customers"): make_customer,
    ("POST", "checkout/sessions"): make_checkout,
    ("POST", "billing_portal/sessions"): make_portal,
    ("POST", "subscriptions"): make_subscription,
    ("POST", "invoices/create_preview"): make_preview,
    ("POST", "webhook_endpoints"): make_endpoint,
    ("GET", "events"): list_events,
    ("GET", "customers/search"): search_customers,
}


# ── What can be done to one ──


def change_subscription(stripe: StripeWorld, key: str, form: Thing) -> Thing:
    """Change price, end, trial, discount or metadata of a subscription."""
    mine = stripe.get("subscription", key)
    if mine["status"] in ("canceled", "incomplete_expired"):
        raise Refusal("A canceled subscription can only update its cancellation_details and metadata.")
    if form.get("items"):
        price = stripe.get("price", form["items"]["0"]["price"])
        must_pay = form.get("payment_behavior") == "error_if_incomplete"
        at = int(form.get("proration_date", stripe.now()))
        behavior = form.get("proration_behavior", "create_prorations")
        stripe.change_price(mine, price, behavior, at, must_pay=must_pay)
    if "cancel_at_period_end" in form:
        ends = form["cancel_at_period_end"] == "true"
        mine["cancel_at_period_end"] = ends
        mine["cancel_at"] = mine["items"]["data"][0]["current_period_end"] if ends else None
    if "trial_end" in form:
        until = int(form["trial_end"])
        mine |= {"trial_end": until, "trial_start": stripe.now(), "status": "trialing"}
        mine["items"]["data"][0]["current_period_end"] = until
    if "discounts" in form:
        asked = form["discounts"].get("0", {}) if form["discounts"] else {}
        promotion = stripe.get("promotion_code", asked["promotion_code"]) if "promotion_code" in asked else None
        coupon = promotion["promotion"]["coupon"] if promotion else asked.get("coupon", "")
        mine["discounts"] = []
        if coupon:
            stripe.discount(mine, coupon, promotion["id"] if promotion else "")
    mine["metadata"] |= form.get("metadata", {})
    stripe.tell("customer.subscription.updated", mine)
    return mine


def cancel_subscription(stripe: StripeWorld, key: str, _: Thing) -> Thing:
    """End a subscription now."""
    mine = stripe.get("subscription", key)
    if mine["status"] == "canceled":
        raise Refusal(f"No such subscription: '{key}'", 404, code="resource_missing")
    stripe.end(mine)
    return mine


def change_thing(kind: str) -> Callable[[StripeWorld, str, Thing], Thing]:
    """Change plain fields of a product, price, promotion code or customer."""

    def change(stripe: StripeWorld, key: str, form: Thing) -> Thing:
        thing = stripe.get(kind, key)
        for name, value in form.items():
            if name == "active":
                thing[name] = value == "true"
            elif name == "metadata":
                thing[name] |= value
            elif name != "expand":
                thing[name] = value
        return thing

    return change


def delete_customer(stripe: StripeWorld, key: str, _: Thing) -> Thing:
    """A customer goes, with the subscriptions."""
    customer = stripe.get("customer", key)
    for one in stripe.all("subscription", customer=key):
        if one["status"] != "canceled":
            stripe.end(one)
    customer["deleted"] = True
    stripe.tell("customer.deleted", customer)
    return {"id": key, "object": "customer", "deleted": True}


def pay_invoice(stripe: StripeWorld, key: str, _: Thing) -> Thing:
    """Pay an open invoice with the customer's card."""
    invoice = stripe.get("invoice", key)
    if not stripe.pay(invoice):
        raise Refusal("Your card was declined.", 402, "card_error", "card_declined")
    return invoice


def expire_session(stripe: StripeWorld, key: str, _: Thing) -> Thing:
    """Close a Checkout page that nobody has finished."""
    session = stripe.get("checkout.session", key)
    if session["status"] != "open":
        raise Refusal('Only Checkout Sessions with a status in ["open"] can be expired.')
    session["status"] = "expired"
    return session


ONE: dict[tuple[str, str], Callable[[StripeWorld, str, Any], Thing]] = {
    ("POST", r"subscriptions/(\w+)"): change_subscription,
    ("DELETE", r"subscriptions/(\w+)"): cancel_subscription,
    ("POST", r"invoices/(\w+)/pay"): pay_invoice,
    ("POST", r"checkout/sessions/(\w+)/expire"): expire_session,
    ("POST", r"customers/(\w+)"): change_thing("customer"),
    ("DELETE", r"customers/(\w+)"): delete_customer,
    ("POST", r"products/([\w-]+)"): change_thing("product"),
    ("POST", r"prices/(\w+)"): change_thing("price"),
    ("POST", r"promotion_codes/(\w+)"): change_thing("promotion_code"),
}
