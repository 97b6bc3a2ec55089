"""Which code an exception has, and where in our own code it comes from."""

import traceback
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import kombu.exceptions
import psycopg.errors
import redis.exceptions
import requests
from billiard.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded, WorkerLostError
from django.db import InterfaceError, OperationalError

from errors import codes
from errors.codes import Code
from errors.exceptions import BotException

ROOT = Path(__file__).resolve().parent.parent
_ROOMS = {"accounts": "AUTH", "billing": "BILL", "bots": "SCH", "content": "AI"}
# The first row that fits decides.
_FORESEEN: list[tuple[tuple[type[BaseException], ...], Code]] = [
    ((psycopg.errors.QueryCanceled,), codes.DATABASE_TOO_SLOW),
    (
        (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure),
        codes.DATABASE_CONFLICT,
    ),
    ((OperationalError, InterfaceError), codes.DATABASE_UNAVAILABLE),
    ((redis.exceptions.ConnectionError, redis.exceptions.TimeoutError), codes.QUEUE_UNAVAILABLE),
    ((kombu.exceptions.OperationalError,), codes.QUEUE_UNAVAILABLE),
    ((requests.Timeout,), codes.NET_TIMEOUT),
    ((requests.ConnectionError,), codes.NET_REFUSED),
    ((SoftTimeLimitExceeded, TimeLimitExceeded), codes.TURN_TIMED_OUT),
    ((WorkerLostError,), codes.WORKER_LOST),
]


@dataclass(frozen=True)
class Place:
    """A line of our own code; `file` is relative to the root of the project."""

    file: str = ""
    function: str = ""
    line: int = 0


def code_of(exc: BaseException) -> Code:
    """Give the registered code of an exception; one that nobody foresaw is INTERNAL_ERROR under a generated id."""
    if isinstance(exc, BotException):
        return exc.code
    for types, code in _FORESEEN:
        if isinstance(exc, types) or isinstance(exc.__cause__, types):
            return code
    return replace(codes.INTERNAL_ERROR, id=generate_error_code(_room_of(exc), "E", exc))


def generate_error_code(module: str, severity: str, cause: BaseException | str) -> str:
    """Make an id for what nobody registered, in 9000-9999: the same place and type of exception give the same one.

    The place is file and function, not the line, so that an edit above it changes nothing. `cause` may be a sentence.
    """
    where = (
        f"{place(cause).file}:{place(cause).function}:{type(cause).__name__}"
        if isinstance(cause, BaseException)
        else cause
    )
    number = 9000 + int.from_bytes(sha256(f"{module}:{where}".encode()).digest()[:8]) % 1000
    return f"E-{module}-{severity}-{number}"


def fingerprint(code: Code, exc: BaseException | None) -> str:
    """Tell errors apart as operators do: by code, kind, file and function. A line that moves changes nothing."""
    where = place(exc) if exc is not None else Place()
    told = f"{code.id}:{type(exc).__name__}:{where.file}:{where.function}"
    return sha256(told.encode()).hexdigest()[:16]


def place(exc: BaseException) -> Place:
    """Find the deepest line of our own code that the exception came through; empty if it never was in ours."""
    ours = Place()
    for frame in traceback.extract_tb(exc.__traceback__):
        path = Path(frame.filename)
        if path.is_relative_to(ROOT) and not {"site-packages", ".venv"} & set(path.parts):
            ours = Place(path.relative_to(ROOT).as_posix(), frame.name, frame.lineno or 0)
    return ours


def _room_of(exc: BaseException) -> str:
    return _ROOMS.get(place(exc).file.split("/")[0], "API")
