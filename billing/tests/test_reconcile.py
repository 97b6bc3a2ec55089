"""What the nightly comparison must not destroy, and what it must find: gifts, customers who just paid, old backups."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils.timezone import now

from accounts import tenancy
from accounts.models import User
from billing import dunning, entitlements, gateway, lifecycle, mirror, reconcile
from billing.models import Drift, Plan, Subscription, SubscriptionChange
from billing.tests.conftest import CARD, deliver, fill_in, row_of, subscribed
from errors import codes
from errors.exceptions import BotException
from instagrowth.testing import everywhere, workspace_of
from sandbox.testing import Control

pytestmark = pytest.mark.django_db


def sdk() -> Any:
    """Stripe as its dashboard or another program reaches it."""
    import stripe
    from django.conf import settings

    return stripe.StripeClient(settings.STRIPE_SECRET_KEY, base_addresses={"api": settings.STRIPE_API_URL}).v1  # type: ignore[typeddict-item]


def forget(workspace: Any) -> None:
    """Put the backup of last night back: whoever paid today is nobody's customer."""
    with everywhere():
        Subscription.objects.filter(workspace=workspace).delete()


def test_a_plan_that_staff_gave_to_who_paid_before_outlives_the_night_and_late_events(
    alice: User, stripe: Control
) -> None:
    workspace = subscribed(alice)
    over = row_of(workspace)
    gateway.end_now(over.stripe_subscription_id)
    mirror.mirror(over.stripe_customer_id)
    with everywhere():
        given = lifecycle.comp(workspace, "enterprise", now() + timedelta(days=30), None)
    before, mail.outbox[:] = mirror.facts(given), []

    assert reconcile.reconcile() == []
    late = next(one for one in reversed(stripe.stripe()["events"]) if one["type"] == "customer.subscription.deleted")
    assert deliver(late) == 200
    assert mirror.mirror(over.stripe_customer_id) == "unchanged"
    with tenancy.scope(workspace):
        lifecycle.refresh(workspace)

    assert (mirror.facts(row_of(workspace)), mail.outbox) == (before, [])
    price = Plan.objects.get(key="growth").stripe_price_id or Plan.objects.get(key="starter").stripe_price_id
    sdk().subscriptions.create({"customer": over.stripe_customer_id, "items": [{"price": price}]})
    reconcile.reconcile()
    assert row_of(workspace).is_at_stripe  # what is paid takes the gift's place


def test_what_we_hold_ends_though_a_younger_one_came_and_went_unseen(alice: User, stripe: Control) -> None:
    workspace = subscribed(alice)
    row = row_of(workspace)
    gateway.end_now(row.stripe_subscription_id)
    stripe.stripe(advance=5)
    price = Plan.objects.get(key="starter").stripe_price_id
    other = sdk().subscriptions.create({"customer": row.stripe_customer_id, "items": [{"price": price}]})
    gateway.end_now(other.id)
    reconcile.reconcile()

    row = row_of(workspace)
    assert (row.status, row.mrr) == ("canceled", 0)


def test_who_paid_while_the_books_were_compared_is_not_ended(
    alice: User, charlie: User, stripe: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribed(charlie)
    everything = list(gateway.all_subscriptions())
    workspace = subscribed(alice)  # the list was read before she bought, our rows after
    monkeypatch.setattr(gateway, "all_subscriptions", lambda: iter(everything))
    (drift,) = reconcile.reconcile()

    row = row_of(workspace)
    assert (row.status, row.plan.key, drift.repaired_at is None) == ("active", "starter", False)
    with everywhere():
        old = Drift.objects.create(kind=Drift.Kind.STALE, stripe_customer_id=row.stripe_customer_id, ours="active")
    reconcile.repair_one(old)  # one of such a night, clicked later
    assert row_of(workspace).status == "active"
    with everywhere():
        assert not SubscriptionChange.objects.filter(status="canceled").exists()
    stripe.stripe(forget=row.stripe_subscription_id)  # the control: what Stripe does not have is over
    monkeypatch.undo()
    reconcile.reconcile()
    assert row_of(workspace).status == "canceled"


def test_the_only_one_left_of_two_is_not_ended_by_an_old_drift(alice: User, stripe: Control) -> None:
    workspace = subscribed(alice)
    row = row_of(workspace)
    stripe.stripe(advance=5)
    price = Plan.objects.get(key="starter").stripe_price_id
    other = sdk().subscriptions.create({"customer": row.stripe_customer_id, "items": [{"price": price}]})
    (drift,) = reconcile.reconcile()
    gateway.end_now(row.stripe_subscription_id)  # the customer ended the older one before staff looked
    reconcile.repair_one(drift)

    row = row_of(workspace)
    assert (row.stripe_subscription_id, row.status) == (other.id, "active")
    assert (drift.kind, drift.repaired_at is None) == ("twice", False)


def test_a_payer_whom_a_backup_has_forgotten_is_found_and_claimed(alice: User, stripe: Control) -> None:
    workspace = subscribed(alice)
    paid = row_of(workspace).stripe_subscription_id
    forget(workspace)
    (found,) = reconcile.reconcile(repair=False)
    assert (found.kind, found.ours, found.stripe_subscription_id) == ("unclaimed", str(workspace.pk), paid)
    (found,) = reconcile.reconcile()

    row = row_of(workspace)
    assert (row.plan.key, row.status, row.stripe_subscription_id) == ("starter", "active", paid)
    assert (found.repaired_at is None, reconcile.reconcile(), reconcile.open_drifts()) == (False, [], [])


def test_a_second_customer_of_a_workspace_that_pays_is_listed_as_twice(alice: User, stripe: Control) -> None:
    workspace = subscribed(alice)
    first = row_of(workspace).stripe_subscription_id
    forget(workspace)
    other = sdk().customers.create({"email": "again@example.com"}).id
    stripe.stripe(customer=other, card="4242424242424242")
    price = Plan.objects.get(key="starter").stripe_price_id
    sdk().subscriptions.create({"customer": other, "items": [{"price": price}]})
    with everywhere():
        row = {"plan": Plan.objects.get(key="free"), "status": "incomplete", "stripe_customer_id": other}
        Subscription.objects.create(workspace=workspace, **row)
    mirror.mirror(other)
    (drift,) = reconcile.reconcile()
    assert (drift.kind, drift.stripe_subscription_id, drift.repaired_at) == ("twice", first, None)
    reconcile.repair_one(drift)

    assert stripe.stripe()["things"][first]["status"] == "canceled"
    assert (row_of(workspace).status, reconcile.reconcile()) == ("active", [])


def test_a_price_is_named_at_stripe_and_what_no_longer_differs_is_closed(
    alice: User, charlie: User, stripe: Control
) -> None:
    hers, his = subscribed(alice), subscribed(charlie)
    product = Plan.objects.get(key="starter").stripe_product_id
    price = sdk().prices.create(
        {"product": product, "unit_amount": 4900, "currency": "usd", "recurring": {"interval": "month"}}
    )
    for workspace in (hers, his):
        mine = row_of(workspace).stripe_subscription_id
        item = sdk().subscriptions.retrieve(mine)["items"].data[0].id
        sdk().subscriptions.update(mine, {"items": [{"id": item, "price": price.id}]})
    reconcile.reconcile()
    one, two = reconcile.open_drifts()
    assert {one.kind, two.kind} == {"unknown_price"}
    assert reconcile.repair_one(one).repaired_at is None

    assert reconcile.price_is(one, "growth").repaired_at
    assert [left.pk for left in reconcile.open_drifts()] == [two.pk]
    reconcile.reconcile()  # the other one follows, and its drift is closed
    assert {row_of(hers).plan.key, row_of(his).plan.key} == {"growth"}
    assert (reconcile.open_drifts(), reconcile.reconcile()) == ([], [])


def test_a_trial_that_staff_lengthen_stays_one(alice: User, stripe: Control) -> None:
    workspace = workspace_of(alice)
    forget(workspace)
    with tenancy.scope(workspace):
        page = lifecycle.begin(workspace, alice, "starter", "month", once="click")
    assert fill_in(page, card=CARD).endswith("/billing/paid/")
    mirror.mirror(row_of(workspace).stripe_customer_id)
    before = row_of(workspace)
    with everywhere():
        after = lifecycle.extend(workspace, 30, None)

    assert before.trial_ends_at is not None
    assert (before.status, after.status, after.mrr, after.had_trial) == ("trialing", "trialing", 0, True)
    assert after.trial_ends_at == before.trial_ends_at + timedelta(days=30)
    with everywhere():
        assert not SubscriptionChange.objects.filter(mrr__gt=0).exists()
        dunning.trial_ends(after.stripe_customer_id)
    assert any("trial" in written.subject.lower() for written in mail.outbox)


def test_a_trial_that_came_and_went_unseen_was_one(alice: User, stripe: Control) -> None:
    workspace = workspace_of(alice)
    with tenancy.scope(workspace):
        entitlements.subscribe(workspace, "free")
        page = lifecycle.begin(workspace, alice, "starter", "month", once="click")
    fill_in(page, card=CARD)
    customer = row_of(workspace).stripe_customer_id
    (theirs,) = gateway.subscriptions_of(customer)
    gateway.end_now(theirs["id"])
    mirror.mirror(customer)

    assert (theirs["status"], row_of(workspace).had_trial) == ("trialing", True)


def test_whoever_pays_during_given_days_moves_up_when_they_end_and_down_at_once(alice: User, stripe: Control) -> None:
    workspace = subscribed(alice, "growth")
    with everywhere():
        Plan.objects.filter(key="enterprise").update(trial_days=0)
        given = lifecycle.extend(workspace, 30, None)
    at = int(now().timestamp())
    with tenancy.scope(workspace):
        for deed in (
            lambda: lifecycle.preview(workspace, "enterprise", "month"),
            lambda: lifecycle.change(workspace, alice, "enterprise", "month", at=at, once="up"),
        ):
            with pytest.raises(BotException) as refused:
                deed()
            assert refused.value.code is codes.DAYS_ARE_GIVEN
        assert row_of(workspace).mrr == given.mrr == 4900
        assert lifecycle.change(workspace, alice, "starter", "month", at=at, once="down").mrr == 1900


def test_whom_a_backup_has_forgotten_is_known_by_stripe_and_buys_nothing_twice(
    alice: User, stripe: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = subscribed(alice)
    paid = row_of(workspace).stripe_subscription_id
    forget(workspace)
    with tenancy.scope(workspace):
        with pytest.raises(BotException) as refused:
            lifecycle.begin(workspace, alice, "growth", "month", once="again")
        row = row_of(workspace)
    assert refused.value.code is codes.SUBSCRIBED_ALREADY
    assert (row.stripe_subscription_id, row.status) == (paid, "active")  # and she has what she pays for
    assert len([one for one in stripe.stripe()["things"].values() if one["object"] == "customer"]) == 1
    forget(workspace)
    gateway.end_now(paid)

    def search(*_: object) -> None:
        import stripe

        raise stripe.InvalidRequestError("Search is not available to merchants in India.", None)

    monkeypatch.setattr(type(sdk().customers), "search", search)  # there a customer is made
    with tenancy.scope(workspace):
        assert "/c/pay/" in lifecycle.begin(workspace, alice, "growth", "month", once="more")


def test_the_key_of_another_stripe_ends_nobody_without_a_person(
    alice: User, charlie: User, stripe: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    hers, his = subscribed(alice), subscribed(charlie)
    monkeypatch.setattr(gateway, "all_subscriptions", lambda: iter([]))
    monkeypatch.setattr(gateway, "subscriptions_of", lambda _: [])
    monkeypatch.setattr(gateway, "invoices_of", lambda _: [])
    one, two = reconcile.reconcile()
    assert (one.repaired_at, two.repaired_at, row_of(hers).status, row_of(his).status) == (
        None,
        None,
        "active",
        "active",
    )

    reconcile.repair_one(one)
    assert {row_of(hers).status, row_of(his).status} == {"active", "canceled"}


def test_what_stripe_refuses_of_one_customer_holds_up_no_other(
    alice: User, charlie: User, stripe: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = sorted((row_of(subscribed(user)) for user in (alice, charlie)), key=lambda row: row.stripe_customer_id)
    for row in rows:
        gateway.end_now(row.stripe_subscription_id)
    ask = gateway.subscriptions_of

    def refusing(customer: str) -> list[Any]:
        if customer == rows[0].stripe_customer_id:
            raise BotException(codes.STRIPE_REFUSED)
        return ask(customer)

    monkeypatch.setattr(gateway, "subscriptions_of", refusing)
    one, two = reconcile.reconcile()

    assert (one.repaired_at is None, two.repaired_at is None) == (True, False)
    with everywhere():
        assert list(Subscription.objects.filter(pk__in=[row.pk for row in rows], status="canceled")) == rows[1:]


@pytest.mark.parametrize(
    ("price", "every", "quantity", "brings"),
    [
        ({"unit_amount": 1900}, {"interval": "month"}, 2, 3800),
        ({"unit_amount": 5700}, {"interval": "month", "interval_count": 3}, 1, 1900),
        ({"unit_amount": 700}, {"interval": "week"}, 1, 3044),
        ({"unit_amount": None, "unit_amount_decimal": "12.5"}, {"interval": "month"}, 100, 1250),
        ({"unit_amount": None, "unit_amount_decimal": None}, {"interval": "year"}, 1, 0),
    ],
)
def test_prices_that_somebody_made_at_stripe_are_counted_by_the_month(
    price: dict[str, Any], every: dict[str, Any], quantity: int, brings: int
) -> None:
    assert mirror.monthly(price | {"recurring": every}, None, quantity) == brings
