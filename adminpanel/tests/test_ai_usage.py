"""What staff read about the language model: cost from the ledger, revenue from the history, a margin of both."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import User, Workspace
from adminpanel.models import AdminLog
from adminpanel.tests.test_pages import owner as owner
from billing import revenue
from billing.models import Plan, Subscription, SubscriptionChange
from content import costs
from content.models import AiCall
from instagrowth.testing import everywhere, workspace_of

pytestmark = pytest.mark.django_db
NOW = timezone.now


def call(workspace: Workspace, key: str, **fields: object) -> AiCall:
    known = {"feature": "ideas", "model": "gpt-4o", "month": NOW().date().replace(day=1), "state": "charged"}
    return AiCall(workspace=workspace, request_key=key, **known | fields)


@pytest.fixture
def used(alices_workspace: Workspace, charlie: User) -> Workspace:
    """Alice pays 30 dollars a month since 10 days, Charlie nothing; both asked, once in vain."""
    with everywhere():
        subscription = Subscription.objects.get(workspace=alices_workspace)
        plan = Plan.objects.get(key="growth")
        for mrr, days in ((3000, 10), (0, 0)):
            SubscriptionChange.objects.create(
                subscription=subscription, plan=plan, status="active" if mrr else "canceled", interval="month", mrr=mrr,
                currency="usd", at=NOW() - timedelta(days=days),
            )  # fmt: skip
        AiCall.objects.bulk_create([
            call(alices_workspace, "1", input_tokens=400, output_tokens=300, requests=1, cost_micros=4_000),
            call(alices_workspace, "2", state="released", requests=2, cost_micros=500, feature="bio"),
            call(alices_workspace, "3", created_at=NOW() - timedelta(days=40), cost_micros=9_999_999),
            call(workspace_of(charlie), "1", model="gpt-4.1-nano", cost_micros=20_000, requests=1),
        ])  # fmt: skip
    return alices_workspace


def test_cost_and_margin_by_workspace_feature_and_model(used: Workspace, charlie: User) -> None:
    until = NOW() + timedelta(seconds=1)
    since = until - timedelta(days=30)
    with everywhere():
        dearest, second = costs.lines("workspace", since, until)
        features = [(line.name, line.calls, line.failed, line.cost) for line in costs.lines("feature", since, until)]
        models = [(line.key, line.cost) for line in costs.lines("model", since, until)]
        total = costs.total(since, until)
        days = costs.over_time(since, until, "day")

    assert (dearest.key, dearest.cost, dearest.earned, dearest.margin) == (workspace_of(charlie).pk, 20_000, None, None)
    assert (second.key, second.cost, second.calls, second.failed, second.requests) == (used.pk, 4_500, 1, 1, 3)
    assert second.earned == pytest.approx(30_000_000 * 10 / 30.4375, rel=0.001)
    assert second.margin == (second.earned or 0) - 4_500
    assert features == [("Ideas", 2, 0, 24_000), ("Bio", 0, 1, 500)]
    assert models == [("gpt-4.1-nano", 20_000), ("gpt-4o", 4_500)]
    assert (total.cost, sum(cost for _, cost in days), len(days)) == (24_500, 24_500, 31)


def test_what_was_earned_ends_where_paying_ends_and_counts_one_currency(used: Workspace) -> None:
    before = NOW() - timedelta(days=300)
    assert revenue.earned(before, before + timedelta(days=30)) == {}
    assert revenue.earned(before, NOW(), "eur") == {}
    assert revenue.earned(NOW() - timedelta(days=5), NOW())[used.pk] == pytest.approx(3000 * 5 / 30.4375, rel=0.001)


def test_the_page_the_file_and_the_dashboard_say_the_same(owner: Client, used: Workspace) -> None:
    cache.delete("control-room:24h")
    page = owner.get("/admin/ai/?range=24h").content.decode()
    file = owner.get("/admin/ai/?range=24h&by=model&csv=1")
    first = owner.get("/admin/").content.decode()

    assert all(text in page for text in ("$0.0245", "$0.0200", f"/admin/content/aicall/?q={used.pk}"))
    assert '<a class="room-stat" href="/admin/ai/?range=24h"><strong>$0.0245</strong>' in first
    header, *lines = file.content.decode().splitlines()
    assert header.split(",")[:3] == ["name", "key", "calls"]
    assert [line.split(",")[7] for line in lines] == ["0.020000", "0.004500"]
    assert AdminLog.objects.filter(action="ai_usage.export").count() == 1
    for wrong in ("?range=99y", "?by=user_id", "?range=%00", "?by=workspace__name&csv=1"):
        assert owner.get(f"/admin/ai/{wrong}").status_code == 200


def test_each_number_leads_to_the_calls_it_counts(owner: Client, used: Workspace) -> None:
    listed = owner.get(f"/admin/content/aicall/?q={used.pk}&state=released").content.decode()

    assert ("bio" in listed.lower(), "gpt-4.1-nano" in listed) == (True, False)
