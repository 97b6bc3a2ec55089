"""The whole product as its users meet it: web, worker and beat as real processes, with a sandbox Instagram."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from bots.models import Bot
from instagrowth.testing import GOOGLE_CLIENT, META_APP, everywhere
from instagrowth.testing_processes import Processes, ending, eventually, servers_of_the_tests
from sandbox.testing import Control, Sandbox


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser's clock is not ours: a journey in one that failed is walked once more, and named in the report."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.flaky(reruns=1))


class Stack(Processes):
    """The processes with the address of their web server and the controls of their Instagram."""

    site: str
    instagram: Control


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show what the processes said when a test fails."""
    report: Any = yield
    stack = getattr(item, "funcargs", {}).get("stack")
    if report.failed and stack:
        report.sections.append(("what the processes said", stack.said()))
    return report


@pytest.fixture(scope="package")
def _running(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    _sandbox: Sandbox,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """Start once for all journeys of a worker: three cold starts cost more than most of them."""
    servers = servers_of_the_tests() | {
        "DJANGO_SETTINGS_MODULE": "e2e.settings",
        "INSTAGRAM_PRIVATE_URL": _sandbox.url,
        "INSTAGRAM_GRAPH_URL": _sandbox.url,
        "META_APP_ID": META_APP["id"],
        "META_APP_SECRET": META_APP["secret"],
        "META_WEBHOOK_VERIFY_TOKEN": META_APP["verify"],
        "STRIPE_API_URL": _sandbox.url,
        "STRIPE_SECRET_KEY": "sk_test_sandbox",
        "STRIPE_WEBHOOK_SECRET": "whsec_sandbox",
        "OPENAI_BASE_URL": f"{_sandbox.url}/v1",
        "OPENAI_API_KEY": "sandbox-openai-key",
        "GOOGLE_SERVER_URL": _sandbox.url,
        "GOOGLE_CLIENT_ID": GOOGLE_CLIENT["id"],
        "GOOGLE_CLIENT_SECRET": GOOGLE_CLIENT["secret"],
    }
    with ending(Stack(tmp_path_factory.mktemp("stack"), servers)) as stack:
        stack.worker(), stack.beat()
        stack.site, stack.instagram = stack.web(), _sandbox.control
        yield stack


@pytest.fixture
def stack(_running: Stack, committed: None, sandbox: Sandbox, nobody_guessed: None) -> Iterator[Stack]:
    """The running product with an empty database and an Instagram as new: `stack.site`, `stack.instagram`."""
    yield _running
    with everywhere():
        Bot.objects.update(status=Bot.Status.STOPPED)
    eventually(_nobody_works, why=_running.said)  # before the rows are deleted under a worker's hands


def _nobody_works() -> bool:
    with everywhere():
        return not Bot.objects.filter(lease_until__isnull=False).exists()
