"""Doors that belong to no room: the front door, and what machines ask."""

from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe
from django_redis import get_redis_connection
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.exceptions import RedisError

from accounts.limits import client_address
from adminpanel.allowlist import is_in
from errors.answers import answer
from errors.causes import code_of
from errors.codes import ADDRESS_NOT_ALLOWED
from instagrowth import metrics


def home(request: HttpRequest) -> HttpResponse:
    """Members go to their dashboard, everybody else to the door."""
    return redirect("bots:dashboard" if request.user.is_authenticated else "account_login_short")


@transaction.non_atomic_requests  # a transaction would need the database, and be answered without asking us
def healthz(request: HttpRequest) -> JsonResponse:
    """Whether this process answers."""
    return JsonResponse({"ok": True})


@transaction.non_atomic_requests
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether the database and Valkey answer, and how many seconds ago a worker last showed that it lives.

    A web server without workers still serves its pages: their age does not make it unready, an alarm is set on it.
    """
    parts = {"database": _database, "redis": _redis}
    found: dict[str, object] = {name: _try(part) for name, part in parts.items()}
    ready = set(found.values()) == {"ok"}
    found["worker_age"] = metrics.worker_age() if found["redis"] == "ok" else None
    return JsonResponse(found, status=200 if ready else 503)


@require_safe
@transaction.non_atomic_requests
def metrics_page(request: HttpRequest) -> HttpResponse:
    """Answer what Prometheus reads, to METRICS_ALLOWED_NETWORKS only."""
    if not is_in(client_address(request), settings.METRICS_ALLOWED_NETWORKS):
        return answer(request, ADDRESS_NOT_ALLOWED)
    return HttpResponse(generate_latest(metrics.registry), content_type=CONTENT_TYPE_LATEST)


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _redis() -> None:
    get_redis_connection().ping()


def _try(part: Callable[[], None]) -> str:
    try:
        part()
    except (DatabaseError, InterfaceError, RedisError) as error:
        return code_of(error).id
    return "ok"
