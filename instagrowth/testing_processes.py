"""Real processes on a test's own servers: web, workers and beats, for tests that watch or kill them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from instagrowth.embedded import processes
from instagrowth.embedded.health import lives
from instagrowth.embedded.stack import QUEUES, ROOT, uvicorn
from instagrowth.embedded.valkey import free_port

CELERY = [sys.executable, "-m", "celery", "-q", "-A", "instagrowth"]


class Processes:
    """Processes of one test or module. Each is a group of its own, logs into `folder`, and dies when the tests die."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        """Start nothing yet; `environment` leads to the servers."""
        self.folder = folder
        self.environment = os.environ | environment
        self.running: list[subprocess.Popen[bytes]] = []

    def web(self) -> str:
        """Start a web server on a free port and wait until it answers; its address."""
        port = free_port()
        site = f"http://localhost:{port}"
        self.environment |= {"SITE_URL": site, "ALLOWED_HOSTS": "localhost,127.0.0.1"}
        server = self._start("web", *uvicorn("instagrowth.asgi:application", port))
        eventually(lambda: server.poll() is not None or lives(port, site), why=self.said)
        assert server.poll() is None, self.said()
        return site

    def worker(self, *options: str) -> subprocess.Popen[bytes]:
        """Start a worker with two children."""
        quick = ["--without-gossip", "--without-mingle"]
        return self._start("worker", *CELERY, "worker", "-Q", QUEUES, "-c", "2", *quick, *options)

    def beat(self) -> subprocess.Popen[bytes]:
        """Start a beat, one tick a second."""
        return self._start("beat", *CELERY, "beat", "-s", str(self.folder / f"beat{len(self.running)}"))

    def command(self, *words: str) -> str:
        """Run `manage.py` to its end; what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """SIGKILL a process and its children: nobody says goodbye."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """End what still runs."""
        for process in self.running:
            if process.poll() is None:
                self.kill(process)

    def said(self) -> str:
        """Give the ends of their logs: the reason, when a test fails."""
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"── {log.stem}\n{log.read_text(errors='replace')[-3000:]}" for log in logs)

    def _start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}{len(self.running)}.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                env=self.environment | {"INSTAGROWTH_PROCESS": name},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=processes.dying_with_us(signal.SIGKILL),
            )
        self.running.append(process)
        return process


@contextmanager
def ending(started: Processes) -> Iterator[Processes]:
    """Processes that end with the block, and leave no message behind on the tests' Valkey."""
    from django_redis import get_redis_connection

    try:
        yield started
    finally:
        started.stop()
        get_redis_connection().flushdb()


def servers_of_the_tests() -> dict[str, str]:
    """Give the environment that leads to this test's database, this xdist worker's Valkey, and the sandbox."""
    from django.conf import settings
    from django.db import connection

    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    return {
        "DATABASE_URL": urlunsplit(database),
        "REDIS_URL": settings.REDIS_URL,
        "INSTAGRAM_PRIVATE_URL": settings.INSTAGRAM_PRIVATE_URL,
    }


def eventually(true: Callable[[], object], seconds: float = 40, why: Callable[[], str] = str) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s: {why()}"
        time.sleep(0.1)
