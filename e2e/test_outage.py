"""The servers go away while a bot works: every door says so, and the work goes on as if nothing had been."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from e2e.program import Program
from instagrowth import embedded
from instagrowth.testing import INSTAGRAM_PASSWORD, PASSWORD
from instagrowth.testing_processes import Processes, eventually
from sandbox.testing import Sandbox

VALKEY_GONE = (503, "QUEUE_UNAVAILABLE", "E-API-C-0008")


@pytest.fixture
def house(services: embedded.Services, sandbox: Sandbox, tmp_path: Path) -> Iterator[Processes]:
    """The product on servers of its own, which may be stopped."""
    started = Processes(tmp_path, services.environment | {"INSTAGRAM_PRIVATE_URL": sandbox.url})
    try:
        started.command("migrate", "--verbosity", "0")
        started.worker(), started.beat()
        yield started
    finally:
        started.stop()


def as_after_some_minutes(services: embedded.Services) -> None:
    """Leases of turns that an outage cut off are over, those that failed may be tried again, look-ups are due."""
    with psycopg.connect(services.environment["DATABASE_URL"]) as connection:
        connection.execute("SELECT set_config('app.scope', 'platform', true)")
        connection.execute("UPDATE bots_bot SET lease_until = now() WHERE lease_until IS NOT NULL")
        connection.execute("UPDATE bots_bot SET next_run_at = now() WHERE next_run_at > now()")
        connection.execute("UPDATE bots_action SET look_up_at = now() WHERE look_up_at IS NOT NULL")


def signs_up(house: Processes, site: str) -> Program:
    """Alice, let in by the operator."""
    made = json.loads(house.command("createuser", "--plan", "growth", "--password", PASSWORD, "--json"))
    admitted = Program(site).post("/api/auth/login", login=made["access_code"], password=PASSWORD)
    return Program(site, admitted["token"])


def test_valkey_and_postgresql_go_away_and_nothing_is_lost_or_doubled(
    house: Processes, services: embedded.Services, sandbox: Sandbox
) -> None:
    site = house.web()
    alice = signs_up(house, site)
    sandbox.control.account("alice.real", password=INSTAGRAM_PASSWORD)
    connected = alice.post("/api/bot/login", username="alice.real", password=INSTAGRAM_PASSWORD, accept_risk=True)
    bot = f"/api/bots/{connected['bot']['id']}/"
    alice.patch(bot, cycle_delay=1, jitter=0, burst=1)
    alice.post(f"{bot}start")
    taken = alice.post("/api/bot/actions/follow-hashtag", account="alice.real", hashtag="ceramics", amount=8)
    task = f"/api/tasks/{taken['task']['id']}/"

    def followed() -> int:
        return len(sandbox.control.ledger("alice.real").targets("follow"))

    eventually(lambda: followed() >= 2, why=house.said)
    assert services.valkey
    assert services.postgres
    services.valkey.stop()
    assert alice.get(bot).refusal == VALKEY_GONE
    assert alice.page("/login")[0] == 200  # pages need no Valkey
    services.valkey.start()
    before = followed()
    eventually(lambda: followed() > before, why=house.said)

    services.postgres.stop()
    status, page = alice.page("/login")
    assert (status, "E-DB-C-0001" in page) == (503, True)
    assert alice.page("/healthz")[0] == 200  # it lives: to start it anew would help nobody
    services.postgres.start()

    ticks = itertools.count(1)

    def done() -> bool:
        if next(ticks) % 50 == 0:
            as_after_some_minutes(services)
        return bool(alice.get(task).body.get("status") == "done")

    eventually(done, 60, why=house.said)
    ledger = sandbox.control.ledger("alice.real")
    told = [row for row in alice.log(action="follow") if row["metadata"].get("outcome") == "confirmed"]
    assert (followed(), len({row["metadata"]["target"] for row in told}), ledger.duplicates) == (8, 8, [])
