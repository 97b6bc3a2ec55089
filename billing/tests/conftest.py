"""Stripe, played by the sandbox, and a customer who pays there."""

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

import pytest
from django.core.cache import cache
from django.test import Client

from accounts import tenancy
from accounts.models import User, Workspace
from billing import gateway, lifecycle, mirror
from billing.models import Plan, Subscription
from instagrowth.testing import everywhere, workspace_of
from sandbox.stripe_hooks import signature
from sandbox.testing import Control, Sandbox

SECRET = "whsec_test"
CARD = "4242 4242 4242 4242"


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Stay, so that one sees where one is sent."""


@pytest.fixture
def stripe(sandbox: Sandbox, settings: Any) -> Iterator[Control]:
    """Our gateway leads to the sandbox's Stripe; arrange it through this."""
    settings.STRIPE_API_URL, settings.STRIPE_SECRET_KEY = sandbox.url, "sk_test_of_the_tests"
    settings.STRIPE_WEBHOOK_SECRET = SECRET
    yield sandbox.control
    cache.delete(gateway.AWAY)


def fill_in(page: str, **form: str) -> str:
    """Send the form of one of Stripe's pages; where it leads, or what it says."""
    request = Request(page, urlencode(form).encode())
    try:
        with build_opener(ProxyHandler({}), _Stay()).open(request, timeout=10) as answer:
            return answer.read().decode()
    except HTTPError as sent:
        with sent:
            return sent.headers.get("Location") or sent.read().decode()


def pay_for(user: User, plan: str = "starter", interval: str = "month", card: str = CARD, code: str = "") -> Workspace:
    """Walk through Checkout as somebody whose webhooks have not arrived; prices are made on the way."""
    workspace = workspace_of(user)
    with everywhere():
        Subscription.objects.filter(workspace=workspace).delete()
        Plan.objects.filter(key=plan).update(trial_days=0)
    with tenancy.scope(workspace):
        page = lifecycle.begin(workspace, user, plan, interval, once="click")
    assert fill_in(page, card=card, code=code).endswith("/billing/paid/")
    workspace.__dict__.pop("_plan", None)
    return workspace


def subscribed(user: User, plan: str = "starter", **more: str) -> Workspace:
    """The same, and we know of it."""
    workspace = pay_for(user, plan, **more)
    mirror.mirror(row_of(workspace).stripe_customer_id)
    return workspace


def row_of(workspace: Workspace) -> Subscription:
    """The subscription as it is now."""
    with everywhere():
        return Subscription.objects.select_related("plan").get(workspace=workspace)


def deliver(event: dict[str, Any], *, at: float | None = None, secret: str = SECRET) -> int:
    """Post an event to our door, signed; what is answered."""
    body = json.dumps(event).encode()
    header = signature(body, secret, time.time() if at is None else at)
    return (
        Client()
        .post("/webhooks/stripe/", body, content_type="application/json", headers={"Stripe-Signature": header})
        .status_code
    )
