"""Requests, tasks and calls outside are steps of a story: what, how it ended, how long; and nothing that names."""

from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
import requests
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from errors import codes, correlation, outbound, steps
from errors.exceptions import BotException
from errors.models import StoryStep
from errors.tasks import ensure_partitions

pytestmark = pytest.mark.django_db


class Door(BaseHTTPRequestHandler):
    """Answers each request with 204."""

    def do_POST(self) -> None:
        """Say yes."""
        self.send_response(204)
        self.end_headers()

    do_GET = do_POST  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing on the terminal."""


@pytest.fixture
def door(settings: Settings) -> Iterator[str]:
    """The address of a server on this machine."""
    settings.OUTBOUND_LOOPBACK = True
    server = HTTPServer(("127.0.0.1", 0), Door)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_an_answer_with_an_error_is_a_step_with_its_code_and_reading_leaves_none(client: Client) -> None:
    refused = client.post("/api/auth/login", {"username": "nobody", "password": "wrong"}, "application/json")
    client.get("/login")
    client.post("/no-such-place/whatever")

    (step,) = StoryStep.objects.all()
    assert (step.kind, step.name, step.outcome) == ("request", "POST /api/auth/login", str(refused.status_code))
    assert (step.code, step.correlation_id) == (refused.json()["error_code"], refused["X-Correlation-ID"])


def test_calls_outside_are_steps_with_their_outcome_and_without_what_is_secret(door: str) -> None:
    gathered = steps.begin()
    story = correlation.begin()
    assert outbound.post(f"{door}/hooks/s3cr3t?token=s3cr3t", b"{}") == 204
    with steps.tell_of(requests.Session(), "graph.facebook.com") as session:
        session.get(f"{door}/v23.0/17841400000/media?access_token=s3cr3t")
    with pytest.raises(BotException) as refused:
        outbound.post("http://10.0.0.1/", b"")
    steps.task_ended(gathered, "a.task", "SUCCESS", asked=False, attempt=2)

    assert refused.value.code is codes.ADDRESS_NOT_PUBLIC
    told = StoryStep.objects.filter(correlation_id=story).values_list("kind", "name", "outcome", "attempt")
    assert list(told) == [
        ("call", "POST 127.0.0.1", "204", 1),
        ("call", "GET graph.facebook.com/v23.0/*/media", "204", 1),
        ("task", "a.task", "success", 2),
    ]  # fmt: skip


def test_a_tick_that_did_nothing_leaves_no_step_and_one_that_failed_does() -> None:
    correlation.begin()
    steps.task_ended(steps.begin(), "a.tick", "SUCCESS", asked=False, attempt=1)
    steps.task_ended(steps.begin(), "a.tick", "FAILURE", asked=False, attempt=1)

    assert [row.outcome for row in StoryStep.objects.all()] == ["failure"]


def test_a_path_keeps_its_shape_and_no_names() -> None:
    assert steps.pattern("/api/v1/users/alice/usernameinfo/") == "/api/v1/users/*/usernameinfo/"
    assert steps.pattern("/api/v1/friendships/create/123/") == "/api/v1/friendships/create/*/"
    assert steps.pattern("/v1/customers/cus_9a8B") == "/v1/customers/*"


def test_steps_go_after_a_fortnight() -> None:
    for days in (13, 15):
        StoryStep.objects.create(at=timezone.now() - timedelta(days=days), correlation_id="c-1", kind="task", name="a")

    ensure_partitions.run()

    assert StoryStep.objects.count() == 1
