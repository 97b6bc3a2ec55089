"""What every signed-in page shows round its content."""

from datetime import timedelta

from django.db import connection
from django.http import HttpRequest

from bots import health
from bots.models import InstagramAccount

LATE = timedelta(minutes=2)  # an engine whose oldest due bot waits longer than this is late (RELIABILITY row 93)


def shell(request: HttpRequest) -> dict[str, object]:
    """The workspace, how many accounts need a person, and whether the engine keeps time. Lazy: no page pays unasked."""
    if getattr(request, "workspace", None) is None:
        return {}
    return {"workspace": request.workspace, "membership": request.membership, "needs_you": _needs_you, "engine": engine}


def _needs_you() -> int:
    return (
        InstagramAccount.objects.filter(health__in=health.NEEDS_A_PERSON).exclude(health=health.Health.BANNED).count()
    )


def engine() -> dict[str, object]:
    """How long the workspace's oldest due bot has waited, in seconds, and whether that is late."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(extract(epoch FROM now() - min(next_run_at)), 0) FROM bots_bot"
            " WHERE status = 'running' AND lease_until IS NULL AND next_run_at <= now()"
        )
        waited = float(cursor.fetchone()[0])
    return {"waited": waited, "late": waited > LATE.total_seconds()}
