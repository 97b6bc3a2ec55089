"""How soon live events reach browsers: a burst of 500 to 200 open lines, a tenth of which break in the middle.

A real web server, Valkey and database; the events are published one transaction each by a process beside, as workers
do. A line that broke comes back and asks for what it missed.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from bench.ground import ROOT, process
from bench.pages import wait_for
from instagrowth.embedded.stack import uvicorn
from instagrowth.embedded.valkey import free_port

EVENTS, LINES, PEOPLE = 500, 200, 20
BREAKS_AT = EVENTS // 2  # every tenth line breaks when it has heard this event
PATIENCE = 60  # seconds


@dataclass
class Line:
    """What one browser hears."""

    cookie: str
    breaks: bool
    since: int | None = None
    took: dict[int, float] = field(default_factory=dict)  # event: seconds from before it was written until heard
    opened: asyncio.Event = field(default_factory=asyncio.Event)


def figures() -> list[dict[str, object]]:
    """How many events were missed by any line in the end, how soon they came, and how soon a dead session is closed."""
    workspace, cookies = _people()
    port = free_port()
    os.environ["SITE_URL"] = f"http://localhost:{port}"
    lines = [Line(cookies[number % PEOPLE], breaks=number % 10 == 0) for number in range(LINES)]
    with process("web", *uvicorn("instagrowth.asgi:application", port)[2:], "--log-level", "warning"):
        wait_for(port)
        asyncio.run(_burst(port, lines, workspace))
        closed = asyncio.run(_closing(port, cookies[0]))
    whole = sorted(took for line in lines if not line.breaks for took in line.took.values())
    returned = sorted(took for line in lines if line.breaks for took in line.took.values())
    missing = sum(EVENTS - len(line.took) for line in lines)
    return [
        {
            "figure": f"missing of {EVENTS} events on {LINES} lines, {LINES // 10} of which broke",
            "value": missing,
            "goal": 0,
        },
        {"figure": "live event to a line that stayed, p95 ms", "value": _p95(whole), "goal": 150},
        {"figure": "live event to a line that broke and came back, p95 ms", "value": _p95(returned)},
        {"figure": "line of a session that ended is closed after, s", "value": round(closed, 1), "goal": 5},
    ]


def _p95(took: list[float]) -> int:
    return round(took[int(len(took) * 0.95)] * 1000) if took else -1


def _people() -> tuple[str, list[str]]:
    """A workspace, and the session cookies of its people."""
    from django.test import Client

    from accounts import tenancy
    from accounts.models import Membership, User
    from instagrowth.testing import member, workspace_of

    owner = member("listener", plan="enterprise")
    workspace = workspace_of(owner)
    people = [owner, *(User.objects.make(email=f"listener{n}@example.com", password="-") for n in range(1, PEOPLE))]
    with tenancy.platform("the figures need a team"):
        Membership.objects.bulk_create(
            Membership(workspace=workspace, user=user, role=Membership.Role.VIEWER) for user in people[1:]
        )
    cookies = []
    for user in people:
        client = Client()
        client.force_login(user)
        session = client.session
        session["workspace"] = str(workspace.pk)
        session.save()
        cookies.append(str(session.session_key))
    return str(workspace.pk), cookies


async def _burst(port: int, lines: list[Line], workspace: str) -> None:
    """Open all lines, publish, and wait until every line has heard everything."""
    listening = [asyncio.create_task(_listen(port, line)) for line in lines]
    await asyncio.wait_for(asyncio.gather(*(line.opened.wait() for line in lines)), PATIENCE)
    publisher = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.live", workspace, cwd=ROOT, stdout=subprocess.DEVNULL
    )
    await publisher.wait()
    await asyncio.wait(listening, timeout=PATIENCE)
    for task in listening:
        task.cancel()


async def _listen(port: int, line: Line) -> None:
    """Hear everything as a browser does, with one break if the line has one."""
    broke = not line.breaks
    while len(line.took) < EVENTS:
        async with _open(port, line.cookie) as socket:
            await socket.send(json.dumps({"since": line.since}))
            async for text in socket:
                _take(line, json.loads(text))
                if len(line.took) >= EVENTS:
                    return
                if not broke and len(line.took) >= BREAKS_AT:
                    broke = True
                    break


def _open(port: int, cookie: str) -> Any:
    from django.conf import settings
    from websockets.asyncio.client import connect

    site = f"http://localhost:{port}"
    headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={cookie}"}
    return connect(f"ws://localhost:{port}/ws/workspace/", origin=site, additional_headers=headers, proxy=None)  # type: ignore[arg-type]


def _take(line: Line, said: dict[str, Any]) -> None:
    """Note what a frame tells: events, or the moment to ask from."""
    now = time.time()
    if isinstance(said.get("since"), int):
        line.since = said["since"]
        line.opened.set()
    for event in said.get("events", [said]):
        if event.get("name") == "burst":
            line.took.setdefault(event["data"]["n"], now - event["data"]["at"])


async def _closing(port: int, cookie: str) -> float:
    """Seconds from the end of a session until its line is closed."""
    from asgiref.sync import sync_to_async
    from django.contrib.sessions.models import Session

    async with _open(port, cookie) as socket:
        await socket.send('{"since": null}')
        await socket.recv()
        ended = time.monotonic()
        await sync_to_async(Session.objects.filter(pk=cookie).delete)()
        await asyncio.wait_for(socket.wait_closed(), PATIENCE)
    return time.monotonic() - ended


def _publish(workspace: str) -> None:
    """Write and tell all events, one after the other, each in a transaction of its own."""
    from uuid import UUID

    import django

    django.setup()
    from accounts import tenancy
    from accounts.models import Workspace
    from instagrowth import live

    with tenancy.platform("the figures look it up"):
        place = Workspace.objects.get(pk=UUID(workspace))
    for number in range(EVENTS):
        at = time.time()
        with tenancy.scope(place):
            live.publish(place.pk, "burst", {"n": number, "at": at})


if __name__ == "__main__":
    _publish(sys.argv[1])
