"""Doors that belong to no room: the front door, and what machines ask."""

from collections.abc import Callable

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from errors.causes import code_of


def home(request: HttpRequest) -> HttpResponse:
    """Members go to their dashboard, everybody else to the door."""
    return redirect("bots:dashboard" if request.user.is_authenticated else "account_login_short")


@transaction.non_atomic_requests  # a transaction would need the database, and be answered without asking us
def healthz(request: HttpRequest) -> JsonResponse:
    """Whether this process answers."""
    return JsonResponse({"ok": True})


@transaction.non_atomic_requests
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether the database and Valkey answer."""
    parts = {"database": _database, "redis": _redis}
    found = {name: _try(part) for name, part in parts.items()}
    return JsonResponse(found, status=200 if set(found.values()) == {"ok"} else 503)


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
