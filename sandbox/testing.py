"""The sandbox for tests and figures: a process of its own on a free port, and a small client for its control interface.

    with start_sandbox() as sandbox:
        sandbox.control.account("anna.clay", password="secret-1", followers=500)
        sandbox.control.fault("feedback", account="anna.clay", path="friendships/create")
        ...
        assert sandbox.control.ledger("anna.clay").duplicates == []

The process ends with the `with` block, and also when its parent dies: it watches its parent and the pipe between them.
"""

import json
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

ROOT = Path(__file__).resolve().parent.parent
# A cold start on a busy machine; an ordinary one takes about half a second.
START_SECONDS = 30.0


class ControlError(Exception):
    """The control interface refused a request; the text is its sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class _Stay(HTTPRedirectHandler):
    """Follows nothing, so that one can see where one is sent."""

    def redirect_request(self, *_: object) -> None:
        """Stay here."""


@dataclass(slots=True)
class LedgerReport:
    """What the sandbox was asked to do. `entries` are dicts of `sandbox.ledger.Entry`."""

    entries: list[dict[str, Any]]
    duplicates: list[dict[str, Any]]
    requests: dict[str, dict[str, Any]]
    last: int

    def targets(self, kind: str, *, applied: bool = True) -> list[str]:
        """The targets of one kind of write, in order."""
        return [entry["target"] for entry in self.entries if entry["kind"] == kind and entry["applied"] is applied]

    def total_requests(self, account: str) -> int:
        """How many requests an account sent, reads included."""
        return int(self.requests.get(account, {}).get("total", 0))


@dataclass(slots=True)
class Control:
    """A client for `/_control/`; a refusal raises ControlError."""

    url: str
    _open: Any = field(default_factory=lambda: build_opener(ProxyHandler({})).open, repr=False)

    def call(self, method: str, name: str, body: object = None, **query: object) -> dict[str, Any]:
        """Send one control request and return its document."""
        asked = {key: value for key, value in query.items() if value is not None}
        url = f"{self.url}/_control/{name}" + (f"?{urlencode(asked)}" if asked else "")
        data = None if body is None else json.dumps(body).encode()
        request = Request(url, data, {"Content-Type": "application/json"}, method=method)  # noqa: S310 - our own http URL
        try:
            with self._open(request, timeout=20) as response:
                return dict(json.load(response))
        except HTTPError as error:
            with error:
                raise ControlError(error.code, json.load(error)["error"]) from None

    def health(self) -> dict[str, Any]:
        """Ask whether it is there, and how much is in it."""
        return self.call("GET", "health")

    def account(self, username: str, **fields: object) -> dict[str, Any]:
        """Create or change an account; see `sandbox.control.ACCOUNT_FIELDS`. Returns it with `pk` and `totp_code`."""
        return self.call("POST", "accounts", {"username": username, **fields})

    def read_account(self, username: str) -> dict[str, Any]:
        """The account as it is now, with its current `totp_code`."""
        return self.call("GET", "accounts", username=username)

    def fault(self, fault: str, **fields: object) -> dict[str, Any]:
        """Put a fault on order; see `sandbox.faults`. Returns the order with its `id`."""
        return dict(self.call("POST", "faults", {"fault": fault, **fields})["faults"][0])

    def faults(self) -> list[dict[str, Any]]:
        """Every order, with `left` and `hits`."""
        return list(self.call("GET", "faults")["faults"])

    def clear_faults(self, number: int | None = None) -> int:
        """Delete one order or all."""
        return int(self.call("DELETE", "faults", id=number)["deleted"])

    def ledger(self, account: str | None = None, kind: str | None = None, since: int = 0) -> LedgerReport:
        """The writes received so far."""
        return LedgerReport(**self.call("GET", "ledger", account=account, kind=kind, since=since))

    def session(self, username: str) -> str:
        """The `Authorization` header of a new session, for those who need no sign-in."""
        return str(self.call("POST", "sessions", {"username": username})["authorization"])

    def kill_sessions(self, username: str) -> None:
        """End every session of an account."""
        self.call("POST", "sessions/kill", {"username": username})

    def hashtag(self, tag: str, *, count: int | None = None, people: Sequence[object] | None = None) -> int:
        """Give a tag so many people, or exactly these (usernames, or dicts of account fields); returns how many."""
        chosen = {"count": count} if people is None else {"people": list(people)}
        return int(self.call("POST", "hashtags", {"tag": tag, **chosen})["count"])

    def people(self, tag: str, start: int = 0, count: int = 30) -> list[dict[str, Any]]:
        """The people of a tag in the order of its "recent" tab, with all their fields."""
        return list(self.call("GET", "people", tag=tag, start=start, count=count)["people"])

    def person(self, username: str) -> dict[str, Any]:
        """One person by username or key."""
        return dict(self.call("GET", "people", username=username)["people"][0])

    def relation(self, follower: object, target: object) -> str:
        """following, requested or none."""
        return str(self.call("GET", "relations", follower=follower, target=target)["state"])

    def openai_requests(self) -> list[dict[str, Any]]:
        """What the language model was asked, the oldest first."""
        return list(self.call("GET", "openai/requests")["requests"])

    def relate(self, follower: object, target: object, state: str) -> None:
        """Set how one person stands to another: somebody follows back, or accepts a request."""
        self.call("POST", "relations", {"follower": follower, "target": target, "state": state})

    def message(self, sender: object, to: object, text: str) -> dict[str, Any]:
        """Somebody writes to somebody."""
        return self.call("POST", "messages", {"sender": sender, "to": to, "text": text})

    def google_person(self, email: str | None, **fields: object) -> dict[str, Any]:
        """Create or change somebody's Google account: `sub`, `email_verified`, `name`. Returns it with its `sub`."""
        return self.call("POST", "google/people", {"email": email, **fields})

    def google_people(self) -> list[dict[str, Any]]:
        """Everybody who has a Google account."""
        return list(self.call("GET", "google/people")["people"])

    def google_chooses(self, consent_url: str, sub: str = "") -> str:
        """Be the person at Google's consent page: choose this account, or none; returns where one is sent back."""
        form = urlencode({"sub": sub} if sub else {"deny": "1"}).encode()
        request = Request(consent_url, form)  # noqa: S310 - our own http URL
        try:
            with build_opener(ProxyHandler({}), _Stay()).open(request, timeout=20):
                raise ControlError(200, "Google sent nobody anywhere.")
        except HTTPError as sent:
            with sent:
                if sent.code != 302:
                    raise ControlError(sent.code, json.load(sent)["error_description"]) from None
                return str(sent.headers["Location"])

    def graph(self, name: str, **fields: object) -> dict[str, Any]:
        """Arrange Meta's Graph API: `graph("comments", username=…, by=…, text=…)`; see `sandbox.graph_control`."""
        return self.call("POST", f"graph/{name}", fields)

    def meta_answers(self, consent_url: str, *usernames: str, without: Sequence[str] = ()) -> str:
        """Be the person at Meta's consent page: choose these accounts, or none; returns where one is sent back."""
        chosen = [("username", name) for name in usernames] or [("deny", "1")]
        form = urlencode([*chosen, *(("without", scope) for scope in without)]).encode()
        request = Request(consent_url, form)  # noqa: S310 - our own http URL
        try:
            with build_opener(ProxyHandler({}), _Stay()).open(request, timeout=20):
                raise ControlError(200, "Meta sent nobody anywhere.")
        except HTTPError as sent:
            with sent:
                if sent.code != 302:
                    raise ControlError(sent.code, json.load(sent)["error"]["message"]) from None
                return str(sent.headers["Location"])

    def stripe(self, **fields: object) -> dict[str, Any]:
        """Arrange Stripe (`advance`, `customer` and `card`, `endpoint`, `forget`), or look."""
        return self.call("POST", "stripe", fields) if fields else self.call("GET", "stripe")

    def reset(self) -> None:
        """The world as it was at the start; every session ends."""
        self.call("POST", "reset", {})


@dataclass(slots=True)
class Sandbox:
    """A running sandbox process."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path | None
    control: Control = field(init=False)

    def __post_init__(self) -> None:
        self.control = Control(self.url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process; it has five seconds to do so itself."""
        if self.process.stdin:
            self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_sandbox(log: Path | None = None, *, host: str = "127.0.0.1") -> Sandbox:
    """Start a sandbox and return when it answers. `log` takes what uvicorn says; without it only warnings, on stderr.

    Raises RuntimeError when the process ends or does not answer within START_SECONDS.
    """
    listener = socket.create_server((host, 0))
    port = listener.getsockname()[1]
    with listener:
        command = [sys.executable, "-m", "sandbox.testing", str(listener.fileno())]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        sink = log.open("wb") if log else None
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=sink or subprocess.DEVNULL,
            stderr=sink,
            pass_fds=[listener.fileno()],
        )
        if sink:
            sink.close()
    sandbox = Sandbox(f"http://{host}:{port}", process, log)
    try:
        _answers(sandbox)
    except BaseException:
        sandbox.stop()
        raise
    return sandbox


def _answers(sandbox: Sandbox) -> None:
    """Wait for the first answer. The port listens from the start, so the request simply waits in its queue."""
    try:
        with build_opener(ProxyHandler({})).open(f"{sandbox.url}/_control/health", timeout=START_SECONDS):
            return
    except OSError as error:
        code = sandbox.process.poll()
        raise RuntimeError(f"The sandbox did not start (exit code {code}): {error}.") from error


@contextmanager
def clean(sandbox: Sandbox) -> Iterator[Sandbox]:
    """One test's turn with a shared sandbox: as new before it, and as new after it."""
    sandbox.control.reset()
    yield sandbox
    sandbox.control.reset()


def main() -> None:
    """Run uvicorn on the listening socket we inherited, until standard input closes."""
    import uvicorn

    listener = socket.socket(fileno=int(sys.argv[1]))
    server = uvicorn.Server(
        uvicorn.Config("sandbox.app:app", access_log=False, log_level="warning", timeout_keep_alive=75)
    )

    def watch() -> None:
        parent = os.getppid()
        while os.getppid() == parent and not select.select([sys.stdin], [], [], 0.5)[0]:
            continue
        server.should_exit = server.force_exit = True

    threading.Thread(target=watch, daemon=True).start()
    server.run(sockets=[listener])


if __name__ == "__main__":
    main()
