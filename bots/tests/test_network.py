"""An account goes to Instagram through the one address that it was given, and that address does not change."""

import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from django.utils.timezone import now
from pytest_django import Settings

from accounts import tenancy
from accounts.models import User
from bots import network, sessions, ways
from bots.models import Bot, InstagramAccount
from errors import codes
from errors.exceptions import BotException
from errors.models import ActivityLog
from instagrowth.testing import everywhere

pytestmark = pytest.mark.django_db
SECRET = "proxy-secret-8121"


class Relay(BaseHTTPRequestHandler):
    """A proxy that counts whom it was asked for."""

    def do_GET(self) -> None:
        self.server.seen.append(self.headers["Proxy-Authorization"])  # type: ignore[attr-defined]
        kept = {name: value for name, value in self.headers.items() if not name.startswith("Proxy-")}
        with build_opener(ProxyHandler({})).open(Request(self.path, headers=kept), timeout=10) as answer:
            body = answer.read()
            self.send_response(answer.status)
            for name in ("Content-Type", "Content-Encoding"):
                if answer.headers[name]:
                    self.send_header(name, answer.headers[name])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def here(settings: Settings) -> None:
    """A proxy on this machine is fine."""
    settings.OUTBOUND_LOOPBACK = True


@pytest.fixture
def proxy(here: None) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    server.seen = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def address(server: ThreadingHTTPServer) -> str:
    return f"http://alice:{SECRET}@127.0.0.1:{server.server_address[1]}"


def fresh(account: InstagramAccount) -> InstagramAccount:
    with everywhere():
        return InstagramAccount.objects.select_related("session").get(pk=account.pk)


def probe(account: InstagramAccount) -> bool:
    with tenancy.scope(account.workspace_id):
        return sessions.probe(fresh(account)) is not None


def test_an_account_goes_through_its_proxy_and_straight_when_that_is_taken_away(
    alices_connected_bot: Bot, alice: User, proxy: ThreadingHTTPServer
) -> None:
    account = alices_connected_bot.account
    assert probe(account)
    assert proxy.seen == []  # type: ignore[attr-defined]  # the control: without one nothing passes there

    told = network.give(account, address(proxy), alice)
    assert probe(account)
    assert len(proxy.seen) == 1  # type: ignore[attr-defined]  # the warm door was opened anew
    assert proxy.seen[0]  # type: ignore[attr-defined]  # with its name and password
    assert told == f"127.0.0.1:{proxy.server_address[1]}"

    network.take(account, alice)
    assert probe(account)
    assert len(proxy.seen) == 1  # type: ignore[attr-defined]


@pytest.mark.usefixtures("here")
def test_a_proxy_that_is_away_is_not_gone_round(alices_connected_bot: Bot, alice: User) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        network.give(alices_connected_bot.account, f"http://127.0.0.1:{nobody.getsockname()[1]}", alice)
        with pytest.raises(BotException) as refused:
            probe(alices_connected_bot.account)
    assert refused.value.code.module == "NET"


def test_it_is_sealed_and_written_nowhere(alices_bot: Bot, alice: User) -> None:
    account = alices_bot.account
    network.give(account, f"socks5://alice:{SECRET}@proxy.example:1080", alice)

    account = fresh(account)
    assert SECRET.encode() not in bytes(account.sealed_proxy or b"")
    assert ways.proxy_of(account).endswith("@proxy.example:1080")
    assert network.shown(account) == "socks5://proxy.example:1080"
    with everywhere():
        lines = list(ActivityLog.objects.filter(action="proxy").values_list("metadata", "error_message"))
    assert len(lines) == 1
    assert SECRET not in str(lines)


def test_it_stays_for_thirty_days_and_a_typing_error_can_be_mended_at_once(alices_bot: Bot, alice: User) -> None:
    account = alices_bot.account
    network.give(account, "http://tpyo.example:8080", alice)
    network.give(account, "http://first.example:8080", alice)
    for days, good in ((1, False), (29, False), (31, True)):
        with everywhere():
            InstagramAccount.objects.update(proxy_since=now() - timedelta(days=days))
        if good:
            network.give(account, "http://second.example:8080", alice)
            continue
        network.take(account, alice)  # taking it away first opens no way round
        with pytest.raises(BotException) as refused:
            network.give(account, "http://second.example:8080", alice)
        assert refused.value.code is codes.VALIDATION_FAILED
    assert network.shown(fresh(account)) == "http://second.example:8080"


@pytest.mark.parametrize(
    "text", ["", "proxy.example:80", "ftp://a.example:21", "http://a.example", "http://a:b:c", "x"]
)
def test_what_is_no_address_is_refused(alices_bot: Bot, alice: User, text: str) -> None:
    with pytest.raises(BotException) as refused:
        network.give(alices_bot.account, text, alice)
    assert refused.value.code is codes.VALIDATION_FAILED


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "10.0.0.8", "169.254.169.254", "[::1]", "0x7f.1", "2130706433"]
)
def test_a_proxy_in_a_network_of_ours_is_refused(alices_bot: Bot, alice: User, host: str) -> None:
    with pytest.raises(BotException) as refused:
        network.give(alices_bot.account, f"http://name:word@{host}:5432", alice)
    assert refused.value.code is codes.ADDRESS_NOT_PUBLIC


def test_a_running_bot_keeps_its_address(alices_bot: Bot, alice: User) -> None:
    with everywhere():
        Bot.objects.update(status=Bot.Status.RUNNING)
    with pytest.raises(BotException, match="Stop the bot first"):
        network.give(alices_bot.account, "http://first.example:8080", alice)
