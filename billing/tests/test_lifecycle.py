"""The life of a subscription at the sandbox's Stripe, by the functions that pages and staff call."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils.timezone import now

from accounts import tenancy
from accounts.models import User
from billing import entitlements, gateway, lifecycle, mirror, reconcile, tasks
from billing.models import Drift, Invoice, Plan, Subscription
from billing.tests.conftest import fill_in, pay_for, row_of, subscribed
from errors import codes
from errors.exceptions import BotException
from errors.steps import Step
from instagrowth.testing import everywhere, workspace_of
from sandbox.testing import Control

pytestmark = pytest.mark.django_db
DAY = 86400
FAILS = "4000000000000341"


def refused_with(deed: Any) -> str:
    with pytest.raises(BotException) as refused:
        deed()
    return refused.value.code.name


def told() -> list[str]:
    return [written.subject for written in mail.outbox]


def test_two_clicks_are_one_page_and_who_pays_cannot_pay_again(alice: User, stripe: Control) -> None:
    workspace = workspace_of(alice)
    with everywhere():
        Subscription.objects.all().delete()
    with tenancy.scope(workspace):
        one, two = (lifecycle.begin(workspace, alice, "starter", "month", once="click") for _ in range(2))
        other = lifecycle.begin(workspace, alice, "starter", "month", once="another")
        assert (one == two, one == other) == (True, False)
        assert "over" in fill_in(two, card="4242 4242 4242 4242")
        last = lifecycle.begin(workspace, alice, "starter", "month", once="click")
    assert last not in (one, other)
    assert "over" in fill_in(other, card="4242 4242 4242 4242")
    assert "declined" in fill_in(last, card="4000 0000 0000 0002")
    assert fill_in(last, card="4242 4242 4242 4242").endswith("/billing/paid/")

    with tenancy.scope(workspace):
        assert refused_with(lambda: lifecycle.begin(workspace, alice, "growth", "month", "x")) == "SUBSCRIBED_ALREADY"
    assert len([t for t in stripe.stripe()["things"].values() if t["object"] == "customer"]) == 1


def test_a_trial_comes_once_and_pays_nothing_until_it_ends(
    alice: User, stripe: Control, steps_here: list[Step]
) -> None:
    workspace = pay_for(alice)
    assert ("POST api.stripe.com/v1/customers", "200") in [(step.name, step.outcome) for step in steps_here]
    with everywhere():
        Plan.objects.filter(key="growth").update(trial_days=14)
    gateway.end_now(gateway.subscriptions_of(row_of(workspace).stripe_customer_id)[0]["id"])
    with tenancy.scope(workspace):
        fill_in(lifecycle.begin(workspace, alice, "growth", "month", "x"), card="4242424242424242")
        row = lifecycle.refresh(workspace)
    assert row is not None
    assert (row.status, row.mrr, row.had_trial, row.plan.key) == ("trialing", 0, True, "growth")
    stripe.stripe(advance=15 * DAY)
    with tenancy.scope(workspace):
        row = lifecycle.refresh(workspace)
        assert row is not None
        assert (row.status, row.mrr) == ("active", 4900)
        lifecycle.end_now(workspace, None)
        page = lifecycle.begin(workspace, alice, "growth", "month", "y")
    assert "days free" not in fill_in(page, card="4000000000000002")


def test_an_upgrade_costs_what_the_preview_said_and_a_downgrade_becomes_a_credit(alice: User, stripe: Control) -> None:
    workspace = subscribed(alice)
    stripe.stripe(advance=1)
    with tenancy.scope(workspace):
        shown = lifecycle.preview(workspace, "growth", "month")
        assert 2900 <= shown.due_now <= 3000
        row = lifecycle.change(workspace, alice, "growth", "month", at=shown.at, once="a")
        assert (row.plan.key, row.mrr) == ("growth", 4900)
        assert Invoice.objects.order_by("-created_at", "-number")[0].total == shown.due_now

        down = lifecycle.preview(workspace, "starter", "month")
        assert (down.due_now, down.pays_now, down.credit > 4800) == (0, False, True)
        row = lifecycle.change(workspace, alice, "starter", "month", at=down.at, once="b")
        assert (row.plan.key, row.mrr, Invoice.objects.count()) == ("starter", 1900, 2)

        year = lifecycle.preview(workspace, "starter", "year")
        row = lifecycle.change(workspace, alice, "starter", "year", at=year.at, once="c")
        assert (row.interval, row.mrr) == ("year", round(19000 / 12))
        assert row.current_period_end is not None
        assert row.current_period_end > now() + timedelta(days=360)


def test_a_refused_card_leaves_the_plan_as_it_is(alice: User, stripe: Control) -> None:
    workspace = subscribed(alice)
    stripe.stripe(customer=row_of(workspace).stripe_customer_id, card=FAILS)
    with tenancy.scope(workspace):
        at = lifecycle.preview(workspace, "growth", "month").at
        deed = lambda: lifecycle.change(workspace, alice, "growth", "month", at=at, once="a")  # noqa: E731
        assert refused_with(deed) == "CARD_REFUSED"
    assert row_of(workspace).plan.key == "starter"


def test_a_failed_payment_has_grace_reminders_and_an_end_and_paying_brings_it_back(
    alice: User, stripe: Control
) -> None:
    workspace = subscribed(alice)
    customer = row_of(workspace).stripe_customer_id
    stripe.stripe(customer=customer, card=FAILS)
    stripe.stripe(advance=31 * DAY)
    mirror.mirror(customer)
    tasks.look_after()
    assert (row_of(workspace).status, row_of(workspace).mrr) == ("past_due", 1900)
    with tenancy.scope(workspace):
        assert entitlements.plan_of(workspace_of(alice)).key == "starter"
    for days, mails in ((2, 1), (4, 2), (6.5, 3)):
        with everywhere():
            Subscription.objects.update(past_due_since=now() - timedelta(days=days))
        tasks.look_after(), tasks.look_after()
        assert told().count("A payment failed") == mails

    with everywhere():
        Subscription.objects.update(past_due_since=now() - timedelta(days=8))
    tasks.look_after()
    assert (row_of(workspace).status, row_of(workspace).mrr) == ("unpaid", 0)
    mirror.mirror(customer)  # Stripe still tries: that gives no second grace
    assert row_of(workspace).status == "unpaid"
    with tenancy.scope(workspace):
        invoice = Invoice.objects.get(status="open")
    assert "Paid" in fill_in(invoice.page_url, card="4242424242424242")
    mirror.mirror(customer)
    assert (row_of(workspace).status, row_of(workspace).mrr) == ("active", 1900)
    assert told()[-2:] == ["Your plan is paused", "The payment went through"]


def test_cancelling_waits_for_the_end_of_the_period_and_can_be_undone(alice: User, stripe: Control) -> None:
    workspace = subscribed(alice)
    with tenancy.scope(workspace):
        assert lifecycle.cancel(workspace, alice).cancel_at_period_end
        assert not lifecycle.resume(workspace, alice).cancel_at_period_end
        lifecycle.cancel(workspace, alice)
        assert row_of(workspace).mrr == 1900
    stripe.stripe(advance=32 * DAY)
    mirror.mirror(row_of(workspace).stripe_customer_id)
    assert (row_of(workspace).status, row_of(workspace).mrr, told()) == ("canceled", 0, ["Your plan has ended"])


def test_a_lasting_coupon_lowers_the_mrr_and_an_unknown_one_changes_nothing(alice: User, stripe: Control) -> None:
    import stripe as sdk
    from django.conf import settings

    workspace = subscribed(alice)
    client = sdk.StripeClient(settings.STRIPE_SECRET_KEY, base_addresses={"api": settings.STRIPE_API_URL})  # type: ignore[typeddict-item]
    client.v1.coupons.create({"id": "half", "name": "Half", "percent_off": 50, "duration": "forever"})
    client.v1.promotion_codes.create({"code": "HALF", "promotion": {"type": "coupon", "coupon": "half"}})
    with tenancy.scope(workspace):
        assert refused_with(lambda: lifecycle.redeem(workspace, alice, "NONE")) == "COUPON_UNKNOWN"
        row = lifecycle.redeem(workspace, alice, " HALF ")
    assert (row.mrr, row.discount) == (950, "Half")


def test_staff_give_and_lengthen_plans_but_not_over_one_that_is_paid(
    alice: User, charlie: User, stripe: Control
) -> None:
    workspace, paying = workspace_of(charlie), subscribed(alice)
    with everywhere():
        given = lifecycle.comp(workspace, "enterprise", now() + timedelta(days=10), None)
        assert (given.mrr, given.plan.key) == (0, "enterprise")
        longer = lifecycle.extend(workspace, 5, None).current_period_end
        assert longer is not None
        assert longer > now() + timedelta(days=14)
        Subscription.objects.filter(pk=given.pk).update(current_period_end=now())
        assert refused_with(lambda: lifecycle.comp(paying, "growth", None, None)) == "PLAN_IS_PAID"
        before = row_of(paying).current_period_end
        after = lifecycle.extend(paying, 30, None)
    assert before is not None
    assert (after.status, after.mrr, after.current_period_end) == ("active", 1900, before + timedelta(days=30))
    tasks.look_after()
    assert row_of(workspace).status == "canceled"


def test_all_webhooks_lost_then_reconciled_leaves_no_drift(
    alice: User, charlie: User, stripe: Control, capsys: Any
) -> None:
    hers, his = pay_for(alice), subscribed(charlie, "growth")
    gateway.end_now(row_of(his).stripe_subscription_id)
    call_command("reconcile_stripe", "--dry-run")
    assert "2 drifts, 2 open" in capsys.readouterr().out
    tasks.reconcile_stripe()

    assert (row_of(hers).plan.key, row_of(hers).status, row_of(his).status) == ("starter", "active", "canceled")
    assert reconcile.reconcile() == []
    assert reconcile.open_drifts() == []
    print("drift=0")


def test_two_subscriptions_and_one_of_an_erased_workspace_are_listed_and_ended_by_a_click(
    alice: User, stripe: Control
) -> None:
    workspace = subscribed(alice)
    import stripe as sdk
    from django.conf import settings

    client = sdk.StripeClient(settings.STRIPE_SECRET_KEY, base_addresses={"api": settings.STRIPE_API_URL})  # type: ignore[typeddict-item]
    row = row_of(workspace)
    price = Plan.objects.get(key="starter").stripe_price_id
    stripe.stripe(advance=5)  # the older one is the one
    client.v1.subscriptions.create({"customer": row.stripe_customer_id, "items": [{"price": price}]})
    gone = client.v1.customers.create({"email": "gone@example.com"})
    lost = {"workspace": "00000000-0000-4000-8000-000000000000"}
    client.v1.subscriptions.create({"customer": gone.id, "items": [{"price": price}], "metadata": lost})
    found = reconcile.reconcile()

    assert sorted(drift.kind for drift in found) == ["orphan", "twice"]
    assert all(drift.repaired_at is None for drift in found)
    for drift in reconcile.open_drifts():
        reconcile.repair_one(drift)
    assert reconcile.reconcile() == []
    assert row_of(workspace).status == "active"
    with everywhere():
        assert Drift.objects.filter(repaired_at=None).count() == 0


def test_a_price_deleted_at_stripe_and_a_stripe_that_is_away_are_told_apart(alice: User, stripe: Control) -> None:
    workspace = workspace_of(alice)
    call_command("sync_plans")
    gone = Plan.objects.get(key="enterprise").stripe_price_id
    stripe.stripe(forget=gone)
    with tenancy.scope(workspace):
        begin = lambda: lifecycle.begin(workspace, alice, "enterprise", "month", "x")  # noqa: E731
        assert "/c/pay/" in begin()  # it is made anew
        assert Plan.objects.get(key="enterprise").stripe_price_id not in ("", gone)
        for fault in ("503", "reset", "429", "not_json"):
            stripe.fault(fault, path="v1/")
            assert refused_with(begin) == "STRIPE_UNREACHABLE"
        assert "/c/pay/" in begin()


def test_a_downgrade_pauses_the_youngest_bots_and_an_upgrade_brings_them_back(alice: User) -> None:
    from bots import dispatch
    from bots.models import Bot
    from instagrowth.testing import warm_account

    workspace = workspace_of(alice)
    for number in range(4):
        account = warm_account(workspace, f"kiln.{number}", created_at=now() - timedelta(days=9 - number))
        with everywhere():
            Bot.objects.create(workspace=workspace, account=account, user=alice, status="running")

    def claimed() -> set[str]:
        with everywhere():
            due = Bot.objects.filter(next_run_at__lt=now() + timedelta(days=1))
            due.update(next_run_at=now() - timedelta(hours=1))  # the claim's clock is that of the test's transaction
            bots = {claim.bot for claim in dispatch.claim()}
            names = set(Bot.objects.filter(pk__in=bots).values_list("account__username", flat=True))
            Bot.objects.update(lease_until=None)
        return names

    with everywhere():
        entitlements.subscribe(workspace, "growth")
        entitlements.subscribe(workspace, "free")
        Bot.objects.update(share=9)  # all of them at once, were they allowed
    assert claimed() == {"kiln.0"}
    with everywhere():
        paused = Bot.objects.filter(last_error_code=codes.PLAN_ACCOUNT_LIMIT.id)
        assert paused.count() == 3
        entitlements.subscribe(workspace, "growth")
        assert paused.count() == 0
    assert claimed() == {f"kiln.{number}" for number in range(4)}


@pytest.mark.parametrize(("on", "tax"), [(True, True), (False, False)])
def test_taxes_are_left_to_stripe_where_that_is_switched_on(
    alice: User, stripe: Control, settings: Any, on: bool, tax: bool
) -> None:
    settings.STRIPE_TAX = on
    workspace = pay_for(alice)
    mirror.mirror(row_of(workspace).stripe_customer_id)

    with everywhere():
        invoice = Invoice.objects.get(workspace=workspace)
    assert (invoice.tax > 0) is tax
    assert invoice.total == row_of(workspace).plan.price + invoice.tax
