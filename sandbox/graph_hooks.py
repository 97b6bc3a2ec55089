"""Meta's webhooks and signed requests: the body, its signature, and the delivery to where the app wants them.

An app's address is set by `/_control/graph/hooks`, or for the demo app by SANDBOX_HOOKS in the environment.
A delivery that fails is tried again twice, then forgotten; Meta tries for 36 hours.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import threading
import time
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from sandbox.graph_world import DEMO_APP, Comment, Hook, Post, Said, ig_id
from sandbox.wire import BadRequest
from sandbox.world import Account, World

TRIES, PAUSE = 3, 1.0  # seconds between two tries
_open = build_opener(ProxyHandler({})).open


def comment_event(world: World, comment: Comment, post: Post) -> dict[str, Any]:
    """Somebody commented."""
    person = world.person(comment.author)
    value: dict[str, Any] = {
        "id": comment.id,
        "text": comment.text,
        "from": {"id": str(comment.author), "username": person.username if person else ""},
        "media": {"id": post.id, "media_product_type": post.product},
    }
    if comment.parent:
        value["parent_id"] = comment.parent
    return _entry(post.pk, changes=[{"field": "comments", "value": value}])


def message_event(account: Account, message: Said) -> dict[str, Any]:
    """Somebody wrote."""
    told = {
        "sender": {"id": str(message.sender)},
        "recipient": {"id": ig_id(account.pk)},
        "timestamp": message.at * 1000,
        "message": {"mid": message.id, "text": message.text},
    }
    return _entry(account.pk, messaging=[told])


def story_event(post: Post, numbers: dict[str, int]) -> dict[str, Any]:
    """A story has ended: its last numbers."""
    value = {"media_id": post.id} | {name: numbers[name] for name in ("views", "reach", "replies", "shares")}
    return _entry(post.pk, changes=[{"field": "story_insights", "value": value}])


def _entry(pk: int, **what: Any) -> dict[str, Any]:
    return {"object": "instagram", "entry": [{"id": ig_id(pk), "time": int(time.time()), **what}]}


def sign(body: bytes, secret: str) -> str:
    """The header X-Hub-Signature-256."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def signed_request(document: dict[str, Any], secret: str) -> str:
    """Meta's form field of this name: deauthorising and deleting."""
    body = base64.urlsafe_b64encode(json.dumps(document | {"algorithm": "HMAC-SHA256"}).encode()).rstrip(b"=")
    signature = base64.urlsafe_b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).rstrip(b"=")
    return f"{signature.decode()}.{body.decode()}"


def deliver(world: World, event: dict[str, Any], pk: int) -> list[dict[str, str]]:
    """Send an event to every app that the account is subscribed to; what was sent, signed."""
    body = json.dumps(event).encode()
    sent = []
    for app in sorted(world.graph.subscribed.get(pk, set())):
        signature = sign(body, world.graph.apps[app])
        sent.append({"app": app, "body": body.decode(), "signature": signature})
        if hook := _hook(world, app):
            headers = {"Content-Type": "application/json", "X-Hub-Signature-256": signature}
            threading.Thread(target=_post, args=(hook.url, body, headers), daemon=True).start()
    return sent


def _hook(world: World, app: str) -> Hook | None:
    if app == DEMO_APP and app not in world.graph.hooks and (url := os.environ.get("SANDBOX_HOOKS")):
        return Hook(url, "")
    return world.graph.hooks.get(app)


def _post(url: str, body: bytes, headers: dict[str, str]) -> None:
    for attempt in range(TRIES):
        try:
            with _open(Request(url, body, headers), timeout=10):  # noqa: S310 - our own http URL
                return
        except (HTTPError, URLError, OSError):
            time.sleep(PAUSE * attempt)


def shake_hands(url: str, verify_token: str) -> None:
    """The handshake of a webhook's address. Raises BadRequest where it does not answer as it should."""
    challenge = secrets.token_hex(8)
    asked = urlencode({"hub.mode": "subscribe", "hub.verify_token": verify_token, "hub.challenge": challenge})
    try:
        with _open(f"{url}?{asked}", timeout=10) as answer:
            if answer.read().decode() == challenge:
                return
    except (HTTPError, URLError, OSError) as failed:
        raise BadRequest(f"The callback URL couldn't be validated: {failed}.") from failed
    raise BadRequest("The callback URL couldn't be validated: it did not repeat the challenge.")
