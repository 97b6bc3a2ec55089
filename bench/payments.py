"""Webhooks of Stripe: how soon they are answered, and what is left when whoever works on them is killed."""

import json
import multiprocessing
import os
import random
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from bench.ground import process
from bench.pages import wait_for
from instagrowth.embedded.valkey import free_port
from sandbox.stripe_hooks import signature
from sandbox.testing import Sandbox

EVENTS, LANES, KILLS = 500, 4, 200
SECRET = "whsec_bench"
_numbers = count()


def figures(sandbox: Sandbox) -> list[dict[str, object]]:
    """500 events at the door, and 200 workers killed between an event that is kept and what it does."""
    os.environ |= {"STRIPE_API_URL": sandbox.url, "STRIPE_SECRET_KEY": "sk_test_bench", "STRIPE_WEBHOOK_SECRET": SECRET}
    from django.conf import settings

    settings.STRIPE_API_URL, settings.STRIPE_SECRET_KEY = sandbox.url, "sk_test_bench"
    customer = _customer()
    told = _answered(customer)
    kills, lost, twice = _killed(customer)
    return [
        {"figure": "webhook of Stripe answered, ms, p99 of 500", "value": round(told, 1), "goal": 200},
        {"figure": "workers killed at an event of Stripe", "value": kills, "goal": KILLS},
        {"figure": "events lost by kills", "value": lost, "goal": 0},
        {"figure": "events done twice by kills", "value": twice, "goal": 0},
    ]


def _customer() -> str:
    """Somebody whose trial runs at Stripe."""
    from accounts import teams, tenancy
    from accounts.models import User
    from billing import lifecycle, mirror
    from billing.models import Plan
    from billing.tests.conftest import CARD, fill_in, row_of

    user = User.objects.make(email="payer@example.com", password="a long enough phrase")
    workspace = teams.open_workspace(user)
    with tenancy.platform("the figures need a trial"):
        Plan.objects.filter(key="starter").update(trial_days=30)
    fill_in(lifecycle.begin(workspace, user, "starter", "month", once="bench"), card=CARD)
    customer = row_of(workspace).stripe_customer_id
    mirror.mirror(customer)
    return customer


def _event(customer: str) -> dict[str, object]:
    """An event that does one thing for each time it is done: it mails."""
    return {
        "id": f"evt_bench{next(_numbers)}",
        "object": "event",
        "type": "customer.subscription.trial_will_end",
        "created": int(time.time()),
        "livemode": False,
        "data": {"object": {"object": "subscription", "customer": customer}},
    }


def _answered(customer: str) -> float:
    """Milliseconds, the 99th of a hundred."""
    port = free_port()
    os.environ["SITE_URL"] = f"http://localhost:{port}"
    server = ("uvicorn", "instagrowth.asgi:application", "--port", str(port), "--log-level", "warning")

    def post(_: int) -> float:
        body = json.dumps(_event(customer)).encode()
        headers = {"Content-Type": "application/json", "Stripe-Signature": signature(body, SECRET, time.time())}
        request = urllib.request.Request(f"http://localhost:{port}/webhooks/stripe/", body, headers)
        began = time.perf_counter()
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
        return (time.perf_counter() - began) * 1000

    with process("web", *server), ThreadPoolExecutor(LANES) as lanes:
        wait_for(port)
        list(lanes.map(post, range(20)))  # warm
        return sorted(lanes.map(post, range(EVENTS)))[EVENTS * 99 // 100]


def _killed(customer: str) -> tuple[int, int, int]:
    """Kills, and how many events were never done or done more than once after the sweeper came by."""
    from accounts import tenancy
    from accounts.models import Mail
    from billing import tasks, webhooks

    chance, kills = random.Random(7), 0
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(["bench.ready"])
    while webhooks.unfinished():  # those of the door
        tasks.look_after()
    with tenancy.platform("the figures count mails"):
        before = Mail.objects.count()
    while kills < KILLS:
        event = _event(customer)
        with tenancy.platform("the figures write an event down"):
            webhooks.take_in(event)
        worker = forks.Process(target=webhooks.process, args=(event["id"],))
        worker.start()
        worker.join(chance.uniform(0.01, 0.12))
        if worker.is_alive():
            worker.kill()
            kills += 1
        worker.join()
    while webhooks.unfinished():
        tasks.look_after()
    made = next(_numbers)
    with tenancy.platform("the figures count mails"):
        done = Mail.objects.count() - before
    expected = made - EVENTS - 20
    return kills, max(0, expected - done), max(0, done - expected)
