"""Stripe's state at the stand-in: objects in Stripe's own shape, a clock that can be put forward, and what time does.

Cards: 4242 4242 4242 4242 pays; 4000 0000 0000 0002 is refused at once; 4000 0000 0000 0341 is taken and refused when
it is charged. Any date and code are good.
"""

import calendar
import json
import os
import secrets
import time
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

API_VERSION = "2026-10-28.endive"
DAY = 86400
RETRIES = (3 * DAY, 5 * DAY, 7 * DAY)  # after a failed charge; then the subscription is cancelled
TAX_PERCENT = 20  # where Stripe Tax is switched on
GOOD, REFUSED, FAILS_LATER = "4242424242424242", "4000000000000002", "4000000000000341"
Thing = dict[str, Any]
KEPT = ("things", "events", "ahead", "invoices")


@dataclass
class Refusal(Exception):
    """Stripe says no, in its own words."""

    message: str
    status: int = 400
    type: str = "invalid_request_error"
    code: str = ""
    param: str = ""


@dataclass
class StripeWorld:
    """Everything at Stripe. Objects are kept by their id, newest last."""

    things: dict[str, Thing] = field(default_factory=dict)
    events: list[Thing] = field(default_factory=list)
    answers: dict[str, tuple[str, int, Thing]] = field(default_factory=dict)  # by idempotency key
    ahead: float = 0  # seconds that the clock is put forward
    outbox: list[Thing] = field(default_factory=list)  # events on their way to the endpoint
    endpoint: str = ""
    secret: str = ""
    invoices: int = 0
    kept_in: str = ""  # a file in which all this outlives a restart; the orders of one process do not

    # ── Things ──

    def keep(self) -> None:
        """Write what is there into the file, if there is one: whole or not at all."""
        if self.kept_in:
            written = f"{self.kept_in}.new"
            Path(written).write_text(json.dumps({name: getattr(self, name) for name in KEPT}))
            Path(written).replace(self.kept_in)

    def now(self) -> int:
        """The second it is at Stripe."""
        return int(time.time() + self.ahead)

    def make(self, kind: str, prefix: str, **fields: Any) -> Thing:
        """A new object of a kind."""
        thing: Thing = {
            "id": f"{prefix}_{secrets.token_hex(12)}",
            "object": kind,
            "created": self.now(),
            "livemode": False,
        }
        thing |= fields
        self.things[thing["id"]] = thing
        return thing

    def get(self, kind: str, key: object) -> Thing:
        """An object by its id. Raises Refusal (resource_missing)."""
        thing = self.things.get(str(key))
        if thing is None or thing["object"] != kind or thing.get("deleted"):
            raise Refusal(f"No such {kind}: '{key}'", 404 if kind != "price" else 400, code="resource_missing")
        return thing

    def all(self, kind: str, **where: object) -> list[Thing]:
        """The objects of a kind, the newest first, as Stripe lists them."""
        found = [thing for thing in self.things.values() if thing["object"] == kind and not thing.get("deleted")]
        return [t for t in reversed(found) if all(t.get(name) == value for name, value in where.items())]

    def tell(self, kind: str, thing: Thing) -> None:
        """Something happened: an event with the object as it is now."""
        event = {
            "id": f"evt_{secrets.token_hex(12)}",
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now(),
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
            "data": {"object": {name: deepcopy(value) for name, value in thing.items() if name[0] != "_"}},
        }
        self.events.append(event)
        self.outbox.append(event)

    # ── Money ──

    def taxed(self, amount: int, subscription: Thing) -> int:
        """The tax on an amount."""
        on = subscription.get("automatic_tax", {}).get("enabled")
        return round(amount * TAX_PERCENT / 100) if on and amount > 0 else 0

    def off(self, amount: int, subscription: Thing) -> int:
        """What the subscription's discounts take off an amount now."""
        left = amount
        for discount in self.discounts(subscription):
            coupon = self.things[discount["source"]["coupon"]]
            left -= round(left * coupon["percent_off"] / 100) if coupon["percent_off"] else coupon["amount_off"]
        return amount - max(left, 0) if amount > 0 else 0

    def discounts(self, subscription: Thing) -> list[Thing]:
        """The discounts that have not ended."""
        mine = [self.things[key] for key in subscription["discounts"]]
        return [one for one in mine if one["end"] is None or one["end"] > self.now()]

    def invoice(self, subscription: Thing, lines: list[Thing], reason: str) -> Thing:
        """An invoice of these lines and whatever waited, charged at once. A credit goes to the customer's balance."""
        customer = self.things[subscription["customer"]]
        lines = [*subscription.pop("_waiting", []), *lines]
        self.invoices += 1
        drawn = self.sum_up(subscription, lines)
        key = secrets.token_hex(8)
        number = f"SANDBOX-{self.invoices:04}"
        invoice = self.make(
            "invoice", "in", **drawn, customer=customer["id"], number=number, status="open", billing_reason=reason,
            attempt_count=0, attempted=False, next_payment_attempt=None, amount_paid=0, metadata={},
            parent={"type": "subscription_details", "subscription_details": {"subscription": subscription["id"]}},
            hosted_invoice_url=f"/i/{key}", invoice_pdf=f"/i/{key}/pdf", status_transitions={"paid_at": None},
            period_start=self.now(), period_end=self.now(),
        )  # fmt: skip
        customer["balance"] += drawn["total"] - drawn["amount_due"]
        for discount in self.discounts(subscription):
            if self.things[discount["source"]["coupon"]]["duration"] == "once":
                discount["end"] = self.now()
        subscription["latest_invoice"] = invoice["id"]
        self.tell("invoice.finalized", invoice)
        self.charge(invoice)
        return invoice

    def sum_up(self, subscription: Thing, lines: list[Thing]) -> Thing:
        """The sums of an invoice of these lines."""
        subtotal = sum(line["amount"] for line in lines)
        off = self.off(subtotal, subscription)
        tax = self.taxed(subtotal - off, subscription)
        total = subtotal - off + tax
        balance = self.things[subscription["customer"]]["balance"]
        due = max(0, total + balance) if total > 0 else 0
        return {
            "currency": subscription["currency"], "subtotal": subtotal, "total": total, "amount_due": due,
            "amount_remaining": due, "total_taxes": [{"amount": tax}] if tax else [],
            "total_discount_amounts": [{"amount": off}] if off else [],
            "lines": {"object": "list", "data": lines, "has_more": False},
        }  # fmt: skip

    def charge(self, invoice: Thing) -> bool:
        """Take the money of an open invoice; whether it was there."""
        customer = self.things[invoice["customer"]]
        invoice["attempt_count"] += 1
        invoice["attempted"] = True
        if invoice["amount_due"] and customer["_card"] != GOOD:
            self.tell("invoice.payment_failed", invoice)
            return False
        invoice |= {"status": "paid", "amount_paid": invoice["amount_due"], "amount_remaining": 0}
        invoice |= {"next_payment_attempt": None, "status_transitions": {"paid_at": self.now()}}
        self.tell("invoice.paid", invoice)
        return True

    def pay(self, invoice: Thing) -> bool:
        """Try an open invoice again; what was overdue runs again when it is paid."""
        if invoice["status"] != "open":
            raise Refusal("Invoice is already paid", code="invoice_not_open")
        subscription = self.things[invoice["parent"]["subscription_details"]["subscription"]]
        paid = self.charge(invoice)
        if paid and subscription["status"] in ("past_due", "unpaid", "incomplete"):
            subscription["status"] = "active"
            self.tell("customer.subscription.updated", subscription)
        return paid

    # ── Subscriptions ──

    def subscribe(self, customer: Thing, price: Thing, *, trial_days: int = 0, coupon: str = "", promotion: str = "",
                  metadata: Thing | None = None, tax: bool = False) -> Thing:  # fmt: skip
        """A new subscription, its first period paid or tried."""
        now = self.now()
        ends = now + trial_days * DAY if trial_days else later(now, price["recurring"]["interval"])
        subscription = self.make(
            "subscription", "sub", customer=customer["id"], currency=price["currency"], status="active",
            cancel_at_period_end=False, cancel_at=None, canceled_at=None, ended_at=None, metadata=metadata or {},
            discounts=[], latest_invoice=None, automatic_tax={"enabled": tax}, billing_cycle_anchor=ends,
            trial_start=now if trial_days else None, trial_end=ends if trial_days else None,
            collection_method="charge_automatically",
        )  # fmt: skip
        item = self.make("subscription_item", "si", subscription=subscription["id"], price=price, quantity=1,
                         current_period_start=now, current_period_end=ends, metadata={})  # fmt: skip
        subscription["items"] = {"object": "list", "data": [item], "has_more": False}
        if coupon:
            self.discount(subscription, coupon, promotion)
        if trial_days:
            subscription["status"] = "trialing"
        self.tell("customer.subscription.created", subscription)
        first = [] if trial_days else [line(price["unit_amount"], "Subscription", now, ends)]
        invoice = self.invoice(subscription, first, "subscription_create")
        if invoice["status"] != "paid":
            subscription["status"] = "incomplete"
            self.tell("customer.subscription.updated", subscription)
        return subscription

    def discount(self, subscription: Thing, coupon: str, promotion: str = "") -> None:
        """Take a coupon off from now on, in place of another one."""
        taken = self.get("coupon", coupon)
        months = taken.get("duration_in_months")
        end = later(self.now(), "month", months) if taken["duration"] == "repeating" and months else None
        made = self.make("discount", "di", source={"type": "coupon", "coupon": coupon}, start=self.now(), end=end,
                         subscription=subscription["id"], customer=subscription["customer"],
                         promotion_code=promotion or None)  # fmt: skip
        subscription["discounts"] = [made["id"]]

    def prorate(self, subscription: Thing, price: Thing, at: int) -> list[Thing]:
        """The lines that a change of price makes at a moment."""
        item = subscription["items"]["data"][0]
        old, start, end = item["price"], item["current_period_start"], item["current_period_end"]
        if subscription["status"] == "trialing":
            return []
        share = max(0, end - at) / max(1, end - start)
        unused = line(-round(old["unit_amount"] * share), "Unused time", at, end, proration=True)
        if old["recurring"]["interval"] != price["recurring"]["interval"]:
            whole = line(price["unit_amount"], "Subscription", at, later(at, price["recurring"]["interval"]))
            return [unused, whole]
        return [unused, line(round(price["unit_amount"] * share), "Remaining time", at, end, proration=True)]

    def change_price(self, subscription: Thing, price: Thing, behavior: str, at: int, *, must_pay: bool) -> None:
        """Put a subscription on another price. Raises Refusal where it must be paid and the card is refused."""
        lines = self.prorate(subscription, price, at)
        item = subscription["items"]["data"][0]
        turns = item["price"]["recurring"]["interval"] != price["recurring"]["interval"]
        due = self.sum_up(subscription, lines)["amount_due"]
        if must_pay and lines and due and self.things[subscription["customer"]]["_card"] != GOOD:
            raise Refusal("Your card was declined.", 402, "card_error", "card_declined")
        item["price"] = price
        if turns and subscription["status"] != "trialing":
            item["current_period_start"], item["current_period_end"] = at, later(at, price["recurring"]["interval"])
        if lines and (behavior == "always_invoice" or turns):
            self.invoice(subscription, lines, "subscription_update")
        elif lines and behavior == "create_prorations":
            subscription.setdefault("_waiting", []).extend(lines)

    def end(self, subscription: Thing) -> None:
        """It is over; what is open of it is asked for no more by itself."""
        for invoice in self.all("invoice", status="open"):
            if invoice["parent"]["subscription_details"]["subscription"] == subscription["id"]:
                invoice["next_payment_attempt"] = None
        subscription |= {"status": "canceled", "canceled_at": self.now(), "ended_at": self.now()}
        self.tell("customer.subscription.deleted", subscription)

    # ── Time ──

    def advance(self, seconds: float) -> None:
        """Put the clock forward, and let everything fall due in its order."""
        until = self.now() + seconds
        while due := self.next_due(until):
            at, deed, thing = due
            self.ahead += max(0, at - self.now())
            deed(thing)
        self.ahead += max(0, until - self.now())

    def next_due(self, until: float) -> tuple[int, Any, Thing] | None:
        """What falls due first until then."""
        found: list[tuple[int, Any, Thing]] = []
        for thing in self.things.values():
            if thing["object"] == "subscription" and thing["status"] in ("active", "trialing", "past_due"):
                ends = thing["items"]["data"][0]["current_period_end"]
                found.append((ends, self.renew, thing))
                if thing["trial_end"] and thing["status"] == "trialing" and not thing.get("_warned"):
                    found.append((thing["trial_end"] - 3 * DAY, self.warn, thing))
            elif thing["object"] == "invoice" and thing["status"] == "open" and thing["next_payment_attempt"]:
                found.append((thing["next_payment_attempt"], self.retry, thing))
        return min((due for due in found if due[0] <= until), key=lambda due: due[0], default=None)

    def warn(self, subscription: Thing) -> None:
        """Three days before a trial ends."""
        subscription["_warned"] = True
        self.tell("customer.subscription.trial_will_end", subscription)

    def renew(self, subscription: Thing) -> None:
        """A period is over: the next one, or the end."""
        if subscription["cancel_at_period_end"]:
            self.end(subscription)
            return
        item = subscription["items"]["data"][0]
        price, start = item["price"], item["current_period_end"]
        item["current_period_start"], item["current_period_end"] = start, later(start, price["recurring"]["interval"])
        was = subscription["status"]
        if was == "trialing":
            subscription["status"] = "active"
        lines = [line(price["unit_amount"], "Subscription", start, item["current_period_end"])]
        invoice = self.invoice(subscription, lines, "subscription_cycle")
        if invoice["status"] != "paid":
            subscription["status"] = "past_due"
            invoice["next_payment_attempt"] = self.now() + RETRIES[0]
        self.tell("customer.subscription.updated", subscription)

    def retry(self, invoice: Thing) -> None:
        """Charge once more; after the last time the subscription ends."""
        invoice["next_payment_attempt"] = None
        if self.pay(invoice):
            return
        if invoice["attempt_count"] <= len(RETRIES):
            invoice["next_payment_attempt"] = self.now() + RETRIES[invoice["attempt_count"] - 1]
        else:
            self.end(self.things[invoice["parent"]["subscription_details"]["subscription"]])


def fresh() -> StripeWorld:
    """Stripe as it is at the start; `make run` says in the environment where webhooks go."""
    file = os.environ.get("SANDBOX_STRIPE_FILE", "")
    kept = json.loads(Path(file).read_text()) if file and Path(file).exists() else {}
    endpoint = os.environ.get("SANDBOX_STRIPE_ENDPOINT", "")
    return StripeWorld(endpoint=endpoint, secret="whsec_sandbox", kept_in=file, **kept)


def line(amount: int, description: str, start: int, end: int, *, proration: bool = False) -> Thing:
    """One line of an invoice."""
    details = {"type": "subscription_item_details", "subscription_item_details": {"proration": proration}}
    return {"object": "line_item", "amount": amount, "description": description, "parent": details,
            "period": {"start": start, "end": end}}  # fmt: skip


def later(at: int, interval: str, count: int = 1) -> int:
    """So many months or years after a moment, on the same day or the month's last."""
    then = datetime.fromtimestamp(at, UTC)
    months = then.month - 1 + count * (12 if interval == "year" else 1)
    year, month = then.year + months // 12, months % 12 + 1
    day = min(then.day, calendar.monthrange(year, month)[1])
    return int(then.replace(year=year, month=month, day=day).timestamp())
