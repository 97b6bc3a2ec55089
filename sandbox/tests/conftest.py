"""One sandbox process for this folder, as new for each test, and the real instagrapi pointed at it."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from instagrapi import Client
from requests.adapters import HTTPAdapter

from sandbox.testing import Control, Sandbox, start_sandbox

HOSTS = ("i.instagram.com", "b.i.instagram.com", "www.instagram.com", "rupload.facebook.com")
PASSWORD = "secret-password-1"


class RedirectAdapter(HTTPAdapter):
    """Sends what is meant for Instagram to the sandbox, with the Host it was meant for."""

    def __init__(self, base: str, timeout: tuple[float, float]) -> None:
        self.base, self.timeout = base, timeout
        super().__init__()

    def send(self, request: requests.PreparedRequest, **options: object) -> requests.Response:
        request = request.copy()
        url = urlsplit(str(request.url))
        request.headers.setdefault("Host", url.netloc)
        request.url = self.base + urlunsplit(("", "", url.path, url.query, ""))
        return super().send(request, **options | {"timeout": self.timeout, "proxies": {}})


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    log = tmp_path_factory.mktemp("sandbox") / "uvicorn.log"
    with start_sandbox(log) as sandbox:
        yield sandbox
    assert log.read_text() == ""


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.control.reset()
    return running


@pytest.fixture
def control(sandbox: Sandbox) -> Control:
    return sandbox.control


@pytest.fixture
def new_client(sandbox: Sandbox) -> Callable[..., Client]:
    """Build clients: from stored settings, with another patience, against another sandbox."""

    def build(settings: dict[str, object] | None = None, read_timeout: float = 10, url: str = "") -> Client:
        client = Client(settings=settings or {}, request_timeout=0, with_challenge_flow=False)
        client.challenge_code_handler = lambda *_: ""
        for session in (client.private, client.public, client.graphql):
            for host in HOSTS:
                session.mount(f"https://{host}/", RedirectAdapter(url or sandbox.url, (3, read_timeout)))
        return client

    return build


@pytest.fixture
def alice(control: Control, new_client: Callable[..., Client]) -> Client:
    """Somebody who is signed in."""
    control.account("alice", password=PASSWORD, followers=120, following=80, media=9)
    client = new_client()
    client.login("alice", PASSWORD)
    return client
