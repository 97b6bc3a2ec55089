"""An open live line ends with what it rested on: a place in the team, and a session."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.test import Client

from accounts import tenancy
from accounts.models import Membership, User
from instagrowth import consumers, live
from instagrowth.testing import everywhere, workspace_of


def removed(bob: User, browser: Client) -> None:
    with everywhere():
        Membership.objects.filter(user=bob).delete()


def signed_out(bob: User, browser: Client) -> None:
    browser.logout()


def signed_out_everywhere(bob: User, browser: Client) -> None:
    User.objects.filter(pk=bob.pk).update(session_generation=bob.session_generation + 1)


def nothing(bob: User, browser: Client) -> None:
    """The control: the line goes on."""


@pytest.fixture
def scope(committed: None, nobody_guessed: None, alice: User, bob: User) -> dict[str, Any]:
    """The handshake of Bob's browser, which is in Alice's workspace."""
    browser = Client()
    browser.force_login(bob)
    browser.get("/dashboard/")
    cookie = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"
    return {
        "type": "websocket",
        "path": "/ws/workspace/",
        "query_string": b"",
        "subprotocols": [],
        "headers": [(b"cookie", cookie.encode()), (b"origin", b"http://localhost"), (b"host", b"localhost")],
        "browser": browser,
    }


@pytest.mark.parametrize("happened", [removed, signed_out, signed_out_everywhere, nothing])
def test_the_line_is_closed_before_another_event_goes_out(
    scope: dict[str, Any], alice: User, bob: User, monkeypatch: pytest.MonkeyPatch, happened: Callable[..., None]
) -> None:
    from instagrowth.asgi import application  # it looks at the database while it loads

    monkeypatch.setattr(consumers, "ASKED_AGAIN", -1)
    monkeypatch.setattr(consumers, "ASKED_EVERY", 60)
    workspace, browser = workspace_of(alice), scope.pop("browser")

    def tell() -> None:
        with tenancy.scope(workspace):
            live.publish(workspace.pk, "secret", {"of": "the team"})

    @async_to_sync
    async def heard() -> list[object]:
        line = ApplicationCommunicator(application, scope)
        await line.send_input({"type": "websocket.connect"})
        assert (await line.receive_output(5))["type"] == "websocket.accept"
        await sync_to_async(tell)()
        first = json.loads((await line.receive_output(5))["text"])
        await sync_to_async(happened)(bob, browser)
        await sync_to_async(tell)()
        then = await line.receive_output(5)
        await line.send_input({"type": "websocket.disconnect", "code": 1000})
        await line.wait(5)
        return [first["name"], then["type"], then.get("code")]

    if happened is nothing:
        assert heard() == ["secret", "websocket.send", None]
    else:
        assert heard() == ["secret", "websocket.close", consumers.SIGNED_OUT]


@pytest.mark.parametrize("happened", [removed, signed_out, signed_out_everywhere])
def test_a_line_on_which_nothing_is_told_is_closed_too(
    scope: dict[str, Any], bob: User, monkeypatch: pytest.MonkeyPatch, happened: Callable[..., None]
) -> None:
    from instagrowth.asgi import application  # it looks at the database while it loads

    # The promise is 5 s: the look and what it takes fit in twice.
    assert 2 * consumers.ASKED_EVERY < 5
    monkeypatch.setattr(consumers, "ASKED_EVERY", 0.01)
    browser = scope.pop("browser")

    @async_to_sync
    async def heard() -> list[object]:
        line = ApplicationCommunicator(application, scope)
        await line.send_input({"type": "websocket.connect"})
        assert (await line.receive_output(5))["type"] == "websocket.accept"
        quiet = await line.receive_nothing(0.2)
        await sync_to_async(happened)(bob, browser)
        then = await line.receive_output(5)
        await line.send_input({"type": "websocket.disconnect", "code": 1000})
        await line.wait(5)
        return [quiet, then["type"], then.get("code")]

    assert heard() == [True, "websocket.close", consumers.SIGNED_OUT]
