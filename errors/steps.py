"""The steps of a story that leave no row of their own: API answers, requests, tasks, and calls of servers outside.

They are gathered while a request or a task runs and written in one go at its end, outside of its transaction. A step
names nobody: views and patterns of paths instead of addresses, no queries, no bodies. Reading pages leaves none.
"""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import structlog
from celery import current_task
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from errors import correlation
from errors.models import StoryStep
from instagrowth.paths import is_api

logger = structlog.get_logger("errors")
KEPT = timedelta(days=14)
MOST = 500  # steps of one request or task; what goes on longer is told by its own rows
# One statement whose commit nobody waits for: turns of bots end with it, and the journal has what must not be lost.
_WRITE = """
    WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
    INSERT INTO story_steps (at, correlation_id, kind, name, outcome, code, milliseconds, attempt)
    SELECT step.* FROM quick, unnest(%s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
                                     %s::int[], %s::int[]) AS step"""
_USERNAME = re.compile(r"(?<=users/)[^/]+(?=/usernameinfo)")
_PLAIN = re.compile(
    r"v\d+(\.\d+)?|direct_v2|[a-z_-]{0,40}", re.IGNORECASE
)  # no id and no token has neither digit nor sign


class Step(NamedTuple):
    """A row of `StoryStep` to be."""

    at: datetime
    correlation_id: str
    kind: str
    name: str
    outcome: str
    code: str
    milliseconds: int
    attempt: int


@dataclass
class Gathered:
    """The steps of what runs now, and when it began."""

    began: float = field(default_factory=time.perf_counter)
    steps: list[Step] = field(default_factory=list)


@dataclass
class Call:
    """A call of a server outside; `outcome` is its status as soon as there is one."""

    outcome: str = ""


_gathered: ContextVar[Gathered | None] = ContextVar("gathered_steps", default=None)


def begin() -> Gathered | None:
    """Start to gather. None where something around it does already (a task that runs at once, in a request)."""
    if _gathered.get() is not None:
        return None
    _gathered.set(gathered := Gathered())
    return gathered


def note(kind: str, name: str, outcome: str, began: float, *, code: str = "", attempt: int = 1) -> None:
    """Remember one step that began at `began` (of `time.perf_counter`). Where nobody gathers, nothing is remembered."""
    gathered = _gathered.get()
    if gathered is None or len(gathered.steps) >= MOST:
        return
    took = time.perf_counter() - began
    at = timezone.now() - timedelta(seconds=took)
    step = Step(at, correlation.current(), kind, name[:200], outcome[:40], code, round(took * 1000), attempt)
    gathered.steps.append(step)


@contextmanager
def call(method: str, url: str, *, attempt: int = 0, secret_path: bool = False) -> Iterator[Call]:
    """Note a call of `url` with how it ended. Of a `secret_path` the host alone is kept.

    Without `attempt` it is the task's own: its repetitions, and 1 outside of any.
    """
    parts = urlsplit(url)
    path = "" if secret_path else pattern(parts.path)
    began, told = time.perf_counter(), Call()
    try:
        yield told
    except Exception as exc:
        told.outcome = told.outcome or type(exc).__name__
        raise
    finally:
        tries = attempt or (current_task.request.retries + 1 if current_task else 1)
        note("call", f"{method} {parts.hostname or ''}{path}", told.outcome or "answered", began, attempt=tries)


def tell_of(session: Any, host: str = "") -> Any:
    """Let a `requests.Session` note each call it sends; `host` is whom it means where a stand-in answers."""
    send = session.send

    def sending(request: Any, **how: Any) -> Any:
        parts = urlsplit(request.url)
        with call(request.method, f"https://{host or parts.hostname}{parts.path}") as told:
            response = send(request, **how)
            told.outcome = str(response.status_code)
        return response

    session.send = sending
    return session


def pattern(path: str) -> str:
    """A path without what could name somebody: ids, tokens and usernames become `*`."""
    parts = _USERNAME.sub("*", path).split("/")
    return "/".join(part if _PLAIN.fullmatch(part) else "*" for part in parts)


def request_ended(gathered: Gathered | None, request: HttpRequest, response: HttpResponseBase, code: str) -> None:
    """Note a request that changed something or failed, and write what was gathered.

    Strangers, lost addresses and the refusals of the impatient are not kept: they could fill the table.
    """
    status, match = response.status_code, request.resolver_match
    wrote = request.method not in ("GET", "HEAD", "OPTIONS") or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    failed = is_api(request) and status >= HTTPStatus.BAD_REQUEST
    stranger = status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS)
    if gathered and match and (wrote or failed) and not stranger:
        name = f"{request.method} /{match.route}"
        note("request", name, str(status), gathered.began, code=code or _code_in(request, response))
    _write(gathered, keep=status != HTTPStatus.SERVICE_UNAVAILABLE)


def task_ended(gathered: Gathered | None, name: str, state: str, *, asked: bool, attempt: int) -> None:
    """Note a task that a request `asked` for, that called somebody, or that did not succeed; write it all."""
    if gathered and (asked or gathered.steps or state != "SUCCESS"):
        note("task", name, state.lower(), gathered.began, attempt=attempt)
    _write(gathered)


def forget(now: datetime | None = None) -> int:
    """Remove the steps that are older than KEPT; how many."""
    return StoryStep.objects.filter(at__lt=(now or timezone.now()) - KEPT).delete()[0]


def _write(gathered: Gathered | None, *, keep: bool = True) -> None:
    """Write the steps and stop gathering. A lost database costs them; never what they tell of."""
    if gathered is None:
        return
    _gathered.set(None)
    if not keep or not gathered.steps:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute(_WRITE, [list(column) for column in zip(*gathered.steps, strict=True)])
    except (DatabaseError, InterfaceError):
        logger.warning("story_steps_lost", steps=len(gathered.steps))


def _code_in(request: HttpRequest, response: HttpResponseBase) -> str:
    """The code that an answer of the API says."""
    if response.status_code < HTTPStatus.BAD_REQUEST or not is_api(request) or response.streaming:
        return ""
    try:
        return str(json.loads(response.content).get("error_code", ""))[:16]  # type: ignore[attr-defined]
    except (ValueError, AttributeError):
        return ""
