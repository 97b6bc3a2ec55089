"""The first sign of trouble stops everything of that account, on every worker, and its owner is told once."""

import threading

import pytest
from django.core import mail
from django.db import connection

from accounts.models import Membership, User
from bots import dispatch, reconcile, runner
from bots.models import Bot, InstagramAccount
from bots.tests.engine import Engine

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
