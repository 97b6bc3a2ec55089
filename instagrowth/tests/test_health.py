"""What machines ask about us."""

import json
import re
from pathlib import Path

import pytest
from django_redis import get_redis_connection

from instagrowth import metrics
from instagrowth.tasks import show_life


def test_it_lives_without_the_database(client):
    # No `db` fixture: a query, or the opening of a transaction, would fail this test.
    assert client.get("/healthz").json() == {"ok": True}


@pytest.mark.django_db
def test_it_is_ready_when_database_and_valkey_answer(client):
    get_redis_connection().delete(metrics.SIGN_OF_LIFE)

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()) == (200, {"database": "ok", "redis": "ok", "worker_age": None})


@pytest.fixture
def fresh(monkeypatch, nobody_guessed):
    """Each look is a new one."""
    monkeypatch.setattr(metrics, "FRESH", -1)


def series(client):
    """What /metrics tells: name and labels -> value."""
    lines = client.get("/metrics").content.decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


@pytest.mark.django_db
def test_a_worker_that_lives_is_seen(client, fresh):
    show_life.run()

    assert client.get("/readyz").json()["worker_age"] < 60
    assert series(client)["instagrowth_worker_age_seconds"] < 60


@pytest.mark.django_db
def test_metrics_tell_of_the_engine_the_queues_the_accounts_and_the_answers(client, fresh, alices_bot):
    client.get("/healthz")

    told = series(client)

    assert told['instagrowth_up{part="database"}'] == told['instagrowth_up{part="redis"}'] == 1
    assert sum(value for name, value in told.items() if name.startswith("instagrowth_accounts{")) == 1
    assert told['instagrowth_queue_messages{queue="dispatch"}'] == 0
    assert told['instagrowth_actions_last_hour{outcome="confirmed"}'] == 0
    assert told['instagrowth_http_seconds_count{method="GET",status="2xx",view="healthz"}'] >= 1
    assert {
        "instagrowth_oldest_due_seconds",
        "instagrowth_bots_lease_expired",
        "instagrowth_ai_cost_month_dollars",
    } <= set(told)


@pytest.mark.django_db
def test_metrics_are_for_allowed_networks_only(client, settings, nobody_guessed):
    settings.METRICS_ALLOWED_NETWORKS = ["203.0.113.0/24"]

    assert client.get("/metrics").status_code == 403


@pytest.mark.django_db
def test_the_dashboard_for_grafana_asks_for_nothing_that_is_not_told(client, fresh, alices_bot):
    show_life.run()
    board = json.loads((Path(metrics.__file__).parent.parent / "docs" / "grafana-dashboard.json").read_text())
    asked = {
        name
        for panel in board["panels"]
        for target in panel["targets"]
        for name in re.findall(r"(?:instagrowth|process)_\w+", target["expr"])
    }

    # A gauge with labels and no row yet shows its name in the comment alone.
    text = client.get("/metrics").content.decode()
    told = set(re.findall(r"^(?:# TYPE )?((?:instagrowth|process)_\w+)", text, re.MULTILINE))
    assert len(board["panels"]) >= 10
    assert asked - told == set()
