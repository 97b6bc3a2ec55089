"""What comes in: computed in the database from the history of subscriptions alone, so past months stay as they were.

Money is in minor units of one currency; months are UTC's. The words of `DEFINITIONS` stand on the page beside the
figures.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from accounts import tenancy

DEFINITIONS = {
    "MRR": "What all paying subscriptions bring in a month at the end of the period: the price of a month, or a twelfth"
    " of a year's price, lasting discounts taken off. Trials and plans we gave away count nothing. A subscription whose"
    " payment failed counts as before until its days of grace are over.",
    "New": "MRR of subscriptions that pay for the first time.",
    "Expansion": "MRR that paying subscriptions gained: a larger plan, or a discount that ended.",
    "Reactivation": "MRR of subscriptions that had stopped paying and pay again.",
    "Contraction": "MRR that paying subscriptions lost while they still pay: a smaller plan, the yearly price, a"
    " discount.",
    "Churn": "MRR of subscriptions that stopped paying.",
    "ARR": "MRR at the end of the period times 12.",
    "Customers": "Subscriptions with an MRR above nothing at the end of the period.",
    "ARPU": "MRR divided by customers, both at the end of the period.",
    "Customer churn": "Customers that stopped paying in the period, divided by the customers at its start.",
    "Revenue churn": "Churn and contraction of the period, divided by the MRR at its start.",
    "LTV": "ARPU divided by customer churn: what a customer brings until it leaves, if nothing changes. Unknown in a"
    " period in which nobody left.",
    "Trial conversion": "Of the trials that ended in the period, the share that paid at once.",
    "Cohort retention": "Of the subscriptions that first paid in a month, the share that pays at the end of each month"
    " from then on.",
    "AI cost": "What the AI provider charges for the calls of a workspace in the period.",
    "A month's figures": "A change counts in the month in which we learned of it. A figure of a month that is over does"
    " not change any more.",
}

# Each line of the history beside the one before it. Other currencies are other books.
_STEPS = """
steps AS (
    SELECT id, subscription_id, at, status, mrr, coalesce(lag(mrr) OVER story, 0) AS before,
           coalesce(max(mrr) OVER (story ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) > 0 AS has_paid,
           lag(status) OVER story AS was
    FROM subscription_changes WHERE currency = %(currency)s
    WINDOW story AS (PARTITION BY subscription_id ORDER BY at, id)
)"""
_MONTHS = f"""
WITH {_STEPS}, months AS (
    SELECT month, month AT TIME ZONE 'UTC' AS since, (month + interval '1 month') AT TIME ZONE 'UTC' AS until
    FROM generate_series(date_trunc('month', %(since)s::timestamp), date_trunc('month', %(until)s::timestamp),
                         interval '1 month') month
)
SELECT month::date,
    (SELECT coalesce(sum(mrr - before), 0) FROM steps WHERE at < since),
    coalesce(sum(mrr) FILTER (WHERE before = 0 AND NOT has_paid), 0),
    coalesce(sum(mrr - before) FILTER (WHERE before > 0 AND mrr > before), 0),
    coalesce(sum(mrr) FILTER (WHERE before = 0 AND has_paid), 0),
    coalesce(sum(mrr - before) FILTER (WHERE mrr > 0 AND mrr < before), 0),
    coalesce(sum(-before) FILTER (WHERE mrr = 0 AND before > 0), 0),
    (SELECT count(*) FILTER (WHERE before = 0 AND mrr > 0) - count(*) FILTER (WHERE before > 0 AND mrr = 0)
     FROM steps WHERE at < since),
    count(*) FILTER (WHERE before = 0 AND mrr > 0),
    count(*) FILTER (WHERE before > 0 AND mrr = 0),
    count(*) FILTER (WHERE was = 'trialing' AND status <> 'trialing'),
    count(*) FILTER (WHERE was = 'trialing' AND status <> 'trialing' AND mrr > 0)
FROM months LEFT JOIN steps ON at >= since AND at < until GROUP BY month, since, until ORDER BY month
"""  # noqa: S608  (our own words)
_COHORTS = f"""
WITH {_STEPS}, first AS (
    SELECT subscription_id, date_trunc('month', min(at) AT TIME ZONE 'UTC') AS cohort FROM steps WHERE mrr > 0
    GROUP BY 1
), spans AS (
    SELECT subscription_id, mrr, at, lead(at) OVER (PARTITION BY subscription_id ORDER BY at, id) AS ended FROM steps
), cells AS (
    SELECT cohort, month, count(*) FILTER (WHERE mrr > 0) AS paying
    FROM first CROSS JOIN generate_series(cohort, date_trunc('month', %(until)s::timestamp), interval '1 month') month
    LEFT JOIN spans s ON s.subscription_id = first.subscription_id
        AND s.at < (month + interval '1 month') AT TIME ZONE 'UTC'
        AND (s.ended IS NULL OR s.ended >= (month + interval '1 month') AT TIME ZONE 'UTC')
    WHERE cohort >= date_trunc('month', %(since)s::timestamp) GROUP BY 1, 2
)
SELECT cohort::date, (SELECT count(*) FROM first WHERE first.cohort = cells.cohort), array_agg(paying ORDER BY month)
FROM cells GROUP BY cohort ORDER BY cohort
"""  # noqa: S608  (our own words)
_WORKSPACES = """
SELECT s.workspace_id, coalesce(w.name, ''), p.name, last.mrr
FROM (
    SELECT DISTINCT ON (subscription_id) subscription_id, plan_id, mrr FROM subscription_changes
    WHERE currency = %(currency)s
        AND at < (date_trunc('month', %(month)s::timestamp) + interval '1 month') AT TIME ZONE 'UTC'
    ORDER BY subscription_id, at DESC, id DESC
) last JOIN subscriptions s ON s.id = last.subscription_id JOIN plans p ON p.id = last.plan_id
LEFT JOIN accounts_workspace w ON w.id = s.workspace_id
WHERE last.mrr > 0 OR s.workspace_id = ANY(%(also)s)
ORDER BY last.mrr DESC, s.id
"""

# Each stretch of a subscription's history that lies in the time, at its MRR; a month is a twelfth of 365.25 days.
_EARNED = """
SELECT s.workspace_id, sum(span.mrr * extract(epoch FROM least(coalesce(ended, %(until)s), %(until)s)
                                                         - greatest(at, %(since)s)) / 2629800)
FROM (
    SELECT subscription_id, mrr, currency, at, lead(at) OVER (PARTITION BY subscription_id ORDER BY at, id) AS ended
    FROM subscription_changes WHERE at < %(until)s
) span JOIN subscriptions s ON s.id = span.subscription_id
WHERE span.currency = %(currency)s AND span.mrr > 0 AND coalesce(ended, %(until)s) > %(since)s
    AND s.workspace_id IS NOT NULL
GROUP BY 1
"""


@dataclass(frozen=True)
class Month:
    """One month's movements; what was lost is below nothing. Opening and the five movements make closing."""

    month: date
    opening: int
    new: int
    expansion: int
    reactivation: int
    contraction: int
    churn: int
    customers_at_start: int
    customers_won: int
    customers_lost: int
    trials_ended: int
    trials_paid: int

    @property
    def closing(self) -> int:
        """MRR at the end of the month."""
        return self.opening + self.new + self.expansion + self.reactivation + self.contraction + self.churn

    @property
    def customers(self) -> int:
        """Who pays at the end of the month."""
        return self.customers_at_start + self.customers_won - self.customers_lost

    @property
    def arr(self) -> int:
        """MRR times 12."""
        return self.closing * 12

    @property
    def arpu(self) -> float | None:
        """MRR of a customer; None without customers."""
        return share(self.closing, self.customers)

    @property
    def customer_churn(self) -> float | None:
        """Share of the customers that left; None where there were none."""
        return share(self.customers_lost, self.customers_at_start)

    @property
    def revenue_churn(self) -> float | None:
        """Share of the MRR that was lost; None where there was none."""
        return share(-self.churn - self.contraction, self.opening)

    @property
    def ltv(self) -> float | None:
        """What a customer brings until it leaves; None while nobody leaves or pays."""
        return self.arpu / self.customer_churn if self.arpu and self.customer_churn else None

    @property
    def trial_conversion(self) -> float | None:
        """Share of the ended trials that paid at once; None where none ended."""
        return share(self.trials_paid, self.trials_ended)


@dataclass(frozen=True)
class Cohort:
    """Who first paid in a month, and how many of them pay at the end of that month and of each one since."""

    month: date
    size: int
    paying: list[int]

    @property
    def retention(self) -> list[float]:
        """The same as shares of the size."""
        return [paying / self.size for paying in self.paying]


@dataclass(frozen=True)
class Margin:
    """What a workspace pays a month and what its AI calls cost in that month; both in minor units."""

    workspace: UUID | None
    name: str
    plan: str
    mrr: int
    ai_cost: float


AiCost = Callable[[datetime, datetime], dict[UUID, float]]
_ai_cost: AiCost = lambda *_: {}  # noqa: E731  (until the room that knows says so)


def ai_cost_told_by(tell: AiCost) -> None:
    """Let this function give each workspace's AI cost between two moments, in minor units of US dollars."""
    global _ai_cost
    _ai_cost = tell


def currencies() -> list[str]:
    """The currencies in which something was ever sold, the most used first; US dollars before the first sale."""
    found = _rows("SELECT currency FROM subscription_changes WHERE mrr > 0 GROUP BY 1 ORDER BY count(*) DESC, 1", {})
    return [currency for (currency,) in found] or ["usd"]


def months(since: date, until: date, currency: str = "usd") -> list[Month]:
    """Every month from that of `since` to that of `until`, also those without a movement."""
    return [Month(*row) for row in _rows(_MONTHS, {"since": since, "until": until, "currency": currency})]


def cohorts(since: date, until: date, currency: str = "usd") -> list[Cohort]:
    """Those who first paid since then, followed to the month of `until`."""
    return [Cohort(*row) for row in _rows(_COHORTS, {"since": since, "until": until, "currency": currency})]


def margins(month: date, currency: str = "usd") -> list[Margin]:
    """Each workspace's MRR at the end of a month against its AI cost in it, the largest MRR first."""
    first = datetime(month.year, month.month, 1, tzinfo=UTC)
    after = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    with tenancy.platform("costs are those of all workspaces"):
        costs = _ai_cost(first, after)
    rows = _rows(_WORKSPACES, {"month": first.date(), "currency": currency, "also": list(costs)})
    return [Margin(who, name, plan, mrr, costs.get(who, 0)) for who, name, plan, mrr in rows]


def earned(since: datetime, until: datetime, currency: str = "usd") -> dict[UUID, float]:
    """What each workspace brought between two moments, in minor units: its MRR times the months that it ran.

    Counted by time, whenever it was paid: a year paid at once is not the revenue of one day.
    """
    facts = {"since": since, "until": until, "currency": currency}
    return {workspace: float(sum_) for workspace, sum_ in _rows(_EARNED, facts)}


COLUMNS = [
    *(field.name for field in fields(Month)),
    "closing", "customers", "arr", "arpu", "customer_churn", "revenue_churn", "ltv", "trial_conversion",
]  # fmt: skip


def csv_rows(since: date, until: date, currency: str = "usd") -> Iterator[list[str]]:
    """The table of months for a spreadsheet: a head, then one line a month; unknown is empty."""
    yield [*COLUMNS, "currency"]
    for month in months(since, until, currency):
        cells = [getattr(month, name) for name in COLUMNS]
        yield [
            *("" if cell is None else f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in cells),
            currency,
        ]


def share(part: float, whole: float) -> float | None:
    """A part of a whole; None where there is no whole."""
    return part / whole if whole else None


def _rows(statement: str, facts: dict[str, Any]) -> list[tuple[Any, ...]]:
    with tenancy.platform("revenue is that of all workspaces"), connection.cursor() as cursor:
        cursor.execute(statement, facts)
        return cursor.fetchall()
