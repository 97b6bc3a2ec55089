"""How many requests a second the local Instagram answers on one core.

The server runs in a process of its own, held to one core where the system allows it; a few keep-alive connections
send the two requests of a follow step (friendships/show, friendships/create) from here, each waiting for its answer.
The figure counts those requests over a fixed number of them, so the client's own work on the other core is not in it.
"""

import http.client
import json
import os
import threading
import time
from urllib.parse import urlencode, urlsplit

from sandbox.testing import Sandbox, start_sandbox

GOAL = 1000
STEPS = 5_000
CONNECTIONS = 2


def follow_steps(address: str, headers: dict[str, str], people: list[int]) -> None:
    """Look at each person and follow them, on one connection."""
    connection = http.client.HTTPConnection(address, timeout=10)
    for pk in people:
        ask(connection, "GET", f"/api/v1/friendships/show/{pk}/", None, headers)
        signed = "SIGNATURE." + json.dumps({"user_id": str(pk), "_uid": "1", "container_module": "profile"})
        ask(connection, "POST", f"/api/v1/friendships/create/{pk}/", urlencode({"signed_body": signed}), headers)
    connection.close()


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: str | None, headers: dict[str, str]
) -> None:
    """Send one request and read its whole answer; raise RuntimeError when it is not a success."""
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{method} {path}: {answer.status} {text[:200]!r}")


def requests_per_second(sandbox: Sandbox) -> float:
    """Time STEPS follow steps over CONNECTIONS connections."""
    address = urlsplit(sandbox.url).netloc
    sandbox.control.hashtag("bench", count=STEPS)
    people = [person["pk"] for person in sandbox.control.people("bench", count=STEPS)]
    headers = {"Authorization": sandbox.control.session("demo.ceramics"), "Host": "i.instagram.com"}
    threads = [
        threading.Thread(target=follow_steps, args=(address, headers, people[lane::CONNECTIONS]))
        for lane in range(CONNECTIONS)
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    applied = len(sandbox.control.ledger("demo.ceramics", kind="follow").entries)
    if applied != STEPS:
        raise RuntimeError(f"{applied} of {STEPS} follows arrived.")
    return 2 * STEPS / seconds


def figures() -> list[dict[str, object]]:
    """The one figure."""
    with start_sandbox() as sandbox:
        if hasattr(os, "sched_setaffinity"):
            cores = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(sandbox.process.pid, cores[:1])
        value = requests_per_second(sandbox)
    return [{"figure": "requests a second of the local Instagram on one core", "value": round(value), "goal": GOAL}]
