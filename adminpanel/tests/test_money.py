"""What staff do to what is paid at Stripe, and to where Stripe and we disagree."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import conditional_escape

from accounts.models import User
from adminpanel.models import AdminLog
from adminpanel.tests.test_pages import do
from adminpanel.tests.test_pages import owner as owner
from billing import entitlements, gateway, reconcile, revenue
from billing.models import Drift, Plan, Subscription
from billing.tests.conftest import row_of, subscribed
from billing.tests.conftest import stripe as stripe
from bots.models import Bot
from bots.tasks import fit_to_plan
from instagrowth.testing import everywhere, warm_account, workspace_of
from sandbox.testing import Control

pytestmark = pytest.mark.django_db


def at_stripe(stripe: Control) -> dict:
    (one,) = (thing for thing in stripe.stripe()["things"].values() if thing["object"] == "subscription")
    return one


def test_a_paid_plan_is_changed_extended_cancelled_resumed_and_ended(
    owner: Client, alice: User, stripe: Control
) -> None:
    workspace = subscribed(alice)
    with everywhere():
        row = row_of(workspace)
        assert do(owner, row, "change_paid", plan="growth", interval="year").status_code == 302
        row.refresh_from_db()
        assert (row.plan.key, row.interval) == ("growth", "year")
        before = row.current_period_end
        do(owner, row, "extend", days="30")
        row.refresh_from_db()
        assert row.current_period_end - before == timedelta(days=30)
        for deed, ends in (("cancel", True), ("resume", False)):
            do(owner, row, deed)
            assert at_stripe(stripe)["cancel_at_period_end"] is ends
        do(owner, row, "end")
        row.refresh_from_db()

    assert (row.is_alive, at_stripe(stripe)["status"]) == (False, "canceled")
    assert set(AdminLog.objects.filter(action__startswith="subscriptions.").values_list("action", flat=True)) == {
        f"subscriptions.{deed}" for deed in ("change_paid", "extend", "cancel", "resume", "end")
    }


def test_a_plan_with_more_room_brings_paused_bots_back_and_one_with_less_pauses_them(
    owner: Client, alice: User, charlie: User, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit_to_plan, "apply_async", lambda args, **_: fit_to_plan(*args))
    workspace, other = workspace_of(alice), workspace_of(charlie)
    with everywhere():
        entitlements.subscribe(workspace, "starter")
        Subscription.objects.filter(workspace=other).delete()  # on the free plan, as who has none
        Plan.objects.filter(key="starter").update(account_limit=1)
    for number in range(3):
        for user, home in ((alice, workspace), (charlie, other)):
            account = warm_account(home, f"{user.name.lower()}.{number}")
            with everywhere():
                Bot.objects.create(workspace=home, account=account, user=user, status="running")
    paused = Bot.objects.filter(next_run_at__gt=timezone.now() + timedelta(days=1))
    counted = []
    for key, limit in (("starter", 2), ("free", 2), ("starter", -1), ("free", 1)):
        with django_capture_on_commit_callbacks(execute=True):
            assert _set(owner, Plan.objects.get(key=key), account_limit=limit) == 302
        with everywhere():
            counted.append((paused.filter(workspace=workspace).count(), paused.filter(workspace=other).count()))

    assert counted == [(1, 0), (1, 1), (0, 1), (0, 2)]  # of three each


def _set(client: Client, plan: Plan, **fields: Any) -> int:
    where = reverse("admin:billing_plan_change", args=[plan.pk])
    form = client.get(where).context["adminform"].form
    given = {name: form.initial.get(name) for name in form.fields} | {"action_limits": "{}"} | fields
    given = {name: value for name, value in given.items() if value is not None and value is not False}
    return client.post(where, given).status_code


@pytest.mark.parametrize("deed", ["cancel", "end"])
def test_what_is_not_paid_is_ended_by_staff_too(owner: Client, alice: User, stripe: Control, deed: str) -> None:
    row = row_of(subscribed(alice))
    with everywhere():
        Subscription.objects.filter(pk=row.pk).update(status="unpaid")
        assert do(owner, row_of(row.workspace), deed).status_code == 302
        row.refresh_from_db()

    assert (row.status, at_stripe(stripe)["status"]) == ("canceled", "canceled")


def test_a_drift_is_repaired_with_one_click(owner: Client, alice: User, stripe: Control) -> None:
    row = row_of(subscribed(alice))
    gateway.end_now(row.stripe_subscription_id)  # at the dashboard, say; and no webhook came
    reconcile.reconcile(repair=False)
    with everywhere():
        drift = Drift.objects.get()
        assert do(owner, drift, "repair").status_code == 302
        drift.refresh_from_db()
        row.refresh_from_db()

    assert (row.status, drift.repaired_at is None) == ("canceled", False)
    assert reconcile.reconcile(repair=False) == []


def test_staff_say_which_plan_an_unknown_price_is_of(owner: Client, alice: User, stripe: Control) -> None:
    row = row_of(subscribed(alice))
    price = at_stripe(stripe)["items"]["data"][0]["price"]["id"]
    with everywhere():
        Plan.objects.filter(stripe_price_id=price).update(stripe_price_id="price_other", key="of_old")
        reconcile.reconcile()
        drift = Drift.objects.get()
        said = do(owner, drift, "repair").content.decode()
        assert (drift.kind, drift.theirs, "Name the plan" in said) == ("unknown_price", price, True)
        assert do(owner, drift, "name_price", plan="growth").status_code == 302
        drift.refresh_from_db()
        row.refresh_from_db()

    assert (row.plan.key, drift.repaired_at is None) == ("growth", False)
    assert AdminLog.objects.filter(action="drifts.name_price").count() == 1


def test_while_stripe_is_away_nothing_changes_and_it_is_said(owner: Client, alice: User, stripe: Control) -> None:
    row = row_of(subscribed(alice))
    stripe.fault("503", path="v1/")
    with everywhere():
        answer = do(owner, row, "end")

        assert (answer.status_code, "E-BILL" in answer.content.decode()) == (400, True)
        assert Subscription.objects.get(pk=row.pk).is_alive


def test_revenue_says_what_each_figure_means_and_goes_into_a_file(owner: Client, alice: User, stripe: Control) -> None:
    subscribed(alice)

    answer = owner.get("/admin/revenue/")
    page, newest = answer.content.decode(), answer.context["table"][0]
    file = owner.get("/admin/revenue/?csv=1")

    assert all(conditional_escape(name) in page for name in revenue.DEFINITIONS)
    assert newest[1:8] == ["$19.00", "$19.00", *["$0.00"] * 4, "1 (+1, −0)"]
    assert newest[-4:] == ["–", "–", "–", "–"]  # nobody could leave yet
    assert [part["height"] for part in answer.context["moves"][-1]["parts"]] == ["100.00", *["0.00"] * 4]
    header, *months = file.content.decode().splitlines()
    assert (header.count(","), len(months)) == (len(revenue.COLUMNS), 12)
    assert file["Content-Type"] == "text/csv; charset=utf-8"
    assert AdminLog.objects.latest("id").action == "revenue.export"


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_staff_wait_for_stripe(
    owner: Client, alice: User, stripe: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = subscribed(alice)
    row = row_of(workspace)
    real, open_while_asked = gateway._client, []

    def watched() -> Any:
        open_while_asked.append(connection.in_atomic_block)
        return real()

    monkeypatch.setattr(gateway, "_client", watched)
    do(owner, row, "change_paid", plan="growth", interval="year")
    for deed in ("cancel", "resume", "end"):
        do(owner, row, deed)
    gateway.end_now(row.stripe_subscription_id)
    with everywhere():
        drift = Drift.objects.create(kind=Drift.Kind.STALE, stripe_customer_id=row.stripe_customer_id)
    do(owner, drift, "repair")

    assert len(open_while_asked) > 8
    assert set(open_while_asked) == {False}
    with everywhere():
        assert row_of(workspace).status == "canceled"
        assert Drift.objects.get().repaired_at
        kept = AdminLog.objects.filter(action="subscriptions.cancel").get()
    assert kept.changes["cancel_at_period_end"] == [False, True]
