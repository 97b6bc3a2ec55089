"""How many due bots the dispatchers of eight processes claim in a second, and whether any is claimed twice."""

import multiprocessing
import time
from multiprocessing.pool import Pool

from bench.dispatch import fill

DUE, PROCESSES, BATCH = 50_000, 8, 1000  # the batch of bots.tasks


def figures() -> list[dict[str, object]]:
    """Make 50,000 bots due in workspaces of 50, and let eight processes claim them all."""
    from django.db import connection

    from accounts import tenancy
    from bots.models import Bot

    fill(DUE)
    with tenancy.platform("the figures make bots due"):
        ids = Bot.objects.filter(display_name="bench").order_by("workspace_id").values_list("id", flat=True)[:DUE]
        Bot.objects.filter(pk__in=list(ids)).update(next_run_at="2020-01-01T00:00Z", lease_until=None)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE bots_bot")
    with multiprocessing.get_context("spawn").Pool(PROCESSES, _ready) as pool:
        pool.map(_warm, range(PROCESSES), 1)
        started = time.perf_counter()
        claimed = [bot for bots in _claims(pool) for bot in bots]
        seconds = time.perf_counter() - started
    with tenancy.platform("the figures give the bots back"):
        Bot.objects.filter(display_name="bench").update(next_run_at="2099-01-01T00:00Z", lease_until=None)
    return [
        {"figure": "claimed bots a second, 8 processes, 50,000 due", "value": round(DUE / seconds), "goal": 20_000},
        {"figure": "bots claimed twice", "value": len(claimed) - len(set(claimed)), "goal": 0},
        {"figure": "due bots that nobody claimed", "value": DUE - len(set(claimed)), "goal": 0},
    ]


def _claims(pool: Pool) -> list[list[str]]:
    return pool.map(_claim_all, range(PROCESSES), 1)


def _ready() -> None:
    import django

    django.setup()


def _warm(_: int) -> None:
    from django.db import connection

    connection.ensure_connection()
    time.sleep(0.5)  # so that each process takes one


def _claim_all(_: int) -> list[str]:
    from bots import dispatch

    mine: list[str] = []
    while claims := dispatch.claim(BATCH):
        mine += [str(claim.bot) for claim in claims]
    return mine
