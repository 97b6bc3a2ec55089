"""The tests' ground: private servers started once, one database and one Valkey number per worker, a Chromium.

The servers must run before Django reads its settings, and the rooms' conftests import models, so both happen while
this file loads: in the controller under xdist, whose workers inherit the environment. With DATABASE_URL or REDIS_URL
set, the tests use that server instead.
"""

import gc
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import django
import environ
import pytest

from instagrowth import embedded
from instagrowth.embedded.chromium import find_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from sandbox.testing import Sandbox

pytest_plugins = ["instagrowth.testing"]  # Alice, Bob and Charlie
ROOT = Path(__file__).parent
WORKER = os.environ.get("PYTEST_XDIST_WORKER")  # gw0, gw1, …; unset in the controller and without xdist
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]


def _start_servers() -> tuple[embedded.Services, tempfile.TemporaryDirectory[str]]:
    """Start the servers in a folder of this run, and let the environment say nothing else than they and the tests."""
    servers_of_ones_own = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL") if os.environ.get(name)}
    for name in environ.Env().ENVIRON.keys() & _names_in(ROOT / ".env.example"):
        del os.environ[name]  # a developer's keys must not lead a test to the real Stripe
    folder = tempfile.TemporaryDirectory(prefix="instagrowth-test-")
    services = embedded.start(folder.name, given=servers_of_ones_own, durable=False)
    os.environ |= services.environment | {"DATA_DIR": folder.name, "DEBUG": "1", "SITE_URL": "http://localhost:8000"}
    return services, folder


def _names_in(file: Path) -> set[str]:
    """The variables that `.env.example` explains."""
    lines = (line.removeprefix("# ") for line in file.read_text().splitlines())
    return {line.split("=")[0] for line in lines if "=" in line}


if WORKER:
    # Number 0 is the controller's; Valkey has 64.
    address, _, number = os.environ["REDIS_URL"].rpartition("/")
    os.environ["REDIS_URL"] = f"{address}/{int(number or 0) + 1 + int(WORKER.removeprefix('gw'))}"
else:
    _services, _folder = _start_servers()
os.environ["DJANGO_SETTINGS_MODULE"] = "instagrowth.settings"
django.setup()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Keep the settings' name from the workers: with it, they would read the settings before they have their number."""
    del os.environ["DJANGO_SETTINGS_MODULE"]


def pytest_collection_finish() -> None:
    """Let the collector of garbage pass over what stays: each round went through a million things for nothing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what this process started."""
    if not WORKER:
        _services.stop()
        _folder.cleanup()


@pytest.fixture(scope="session")
def services() -> Iterator[embedded.Services]:
    """A private PostgreSQL and Valkey beside the tests' own, for tests that stop or kill servers under real processes.

    `services.environment` leads a process to them; `services.postgres` and `.valkey` have `stop()`, `start()`,
    `process`. The database is empty: migrate it first.
    """
    with (  # not pytest's own folder: as root, that is out of the reach of PostgreSQL's user
        tempfile.TemporaryDirectory(prefix="instagrowth-test-") as folder,
        embedded.start(folder, given={}, durable=False) as own,
    ):
        yield own


@pytest.fixture(scope="session")
def _sandbox() -> Iterator["Sandbox"]:
    from sandbox.testing import start_sandbox

    with start_sandbox() as running:
        yield running


@pytest.fixture
def sandbox(_sandbox: "Sandbox") -> Iterator["Sandbox"]:
    """A sandbox Instagram as new: `sandbox.url`, `sandbox.control`; one process per worker, reset for each test."""
    from sandbox.testing import clean

    with clean(_sandbox):
        yield _sandbox


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium; without one the test is left out by name, and in CI it fails."""
    if found := find_chromium():
        return found
    if os.environ.get("CI"):
        pytest.fail("There is no Chromium for the browser tests.")
    pytest.skip("left out: there is no Chromium for the browser tests")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator["Browser"]:
    """A Chromium of this module, driven through Playwright; open pages with `browser.new_page()`.

    Not of the session: Playwright keeps an event loop running in this thread, beside which no async test can run.
    For the same reason the ORM must be told that it may be used here.
    """
    from playwright.sync_api import sync_playwright

    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        running = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGS)
        yield running
        running.close()
