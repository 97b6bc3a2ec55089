"""What Prometheus reads at /metrics: how the engine, the queues, the accounts, the AI and this web process do.

Names, labels and what to alarm on stand in docs/metrics.md; docs/grafana-dashboard.json draws them.
"""

import time
from collections.abc import Callable, Iterator, Mapping

from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_redis import get_redis_connection
from prometheus_client import CollectorRegistry, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from accounts import tenancy
from bots import engine
from instagrowth.embedded.stack import QUEUES

SIGN_OF_LIFE = "worker:seen"  # when a worker last did what beat asked it to do, unix seconds
FRESH = 5.0  # seconds for which one look at the database serves all who scrape

_HEALTH = "SELECT health, count(*) FROM bots_instagramaccount GROUP BY health"
_ALERTS = "SELECT severity, sum(times) FROM error_groups WHERE last_at > now() - interval '1 hour' GROUP BY severity"
# Two sums over indexes: what the provider billed this month, and how the last hour's calls ended.
_AI = """
SELECT coalesce(sum(spent_micros), 0)::float / 1000000 FROM content_aiusage
WHERE month = date_trunc('month', now() AT TIME ZONE 'UTC')::date
"""
_AI_CALLS = "SELECT state, count(*) FROM content_aicall WHERE created_at > now() - interval '1 hour' GROUP BY state"
_WAITING = {
    "mails": "SELECT count(*) FROM accounts_mail WHERE sent_at IS NULL AND failed_at IS NULL",
    "notifications_hook": "SELECT count(*) FROM accounts_notification WHERE hook_due_at IS NOT NULL",
}

registry = CollectorRegistry()
ProcessCollector(registry=registry)
answers = Histogram(
    "instagrowth_http_seconds",
    "How long answers took, by view, method and kind of status",
    ["view", "method", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10),
    registry=registry,
)


class TimingMiddleware:
    """Measures every answer. An address that leads nowhere counts as one view, whatever it says."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, with an eye on the clock."""
        began = time.perf_counter()
        response = self.get_response(request)
        view = getattr(request.resolver_match, "view_name", "") or "none"
        method = request.method if request.method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD") else "other"
        answers.labels(view, method, f"{response.status_code // 100}xx").observe(time.perf_counter() - began)
        return response


class Platform(Collector):
    """What the database and Valkey know, asked at most every FRESH seconds; a part that is down says so."""

    looked_at = 0.0
    known: list[GaugeMetricFamily]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give it all."""
        if time.monotonic() - self.looked_at > FRESH:
            self.known = [*self._parts()]
            self.looked_at = time.monotonic()
        yield from self.known

    def _parts(self) -> Iterator[GaugeMetricFamily]:
        up = GaugeMetricFamily("instagrowth_up", "Whether a part answers", labels=["part"])
        for part, ask in (("database", _from_database), ("redis", _from_redis)):
            try:
                yield from [*ask()]
            except (DatabaseError, InterfaceError, RedisError):
                up.add_metric([part], 0)
            else:
                up.add_metric([part], 1)
        yield up


registry.register(Platform())


def worker_age() -> float | None:
    """Seconds since a worker last showed that it lives; None if none ever did. Raises RedisError."""
    seen = get_redis_connection().get(SIGN_OF_LIFE)
    return None if seen is None else max(0.0, round(time.time() - float(seen), 1))


def show_life() -> None:
    """What a worker does to be seen. Raises RedisError."""
    get_redis_connection().set(SIGN_OF_LIFE, time.time())


def _from_database() -> Iterator[GaugeMetricFamily]:
    status = engine.look()
    for name, about in (
        ("running", "Bots that are switched on"),
        ("due", "Bots that wait for their turn now"),
        ("leased", "Bots that a worker has now"),
        ("lease_expired", "Leases whose worker is gone"),
        ("parked", "Bots we gave up on until somebody looks"),
    ):
        yield _gauge(f"instagrowth_bots_{name}", about, getattr(status, name))
    yield _gauge("instagrowth_oldest_due_seconds", "How long the oldest due bot waits", status.oldest_due)
    yield _gauge("instagrowth_tasks_open", "Tasks that are not ended", status.open_tasks)
    yield _gauge("instagrowth_actions_unknown", "Actions whose outcome is still looked up", status.unknown_actions)
    yield _gauge("instagrowth_actions_last_hour", "Actions of the last hour by outcome", status.last_hour, "outcome")
    with tenancy.platform("metrics count all workspaces"), connection.cursor() as cursor:

        def ask(sql: str) -> dict[str, float]:
            cursor.execute(sql)
            return dict(cursor.fetchall())

        yield _gauge("instagrowth_accounts", "Instagram accounts by health", ask(_HEALTH), "health")
        yield _gauge(
            "instagrowth_errors_last_hour", "Errors whose group was met in the last hour", ask(_ALERTS), "severity"
        )
        yield _gauge("instagrowth_ai_calls_last_hour", "AI calls of the last hour by state", ask(_AI_CALLS), "state")
        cursor.execute(_AI)
        yield _gauge("instagrowth_ai_cost_month_dollars", "What AI cost this month, US dollars", cursor.fetchone()[0])
        waiting = {}
        for what, sql in _WAITING.items():
            cursor.execute(sql)
            (waiting[what],) = cursor.fetchone()
        yield _gauge("instagrowth_waiting", "Mails and webhook posts that have not left", waiting, "what")


def _from_redis() -> Iterator[GaugeMetricFamily]:
    redis = get_redis_connection()
    depths = {queue: redis.llen(f"celery:{queue}") for queue in QUEUES.split(",")}
    yield _gauge("instagrowth_queue_messages", "Messages that wait for a worker", depths, "queue")
    age = worker_age()
    if age is not None:
        yield _gauge("instagrowth_worker_age_seconds", "Seconds since a worker showed that it lives", age)


def _gauge(name: str, about: str, value: float | Mapping[str, float], label: str = "") -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, about, labels=[label] if label else None)
    for key, number in (value if isinstance(value, Mapping) else {"": value}).items():
        gauge.add_metric([key] if label else [], float(number))
    return gauge
