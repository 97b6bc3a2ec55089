"""Revenue from the history of subscriptions: a year by hand, and what must hold for any history."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts import tenancy
from billing import entitlements, history, revenue
from billing.models import Plan, Subscription, SubscriptionChange
from instagrowth.testing import everywhere, workspace_of

pytestmark = pytest.mark.django_db


def subscription() -> Subscription:
    return Subscription.objects.create(plan=Plan.objects.get(key="free"), status="incomplete")


def tell(story: Subscription, day: str | datetime, mrr: int, status: str = "active", currency: str = "usd") -> None:
    """Write a line of the past, which the product itself never does."""
    at = day if isinstance(day, datetime) else datetime.fromisoformat(day).replace(tzinfo=UTC)
    SubscriptionChange.objects.create(
        subscription=story, at=at, plan=story.plan, status=status, interval="month", mrr=mrr, currency=currency
    )


@pytest.fixture
def worked_example() -> None:
    """Six customers of the first half of 2025, small enough to follow with a pencil.

    ada   pays 1900 from January, 4900 from March
    ben   tries in January, pays 1900 from February, leaves in April, is back in June
    cleo  tries in February and does not stay
    dan   pays 19900 from the last second of January, 15920 (a coupon) from May
    eve   pays 4900 from February, fails in March (counts still), is lost in April
    fay   is given Growth in March and pays nothing; another pays in euros
    """
    with everywhere():
        ada, ben, cleo, dan, eve, fay, elsewhere = (subscription() for _ in range(7))
        tell(ada, "2025-01-10", 1900), tell(ada, "2025-03-10", 4900)
        tell(ben, "2025-01-20", 0, "trialing"), tell(ben, "2025-02-03", 1900), tell(ben, "2025-04-03", 0, "canceled")
        tell(ben, "2025-06-01", 1900)
        tell(cleo, "2025-02-01", 0, "trialing"), tell(cleo, "2025-02-15", 0, "canceled")
        tell(dan, "2025-01-31T23:59:59", 19900), tell(dan, "2025-05-05", 15920)
        tell(eve, "2025-02-02", 4900), tell(eve, "2025-03-02", 4900, "past_due"), tell(eve, "2025-04-09", 0, "unpaid")
        tell(fay, "2025-03-01", 0)
        tell(elsewhere, "2025-01-01", 7700, currency="eur")


def test_the_movements_are_those_of_the_example_worked_by_hand(worked_example: None) -> None:
    table = [
        (m.opening, m.new, m.expansion, m.reactivation, m.contraction, m.churn, m.closing, m.customers)
        for m in revenue.months(date(2025, 1, 1), date(2025, 6, 30))
    ]

    assert table == [
        (0, 21800, 0, 0, 0, 0, 21800, 2),
        (21800, 6800, 0, 0, 0, 0, 28600, 4),
        (28600, 0, 3000, 0, 0, 0, 31600, 4),
        (31600, 0, 0, 0, 0, -6800, 24800, 2),
        (24800, 0, 0, 0, -3980, 0, 20820, 2),
        (20820, 0, 0, 1900, 0, 0, 22720, 3),
    ]


def test_the_rates_are_those_of_the_example_worked_by_hand(worked_example: None) -> None:
    _, february, _, april, may, _ = revenue.months(date(2025, 1, 1), date(2025, 6, 30))

    assert (february.arr, february.arpu, february.trial_conversion) == (28600 * 12, 7150, 0.5)
    assert (april.customer_churn, april.revenue_churn) == (0.5, 6800 / 31600)
    assert april.ltv == (24800 / 2) / 0.5
    assert (may.revenue_churn, may.customer_churn, may.ltv, may.trial_conversion) == (3980 / 24800, 0, None, None)


def test_cohorts_are_those_of_the_example_worked_by_hand(worked_example: None) -> None:
    found = revenue.cohorts(date(2025, 1, 1), date(2025, 6, 30))

    assert [(c.month, c.size, c.paying) for c in found] == [
        (date(2025, 1, 1), 2, [2, 2, 2, 2, 2, 2]),
        (date(2025, 2, 1), 2, [2, 2, 0, 0, 1]),
    ]
    assert found[1].retention == [1, 1, 0, 0, 0.5]


def test_another_currency_is_another_book(worked_example: None) -> None:
    assert revenue.currencies() == ["usd", "eur"]
    (january,) = revenue.months(date(2025, 1, 1), date(2025, 1, 1), "eur")
    assert (january.new, january.customers) == (7700, 1)


def test_the_table_leaves_the_house_with_unknown_left_empty(worked_example: None) -> None:
    head, january, *_ = revenue.csv_rows(date(2025, 1, 1), date(2025, 2, 1))

    told = dict(zip(head, january, strict=True))
    assert (told["month"], told["closing"], told["arpu"], told["ltv"]) == ("2025-01-01", "21800", "10900.0000", "")


def test_a_workspace_is_weighed_against_what_its_ai_calls_cost(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = workspace_of(alice)
    with everywhere():
        tell(Subscription.objects.get(workspace=workspace), "2025-01-10", 4900)
        tell(subscription(), "2025-01-11", 1900)
    monkeypatch.setattr(revenue, "_ai_cost", lambda since, _: {workspace.pk: 120.5 if since.month == 1 else 0})

    assert [(m.name, m.mrr, m.ai_cost) for m in revenue.margins(date(2025, 1, 31))] == [
        (workspace.name, 4900, 120.5),
        ("", 1900, 0),
    ]


lines = st.lists(
    st.tuples(
        st.integers(0, 3),  # whose
        st.integers(0, 400 * 24),  # when, in hours
        st.sampled_from([0, 0, 1583, 1900, 4900, 19900]),
        st.sampled_from(["trialing", "active", "past_due", "canceled"]),
    ),
    max_size=40,
)


@settings(derandomize=True, deadline=None, database=None, max_examples=60)
@given(lines)
def test_the_movements_of_any_history_add_up_to_the_change_of_mrr(story: Sequence[tuple[int, int, int, str]]) -> None:
    start = datetime(2024, 11, 20, tzinfo=UTC)
    with transaction.atomic():
        with everywhere():
            people = [subscription() for _ in range(4)]
            for whose, hours, mrr, status in story:
                tell(people[whose], start + timedelta(hours=hours), mrr, status)
        found = revenue.months(date(2024, 12, 1), date(2026, 1, 1))
        transaction.set_rollback(True)

    def standing(before: datetime) -> list[int]:
        """Told by going through the lines one by one, in the order of their times."""
        stand = [0] * 4
        for whose, hours, mrr, _ in sorted(story, key=lambda line: line[1]):
            if start + timedelta(hours=hours) < before:
                stand[whose] = mrr
        return [mrr for mrr in stand if mrr]

    for month in found:
        first = datetime(month.month.year, month.month.month, 1, tzinfo=UTC)
        after = (first + timedelta(days=32)).replace(day=1)
        assert month.opening == sum(standing(first))
        assert month.closing == sum(standing(after))
        assert month.customers == len(standing(after))
        assert min(month.new, month.expansion, month.reactivation, -month.contraction, -month.churn) >= 0


def test_the_past_cannot_be_changed(alice: Any) -> None:
    with everywhere():
        mine = SubscriptionChange.objects.filter(subscription__workspace=workspace_of(alice))
        assert mine.count() == 1
        for deed in (lambda: mine.update(mrr=1), mine.delete):
            with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
                deed()
        Subscription.objects.all().delete()  # what no deed of the product does; the rows go with it
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        assert SubscriptionChange.objects.count() == 0


def test_a_line_is_written_for_a_change_and_for_nothing_else(alice: Any) -> None:
    workspace = workspace_of(alice)
    with everywhere():
        mine = entitlements.subscribe(workspace, "growth")
        assert history.note(mine, "again") is False
        entitlements.subscribe(workspace, "starter")
        told = list(mine.changes.order_by("id").values_list("plan__key", "status", "mrr", "reason"))
    assert told == [("growth", "active", 0, "given"), ("starter", "active", 0, "given")]


def test_whoever_changes_the_currency_leaves_the_old_book(alice: Any) -> None:
    with everywhere():
        mine = Subscription.objects.select_related("plan").get(workspace=workspace_of(alice))
        mine.mrr = 4900
        history.note(mine, "paid")
        mine.plan = Plan.objects.create(key="euro", name="Euro", currency="eur")
        history.note(mine, "paid elsewhere")
        told = list(mine.changes.order_by("id").values_list("currency", "mrr"))
    assert told == [("usd", 0), ("usd", 4900), ("usd", 0), ("eur", 4900)]


def test_the_history_of_others_is_neither_seen_nor_written(alice: Any, charlie: Any) -> None:
    with everywhere():
        hers = Subscription.objects.select_related("plan").get(workspace=workspace_of(alice))
    with tenancy.scope(workspace_of(charlie)):
        assert SubscriptionChange.objects.count() == 1
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            tell(hers, "2025-01-01", 1)
