"""What figures stand on: private servers, a migrated database and a local Instagram, made for the run."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from instagrowth import embedded
from sandbox.testing import Sandbox, start_sandbox

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def open_folder() -> Iterator[str]:
    """A folder that PostgreSQL's user reaches too, so that as root nothing is laid elsewhere and left there."""
    with tempfile.TemporaryDirectory(prefix="instagrowth bench ") as folder:
        Path(folder).chmod(0o711)
        yield folder


@dataclass(frozen=True)
class Ground:
    """The local Instagram, and the servers under everything."""

    sandbox: Sandbox
    services: embedded.Services


@contextmanager
def ground() -> Iterator[Ground]:
    """Start everything, and set Django up on it."""
    with (
        open_folder() as folder,
        start_sandbox() as sandbox,
        embedded.start(folder, given={}) as services,
    ):
        os.environ |= services.environment | {
            "DATA_DIR": folder,
            "INSTAGRAM_PRIVATE_URL": sandbox.url,
            "DJANGO_SETTINGS_MODULE": "instagrowth.settings",
            "LOG_LEVEL": "WARNING",
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
        }
        for command in ("migrate", "collectstatic"):
            subprocess.run([sys.executable, "manage.py", command, "-v", "0", "--no-input"], cwd=ROOT, check=True)
        import django

        django.setup()
        yield Ground(sandbox, services)


@contextmanager
def process(name: str, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A part of the stack, such as a worker, on this ground; it ends with the block."""
    env = os.environ | {"INSTAGROWTH_PROCESS": name}
    running = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
    try:
        yield running
    finally:
        running.terminate()
        running.wait(30)
