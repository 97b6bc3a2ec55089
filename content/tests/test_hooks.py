"""Programs are told what happens here: signed, again until they took it, and only at public addresses."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from accounts.models import User
from accounts.tests.team import signed_in
from bots.models import InstagramAccount
from content import hooks
from content.models import Delivery, Hook
from content.tests.making import scheduled
from errors import codes
from instagrowth.testing import everywhere


class Program:
    """A program of somebody's that answers as it is told, and keeps what it was sent."""

    def __init__(self) -> None:
        self.status, self.got = 204, []  # type: ignore[var-annotated]
        program = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                program.got.append((dict(self.headers), body))
                self.send_response(program.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def program(settings: Any) -> Iterator[Program]:
    settings.OUTBOUND_LOOPBACK = True
    made = Program()
    thread = Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def add(alice: User, url: str) -> str:
    """Add a hook by its page; its secret."""
    form = {"url": url, "events": ["post.scheduled", "post.published"]}
    shown = signed_in(alice).post(reverse("calendar:hooks"), form).content.decode()
    return "whsec_" + shown.split("whsec_")[1].split("<")[0].strip()


def send() -> int:
    due = hooks.due()
    for workspace, delivery in due:
        hooks.deliver(workspace, delivery)
    return len(due)


def hurry() -> None:
    with everywhere():
        Delivery.objects.filter(state="waiting").update(due_at=Now())


pytestmark = pytest.mark.usefixtures("committed")


def test_a_scheduled_post_is_told_once_and_signed(
    alice: User, alices_official: InstagramAccount, program: Program
) -> None:
    secret = add(alice, program.url)
    post = scheduled(alices_official, alice)

    assert (send(), send()) == (1, 0)
    ((headers, body),) = program.got
    stamp, mark = (part.split("=", 1)[1] for part in headers["X-InstaGrowth-Signature"].split(","))
    assert mark == hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    told = json.loads(body)
    assert (told["event"], told["data"]["post"]["id"], told["data"]["post"]["account"]) == (
        "post.scheduled",
        str(post.pk),
        "alice.clay",
    )
    assert headers["X-InstaGrowth-Delivery"] == told["id"]


def test_what_is_not_taken_is_sent_again_with_the_same_words_and_then_given_up(
    alice: User, alices_official: InstagramAccount, program: Program
) -> None:
    add(alice, program.url)
    scheduled(alices_official, alice)
    program.status = 500
    for _ in range(len(hooks.PAUSES) + 1):
        hurry()
        assert send() == 1
    hurry()

    assert send() == 0
    assert len({body for _, body in program.got}) == 1
    with everywhere():
        delivery = Delivery.objects.get()
        hook = Hook.objects.get()
    assert (delivery.state, delivery.status, delivery.error_code) == ("failed", 500, codes.PUB_HOOK_FAILED.id)
    program.status = 200
    page = signed_in(alice)
    page.post(reverse("calendar:again", args=[hook.pk, delivery.pk]))
    hurry()
    assert send() == 1
    assert "Delivered" in page.get(reverse("calendar:hook", args=[hook.pk])).content.decode()


def test_an_address_inside_is_refused_when_typed_and_when_sent(
    alice: User, alices_official: InstagramAccount, program: Program, settings: Any
) -> None:
    add(alice, program.url)
    scheduled(alices_official, alice)
    settings.OUTBOUND_LOOPBACK = False

    send()
    assert program.got == []
    with everywhere():
        assert Delivery.objects.get().error_code == codes.ADDRESS_NOT_PUBLIC.id
    form = {"url": "https://169.254.169.254/", "events": ["post.published"]}
    answer = signed_in(alice).post(reverse("calendar:hooks"), form)
    assert (answer.status_code, codes.ADDRESS_NOT_PUBLIC.id in answer.content.decode()) == (400, True)


def test_a_ping_is_sent_by_hand_and_the_secret_is_kept_sealed(alice: User, program: Program) -> None:
    secret = add(alice, program.url)
    with everywhere():
        hook = Hook.objects.get()
    assert secret.encode() not in bytes(hook.sealed_secret)
    signed_in(alice).post(reverse("calendar:test_hook", args=[hook.pk]))
    send()

    assert json.loads(program.got[0][1])["event"] == "ping"
