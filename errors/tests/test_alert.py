"""Operators are told of critical errors at their webhook."""

import hmac
import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from pytest_django import Settings

from errors.tasks import AlertNotSentError, send_alert


class Hook(BaseHTTPRequestHandler):
    """Takes alerts at /hook, and sends those for /moved there."""

    taken: list[dict]
    signatures: list[tuple[str | None, bytes]]

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/hook":
            self.taken.append(json.loads(raw))
            self.signatures.append((self.headers["X-InstaGrowth-Signature"], raw))
        self.send_response({"/hook": 204, "/moved": 307}.get(self.path, 500))
        self.send_header("Location", "/hook")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hook(settings: Settings) -> Iterator[str]:
    """The address of a webhook on this machine."""
    settings.OUTBOUND_LOOPBACK = True
    Hook.taken, Hook.signatures = [], []
    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_alert_arrives(hook: str, settings: Settings) -> None:
    settings.ALERT_WEBHOOK_URL = f"{hook}/hook"

    send_alert.run({"error_code": "E-DB-C-0001"})

    assert Hook.taken == [{"error_code": "E-DB-C-0001"}]


def test_an_alert_is_signed_with_the_secret_of_the_webhook(hook: str, settings: Settings) -> None:
    settings.ALERT_WEBHOOK_URL, settings.ALERT_WEBHOOK_SECRET = f"{hook}/hook", "shared"

    send_alert.run({"error_code": "E-DB-C-0001"})

    ((signature, raw),) = Hook.signatures
    at, told = dict(part.split("=") for part in (signature or "").split(",")).values()
    assert abs(time.time() - int(at)) < 300
    assert told == hmac.new(b"shared", f"{at}.".encode() + raw, "sha256").hexdigest()


@pytest.mark.parametrize("path", ["/moved", "/broken"])
def test_a_webhook_that_does_not_take_it_is_tried_again_and_never_elsewhere(
    hook: str, settings: Settings, path: str
) -> None:
    settings.ALERT_WEBHOOK_URL = hook + path

    with pytest.raises(AlertNotSentError):
        send_alert.__wrapped__({"error_code": "E-DB-C-0001"})

    assert Hook.taken == []


def test_the_secret_in_the_address_is_not_told(settings: Settings) -> None:
    settings.OUTBOUND_LOOPBACK = True
    settings.ALERT_WEBHOOK_URL = "http://127.0.0.1:1/services/c4n4ry"

    with pytest.raises(AlertNotSentError) as refused:
        send_alert.__wrapped__({"error_code": "E-DB-C-0001"})

    assert (str(refused.value), refused.value.__suppress_context__) == ("NET_REFUSED", True)
