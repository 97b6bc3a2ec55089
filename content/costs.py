"""What the language model costs and what its workspaces bring, over any time: for staff. Needs the platform's view.

Cost is what the provider bills by our price table (`metering.PRICES`), failed calls included: those are our loss.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum

from billing import revenue
from content import metering
from content.models import AiCall, Feature

GROUPS = ("workspace", "feature", "model")
_CURRENCY = "usd"  # that of the price table: a margin in another one would need a rate of exchange
_STEPS = """
SELECT s.at, coalesce(sum(c.cost_micros), 0)
FROM generate_series(date_trunc(%(unit)s, %(since)s), date_trunc(%(unit)s, %(until)s), ('1 ' || %(unit)s)::interval)
     AS s(at)
LEFT JOIN content_aicall c ON c.created_at >= greatest(s.at, %(since)s) AND c.created_at < %(until)s
     AND c.created_at < s.at + ('1 ' || %(unit)s)::interval
GROUP BY 1 ORDER BY 1
"""


@dataclass(frozen=True)
class Line:
    """Calls of one workspace, feature or model. Money in millionths of a US dollar."""

    key: Any
    name: str
    calls: int  # that gave an answer
    failed: int
    requests: int  # on the wire
    input_tokens: int
    output_tokens: int
    cost: int
    earned: int | None = None  # of a workspace: see `revenue.earned`; None where it never paid in dollars

    @property
    def margin(self) -> int | None:
        """What is left of what was earned; None where nothing was."""
        return None if self.earned is None else self.earned - self.cost

    @property
    def margin_share(self) -> float | None:
        """The same as a share of what was earned."""
        return revenue.share(self.margin or 0, self.earned or 0)


COLUMNS = (
    "name", "key", "calls", "failed", "requests", "input_tokens", "output_tokens", "cost", "earned", "margin",
)  # fmt: skip


def lines(by: str, since: datetime, until: datetime, most: int | None = None) -> list[Line]:
    """The calls between two moments by one of GROUPS, the dearest first; of workspaces also what they brought."""
    if by == "workspace":
        return _by_workspace(since, until, most)
    found = _grouped(since, until, by)[:most]
    names = dict(Feature.choices) if by == "feature" else {}
    return [Line(key, str(names.get(key, key)), *figures) for key, *figures in found]


def total(since: datetime, until: datetime) -> Line:
    """All calls between two moments, and what all workspaces brought in the time."""
    figures = _calls(since, until).order_by().aggregate(**_SUMS)
    earned = revenue.earned(since, until, _CURRENCY)
    return replace(Line("", "All", *(figures[name] for name in _SUMS)), earned=_micros(sum(earned.values())))


def over_time(since: datetime, until: datetime, unit: str) -> list[tuple[datetime, int]]:
    """The cost of each hour or day (`unit`), also of those without a call."""
    with connection.cursor() as cursor:
        cursor.execute(_STEPS, {"since": since, "until": until, "unit": unit})
        return [(at, int(micros)) for at, micros in cursor.fetchall()]


def csv_rows(by: str, since: datetime, until: datetime) -> Iterator[list[str]]:
    """The table for a spreadsheet: a head, then a line a group; money in US dollars, unknown is empty."""
    yield [*COLUMNS, "currency"]
    for line in lines(by, since, until):
        cells = [_cell(name, getattr(line, name)) for name in COLUMNS]
        yield [*cells, _CURRENCY]


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    return f"{value / 1_000_000:.6f}" if name in ("cost", "earned", "margin") else str(value)


_SUMS = {
    "charged": Count("pk", filter=Q(state=AiCall.State.CHARGED)),
    "lost": Count("pk", filter=Q(state=AiCall.State.RELEASED)),
    "asked": Sum("requests", default=0),
    "read": Sum("input_tokens", default=0),
    "written": Sum("output_tokens", default=0),
    "billed": Sum("cost_micros", default=0),
}


def _calls(since: datetime, until: datetime) -> QuerySet[AiCall]:
    return AiCall.objects.filter(created_at__gte=since, created_at__lt=until)


def _grouped(since: datetime, until: datetime, *names: str) -> Any:
    """The sums of each group, the dearest first."""
    groups: Any = _calls(since, until).values_list(*names).annotate(**_SUMS)
    return groups.order_by("-billed", names[0])


def _by_workspace(since: datetime, until: datetime, most: int | None) -> list[Line]:
    earned = revenue.earned(since, until, _CURRENCY)
    found = _grouped(since, until, "workspace_id", "workspace__name")[:most]
    lines = [Line(*row) for row in found]
    return [replace(line, earned=_micros(earned[line.key])) if line.key in earned else line for line in lines]


def _micros(cents: float) -> int:
    return round(cents * metering.CENT)
