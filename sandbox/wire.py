"""HTTP as the stand-ins see it: a decoded request in, one buffered answer out, or a connection dropped on purpose.

Instagram's app sends its forms in three shapes and we read all of them: `signed_body=SIGNATURE.<json>`, a plain
urlencoded form, and bare JSON (under a urlencoded content type).
"""

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

type_json = b"application/json; charset=utf-8"
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
# Nothing the app sends us comes near this; a larger body is somebody's mistake.
BODY_LIMIT = 8 * 1024 * 1024
NO_LINGER = struct.pack("ii", 1, 0)


class BadRequest(Exception):
    """The request cannot be read or asks for something that does not exist; the text is one sentence for its sender."""


@dataclass(slots=True)
class Answer:
    """A whole response. `missing` bytes are promised in Content-Length and never sent."""

    status: int = 200
    body: bytes = b""
    content_type: bytes = type_json
    headers: dict[str, str] = field(default_factory=dict)
    missing: int = 0


def answer_json(document: object, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """Answer with compact JSON."""
    body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    return Answer(status, body, headers=headers or {})


def decode_form(body: bytes) -> dict[str, Any]:
    """Read a request body in any of Instagram's three shapes; raise BadRequest for anything else."""
    if not body:
        return {}
    try:
        text = body.decode()
        if text.lstrip().startswith("{"):
            return _object(json.loads(text))
        form = dict(parse_qsl(text, keep_blank_values=True))
        if "signed_body" not in form:
            return form
        signature, dot, signed = form["signed_body"].partition(".")
        if not dot or signature != "SIGNATURE":
            raise BadRequest("signed_body must be SIGNATURE.<json>.")
        return _object(json.loads(signed))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadRequest(f"The body is neither a form nor JSON: {error}.") from error


def _object(document: object) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise BadRequest("The body must be a JSON object.")
    return document


class Request:
    """One request with its whole body."""

    def __init__(self, scope: Scope, body: bytes) -> None:
        self.scope = scope
        self.body = body
        self.method: str = scope["method"]
        self.path: str = scope["path"]

    @cached_property
    def headers(self) -> dict[str, str]:
        """The headers by their lower-case names."""
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in self.scope["headers"]}

    @cached_property
    def host(self) -> str:
        """The host this request was meant for, without the port."""
        return self.headers.get("host", "").rsplit(":", 1)[0].lower()

    @cached_property
    def query(self) -> dict[str, str]:
        """The fields of the address."""
        return dict(parse_qsl(self.scope["query_string"].decode("latin-1"), keep_blank_values=True))

    @cached_property
    def form(self) -> dict[str, Any]:
        """The fields of the body; raises BadRequest."""
        return decode_form(self.body)

    @cached_property
    def peer(self) -> str:
        """The address of the other side."""
        client = self.scope.get("client")
        return client[0] if client else ""

    @cached_property
    def own_url(self) -> str:
        """Where this process listens, whatever host the request was meant for."""
        host, port = self.scope["server"][:2]
        return f"http://{host}:{port}"


async def read_body(receive: Receive) -> bytes | None:
    """Read the whole body; None when the other side went away first or sent more than BODY_LIMIT."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
        if size > BODY_LIMIT:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


async def send_answer(send: Send, answer: Answer) -> None:
    """Send head and body back to back; the server writes both in one turn of its loop."""
    length = str(len(answer.body) + answer.missing).encode()
    headers = [(b"content-type", answer.content_type), (b"content-length", length)]
    headers += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": bool(answer.missing)})


async def drop(send: Send, receive: Receive, *, reset: bool = True) -> None:
    """End the TCP connection without another byte, so that the client can never mistake it for an answer.

    `reset` sends RST at once; without it, what was already sent still arrives before the end.

    ASGI has no word for this. Uvicorn's `send` is a method of the object that owns the transport, so we ask it there;
    waiting for the disconnect afterwards keeps uvicorn from reporting an application that forgot to answer.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise RuntimeError("Dropping a connection needs uvicorn: its `send` gives us the transport.")
    if reset:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        transport.abort()
    else:
        transport.close()
    # A server that stops meanwhile cancels us; the connection is gone either way.
    with suppress(asyncio.CancelledError):
        await disconnected(receive)


async def disconnected(receive: Receive) -> None:
    """Wait until the other side is gone."""
    while (await receive())["type"] != "http.disconnect":
        continue


async def wait(seconds: float, receive: Receive) -> bool:
    """Wait so long, or until the other side gives up; true when it is still there. A stopping server is out of time."""
    try:
        await asyncio.wait_for(disconnected(receive), seconds)
    except (TimeoutError, asyncio.CancelledError):
        return True
    return False
