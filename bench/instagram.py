"""Instagram's side of the figures: what bare instagrapi does against the same local Instagram, as a yardstick."""

import time
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import instagrapi
import requests
from requests.adapters import HTTPAdapter

from sandbox.testing import Control

ACCOUNT, PASSWORD, TAG = "bench.bare", "bench-password-1", "benchbare"


class Redirect(HTTPAdapter):
    """Send what is meant for Instagram to a plain HTTP server: instagram.md 1.3, method A."""

    def __init__(self, base: str) -> None:
        self.base = base
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send to the same path at `base`."""
        url = urlsplit(str(request.url))
        request = request.copy()
        request.headers.setdefault("Host", url.netloc)
        request.url = self.base + urlunsplit(("", "", url.path, url.query, ""))
        return super().send(request, *args, **kwargs | {"proxies": {}, "timeout": (3, 10)})


def bare_client(url: str) -> instagrapi.Client:
    """A logged-in instagrapi client with nothing of ours round it."""
    client = instagrapi.Client(request_timeout=0, with_challenge_flow=False)
    for session in (client.private, client.public, client.graphql):
        session.trust_env = False
        for host in ("i.instagram.com", "b.i.instagram.com", "www.instagram.com"):
            session.mount(f"https://{host}/", Redirect(url))
    client.login(ACCOUNT, PASSWORD)
    return client


def bare_follow_rate(url: str, n: int) -> float:
    """Follows a second of one thread calling `user_follow` on `n` new people of the sandbox at `url`."""
    control = Control(url)
    control.account(ACCOUNT, password=PASSWORD)
    control.hashtag(TAG, count=n)
    people = [person["pk"] for start in range(0, n, 100) for person in control.people(TAG, start, min(100, n - start))]
    client = bare_client(url)
    since = control.ledger(ACCOUNT).last

    started = time.perf_counter()
    for pk in people:
        client.user_follow(pk)
    seconds = time.perf_counter() - started

    done = len(control.ledger(ACCOUNT, since=since).targets("follow"))
    if done != n:
        raise RuntimeError(f"Only {done} of {n} follows were made: give the sandbox a reset first.")
    return n / seconds
