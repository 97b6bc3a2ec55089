"""How much of bare instagrapi's speed is left when each action goes through the whole engine."""

import os
import secrets
import time

from bench.ground import process
from bench.instagram import bare_follow_rate
from sandbox.testing import Sandbox

BOTS, FOLLOWS, BURST = 40, 100, 10  # ten is the largest burst that the product allows
QUEUES = "dispatch,starter,enterprise"
CHILDREN = 4  # for two cores: a turn waits a third of its time for PostgreSQL and Instagram


def figures(sandbox: Sandbox) -> list[dict[str, object]]:
    """Bare loop, engine, bare loop again: the machine is noisy, so the yardstick stands on both sides."""
    before = bare_follow_rate(sandbox.url, 400)
    engine, doubles = engine_follow_rate(sandbox)
    sandbox.control.reset()
    after = bare_follow_rate(sandbox.url, 400)
    bare = (before + after) / 2
    return [
        {"figure": "follow actions a second, bare instagrapi, one thread", "value": round(bare)},
        {"figure": f"follow actions a second, whole engine, one worker of {CHILDREN} children", "value": round(engine)},
        {"figure": "whole engine against bare instagrapi", "value": round(engine / bare, 2), "goal": 0.5},
        {"figure": "double actions meanwhile", "value": doubles, "goal": 0},
    ]


def engine_follow_rate(sandbox: Sandbox) -> tuple[float, int]:
    """Confirmed follows a second by beat, dispatcher, worker, locks, limits and journal; and how many were doubles."""
    from accounts import tenancy
    from bots.models import Bot

    names = [ready_bot(sandbox) for _ in range(BOTS)]
    celery = ("celery", "-q", "-A", "instagrowth")
    schedule = os.path.join(os.environ["DATA_DIR"], "beat")
    worker = (*celery, "worker", "-Q", QUEUES, "-c", str(CHILDREN), "--without-gossip", "--without-mingle")
    with process("worker", *worker), process("beat", *celery, "beat", "-s", schedule):
        seconds = _wait_until_done()
    with tenancy.platform("the figures rest"):
        Bot.objects.update(status=Bot.Status.STOPPED)
    doubles = sum(len(sandbox.control.ledger(name).duplicates) for name in names)
    return BOTS * FOLLOWS / seconds, doubles


def ready_bot(sandbox: Sandbox, follows: int = FOLLOWS, burst: int = BURST) -> str:
    """Make a person with a connected account whose bot has a task; the account's username."""
    from accounts import teams, tenancy
    from accounts.models import User
    from billing.models import Plan, Subscription
    from bots import connecting, switch, tasking
    from bots.models import Bot, DailyLimit, InstagramAccount, Kind

    name, password = f"bench.{secrets.token_hex(4)}", "bench-password-1"
    sandbox.control.account(name, password=password)
    user = User.objects.make(email=f"{name}@example.com", password=secrets.token_urlsafe())
    workspace = teams.open_workspace(user)
    with tenancy.platform("the figures need limits that do not end them"):
        plan, _ = Plan.objects.get_or_create(
            key="bench", defaults={"name": "Bench", "action_limits": dict.fromkeys(Kind.values, 10**6)}
        )
        Subscription.objects.create(workspace=workspace, plan=plan)
        DailyLimit.objects.create(workspace=workspace, kind=Kind.FOLLOW, hourly=10**6, daily=10**6, weekly=10**7)
    with tenancy.scope(workspace):
        connecting.connect(workspace, user, name, password, accept_risk=True)
        InstagramAccount.objects.update(warmup_started_at=None)
        Bot.objects.update(burst=burst, cycle_delay=0)
        bot = Bot.objects.select_related("account__session", "workspace").get()
        tasking.follow_hashtag(bot, "ceramics", follows, {}, user)
        switch.start(bot, user)
    return name


def _wait_until_done() -> float:
    """Seconds from the first intent to the last outcome."""
    from django.db.models import Max, Min

    from accounts import tenancy
    from bots.models import Action

    end = time.monotonic() + 180
    while time.monotonic() < end:
        time.sleep(0.5)
        with tenancy.platform("the figures count"):
            done = Action.objects.filter(state=Action.State.CONFIRMED)
            if done.count() >= BOTS * FOLLOWS:
                span = done.aggregate(first=Min("created_at"), last=Max("ended_at"))
                return (span["last"] - span["first"]).total_seconds()
    raise RuntimeError("The engine did not finish within three minutes.")
