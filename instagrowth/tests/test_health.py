"""What machines ask about us."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from django_redis import get_redis_connection

from bots.models import Action, Bot, InstagramAccount
from instagrowth import metrics
from instagrowth.tasks import show_life
from instagrowth.testing import everywhere


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
def test_metrics_follow_the_work_that_was_done(client, fresh, alices_bot):
    account = alices_bot.account
    with everywhere():
        for n, state in enumerate(("confirmed", "confirmed", "unknown")):
            Action.objects.create(
                workspace_id=account.workspace_id, account=account, kind="follow", target_pk=n, target_username="p",
                state=state, fence=1, look_up_at=timezone.now() if state == "unknown" else None,
            )  # fmt: skip
        Bot.objects.filter(pk=alices_bot.pk).update(
            status=Bot.Status.RUNNING, next_run_at=timezone.now() - timedelta(minutes=5)
        )
        InstagramAccount.objects.filter(pk=account.pk).update(health="cooling")

    told = series(client)

    assert told['instagrowth_actions_last_hour{outcome="confirmed"}'] == 2
    assert told["instagrowth_actions_unknown"] == 1
    assert 290 < told["instagrowth_oldest_due_seconds"] < 400
    assert told['instagrowth_accounts{health="cooling"}'] == 1
    with everywhere():
        Bot.objects.filter(pk=alices_bot.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    get_redis_connection().lpush("celery:dispatch", "a message")
    try:
        told = series(client)
    finally:
        get_redis_connection().delete("celery:dispatch")
    assert told["instagrowth_bots_lease_expired"] == told['instagrowth_queue_messages{queue="dispatch"}'] == 1


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
    # And nothing is told that nobody draws or that docs/metrics.md does not explain.
    ours = {name for name in told if name.startswith("instagrowth_") and not name.endswith(("_sum", "_created"))}
    assert ours - asked - {"instagrowth_http_seconds"} == set()
    page = (Path(metrics.__file__).parent.parent / "docs" / "metrics.md").read_text()
    explained = set(re.findall(r"`(instagrowth_\w+)", page)) - {"instagrowth_bots_"}
    explained |= {f"instagrowth_bots_{name}" for name in re.findall(r"instagrowth_bots_{([\w,]+)}", page)[0].split(",")}
    assert {re.sub("_(bucket|count)$", "", name) for name in ours} == explained
