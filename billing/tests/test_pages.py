"""The pages of plans and payments: what is sold, what one has, and who may change it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import signing
from django.db import connection
from django.test import Client
from django.utils.timezone import now

from accounts import tenancy
from accounts.models import Membership, User
from billing import entitlements, gateway, pages
from billing.models import Invoice, Plan, Subscription
from billing.tests.conftest import CARD, fill_in, row_of, subscribed
from errors import codes
from instagrowth.testing import everywhere, workspace_of
from sandbox.testing import Control

pytestmark = pytest.mark.django_db


def words(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def window(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def free(user: User) -> Client:
    with everywhere():
        Subscription.objects.filter(workspace=workspace_of(user)).delete()
    return window(user)


def test_the_pricing_page_says_what_the_database_sells(client: Client) -> None:
    Plan.objects.filter(key="starter").update(price=1234, yearly_price=0, account_limit=7, trial_days=9)
    Plan.objects.filter(key="growth").update(status="inactive")

    monthly, yearly = words(client.get("/pricing/")), words(client.get("/pricing/?by=year"))

    assert "12.34 USD a month, before tax 9 days free" in monthly
    assert "7 Instagram accounts" in monthly
    assert (" Growth " in monthly, " Starter " in yearly, "1,990.00 USD a year" in yearly) == (False, False, True)


def test_an_owner_chooses_pays_and_comes_back_to_a_page_that_waits(alice: User, stripe: Control) -> None:
    browser = free(alice)
    page = browser.get("/billing/?plan=growth")
    assert "Has what was missing" in words(page)
    once = re.search(r'name="once" value="([^"]+)"', page.content.decode())
    assert once is not None
    form = {"plan": "growth", "interval": "month", "once": once[1]}

    first, second = (browser.post("/billing/stripe/checkout/", form) for _ in range(2))

    assert (first.status_code, first["Location"]) == (302, second["Location"])
    assert fill_in(first["Location"], card=CARD).endswith("/billing/paid/")
    assert "takes a few seconds" in words(browser.get("/billing/paid/"))
    assert "Stripe has not told us" in words(browser.get("/billing/paid/?asked=9"))
    assert browser.get("/billing/stripe/ask/").status_code == 405
    told = browser.post("/billing/stripe/ask/", follow=True)
    assert "Stripe says: Growth, trialing." in words(told)
    assert browser.get("/billing/paid/", headers={"HX-Request": "true"})["HX-Redirect"] == "/billing/"


def test_a_change_is_made_as_it_was_shown_or_not_at_all(alice: User, stripe: Control) -> None:
    subscribed(alice)
    browser = window(alice)
    page = browser.get("/billing/stripe/change/?plan=growth&interval=year")
    assert re.search(r"Pay 4[67]\d\.\d\d USD and change", words(page))
    offer = page.context["offer"]

    forged = signing.dumps([str(workspace_of(alice).pk), "enterprise", "month", 1], salt="another")
    foreign = signing.dumps(["another", "enterprise", "month", 1, []], salt=pages.OFFER)
    for wrong in ("", forged, foreign):
        refused = browser.post("/billing/stripe/change/", {"offer": wrong}, follow=True)
        assert codes.OFFER_EXPIRED.id in words(refused)
    done = browser.post("/billing/stripe/change/", {"offer": offer}, follow=True)
    browser.post("/billing/stripe/change/", {"offer": offer})  # the other click of a double one

    assert "The workspace is on Growth now, paid by the year." in words(done)
    with everywhere():
        assert Invoice.objects.filter(workspace=workspace_of(alice)).count() == 2
    assert row_of(workspace_of(alice)).plan.key == "growth"


def test_the_page_cancels_resumes_takes_codes_and_leads_to_the_card(alice: User, stripe: Control) -> None:
    subscribed(alice)
    browser = window(alice)

    assert "ends with its period" in words(browser.post("/billing/stripe/cancel/", follow=True))
    assert "is not renewed" in words(browser.get("/billing/"))
    assert "Starter goes on." in words(browser.post("/billing/stripe/resume/", follow=True))
    refused = words(browser.post("/billing/stripe/coupon/", {"code": "NONE"}, follow=True))
    assert codes.COUPON_UNKNOWN.id in refused
    portal = browser.post("/billing/stripe/card/")["Location"]
    assert "SANDBOX-0001" in fill_in(portal, card="4000000000000341")
    pdf = browser.get("/billing/").context["invoices"][0].pdf_url
    assert "%PDF" in fill_in(pdf)


def test_a_failed_payment_is_said_with_its_last_day(alice: User, stripe: Control) -> None:
    workspace = subscribed(alice)
    stripe.stripe(customer=row_of(workspace).stripe_customer_id, card="4000000000000341")
    stripe.stripe(advance=31 * 86400)
    browser = window(alice)
    browser.post("/billing/stripe/ask/")
    said = words(browser.get("/billing/"))
    assert "A payment failed Starter counts until" in said
    assert "19.00 USD is open" in said

    with everywhere():
        Subscription.objects.update(status="unpaid", past_due_since=now() - timedelta(days=8))
    assert "The days of grace are over, so the free plan counts." in words(browser.get("/billing/"))


def test_members_look_and_are_told_whom_to_ask(alice: User, bob: User, charlie: User, stripe: Control) -> None:
    browser = window(bob)
    page = words(browser.get("/billing/"))

    assert "Only an owner changes the plan: Alice. You are a manager here." in page
    assert "Choose Growth" not in page
    for deed in ("checkout", "change", "cancel", "resume", "coupon", "card", "ask"):
        assert browser.post(f"/billing/stripe/{deed}/").status_code == 403
    assert "Alice" not in words(window(charlie).get("/billing/"))


def test_pages_stand_while_stripe_is_away_and_say_so(alice: User, stripe: Control) -> None:
    subscribed(alice)
    browser = window(alice)
    stripe.fault("503", path="v1/", times=2)

    refused = words(browser.post("/billing/stripe/card/", follow=True))

    assert codes.STRIPE_UNREACHABLE.id in refused
    assert "Stripe does not answer at the moment" in refused
    assert "Stripe does not answer at the moment" in words(Client().get("/pricing/"))
    assert browser.get("/billing/stripe/change/?plan=growth&interval=month").status_code == 302
    browser.post("/billing/stripe/ask/")
    assert "Stripe does not answer at the moment" not in words(browser.get("/billing/"))


def test_without_a_key_plans_are_shown_and_not_sold(alice: User) -> None:
    browser = free(alice)

    page = words(browser.get("/billing/"))

    assert codes.BILLING_OFF.id in page
    assert "Choose Starter" not in page


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_we_wait_for_stripe(
    alice: User, stripe: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, open_while_asked = gateway._client, []

    def watched() -> Any:
        open_while_asked.append(connection.in_atomic_block)
        return real()

    monkeypatch.setattr(gateway, "_client", watched)
    workspace = workspace_of(alice)
    with everywhere():
        Subscription.objects.filter(workspace=workspace).delete()
        gateway.is_on() and gateway.subscriptions_of("cus_control")  # the negative control: here one is open
    assert open_while_asked == [True]
    open_while_asked.clear()
    browser = window(alice)
    form = {"plan": "starter", "interval": "month", "once": "click"}
    fill_in(browser.post("/billing/stripe/checkout/", form)["Location"], card=CARD)
    for deed in ("ask", "cancel", "resume", "card"):
        assert browser.post(f"/billing/stripe/{deed}/").status_code == 302
    browser.post("/billing/stripe/coupon/", {"code": "NONE"})
    offer = browser.get("/billing/stripe/change/?plan=growth&interval=month").context["offer"]
    browser.post("/billing/stripe/change/", {"offer": offer})

    assert row_of(workspace).plan.key == "growth"
    assert len(open_while_asked) > 12
    assert set(open_while_asked) == {False}


# ── At the moment of refusal ──


def test_what_a_plan_lacks_is_said_with_the_plan_that_has_it(alice: User, bob: User, api: Any) -> None:
    workspace = workspace_of(alice)
    with everywhere():
        entitlements.subscribe(workspace, "free")
    for field, code, offer in (
        ("account_limit", codes.PLAN_ACCOUNT_LIMIT, "Starter has room for 3."),
        ("team_limit", codes.TEAM_FULL, "Starter has room for 2."),
        ("ai_limit", codes.AI_LIMIT_REACHED, "Starter gives 100 a month."),
        ("white_label", codes.PLAN_FEATURE_MISSING, "Enterprise includes it."),
        ("action_limits.follow", codes.PLAN_FEATURE_MISSING, "Starter allows 60 a day."),
        ("execution_mode", codes.PLAN_FEATURE_MISSING, "Growth runs all bots at the same time."),
        ("history_days", codes.PLAN_FEATURE_MISSING, "Starter shows 90 days."),
    ):
        with everywhere():
            workspace.__dict__.pop("_plan", None)
            assert str(entitlements.short_of(workspace, field, code)).endswith(offer)

    with tenancy.scope(workspace):
        Membership.objects.filter(user=bob).update(role="owner")
    owner = words(
        window(alice).post("/settings/team/invite/", {"email": "x@example.com", "role": "viewer"}, follow=True)
    )
    assert "Starter has room for 2." in owner
    assert "The plan is chosen by" not in owner
    told = api(alice).post("/api/team/invitations", {"email": "x@example.com", "role": "viewer"}).json()
    assert (told["error"], told["upgrade"]["plan"], told["upgrade"]["allows"]) == ("TEAM_FULL", "starter", 2)


def test_whoever_may_not_buy_is_told_whom_to_ask(alice: User, bob: User) -> None:
    workspace = workspace_of(alice)
    with everywhere():
        entitlements.subscribe(workspace, "free")
        Plan.objects.filter(key="free").update(account_limit=0)
    form = {"username": "kiln.new", "password": "x" * 12}
    for user, whom in ((alice, False), (bob, True)):
        browser = window(user)
        browser.post("/instagram/connect/", {"accept": "on", "risk": "on", "accepted": "on"})
        session = browser.session
        session["risk_accepted"] = True
        session.save()
        page = browser.post("/instagram/connect/login/", form)
        assert "Starter has room for 3." in words(page)
        assert ("The plan is chosen by Alice." in words(page)) == whom
        assert '<a class="link" href="/billing/">billing page</a>' in page.content.decode()


def test_what_staff_gave_is_not_sold_to_whoever_has_it(alice: User, stripe: Control) -> None:
    workspace = workspace_of(alice)
    with everywhere():
        entitlements.subscribe(workspace, "growth")
    browser = window(alice)

    for page in ("/billing/", "/billing/?by=year", "/pricing/"):
        said = words(browser.get(page))
        offered = ["Choose Starter" in said, "Choose Growth" in said, "Choose Enterprise" in said]
        assert offered == [False, False, True], page
    form = {"plan": "starter", "interval": "month", "once": "click"}
    assert codes.PLAN_IS_GIVEN.id in words(browser.post("/billing/stripe/checkout/", form, follow=True))
    assert browser.post("/billing/stripe/checkout/", form | {"plan": "enterprise"})["Location"] != "/billing/"

    with everywhere():
        entitlements.subscribe(workspace, "growth", until=now() + timedelta(days=6))
    assert "Choose Starter" in words(browser.get("/billing/"))
    assert browser.post("/billing/stripe/checkout/", form)["Location"] != "/billing/"
