"""What Stripe tells us: forged, twice, late, out of order, of others; one final state."""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import User
from billing import gateway, mirror, tasks, webhooks
from billing.models import StripeEvent, Subscription, SubscriptionChange
from billing.tests.conftest import SECRET, deliver, pay_for, row_of, subscribed
from errors.exceptions import BotException
from instagrowth.testing import everywhere
from sandbox.stripe_hooks import signature
from sandbox.testing import Control

pytestmark = pytest.mark.django_db
KINDS = {
    "checkout.session.completed", "customer.subscription.created", "customer.subscription.updated",
    "customer.subscription.deleted", "invoice.finalized", "invoice.paid", "invoice.payment_failed",
}  # fmt: skip
SHUFFLES = 100
EVENT = b'{"id": "evt_1", "type": "invoice.paid", "created": 1, "livemode": false, "data": {"object": {}}}'


def test_an_event_is_written_down_once_and_done_by_a_task(alice: User, stripe: Control) -> None:
    workspace = pay_for(alice)
    paid = next(event for event in stripe.stripe()["events"] if event["type"] == "invoice.paid")

    assert [deliver(paid), deliver(paid)] == [200, 200]
    with everywhere():
        assert StripeEvent.objects.filter(processed_at=None).count() == 1
    assert row_of(workspace).plan.key == "free"
    tasks.process_event(paid["id"])
    tasks.process_event(paid["id"])

    row = row_of(workspace)
    assert (row.plan.key, row.status, row.mrr) == ("starter", "active", 1900)
    with everywhere():
        assert StripeEvent.objects.get().outcome == "mirrored"
        assert row.changes.filter(mrr=1900).count() == 1


def test_none_of_five_thousand_forged_signatures_is_taken(stripe: Control) -> None:
    chance, now = random.Random(7), int(time.time())
    good, accepted = signature(EVENT, SECRET), 0
    assert webhooks.verified(EVENT, good)["id"] == "evt_1"
    for number in range(5000):
        body, header = bytearray(EVENT), good
        match number % 5:
            case 0:
                body[chance.randrange(len(body))] ^= 1 << chance.randrange(7)
            case 1:
                place = chance.randrange(header.index("v1=") + 3, len(header))
                header = header[:place] + chance.choice("ghijkl") + header[place + 1 :]
            case 2:
                header = signature(EVENT, SECRET, now + chance.choice((-1, 1)) * chance.randrange(302, 10**9))
            case 3:
                header = signature(EVENT, chance.choice(("", "whsec_other", SECRET.upper(), SECRET + " ")))
            case 4:
                digest = good[-64:]
                header = chance.choice(
                    ("", "t=", f"t={now}", good.replace("v1", "v0"), f"t=1,{good}", f"{good},t={now}",
                     f"t=-{now},v1=00", f"v1={digest}", f"t={now}.5,v1={digest}")
                )  # fmt: skip
        with suppress(BotException):  # anything else that is raised fails the test
            webhooks.verified(bytes(body), header)
            accepted += 1
    print(f"mutations=5000 accepted={accepted}")
    assert accepted == 0


@pytest.mark.parametrize(("late", "answer"), [(-301, 400), (-290, 200), (290, 200), (310, 400), (1e9, 400)])
def test_a_signature_is_good_for_five_minutes_either_way(stripe: Control, late: float, answer: int) -> None:
    event = {"id": "evt_t", "type": "x", "created": 1, "livemode": False, "data": {"object": {"object": "x"}}}

    assert deliver(event, at=time.time() + late) == answer
    with everywhere():
        assert StripeEvent.objects.count() == (answer == 200)


def test_what_is_too_long_or_no_event_is_refused(stripe: Control) -> None:
    client = Client()
    assert client.get("/webhooks/stripe/").status_code == 405
    assert client.post("/webhooks/stripe/", b"x" * 300_000, content_type="application/json").status_code == 413
    assert client.post("/webhooks/stripe/", b"{}", content_type="application/json").json()["error"] == "WEBHOOK_REFUSED"


@pytest.mark.parametrize("change", [{"livemode": True}, {"account": "acct_other"}])
def test_events_of_the_other_mode_or_of_another_account_change_nothing(
    alice: User, stripe: Control, change: dict[str, Any]
) -> None:
    workspace = pay_for(alice)
    event = stripe.stripe()["events"][-1] | change

    assert deliver(event) == 200
    tasks.process_event(event["id"])

    with everywhere():
        assert StripeEvent.objects.get().outcome == "foreign"
    assert row_of(workspace).status == "incomplete"


def test_a_customer_who_is_none_of_ours_changes_nothing(alice: User, stripe: Control) -> None:
    workspace = pay_for(alice)
    with everywhere():
        Subscription.objects.update(stripe_customer_id="cus_another")
    event = stripe.stripe()["events"][-1]
    deliver(event)

    assert webhooks.process(event["id"]) == "unknown"
    assert row_of(workspace).status == "incomplete"
    assert webhooks.unfinished() == []


def test_what_was_left_undone_is_taken_up_when_stripe_answers_again(alice: User, stripe: Control) -> None:
    workspace = pay_for(alice)
    event = stripe.stripe()["events"][-1]
    deliver(event)
    stripe.fault("503", path="v1/")

    tasks.process_event(event["id"])
    assert gateway.is_away()
    assert webhooks.unfinished() == [event["id"]]
    tasks.look_after()

    assert not gateway.is_away()
    assert row_of(workspace).plan.key == "starter"
    assert webhooks.unfinished() == []


@pytest.mark.django_db(transaction=True)
def test_seven_kinds_in_any_order_and_number_lead_to_one_final_state(alice: User, stripe: Control) -> None:
    """The whole life of a subscription, its events shuffled, repeated and worked on by eight threads."""
    workspace = pay_for(alice)
    customer = row_of(workspace).stripe_customer_id
    stripe.stripe(customer=customer, card="4000000000000341")
    stripe.stripe(advance=70 * 86400)  # fails, is tried again, and ends
    events = [event for event in stripe.stripe()["events"] if event["type"] in KINDS]
    assert {event["type"] for event in events} == KINDS
    chance, states, deliveries = random.Random(11), set(), 0

    def work(share: list[dict[str, Any]]) -> None:
        try:
            for event in share:
                with everywhere():
                    webhooks.take_in(event)
                webhooks.process(event["id"])
        finally:
            connection.close()

    for shuffle in range(SHUFFLES):
        queue = events * (100 if shuffle == 0 else 1)
        chance.shuffle(queue)
        with everywhere():
            StripeEvent.objects.all().delete()
            Subscription.objects.update(status="incomplete", asked_at=None, mrr=0, stripe_subscription_id="")
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(work, [queue[n::8] for n in range(8)]))
        deliveries += len(queue)
        row = row_of(workspace)
        states.add((row.plan.key, row.status, row.mrr, row.stripe_subscription_id))
        assert webhooks.unfinished() == []
    print(f"kinds={len(KINDS)} deliveries={deliveries} final_states={len(states)}")
    assert len(states) == 1
    assert states.pop()[:3] == ("starter", "canceled", 0)


def test_the_younger_answer_stands_whoever_writes_last(
    alice: User, stripe: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of the shuffles: an old answer that comes late is thrown away."""
    workspace = pay_for(alice)
    customer = row_of(workspace).stripe_customer_id
    real = gateway.subscriptions_of

    def overtaken(named: str) -> list[dict[str, Any]]:
        old = real(named)
        monkeypatch.setattr(gateway, "subscriptions_of", real)
        gateway.end_now(old[0]["id"])
        assert mirror.mirror(named) == "mirrored"
        return old

    monkeypatch.setattr(gateway, "subscriptions_of", overtaken)
    assert mirror.mirror(customer) == "overtaken"
    assert row_of(workspace).status == "canceled"


def test_a_payment_that_fails_is_told_once_and_history_has_one_line(alice: User, stripe: Control) -> None:
    workspace = subscribed(alice)
    customer = row_of(workspace).stripe_customer_id
    stripe.stripe(customer=customer, card="4000000000000341")
    stripe.stripe(advance=32 * 86400)
    for event in stripe.stripe()["events"]:
        deliver(event)
        tasks.process_event(event["id"])

    row = row_of(workspace)
    assert (row.status, row.mrr, row.reminders) == ("past_due", 1900, 1)
    with everywhere():
        assert SubscriptionChange.objects.filter(subscription=row, status="past_due").count() == 1
