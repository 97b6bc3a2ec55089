"""What every signed-in page shows round its content."""

from datetime import timedelta
from typing import cast

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts import announcements, brand, notifications
from accounts.models import User
from accounts.roles import may
from billing import entitlements
from bots import health
from bots.models import InstagramAccount
from instagrowth import system

LATE = timedelta(minutes=2)  # an engine whose oldest due bot waits longer than this is late (RELIABILITY row 93)


def shell(request: HttpRequest) -> dict[str, object]:
    """Give a member's page what stands round it. What costs a query is looked up only where it is shown."""
    membership = getattr(request, "membership", None)
    if membership is None:
        return {}
    return {
        "workspace": membership.workspace,
        "membership": membership,
        "label": SimpleLazyObject(lambda: brand.label_of(membership.workspace)),
        "plan_name": lambda: entitlements.plan_of(membership.workspace).name,
        "may_act": may(membership, "act"),
        "may_decide": may(membership, "decide"),
        "sandbox": settings.INSTAGRAM_PRIVATE_URL,  # the stand-in that plays Instagram; empty where it is the real one
        "bell": lambda: notifications.bell(membership.workspace, cast(User, request.user)),
        "announcements": lambda: announcements.told(
            lambda: entitlements.plan_of(membership.workspace).key,
            membership.role,
            request.COOKIES.get(announcements.COOKIE, ""),
        ),
        "needs_you": _needs_you,
        "engine": engine,
    }


def _needs_you() -> int:
    """Count the accounts that wait for a person who can still help."""
    waiting = InstagramAccount.objects.filter(health__in=health.NEEDS_A_PERSON)
    return waiting.exclude(health=health.Health.BANNED).count()


def engine() -> dict[str, object]:
    """How long the workspace's oldest due bot has waited, in seconds, and whether that is late."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(extract(epoch FROM now() - min(next_run_at)), 0) FROM bots_bot"
            " WHERE status = 'running' AND lease_until IS NULL AND next_run_at <= now()"
        )
        waited = float(cursor.fetchone()[0])
    return {"waited": waited, "late": waited > LATE.total_seconds(), "halted": not system.BOTS_RUN.now()}
