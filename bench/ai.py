"""A language model that hangs, drips or is down: how long a call takes, how long pages do, and what they answer."""

import os
import re
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import requests

from bench.ground import Ground, process
from bench.pages import member, wait_for
from instagrowth.embedded.valkey import free_port
from sandbox.testing import Control

PATH = "v1/responses"
CALLS = 4  # at once, of each fault
DOWN = 300  # seconds
FAULTS = ("hang", "drip", "slow", "429", "500", "malformed", "truncated", "refusal")
PAGES = [f"/content/{name}/" for name in ("studio", "library", "audits", "messages", "competitors", "usage")]


def figures(here: Ground) -> list[dict[str, object]]:
    """Calls of each fault, then pages while it hangs, then pages while it is down for five minutes."""
    from django.conf import settings

    os.environ |= {"OPENAI_BASE_URL": f"{here.sandbox.url}/v1", "OPENAI_API_KEY": "sandbox"}
    settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY = f"{here.sandbox.url}/v1", "sandbox"
    control = here.sandbox.control
    longest = {fault: _longest(control, fault) for fault in FAULTS}
    port, cookie = free_port(), member(1)
    os.environ["SITE_URL"] = f"http://localhost:{port}"
    celery = ("celery", "-q", "-A", "instagrowth", "worker", "-Q", "ai", "-c", "2")
    server = ("uvicorn", "bench.server:application", "--port", str(port), "--log-level", "warning", "--no-access-log")
    with process("web", *server), process("worker", *celery, "--without-gossip", "--without-mingle"):
        wait_for(port)
        visit = _visitor(port, cookie)
        for path in PAGES:
            visit(path)  # what is loaded once is loaded
        seen = {}
        for fault, seconds in (("hang", 40), ("503", DOWN)):
            _clean(control)
            control.fault(fault, path=PATH, times=None)
            seen[fault] = _look(visit, seconds)
        _clean(control)
    return [
        *({"figure": f"longest call of {CALLS}, the model: {fault}, s", "value": round(took, 1), "goal": 31}
          for fault, took in longest.items()),
        *_told("hangs", seen["hang"]),
        *_told(f"is down for {DOWN} s", seen["503"]),
    ]  # fmt: skip


def _told(what: str, seen: list[tuple[int, float]]) -> list[dict[str, object]]:
    return [
        {"figure": f"pages and askings while the model {what}", "value": len(seen)},
        {"figure": f"server errors while it {what}", "value": sum(status >= 500 for status, _ in seen), "goal": 0},
        {"figure": f"slowest page while it {what}, s", "value": round(max(took for _, took in seen), 2), "goal": 1},
    ]


def _longest(control: Control, fault: str) -> float:
    """Seconds of the longest of some calls at once, with the real deadline."""
    from content import ai
    from content.prompts import captions

    def call(_: int) -> float:
        begun = time.monotonic()
        with suppress(ai.NoAnswer):
            ai.ask(captions.prompt({"about": "Kiln opening"}), lambda _: None)
        return time.monotonic() - begun

    _clean(control)
    control.fault(fault, path=PATH, times=None, seconds=60 if fault in ("hang", "slow") else 1)
    with ThreadPoolExecutor(CALLS) as lanes:
        return max(lanes.map(call, range(CALLS)))


def _clean(control: Control) -> None:
    from django.core.cache import cache

    control.clear_faults()
    cache.delete_many(["ai:failures", "ai:rests"])


def _visitor(port: int, cookie: str) -> Callable[..., tuple[int, float]]:
    """A member who looks at a page or, with `words`, asks for something; the status and the seconds."""
    browser = requests.Session()
    browser.cookies.set("session", cookie)
    token = re.search(
        r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get(f"http://localhost:{port}{PAGES[0]}").text
    )
    if token is None:
        raise RuntimeError("The studio has no form.")

    def visit(path: str, **words: str) -> tuple[int, float]:
        begun, there = time.monotonic(), f"http://localhost:{port}{path}"
        if words:
            data = words | {"csrfmiddlewaretoken": token[1]}
            answer = browser.post(there, data, allow_redirects=False, headers={"Referer": there}, timeout=60)
        else:
            answer = browser.get(there, timeout=60)
        return answer.status_code, time.monotonic() - begun

    return visit


def _look(visit: Callable[..., tuple[int, float]], seconds: float) -> list[tuple[int, float]]:
    """Ask for captions every two seconds, look at a page twice a second, for so long."""
    seen: list[tuple[int, float]] = []
    until, wait = time.monotonic() + seconds, threading.Event()
    while time.monotonic() < until:
        seen.append(visit("/content/ask/", feature="captions", about="Kiln", tone="ours", key=secrets.token_hex(8)))
        for _ in range(4):
            seen.append(visit(PAGES[len(seen) % len(PAGES)]))
            wait.wait(0.4)
    return seen
