"""What is shown is what is charged: after a price was changed, and between a preview and its confirmation."""

import pytest
from django.core.management import call_command

from accounts import tenancy
from accounts.models import User
from billing import entitlements, lifecycle, mirror, reconcile
from billing.models import Invoice, Plan, Subscription
from billing.tests.conftest import fill_in, row_of, subscribed
from billing.tests.test_pages import window, words
from errors import codes
from instagrowth.testing import everywhere, workspace_of
from sandbox.testing import Control

pytestmark = pytest.mark.django_db


def test_the_price_shown_is_the_price_charged_and_who_pays_an_older_one_keeps_it(
    alice: User, charlie: User, stripe: Control
) -> None:
    hers, his = subscribed(alice), workspace_of(charlie)
    Plan.objects.filter(key="starter").update(price=900, currency="eur", trial_days=0)  # and nobody runs sync_plans
    with everywhere():
        Subscription.objects.filter(workspace=his).delete()
    with tenancy.scope(his):
        fill_in(lifecycle.begin(his, charlie, "starter", "month", once="click"), card="4242424242424242")
        row = lifecycle.refresh(his)
        assert row is not None
        assert (row.amount, row.currency, Invoice.objects.get(workspace=his).total) == (900, "eur", 900)
    mirror.mirror(row_of(hers).stripe_customer_id)

    assert (row_of(hers).plan.key, row_of(hers).amount, row_of(hers).currency) == ("starter", 1900, "usd")
    browser = window(alice)
    assert "Price 19.00 USD a month" in words(browser.get("/billing/"))
    with everywhere():
        entitlements.changed(row_of(hers), "again")
        assert row_of(hers).changes.latest("id").currency == "usd"


@pytest.mark.parametrize("meanwhile", ["a new price", "another tab", "nothing"])
def test_a_change_that_costs_something_else_by_now_is_not_made(alice: User, stripe: Control, meanwhile: str) -> None:
    workspace = subscribed(alice)
    browser = window(alice)
    offer = browser.get("/billing/stripe/change/?plan=growth&interval=month").context["offer"]
    if meanwhile == "a new price":
        Plan.objects.filter(key="growth").update(price=9900)
    elif meanwhile == "another tab":
        other = browser.get("/billing/stripe/change/?plan=enterprise&interval=month").context["offer"]
        browser.post("/billing/stripe/change/", {"offer": other})
    before = row_of(workspace).plan.key
    with everywhere():
        paid = Invoice.objects.count()
    answer = words(browser.post("/billing/stripe/change/", {"offer": offer}, follow=True))
    with everywhere():
        paid = Invoice.objects.count() - paid

    refused = meanwhile != "nothing"
    assert (codes.OFFER_EXPIRED.id in answer, paid) == (refused, not refused)
    assert row_of(workspace).plan.key == (before if refused else "growth")


def test_another_stripe_than_the_database_knows_sells_all_the_same(alice: User, charlie: User, stripe: Control) -> None:
    call_command("sync_plans")
    workspace, paying = workspace_of(alice), subscribed(charlie)
    with everywhere():
        Subscription.objects.filter(workspace=workspace).update(status="canceled", stripe_customer_id="cus_x")
    for thing in stripe.stripe()["things"].values():  # the key of an account where nothing is
        stripe.stripe(forget=thing["id"])

    call_command("sync_plans")
    with tenancy.scope(workspace):
        fill_in(lifecycle.begin(workspace, alice, "starter", "month", once="click"), card="4242424242424242")
        row = lifecycle.refresh(workspace)
    reconcile.reconcile()

    assert row is not None
    assert (row.status, row.plan.key, row.stripe_customer_id != "cus_x") == ("active", "starter", True)
    assert row_of(paying).status == "canceled"
    product = Plan.objects.get(key="starter").stripe_product_id
    stripe.stripe(forget=product)  # somebody deleted it there, with its prices
    stripe.stripe(forget=row_of(workspace).plan.stripe_price_id)
    with tenancy.scope(workspace):
        shown = lifecycle.preview(workspace, "starter", "month")
    assert shown.price == 1900
    assert Plan.objects.get(key="starter").stripe_product_id != product
