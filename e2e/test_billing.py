"""A plan in a browser: from the prices through Checkout to a raised limit, a failed payment, its recovery, the end."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from accounts.models import User
from billing.models import Plan, Subscription
from e2e.conftest import Stack
from e2e.visitor import DESK, PHONE, Visitor, visit
from instagrowth.testing import everywhere, workspace_of
from instagrowth.testing_processes import eventually

pytestmark = pytest.mark.browser
DAY = 86400
FAILS_LATER = "4000 0000 0000 0341"
GOOD = "4242 4242 4242 4242"


@pytest.fixture
def hooks(stack: Stack) -> None:
    """Stripe of the sandbox tells the running product."""
    stack.instagram.stripe(endpoint=f"{stack.site}/webhooks/stripe/", secret="whsec_sandbox")


def is_(user: User, status: str) -> Callable[[], bool]:
    def so() -> bool:
        with everywhere():
            return Subscription.objects.filter(workspace=workspace_of(user), status=status).exists()

    return so


def things(stack: Stack, kind: str) -> list[dict[str, Any]]:
    return [one for one in stack.instagram.stripe()["things"].values() if one["object"] == kind]


def test_from_the_prices_to_a_raised_limit_a_failed_payment_its_recovery_and_the_end(
    browser: Browser, stack: Stack, hooks: None, alice: User
) -> None:
    with everywhere():
        Subscription.objects.filter(workspace=workspace_of(alice)).delete()
        Plan.objects.update(trial_days=0)
    with visit(browser, stack.site, DESK) as visitor:
        visitor.goes_to("/pricing/")
        visitor.sees("Growth")
        visitor.examines()
        visitor.sign_in(alice)
        visitor.goes_to("/pricing/")
        visitor.follows("Choose Growth")
        visitor.sees("What you use")
        visitor.examines()
        visitor.presses("Choose Growth")
        pays(visitor, card=FAILS_LATER, button="Subscribe")
        visitor.sees("the workspace is on Growth")
        limit = visitor.page.locator("li", has_text="Instagram accounts").first
        expect(limit).to_contain_text(f"/ {growth().account_limit:,}")

        # A month later the card is refused; the page says until when, and paying brings it back.
        stack.instagram.stripe(advance=32 * DAY)
        eventually(is_(alice, "past_due"), why=stack.said)
        visitor.goes_to("/billing/")
        visitor.sees("A payment failed")
        visitor.examines()
        visitor.follows("Pay it now")
        pays(visitor, card=GOOD, button="Pay")
        eventually(is_(alice, "active"), why=stack.said)
        visitor.goes_to("/billing/")
        expect(visitor.page.get_by_text("A payment failed")).to_have_count(0)

        visitor.presses("Cancel the plan")
        visitor.examines()
        visitor.presses("Cancel at the end of the period")
        visitor.sees("ends with its period")
        stack.instagram.stripe(advance=35 * DAY)
        eventually(is_(alice, "canceled"), why=stack.said)
        visitor.goes_to("/billing/")
        visitor.sees("Free")
    assert things(stack, "subscription")[0]["status"] == "canceled"


def test_on_a_phone_a_change_is_shown_before_it_is_made(
    browser: Browser, stack: Stack, hooks: None, alice: User
) -> None:
    with everywhere():
        Subscription.objects.filter(workspace=workspace_of(alice)).delete()
        Plan.objects.update(trial_days=0)
    with visit(browser, stack.site, PHONE) as visitor:
        visitor.sign_in(alice)
        visitor.goes_to("/billing/?plan=starter")
        visitor.examines()
        visitor.presses("Choose Starter")
        pays(visitor, card=GOOD, button="Subscribe")
        visitor.sees("the workspace is on Starter")
        visitor.goes_to("/billing/")
        visitor.follows("See what Growth costs")
        visitor.sees("Growth")
        visitor.examines()
        visitor.page.locator("main form button[type=submit]").first.click()
        visitor.sees("The workspace is on Growth now")
        visitor.examines()
    with everywhere():
        assert Subscription.objects.get(workspace=workspace_of(alice)).plan == growth()


def growth() -> Plan:
    return Plan.objects.get(key="growth")


def pays(visitor: Visitor, *, card: str, button: str) -> None:
    """Fill in Stripe's page."""
    visitor.page.locator("#card").fill(card)
    visitor.page.get_by_role("button", name=button, exact=True).click()
