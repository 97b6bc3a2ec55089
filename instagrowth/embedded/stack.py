"""The whole product on one machine: the private servers, then sandbox, web, worker and beat under honcho."""

import contextlib
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from honcho.manager import Manager
from honcho.process import Process

from instagrowth.embedded import processes
from instagrowth.embedded.folder import EmbeddedError
from instagrowth.embedded.health import lives
from instagrowth.embedded.services import Services, start
from instagrowth.embedded.valkey import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
# The one client that `sandbox.google` knows.
SANDBOX_GOOGLE = {
    "GOOGLE_SERVER_URL": "{}",
    "GOOGLE_CLIENT_ID": "sandbox.apps.googleusercontent.com",
    "GOOGLE_CLIENT_SECRET": "sandbox-google-secret",
}
# The app that `sandbox.graph` knows; it sends its webhooks to SANDBOX_HOOKS.
SANDBOX_META = {
    "INSTAGRAM_GRAPH_URL": "{}",
    "META_APP_ID": "sandbox-meta-app",
    "META_APP_SECRET": "sandbox-meta-secret",
    "META_WEBHOOK_VERIFY_TOKEN": "sandbox-verify-token",
}
SANDBOX_OPENAI = {"OPENAI_BASE_URL": "{}/v1", "OPENAI_API_KEY": "sandbox-openai-key"}
SANDBOX_STRIPE = {
    "STRIPE_API_URL": "{}",
    "STRIPE_SECRET_KEY": "sk_test_sandbox",
    "STRIPE_WEBHOOK_SECRET": "whsec_sandbox",
}
QUEUES = "dispatch,starter,enterprise,ai,publish,mail"
# Who stops after whom, with patience in seconds: first no new requests, then no new ticks, then the worker finishes
# what it does, and the sandbox answers it to the end.
STOP_ORDER = {"web": 10.0, "beat": 5.0, "worker": 20.0, "sandbox": 5.0}


def up() -> int:
    """Run everything until Ctrl-C or SIGTERM (exit code 0), or until one part ends by itself (exit code 1)."""
    multiprocessing.set_start_method("fork", force=True)  # honcho's helpers must be children of ours
    port = free_or_refuse(os.environ.get("PORT") or "8000")
    with stopping_cleanly():
        if os.environ.get("STOP_WITH_PARENT"):  # make run: whoever kills make, kills us
            processes.die_with_parent(os.getppid(), signal.SIGTERM)
        with start(data_dir()) as services:
            services.publish(
                DATA_DIR=str(data_dir()),
                DEBUG=os.environ.get("DEBUG") or "1",
                SITE_URL=os.environ.get("SITE_URL") or f"http://localhost:{port}",
            )
            parts = Parts(services)
            if played := services_without_keys():
                sandbox = free_port()
                services.publish(**{name: word.format(f"http://127.0.0.1:{sandbox}") for name, word in played.items()})
                services.publish(
                    SANDBOX_HOOKS=f"http://localhost:{port}/webhooks/instagram/",
                    SANDBOX_STRIPE_ENDPOINT=f"http://localhost:{port}/webhooks/stripe/",
                    SANDBOX_STRIPE_FILE=str(
                        data_dir() / "sandbox-stripe.json"
                    ),  # plans and customers name what is there
                )
                parts.add("sandbox", *uvicorn("sandbox.app:app", sandbox), "--no-access-log", "--log-level", "warning")
            parts.add("web", *uvicorn("instagrowth.asgi:application", port), "--limit-concurrency", "1000")
            celery = [*parts.after_migrate(), sys.executable, "-m", "celery", "--app", "instagrowth", "--quiet"]
            modest = ["--concurrency", "2", "--without-gossip", "--without-mingle", "--loglevel", "info"]
            parts.add("worker", *celery, "worker", *modest, "--queues", QUEUES)
            parts.add("beat", *celery, "beat", "--schedule", str(data_dir() / "beat"), "--loglevel", "warning")
            parts.run(port)
    return 0 if parts.asked_to_stop else 1


def services() -> int:
    """Run just the private servers until Ctrl-C or SIGTERM, and print the environment that leads to them."""
    with stopping_cleanly(), start(data_dir()) as running:
        for name, value in running.environment.items():
            print(f"export {name}='{value}'", flush=True)
        while True:
            running.revive()
            time.sleep(0.5)


def services_without_keys() -> dict[str, str]:
    """Give the variables that lead to the sandbox, `{}` for its address, where the operator has set no real service."""
    played = {}
    if not os.environ.get("INSTAGRAM_PRIVATE_URL"):
        played["INSTAGRAM_PRIVATE_URL"] = "{}"
    if not os.environ.get("GOOGLE_CLIENT_ID"):
        played |= SANDBOX_GOOGLE
    if not os.environ.get("META_APP_ID") and not os.environ.get("INSTAGRAM_GRAPH_URL"):
        played |= SANDBOX_META
    if not os.environ.get("OPENAI_API_KEY") and not os.environ.get("OPENAI_BASE_URL"):
        played |= SANDBOX_OPENAI
    if not os.environ.get("STRIPE_SECRET_KEY") and not os.environ.get("STRIPE_API_URL"):
        played |= SANDBOX_STRIPE
    return played


class Part(Process):
    """One process under honcho: a program with arguments (no shell between us and its pid) that dies when we die."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Remember who the supervisor is."""
        super().__init__(*args, **kwargs)
        self._child_ctor = self._spawn
        self._supervisor = os.getpid()

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        """Run in honcho's helper process, which must not outlive the supervisor either."""
        processes.die_with_parent(self._supervisor, signal.SIGKILL)
        super().run(events, ignore_signals)

    @staticmethod
    def _spawn(command: list[str], *, env: dict[str, str], cwd: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # the terminal's Ctrl-C is for the supervisor alone
            # No farewell: PostgreSQL and Valkey go at the same moment, there is nothing left to say goodbye to.
            preexec_fn=processes.dying_with_us(signal.SIGKILL),
        )


class Parts(Manager):
    """honcho's manager with an order of stopping, and signals to main processes only.

    Its own `terminate` signals whole process groups at once: Celery would lose its children and their tasks with them.
    """

    def __init__(self, services: Services) -> None:
        """Manage the parts that live on these servers."""
        super().__init__()
        self._process_ctor = Part
        self.services = services
        self.asked_to_stop = False
        self._errand: subprocess.Popen[bytes] | None = None
        self._migrated = services.folder.path / "migrated"
        self._migrated.unlink(missing_ok=True)
        self._stopper = threading.Thread(target=self._stop_in_order, name="stopper")

    def add(self, name: str, *command: str) -> None:
        """Add a part; it starts with `run`."""
        env = os.environ | self.services.environment | {"INSTAGROWTH_PROCESS": name, "PYTHONUNBUFFERED": "1"}
        self.add_process(name, list(command), env=env, cwd=str(ROOT))

    def after_migrate(self) -> list[str]:
        """Give the words before a command that must not touch a table before `manage.py migrate` is done."""
        return [sys.executable, "-m", "instagrowth.embedded.after", str(self._migrated)]

    def run(self, port: int) -> None:
        """Run until told to stop, or until one part ends by itself."""
        self._companion = threading.Thread(target=self._accompany, args=(port,), name="companion")
        try:
            self.loop()
        finally:
            self._terminating = True
            for thread in (self._companion, self._stopper):
                if thread.is_alive():
                    thread.join()

    def _start(self) -> None:
        super()._start()
        self._companion.start()  # after the helpers are forked: a fork is no place for a second thread

    def terminate(self) -> None:
        """Stop all parts in their order. honcho calls it on a signal, and when one part has ended by itself."""
        if not self._terminating:
            self._terminating = True
            # honcho has set a return code before it calls us after a signal (130, 143) or a part's own end (its code).
            self.asked_to_stop = self.returncode in (130, 143) and not self._any_stopped()
            self._stopper.start()

    def kill(self) -> None:
        """Leave the killing to the stopper: honcho would kill all that is left 5 s after the first part has ended."""

    def command(self, *arguments: str) -> None:
        """Run one management command to its end; raise EmbeddedError when it fails."""
        self._errand = subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=os.environ | self.services.environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=processes.dying_with_us(signal.SIGKILL),
        )
        try:
            if self._terminating:  # the stopper has looked for an errand already
                self._errand.kill()
            failed = self._errand.wait() != 0
        finally:
            self._errand.kill()
        if failed and not self._terminating:
            raise EmbeddedError(f"`manage.py {arguments[0]}` failed; its own words are above.")

    def _stop_in_order(self) -> None:
        if self._errand:
            self._errand.kill()
        for name, patience in STOP_ORDER.items():
            if (part := self._processes.get(name)) is None:
                continue
            processes.wait_until(lambda part=part: "pid" in part, 5.0)  # type: ignore[misc]  # bound at once
            for signum, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 5.0)):
                if "returncode" not in part and "pid" in part:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(part["pid"], signum)
                    processes.wait_until(lambda part=part: "returncode" in part, seconds)  # type: ignore[misc]

    def _accompany(self, port: int) -> None:
        """Beside honcho's loop: migrate, fill the demo the first time, say READY, keep the private servers alive."""
        try:
            self.command("migrate", "--verbosity", "0")
            if not self._terminating:
                self._migrated.touch()
            if self._answers(port):
                demo = data_dir() / "demo.json"
                if not demo.exists() and has_command("demo"):
                    self.command("demo", "--if-empty", "--quiet")
                if not self._terminating:
                    site = self.services.environment["SITE_URL"]
                    greet(site, demo, mails_are_caught=lives(port, site, "/mails/"))
            while not self._terminating:
                self.services.revive()
                time.sleep(0.5)
        except EmbeddedError as failed:
            print(failed, file=sys.stderr, flush=True)
            if not self._terminating:
                self.returncode = 1
                self.terminate()

    def _answers(self, port: int) -> bool:
        """Wait until the web answers; False when we are stopping before it does."""
        while not self._terminating:
            if lives(port, self.services.environment["SITE_URL"]):
                return True
            time.sleep(0.1)
        return False


class Stop(BaseException):
    """Ctrl-C or SIGTERM while no honcho loop is there to take it."""


@contextlib.contextmanager
def stopping_cleanly() -> Iterator[None]:
    """Turn the first Ctrl-C or SIGTERM into an orderly way out with exit code 0, and ignore those that follow.

    Both handlers are set explicitly: a job in a shell's background inherits an ignored SIGINT.
    """

    def stop(signum: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Stop

    os.umask(0o077)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except Stop:
        sys.exit(0)


def data_dir() -> Path:
    """Give the folder named by DATA_DIR, else `.data` beside the code."""
    return Path(os.environ.get("DATA_DIR") or ROOT / ".data").absolute()


def uvicorn(application: str, port: int) -> list[str]:
    """Give the command of one web server on a loopback port, without headers that tell or believe too much."""
    bare = [
        "--no-server-header",
        "--no-proxy-headers",
        "--ws-max-size",
        "65536",
        "--ws-per-message-deflate",  # events are short, and squeezing each for each line costs more than sending it
        "false",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    return [sys.executable, "-m", "uvicorn", application, *bare]


def free_or_refuse(port: str) -> int:
    """Give the port as a number; raise EmbeddedError with a sentence when it is none, or taken."""
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise EmbeddedError(f"PORT is {port!r}, but it must be a number from 1 to 65535.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as uvicorn does: a closing socket is no hindrance
        try:
            probe.bind(("127.0.0.1", int(port)))
        except PermissionError:
            raise EmbeddedError(
                f"Port {port} is for root alone: choose one above 1023, as in `make run PORT=8001`."
            ) from None
        except OSError:
            raise EmbeddedError(
                f"Port {port} is taken by another program: try `make run PORT={int(port) % 65535 + 1}`."
            ) from None
    return int(port)


def has_command(name: str) -> bool:
    """Tell whether one of our rooms has this management command, without starting Django."""
    return any(ROOT.glob(f"*/management/commands/{name}.py"))


def greet(site: str, demo: Path, *, mails_are_caught: bool) -> None:
    """Say where the product is, how to sign in, and where mails are if they are not sent."""
    lines = [f"READY {site}/"]
    if demo.exists():
        known = json.loads(demo.read_text())
        lines.append(f"  Sign in as {known['login']} with the password {known['password']}")
        if instagram := known.get("instagram"):
            lines.append("  A person on the sandbox Instagram: " + ", ".join(f"{k} {v}" for k, v in instagram.items()))
    if mails_are_caught:
        lines.append(f"  Mails are not sent: they are at {site}/mails/")
    lines.append("  Ctrl-C stops everything.")
    # In one piece, and on a line of its own: honcho, in another thread, may have written its line and not yet its end.
    sys.stdout.write("\n{}\n".format("\n".join(lines)))
    sys.stdout.flush()
