"""How fast a member's dashboard is, against a bare Django page with one query on the same server, and what it asks."""

import os
import secrets
import socket
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from bench.ground import process
from instagrowth.embedded.valkey import free_port

REQUESTS, LANES = 300, 4


def figures() -> list[dict[str, object]]:
    """Requests a second of both pages with 100 accounts, in turns, and the queries with 1 and with 100."""
    one, ten, hundred = (member(accounts) for accounts in (1, 10, 100))
    port = free_port()
    os.environ["SITE_URL"] = f"http://localhost:{port}"
    server = ("uvicorn", "bench.server:application", "--port", str(port), "--log-level", "warning", "--no-access-log")
    with process("web", *server):
        wait_for(port)
        asked = {"bare": ("/bare/", ten), "ten": ("/dashboard/", ten), "hundred": ("/dashboard/", hundred)}
        rates: dict[str, list[float]] = {name: [] for name in asked}
        for name in [*asked] * 3:
            rates[name].append(_rate(port, *asked[name]))
    bare, dashboard, crowded = (sorted(rates[name])[1] for name in asked)
    return [
        {"figure": "requests a second, bare page with one query", "value": round(bare)},
        {"figure": "requests a second, dashboard with 10 accounts", "value": round(dashboard)},
        {"figure": "requests a second, dashboard with 100 accounts", "value": round(crowded)},
        {
            "figure": "dashboard with 10 accounts against bare",
            "value": round(dashboard / bare, 2),
            "goal": 0.4,
        },
        {"figure": "dashboard with 100 accounts against bare", "value": round(crowded / bare, 2)},
        {"figure": "queries of the dashboard with 1 account", "value": _queries(one)},
        {"figure": "queries of the dashboard with 100 accounts", "value": _queries(hundred), "goal": _queries(one)},
    ]


def member(accounts: int) -> str:
    """A signed-in member's session cookie, in a workspace with so many accounts and bots."""
    from django.test import Client

    from accounts import teams, tenancy
    from accounts.models import User
    from billing import entitlements
    from bots.models import Bot, InstagramAccount

    user = User.objects.make(email=f"{secrets.token_hex(4)}@example.com", password=secrets.token_urlsafe())
    workspace = teams.open_workspace(user)
    with tenancy.platform("the figures need a plan"):
        entitlements.subscribe(workspace, "enterprise")
    with tenancy.scope(workspace):
        made = InstagramAccount.objects.bulk_create(
            InstagramAccount(workspace=workspace, username=f"page{i}", health="active") for i in range(accounts)
        )
        Bot.objects.bulk_create(Bot(workspace=workspace, account=account, user=user) for account in made)
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    client.get("/dashboard/")  # the session learns its workspace
    return client.cookies["session"].value


def _queries(cookie: str) -> int:
    """How many queries one dashboard costs."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(SERVER_NAME="localhost")
    client.cookies["session"] = cookie
    with CaptureQueriesContext(connection) as asked:
        if client.get("/dashboard/").status_code != 200:
            raise RuntimeError("The dashboard did not answer.")
    return len(asked)


def _rate(port: int, path: str, cookie: str) -> float:
    """Requests a second over a few lanes, each waiting for its answer."""

    def lane(count: int) -> None:
        for _ in range(count):
            request = urllib.request.Request(f"http://localhost:{port}{path}", headers={"Cookie": f"session={cookie}"})
            with urllib.request.urlopen(request, timeout=30) as answer:
                answer.read()

    lane(5)
    started = time.perf_counter()
    with ThreadPoolExecutor(LANES) as lanes:
        list(lanes.map(lane, [REQUESTS // LANES] * LANES))
    return REQUESTS / (time.perf_counter() - started)


def wait_for(port: int) -> None:
    """Wait until a server listens there. Raises RuntimeError after 20 s."""
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("The server did not start.")
