"""What a tick of the dispatcher costs: the due bots, never all bots."""

import statistics
import time
from datetime import timedelta

DUE, TICKS = 100, 40


def figures() -> list[dict[str, object]]:
    """The median tick with 100 due bots among 1,000 and among 100,000."""
    small = _median_tick(1_000)
    large = _median_tick(100_000)
    return [
        {"figure": "dispatch tick, 100 due of 1,000 bots, ms", "value": round(small, 2)},
        {"figure": "dispatch tick, 100 due of 100,000 bots, ms", "value": round(large, 2)},
        {"figure": "tick at 100,000 bots against 1,000", "value": round(large / small, 2), "goal": 1.2},
    ]


def _median_tick(bots: int) -> float:
    """Milliseconds, with so many running bots in the table."""
    from django.db import connection

    from accounts import tenancy
    from bots import dispatch
    from bots.models import Bot

    fill(bots)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE bots_bot")
    times = []
    for tick in range(TICKS):
        with tenancy.platform("the figures make bots due"):
            ids = Bot.objects.filter(display_name="bench").order_by("-created_at", "id").values_list("id", flat=True)
            due = list(ids[tick % 10 * DUE :][:DUE])
            Bot.objects.filter(pk__in=due).update(next_run_at="2020-01-01T00:00Z")
        started = time.perf_counter()
        claims = dispatch.claim(200)
        times.append((time.perf_counter() - started) * 1000)
        if len(claims) != DUE:
            raise RuntimeError(f"{len(claims)} of {DUE} due bots were claimed.")
        with tenancy.platform("the figures give the bots back"):
            Bot.objects.filter(pk__in=due).update(lease_until=None, next_run_at="2099-01-01T00:00Z")
    return statistics.median(times)


def fill(bots: int) -> None:
    """Bring the table up to so many running bots that are due tomorrow, 50 to a workspace."""
    from django.utils import timezone

    from accounts import tenancy
    from accounts.models import Workspace
    from bots.models import Bot, InstagramAccount

    later = timezone.now() + timedelta(days=1)
    with tenancy.platform("the figures need many bots"):
        have = Bot.objects.filter(display_name="bench").count()
        for start in range(have, bots, 5_000):
            size = min(5_000, bots - start)
            spaces = Workspace.objects.bulk_create(Workspace(name="bench") for _ in range(-(-size // 50)))
            accounts = InstagramAccount.objects.bulk_create(
                InstagramAccount(workspace=spaces[i // 50], username=f"bench{start + i}") for i in range(size)
            )
            Bot.objects.bulk_create(
                Bot(
                    workspace_id=a.workspace_id,
                    account=a,
                    display_name="bench",
                    status="running",
                    share=50,
                    next_run_at=later,
                )
                for a in accounts
            )
