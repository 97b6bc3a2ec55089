"""What a workspace pays ends with it, though Stripe was away when it was let go."""

from datetime import timedelta
from typing import Any

import pytest
from celery.exceptions import Retry
from django.utils.timezone import now

from accounts import erasing, farewell, tenancy
from accounts.models import User, Workspace
from billing import gateway, mirror, tasks
from billing.models import Invoice, Subscription
from billing.tests.conftest import CARD, row_of, subscribed
from billing.tests.test_pages import window, words
from instagrowth.testing import everywhere
from sandbox.testing import Control

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The tasks that wait for a worker."""
    found: list[Any] = []
    for task in (tasks.stop_renewing, tasks.end_at_stripe):
        monkeypatch.setattr(task, "apply_async", lambda args, task=task, **_: found.append((task, args)))
    return found


def test_what_waits_for_its_end_renews_no_more_and_what_is_erased_is_charged_no_more(
    alice: User, stripe: Control, sent: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    workspace = subscribed(alice)
    row = row_of(workspace)
    theirs = lambda: stripe.stripe()["things"][row.stripe_subscription_id]  # noqa: E731
    with tenancy.scope(workspace), django_capture_on_commit_callbacks(execute=True):
        farewell.ask_for_workspace(workspace, alice)
    _away_for_an_hour(stripe, sent)
    assert (theirs()["cancel_at_period_end"], row_of(workspace).cancel_at_period_end) == (True, True)

    with everywhere():
        Workspace.objects.filter(pk=workspace.pk).update(delete_at=now() - timedelta(days=1))
    with django_capture_on_commit_callbacks(execute=True):
        assert erasing.erase_workspace(workspace.pk)
    assert theirs()["status"] == "active"
    _away_for_an_hour(stripe, sent)

    assert theirs()["status"] == "canceled"
    with everywhere():
        left = Subscription.objects.get(pk=row.pk)
        assert (left.workspace, left.stripe_customer_id, left.stripe_subscription_id, left.mrr) == (None, "", "", 0)
        assert left.changes.latest("id").mrr == 0  # the month's churn
        assert list(Invoice.objects.values_list("page_url", "pdf_url")) == [("", "")]


def _away_for_an_hour(stripe: Control, sent: list[Any]) -> None:
    """A worker is refused and sends the task again, where it gets lost; an hour later Stripe is back."""
    ((task, args),) = sent
    sent.clear()
    stripe.fault("503", path="v1/")
    with pytest.raises(Retry):
        task.apply(args, throw=True)
    tasks.sweep_let_go()


def test_who_keeps_the_workspace_and_the_plan_meanwhile_is_not_stopped_by_a_late_try(
    alice: User, stripe: Control, sent: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    workspace = subscribed(alice)
    with tenancy.scope(workspace), django_capture_on_commit_callbacks(execute=True):
        farewell.ask_for_workspace(workspace, alice)
        farewell.keep_workspace(workspace, alice)
    ((task, args),) = sent

    task.apply(args, throw=True)

    assert not gateway.subscriptions_of(row_of(workspace).stripe_customer_id)[0]["cancel_at_period_end"]


def test_once_the_grace_is_over_an_owner_pays_or_ends_it_and_chooses_anew(alice: User, stripe: Control) -> None:
    workspace = _unpaid(alice, stripe)
    browser = window(alice)
    page = browser.get("/billing/")
    said = words(page)
    assert [text in said for text in ("Starter is not paid, so Free counts.", "Pay 19.00 USD", "Cancel it now")] == [
        True, True, True,
    ]  # fmt: skip
    assert "Choose Starter" not in said
    assert "Choose Growth" not in said
    assert page.context["owes"].page_url in page.content.decode()

    told = words(browser.post("/billing/stripe/cancel/", follow=True))

    assert "Starter has ended. Nothing more is charged." in told
    assert "Choose Starter" in told
    card = {"customer": row_of(workspace).stripe_customer_id, "card": CARD.replace(" ", "")}
    stripe.stripe(**card)
    stripe.stripe(advance=30 * 86400)
    browser.post("/billing/stripe/ask/")
    with everywhere():
        assert Invoice.objects.filter(status="paid").count() == 1  # the month that was paid before
    form = {"plan": "growth", "interval": "month", "once": "click"}
    assert "/c/pay/" in browser.post("/billing/stripe/checkout/", form)["Location"]


def _unpaid(user: User, stripe: Control) -> Workspace:
    """Somebody whose payment failed longer ago than the grace."""
    workspace = subscribed(user)
    stripe.stripe(customer=row_of(workspace).stripe_customer_id, card="4000000000000341")
    stripe.stripe(advance=31 * 86400)
    mirror.mirror(row_of(workspace).stripe_customer_id)
    with everywhere():
        Subscription.objects.update(past_due_since=now() - timedelta(days=8))
    mirror.lapse()
    assert row_of(workspace).status == "unpaid"
    return workspace
