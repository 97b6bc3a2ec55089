"""Say how the engine does."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import asdict

import kombu.exceptions
from django.core.management.base import BaseCommand
from django.db import DatabaseError, InterfaceError
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from bots import engine
from errors.causes import code_of
from instagrowth.celery import app

PING = 1.0  # seconds in which workers that are there answer


class Command(BaseCommand):
    """Print what is due, what is going on and who works; exit code 1 when the engine is late or a part is missing."""

    help = "Show due bots, leases, tasks, unknown actions, the last hour and the workers. Exit code 1 when late."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the form."""
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, **options: object) -> None:
        """Ask everybody, each on its own: what is down must not hide the rest."""
        told: dict[str, object] = {"redis": _try(lambda: get_redis_connection().ping() and "ok")}
        told["workers"] = _try(_workers) if told["redis"] == "ok" else []
        status = _try(engine.look)
        told["database"] = status if isinstance(status, str) else "ok"
        late = False
        if isinstance(status, engine.Status):
            told |= asdict(status)
            late = status.late
        told["late"] = late
        self.stdout.write(json.dumps(told) if options["json"] else _as_text(told))
        if late or not told["database"] == told["redis"] == "ok":
            sys.exit(1)


def _workers() -> list[str]:
    """Name the workers that answer."""
    return sorted(app.control.inspect(timeout=PING).ping() or {})


def _try(ask: Callable[[], object]) -> object:
    """Give the answer, or the code of what is wrong."""
    try:
        return ask()
    except (DatabaseError, InterfaceError, RedisError, kombu.exceptions.OperationalError, OSError) as down:
        return code_of(down).id


def _as_text(told: dict[str, object]) -> str:
    lines = []
    for name, value in told.items():
        words = value
        if isinstance(value, dict):
            words = ", ".join(f"{count} {outcome}" for outcome, count in value.items())
        elif isinstance(value, list):
            words = ", ".join(value) or "none"
        elif isinstance(value, bool):
            words = "yes" if value else "no"
        lines.append(f"{name.replace('_', ' ') + ':':<17} {words}{' s' if name == 'oldest_due' else ''}")
    return "\n".join(lines)
