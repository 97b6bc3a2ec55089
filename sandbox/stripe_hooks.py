"""Stripe's webhooks: each event is posted to the endpoint, signed, and again until it is taken.

Bad days are orders of `/_control/faults` with a `path` of `webhooks/<type>`: `webhook_lost` never arrives,
`webhook_twice` arrives two times, `webhook_late` after `seconds`, so that later ones overtake it.
"""

import asyncio
import hashlib
import hmac
import json
import time
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from sandbox.stripe_world import Thing
from sandbox.world import World

AGAIN = (1, 2, 4, 8, 16, 32, 64)  # seconds between attempts; the real one takes three days
_on_the_way: set[asyncio.Task[None]] = set()
_open = build_opener(ProxyHandler({})).open


def send_out(world: World) -> None:
    """Send what happened since the last time on its way."""
    stripe = world.stripe
    waiting, stripe.outbox = stripe.outbox, []
    if not stripe.endpoint:
        return
    for event in waiting:
        fault = world.faults.take("POST", f"webhooks/{event['type']}", "")
        if fault and fault.kind == "webhook_lost":
            continue
        wait = fault.seconds if fault and fault.kind == "webhook_late" else 0.0
        for _ in range(2 if fault and fault.kind == "webhook_twice" else 1):
            task = asyncio.get_running_loop().create_task(deliver(stripe.endpoint, stripe.secret, event, wait))
            _on_the_way.add(task)
            task.add_done_callback(_on_the_way.discard)


async def deliver(endpoint: str, secret: str, event: Thing, wait: float) -> None:
    """Post one event until it is taken, or nobody is there for too long."""
    for pause in (wait, *AGAIN):
        await asyncio.sleep(pause)
        if await asyncio.to_thread(post, endpoint, secret, event):
            return


def post(endpoint: str, secret: str, event: Thing) -> bool:
    """Post it once; whether it was taken."""
    body = json.dumps(event).encode()
    headers = {"Content-Type": "application/json", "Stripe-Signature": signature(body, secret)}
    try:
        with _open(Request(endpoint, body, headers), timeout=10) as response:  # noqa: S310 - our own http URL
            return bool(200 <= response.status < 300)
    except (URLError, OSError):
        return False


def signature(body: bytes, secret: str, at: float | None = None) -> str:
    """Stripe's header for a body: `t=…,v1=…`."""
    moment = int(time.time() if at is None else at)
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"
