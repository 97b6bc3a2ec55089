"""The first sign of trouble stops everything of that account, on every worker, and its owner is told once."""

import threading
from collections.abc import Callable

import pytest
from django.core import mail
from django.db import connection

from accounts.models import Membership, User
from bots import dispatch, health, reconcile, runner
from bots.models import Action, Bot, InstagramAccount
from bots.tests.engine import Engine
from errors import codes
from errors.exceptions import BotException
from instagrowth.testing_processes import eventually

# Every fault of the sandbox that means stop, and the health it leads to.
STOPS = {
    "challenge": "needs_you",
    "scraping": "needs_you",
    "bloks_challenge": "needs_you",
    "checkpoint": "needs_you",
    "consent": "needs_you",
    "suspended": "banned",
    "429": "cooling",
    "rate_limit": "cooling",
    "please_wait": "cooling",
    "sentry_block": "needs_you",
    "login_required": "needs_login",
    "unauthorized": "needs_login",
    "not_json": "cooling",  # a page where data was expected: often a check
    "needs_upgrade": "cooling",
}


def requests_of(engine: Engine) -> int:
    return engine.sandbox.control.ledger(engine.username).requests[engine.username]["total"]


@pytest.mark.parametrize("fault", STOPS)
@pytest.mark.parametrize("path", ["friendships/show/", "friendships/create/"])
def test_nothing_is_sent_after_the_first_sign(engine: Engine, fault: str, path: str) -> None:
    engine.start()
    engine.ask(5)
    engine.sandbox.control.fault(fault, account=engine.username, path=path, times=None)
    engine.turn()
    sent = requests_of(engine)

    assert engine.account.health == STOPS[fault]
    with engine.seen():
        Bot.objects.update(next_run_at="2020-01-01T00:00Z")
    # Whatever still comes for this account: turns on several workers, look-ups, new tasks' turns.
    workers = [threading.Thread(target=_work, args=(engine,)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert requests_of(engine) - sent == 0
    engine.sandbox.control.clear_faults()


def _work(engine: Engine) -> None:
    try:
        for claim in dispatch.claim(10):
            runner.run_turn(claim.workspace, claim.bot, claim.fence)
        with engine.seen():
            account = InstagramAccount.objects.get().pk
        reconcile.look_up(engine.workspace.pk, account)
    finally:
        connection.close()


def test_the_owner_is_told_once_and_a_manager_is_not(engine: Engine) -> None:
    bob = User.objects.make(email="bob.manager@example.com", password="a long enough phrase")
    with engine.seen():
        Membership.objects.create(workspace=engine.workspace, user=bob, role=Membership.Role.MANAGER)
    engine.start()
    engine.ask(5)
    engine.sandbox.control.fault("challenge", account=engine.username, path="friendships/show/", times=None)

    engine.turn()

    told = [message for message in mail.outbox if "needs you" in message.subject]
    assert [message.to for message in told] == [[engine.user.email]]
    assert f"@{engine.username}" in told[0].body
    assert "E-SESS-E-0004" in told[0].body


def test_a_rest_by_the_clock_needs_nobody(engine: Engine) -> None:
    engine.start()
    engine.ask(5)
    engine.sandbox.control.fault("429", account=engine.username, path="friendships/show/")

    engine.turn()

    assert not mail.outbox


@pytest.mark.parametrize("code", [codes.INSTAGRAM_THROTTLED, codes.CHALLENGE_REQUIRED, codes.FOLLOW_BLOCKED])
def test_a_sign_that_another_worker_meets_ends_a_burst_without_any_redis_lock(
    engine_of: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch, code: codes.Code
) -> None:
    """The other one is about to commit when the next intent is asked for, which waits for it and then knows."""
    engine = engine_of(burst=10)
    engine.start()
    engine.ask(10)
    intend, met, others = runner._intend, threading.Event(), []

    def meets_a_sign() -> None:
        try:
            with engine.seen():
                health.react(engine.account, BotException(code), "follow")
                met.set()
                eventually(waits_for_a_lock)
        finally:
            connection.close()

    def intends(*words: object) -> Action | None:
        if len(engine.followed()) == 2:
            others.append(threading.Thread(target=meets_a_sign))
            others[0].start()
            met.wait(10)
        return intend(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(runner, "_intend", intends)
    assert engine.turn() == "fenced"
    others[0].join()

    assert (engine.states(), len(engine.followed())) == (["confirmed"] * 2, 2)
    before = requests_of(engine)
    engine.turn()
    assert (len(others), requests_of(engine)) == (1, before)


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return bool(cursor.fetchone()[0])
