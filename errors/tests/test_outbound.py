"""Addresses that people gave us lead to public servers only."""

import socket
import ssl
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import pytest
from pytest_django import Settings

from errors import outbound
from errors.exceptions import BotException

HOSTILE = [
    # this machine, in every spelling that a resolver takes
    "https://127.0.0.1:{port}/",
    "https://127.1:{port}/",
    "https://127.0.1:{port}/",
    "https://2130706433:{port}/",
    "https://0x7f000001:{port}/",
    "https://0x7f.0.0.1:{port}/",
    "https://0177.0.0.1:{port}/",
    "https://017700000001:{port}/",
    "https://0.0.0.0:{port}/",
    "https://0:{port}/",
    "https://127.0.0.1.:{port}/",
    "https://127.255.255.254:{port}/",
    "https://localhost:{port}/",
    "https://LOCALHOST:{port}/",
    "https://localhost.:{port}/",
    "https://[::1]:{port}/",
    "https://[::]:{port}/",
    "https://[0:0:0:0:0:0:0:1]:{port}/",
    "https://[::ffff:127.0.0.1]:{port}/",
    "https://[::ffff:7f00:1]:{port}/",
    "https://[::127.0.0.1]:{port}/",
    "https://[64:ff9b::127.0.0.1]:{port}/",
    "https://[64:ff9b:1::7f00:1]:{port}/",
    "https://[2002:7f00:1::]:{port}/",
    "https://[2001:0:7f00:1::]:{port}/",
    "https://①②⑦.⓪.⓪.①:{port}/",
    "https://127。0。0。1:{port}/",
    # not this machine, and not the public internet
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[fd00:ec2::254]/latest/meta-data/",
    "https://0xa9fea9fe/",
    "https://2852039166/",
    "https://[::ffff:169.254.169.254]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://100.64.0.1/",
    "https://100.100.100.200/latest/meta-data/",
    "https://192.0.0.192/",
    "https://198.18.0.1/",
    "https://192.0.2.1/",
    "https://203.0.113.7/",
    "https://192.88.99.1/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://[fe80::1]/",
    "https://[fc00::1]/",
    "https://[ff02::1]/",
    "https://[2001:db8::1]/",
    # not https, or not an address at all
    "http://127.0.0.1:{port}/",
    "http://hooks.example.com/",
    "ftp://127.0.0.1:{port}/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_POST",
    "//127.0.0.1:{port}/",
    "https://",
    "https://user:secret@127.0.0.1:{port}/",
    "https://hooks.example.com@127.0.0.1:{port}/",
    "https://127.0.0.1:{port}\\@hooks.example.com/",
    "https://127.0.0.1:{port}#@hooks.example.com/",
    "https://127.0.0.1\n:{port}/",
    "https://127.0.0.1:{port}/ HTTP/1.1\r\nX-Evil: 1",
    "https://127.0.0.1:99999/",
    "https://[::1:{port}/",
]


class Listener:
    """A server of this machine on both families that counts who comes, and answers as it is told."""

    def __init__(self, answer: bytes | Callable[[socket.socket], None] = b"") -> None:
        self.reached, self.answer = 0, answer
        self.sockets = [socket.create_server(("127.0.0.1", 0))]
        self.port = self.sockets[0].getsockname()[1]
        if socket.has_dualstack_ipv6():
            self.sockets.append(socket.create_server(("::1", self.port), family=socket.AF_INET6))
        self.threads = [Thread(target=self._serve, args=[listening]) for listening in self.sockets]
        for thread in self.threads:
            thread.start()

    def _serve(self, listening: socket.socket) -> None:
        while True:
            try:
                line, _ = listening.accept()
            except OSError:
                return
            self.reached += 1
            with line:
                line.settimeout(5)
                try:
                    line.recv(65536)
                    if callable(self.answer):
                        self.answer(line)
                    else:
                        line.sendall(self.answer)
                        line.shutdown(socket.SHUT_WR)
                        _wait(line)  # to close over unread words would reset the line
                except OSError:
                    continue

    def close(self) -> None:
        for listening in self.sockets:
            listening.shutdown(socket.SHUT_RDWR)
            listening.close()
        for thread in self.threads:
            thread.join()


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    """Makes listeners, and ends them."""
    made: list[Listener] = []

    def make(answer: Any = b"HTTP/1.1 204 No Content\r\n\r\n") -> Listener:
        made.append(Listener(answer))
        return made[-1]

    yield make
    for listener in made:
        listener.close()


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Let names mean what a test says, each time the next one; what was asked is in the list."""

    def install(*answers: str) -> list[str]:
        asked: list[str] = []

        def getaddrinfo(host: str, port: int, **_: object) -> list[Any]:
            asked.append(host)
            address = answers[min(len(asked), len(answers)) - 1]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

        monkeypatch.setattr(outbound.socket, "getaddrinfo", getaddrinfo)
        return asked

    return install


def _refusal(url: str) -> str:
    with pytest.raises(BotException) as refused:
        outbound.post(url, b"{}")
    return refused.value.code.name


def test_60_hostile_addresses_reach_nobody(listen: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch) -> None:
    listener = listen()
    opened = []
    connect = socket.create_connection
    monkeypatch.setattr(
        outbound.socket, "create_connection", lambda *at, **how: opened.append(at) or connect(*at, **how)
    )

    refusals = {url: _refusal(url.format(port=listener.port)) for url in HOSTILE}

    assert len(HOSTILE) >= 60
    assert (listener.reached, opened) == (0, [])
    # Some spellings mean nothing to this machine's resolver, which is as good.
    assert set(refusals.values()) <= {"ADDRESS_NOT_PUBLIC", "NET_REFUSED"}
    assert sum(refusal == "ADDRESS_NOT_PUBLIC" for refusal in refusals.values()) >= 55


def test_without_the_check_they_would_be_reached(
    listen: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = listen()
    monkeypatch.setattr(outbound, "is_public", lambda _: True)

    assert _refusal(f"https://2130706433:{listener.port}/") == "NET_REFUSED"
    assert listener.reached == 1


def test_a_name_that_changes_its_meaning_is_asked_once_and_connected_as_checked(
    resolver: Callable[..., list[str]], listen: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    listener, asked, opened = listen(), resolver("93.184.215.14", "127.0.0.1"), []

    def create_connection(place: tuple[str, int], **_: object) -> socket.socket:
        opened.append(place)
        raise ConnectionRefusedError

    monkeypatch.setattr(outbound.socket, "create_connection", create_connection)

    assert _refusal(f"https://rebinding.example:{listener.port}/") == "NET_REFUSED"
    assert (asked, opened) == (["rebinding.example"], [("93.184.215.14", listener.port)])
    assert listener.reached == 0


def test_a_name_that_means_this_machine_is_refused(
    resolver: Callable[..., list[str]], listen: Callable[..., Listener]
) -> None:
    listener = listen()
    resolver("127.0.0.1")

    assert _refusal(f"https://intern.example:{listener.port}/") == "ADDRESS_NOT_PUBLIC"
    assert listener.reached == 0


@pytest.mark.parametrize("address", ["93.184.215.14", "1.1.1.1", "2606:4700:4700::1111"])
def test_public_addresses_are_public(address: str) -> None:
    assert outbound.is_public(address)


def test_what_is_typed_is_checked_without_asking_a_name_server(resolver: Callable[..., list[str]]) -> None:
    asked = resolver("127.0.0.1")
    outbound.check("https://hooks.example.com/x?y=z")
    for url in ("https://[::1]/", "http://hooks.example.com/", "https://10.0.0.1/", "https://a b.example/"):
        with pytest.raises(BotException, match="must begin with https"):
            outbound.check(url)

    assert asked == []


def test_a_redirect_is_not_followed(listen: Callable[..., Listener], settings: Settings) -> None:
    settings.OUTBOUND_LOOPBACK = True
    inner = listen()
    outer = listen(f"HTTP/1.1 307 Away\r\nLocation: http://127.0.0.1:{inner.port}/\r\n\r\n".encode())

    assert outbound.post(f"http://127.0.0.1:{outer.port}/", b"{}") == 307
    assert (outer.reached, inner.reached) == (1, 0)


def test_an_endless_answer_is_not_read_to_its_end(listen: Callable[..., Listener], settings: Settings) -> None:
    settings.OUTBOUND_LOOPBACK = True
    sent = []

    def pour(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            sent.append(line.send(b"x" * 65536))

    listener = listen(pour)

    assert outbound.post(f"http://127.0.0.1:{listener.port}/", b"{}") == 200


def test_an_answer_that_drips_ends_with_its_time(
    listen: Callable[..., Listener], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OUTBOUND_LOOPBACK = True
    monkeypatch.setattr(outbound, "WHOLE", 0.2)

    def drip(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.")
        _wait(line)

    assert _refusal(f"http://127.0.0.1:{listen(drip).port}/") == "NET_REFUSED"


def test_a_silent_server_is_a_timeout(
    listen: Callable[..., Listener], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OUTBOUND_LOOPBACK = True
    monkeypatch.setattr(outbound, "STEP", 0.1)

    assert _refusal(f"http://127.0.0.1:{listen(_wait).port}/") == "NET_TIMEOUT"


def test_a_server_that_does_not_prove_its_name_gets_nothing(
    listen: Callable[..., Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = []
    listener = listen(lambda line: heard.append(line.recv(65536)))
    monkeypatch.setattr(outbound, "is_public", lambda _: True)
    monkeypatch.setattr(ssl.SSLSocket, "do_handshake", _forged)

    assert _refusal(f"https://127.0.0.1:{listener.port}/?secret") == "NET_REFUSED"
    assert b"secret" not in b"".join(heard)


def _wait(line: socket.socket) -> None:
    """Say nothing until the other side gives up."""
    while line.recv(65536):
        pass


def _forged(*_: object) -> None:
    raise ssl.SSLCertVerificationError("forged")
