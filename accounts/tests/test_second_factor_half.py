"""A password without its code opens nothing (row 21): no page, no call, no socket."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from channels.auth import AuthMiddlewareStack
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import User
from accounts.tests.factor import with_app
from instagrowth.consumers import SIGNED_OUT, WorkspaceConsumer
from instagrowth.testing import PASSWORD

CODE_PAGE = "/accounts/2fa/authenticate/"
PARTS = {"UUIDConverter": UUID(int=7), "IntConverter": 1, "SlugConverter": "a", "StringConverter": "a"}


def addresses(resolver: URLResolver, before: str = "") -> Iterator[str]:
    """Every address of the house, with made-up parts."""
    for entry in resolver.url_patterns:
        route = getattr(entry.pattern, "_route", None)
        if route is None:  # by a regular expression: a reset link
            route = "a-b/" if isinstance(entry, URLPattern) else ""
        for name, converter in getattr(entry.pattern, "converters", {}).items():
            part = str(PARTS.get(type(converter).__name__, "a"))
            route = route.replace(f"<{name}>", part)
            for kind in ("uuid", "int", "slug", "str", "path"):
                route = route.replace(f"<{kind}:{name}>", part)
        if isinstance(entry, URLPattern):
            yield f"/{before}{route}"
        else:
            yield from addresses(entry, before + route)


def half_in(user: User) -> Client:
    with_app(user)
    client = Client()
    answer = client.post("/login", {"login": user.email, "password": PASSWORD})
    assert answer.headers["Location"] == CODE_PAGE
    return client


def is_open(client: Client, place: str, *, session: dict[str, object] | None = None) -> bool:
    """Whether a page answers; asked with this session, which a page may have ended since."""
    if session is not None:
        store = SessionStore()
        store.update(session)
        store.save()
        client.cookies[settings.SESSION_COOKIE_NAME] = store.session_key
    return client.get(place).status_code == 200


def test_no_address_opens_that_is_shut_to_a_stranger(alice: User) -> None:
    half = half_in(alice)
    session = dict(half.session.items())
    places = sorted(set(addresses(get_resolver())) - {CODE_PAGE})
    opened = [place for place in places if is_open(half, place, session=session) and not is_open(Client(), place)]

    print(f"addresses={len(places)} 200s={len(opened)}")
    assert len(places) > 80
    assert opened == []
    assert is_open(half, CODE_PAGE, session=session)


@pytest.mark.parametrize("half", [True, False], ids=["half", "whole"])
def test_the_socket_is_shut(committed: None, alice: User, half: bool) -> None:
    if half:
        client = half_in(alice)
    else:  # the control: the same person, signed in, is let in
        client = Client()
        client.force_login(alice)
        client.get("/settings/")  # the session knows its workspace from the first page on
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    line = {
        "type": "websocket",
        "path": "/ws/workspace/",
        "query_string": b"",
        "headers": [(b"cookie", cookie.encode()), (b"origin", b"http://localhost"), (b"host", b"localhost")],
        "subprotocols": [],
    }

    @async_to_sync
    async def shut_with() -> int | None:
        socket = ApplicationCommunicator(AuthMiddlewareStack(WorkspaceConsumer.as_asgi()), line)
        await socket.send_input({"type": "websocket.connect"})
        await socket.receive_output(10)
        code = None if await socket.receive_nothing(0.5) else (await socket.receive_output())["code"]
        await socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await socket.wait(10)
        return code

    assert shut_with() == (SIGNED_OUT if half else None)
