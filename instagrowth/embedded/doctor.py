"""`manage.py doctor`: look at everything the product needs, and say one sentence about each."""

import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable
from urllib.parse import urlsplit

from instagrowth.embedded.chromium import find_chromium
from instagrowth.embedded.folder import running
from instagrowth.embedded.stack import ROOT, data_dir

NEEDED_DISK = 1_000_000_000  # bytes: packages 400 MB, a young database 50 MB, and room to grow


class Ill(Exception):
    """Something is wrong; the message says what to do."""


def examine() -> int:
    """Print one sentence for each thing looked at; give 1 when one of them is wrong."""
    found = running(data_dir())
    for name, value in (found or {}).items():
        os.environ.setdefault(name, value)
    print(f"ok    `make run` is running on {data_dir()}." if found else f"note  Nothing runs on {data_dir()} now.")
    ills = 0
    for check in CHECKS:
        try:
            print(f"ok    {check()}")
        except Ill as ill:
            ills += 1
            print(f"WRONG {ill}")
    return 1 if ills else 0


def python() -> str:
    """Look at the interpreter and the machine."""
    return f"Python {platform.python_version()} on {platform.system()} {platform.machine()}."


def disk() -> str:
    """Look at the room that is left for data."""
    place = next(p for p in (data_dir(), *data_dir().parents) if p.exists())
    free = shutil.disk_usage(place).free
    if free < NEEDED_DISK:
        raise Ill(f"Only {free / 1e6:.0f} MB are free at {place}, but 1000 MB are needed.")
    return f"{free / 1e9:.0f} GB are free at {place}."


def chromium() -> str:
    """Look for the browser of the tests; running needs none."""
    found = find_chromium()
    return f"Chromium for the browser tests is {found}." if found else "No Chromium yet: `make test` gets one."


def settings() -> str:
    """Let the settings judge the secrets and every other variable."""
    from django.core.exceptions import ImproperlyConfigured

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "instagrowth.settings")
    sys.path.insert(0, str(ROOT))
    try:
        import django

        django.setup()
    except ImproperlyConfigured as wrong:
        raise Ill(str(wrong)) from wrong
    return "The settings are complete and the secrets strong."


def database() -> str:
    """Look at the database: reachable, recent, and under a role that row-level security binds."""
    import psycopg

    try:
        with psycopg.connect(
            named("DATABASE_URL").replace("postgis://", "postgres://"), connect_timeout=5
        ) as connection:
            row = connection.execute(
                "SELECT current_user, rolsuper OR rolbypassrls, current_setting('server_version') "
                "FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
    except psycopg.OperationalError as gone:
        raise Ill(f"PostgreSQL cannot be reached: {str(gone).strip().splitlines()[-1]}") from gone
    assert row is not None  # every role can see itself
    role, above_the_walls, version = row
    if above_the_walls:
        raise Ill(f"The database role {role} is a superuser or bypasses row-level security: use one that does neither.")
    return f"PostgreSQL {version} answers, and its role {role} is bound by row-level security."


def broker() -> str:
    """Look at Valkey or Redis."""
    import redis

    try:
        answer = redis.Redis.from_url(named("REDIS_URL"), socket_connect_timeout=5, socket_timeout=5).info("server")
    except redis.RedisError as gone:
        raise Ill(f"Valkey or Redis cannot be reached: {gone}") from gone
    assert isinstance(answer, dict)  # the client is not asynchronous
    version = answer.get("valkey_version") or answer["redis_version"]
    return f"{'Valkey' if 'valkey_version' in answer else 'Redis'} {version} answers."


def instagram() -> str:
    """Look at the way to Instagram."""
    url = os.environ.get("INSTAGRAM_PRIVATE_URL", "")
    if not url:
        return "INSTAGRAM_PRIVATE_URL is unset: bots talk to the real Instagram."
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Ill(f"INSTAGRAM_PRIVATE_URL is {url!r}, but it must be like http://127.0.0.1:9000.")
    try:
        socket.create_connection((parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)), 5).close()
    except OSError as gone:
        raise Ill(f"Nobody answers at INSTAGRAM_PRIVATE_URL {url}: {gone}.") from gone
    return f"The sandbox Instagram answers at {url}."


def named(variable: str) -> str:
    """Give a variable that must be set."""
    if not (value := os.environ.get(variable)):
        raise Ill(f"{variable} is unset and nothing runs here: start `make run`, or set it.")
    return value


CHECKS: tuple[Callable[[], str], ...] = (python, disk, chromium, settings, database, broker, instagram)
