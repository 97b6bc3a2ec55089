"""Real Celery workers and beats on the test's database, for tests that kill them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django_redis import get_redis_connection

ROOT = Path(__file__).resolve().parents[2]
CELERY = [sys.executable, "-m", "celery", "-q", "-A", "instagrowth"]
QUEUES = "dispatch,starter,enterprise"


class Workers:
    """Workers and beats of one test; all end with it."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self.folder = folder
        self.running: list[subprocess.Popen[bytes]] = []
        self.env = os.environ | {
            "DATABASE_URL": database_url,
            "REDIS_URL": settings.REDIS_URL,
            "INSTAGRAM_PRIVATE_URL": settings.INSTAGRAM_PRIVATE_URL,
        }

    def worker(self, *options: str) -> subprocess.Popen[bytes]:
        """Start a worker with two children."""
        return self._start("worker", "-Q", QUEUES, "-c", "2", "--without-gossip", "--without-mingle", *options)

    def beat(self) -> subprocess.Popen[bytes]:
        """Start a beat, one tick a second."""
        return self._start("beat", "-s", str(self.folder / f"beat{len(self.running)}"))

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """SIGKILL a process and its children: nobody says goodbye."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """End what still runs."""
        for process in self.running:
            if process.poll() is None:
                self.kill(process)

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{command[0]}{len(self.running)}.log").open("wb")
        with log:
            process = subprocess.Popen(
                [*CELERY, *command], env=self.env, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
            )
        self.running.append(process)
        return process

    def said(self) -> str:
        """What they logged: the reason, when a test fails."""
        return "\n".join(file.read_text()[-3000:] for file in sorted(self.folder.glob("*.log")))


@contextmanager
def workers(database_url: str, folder: Path) -> Iterator[Workers]:
    """Workers that end with the block, and leave no message behind."""
    crew = Workers(database_url, folder)
    try:
        yield crew
    finally:
        crew.stop()
        get_redis_connection().flushdb()


def eventually(true: Callable[[], bool], seconds: float = 40, why: Callable[[], str] = str) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s: {why()}"
        time.sleep(0.1)
