"""Operators are told of critical errors at their webhook."""

import gzip
import hmac
import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from django.core import mail
from django.core.management import call_command
from django_redis import get_redis_connection
from pytest_django import Settings
from redis.exceptions import ConnectionError as RedisConnectionError

from errors import alerts, codes, groups, sentry, tasks
from errors.causes import code_of
from errors.exceptions import BotException
from errors.recording import record
from errors.tasks import send_alert


class Hook(BaseHTTPRequestHandler):
    """Takes alerts at /hook, and sends those for /moved there."""

    taken: list[dict]
    envelopes: list[str]
    signatures: list[tuple[str | None, bytes]]

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.startswith("/api/"):  # Sentry's library
            unpacked = gzip.decompress(raw) if self.headers["Content-Encoding"] == "gzip" else raw
            self.envelopes.append(unpacked.decode())
        if self.path == "/hook":
            self.taken.append(json.loads(raw))
            self.signatures.append((self.headers["X-InstaGrowth-Signature"], raw))
        self.send_response({"/hook": 204, "/api/1/envelope/": 200, "/moved": 307}.get(self.path, 500))
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

    with pytest.raises(BotException, match="did not take an alert"):
        send_alert.__wrapped__({"error_code": "E-DB-C-0001"})

    assert Hook.taken == []


def test_the_secret_in_the_address_is_not_told(settings: Settings) -> None:
    settings.OUTBOUND_LOOPBACK = True
    settings.ALERT_WEBHOOK_URL = "http://127.0.0.1:1/services/c4n4ry"

    with pytest.raises(BotException) as refused:
        send_alert.__wrapped__({"error_code": "E-DB-C-0001"})

    assert (refused.value.code, refused.value.meta) == (codes.ALERT_NOT_SENT, {"because": "NET_REFUSED"})
    assert "c4n4ry" not in str(refused.value)
    assert refused.value.__suppress_context__


# ── When operators are told ──


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, nobody_guessed: None) -> list[dict]:
    """The alerts that are sent, in place of sending them."""
    messages: list[dict] = []
    redis = get_redis_connection()
    redis.delete("alerts:", *redis.scan_iter("alerts:*"))  # what other tests met is not counted here
    monkeypatch.setattr(alerts, "send", messages.append)
    return messages


def meet(code: codes.Code, times: int, cause: Exception | None = None) -> None:
    fields = {"action": "a request", "correlation_id": "c-0011223344aa", "error_message": "", "metadata": {}}
    for _ in range(times):
        alerts.consider(code, fields, groups.of(code, cause, fields))


@pytest.mark.parametrize(
    ("code", "times", "sent"),
    [
        (codes.DATABASE_UNAVAILABLE, 1, [1]),
        (codes.DATABASE_UNAVAILABLE, 120, [1, 10, 100]),  # a storm is a handful of alerts
        (codes.INTERNAL_ERROR, 24, []),
        (codes.INTERNAL_ERROR, 260, [25, 250]),
        (codes.NET_TIMEOUT, 100, []),  # a warning never wakes anybody
        (codes.NO_PERMISSION, 100, []),  # nor does who knocks at closed doors
    ],
)
def test_a_storm_is_a_handful_of_alerts(told: list[dict], code: codes.Code, times: int, sent: list[int]) -> None:
    meet(code, times)

    assert [message["times"] for message in told] == sent


def test_what_nobody_foresaw_is_told_at_once(told: list[dict]) -> None:
    error = ValueError("x")
    meet(code_of(error), 2, error)

    assert [message["times"] for message in told] == [1]


def test_without_a_counter_a_critical_error_is_still_told(told: list[dict], monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise RedisConnectionError

    monkeypatch.setattr(alerts, "get_redis_connection", gone)
    meet(codes.DATABASE_UNAVAILABLE, 1)

    assert len(told) == 1


@pytest.mark.django_db
def test_the_test_goes_every_way_that_is_set(
    hook: str, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        call_command("test_alert")  # nobody outside would be told
    settings.ALERT_WEBHOOK_URL, settings.ALERT_EMAILS = f"{hook}/hook", ["ops@example.com"]
    for task in (tasks.send_alert, tasks.mail_alert):
        monkeypatch.setattr(task, "delay", task.run)

    call_command("test_alert")

    assert capsys.readouterr().out.splitlines()[-1] == "Sent by: webhook, mail, staff."
    assert "A test of the alerts" in Hook.taken[0]["text"]
    assert [message.to for message in mail.outbox] == [["ops@example.com"]]


@pytest.mark.django_db
def test_sentry_gets_the_code_and_the_story_and_nothing_secret(hook: str, settings: Settings, told: list[dict]) -> None:
    settings.SENTRY_DSN = hook.replace("http://", "http://public@") + "/1"
    Hook.envelopes = []
    secret_word = "c4n4ry-of-sentry"  # a local variable, which the library would send along
    try:
        raise BotException(codes.VAULT_CANNOT_OPEN, password=secret_word)
    except BotException as error:
        record(error, action="a request")
    sentry.flush()

    (envelope,) = Hook.envelopes
    assert codes.VAULT_CANNOT_OPEN.id in envelope
    assert secret_word not in envelope


# ── What operators look through ──


@pytest.mark.django_db(transaction=True)
def test_the_same_error_is_one_group_and_opens_again() -> None:
    for _ in range(3):
        try:
            int("x")
        except ValueError as error:
            record(error, action="a request")
    record(codes.INTERNAL_ERROR, action="another")

    (group,) = groups.unforeseen()
    assert (group.times, group.exception, group.file) == (3, "ValueError", "errors/tests/test_alert.py")
    assert group.function == "test_the_same_error_is_one_group_and_opens_again"
    assert group.first_at < group.last_at
    assert '"VALUE_ERROR"' in groups.promotion(group)
    groups.handle(group)
    group.refresh_from_db()
    assert group.handled_at is not None
    groups.count(group)
    group.refresh_from_db()
    assert (group.times, group.handled_at) == (4, None)
