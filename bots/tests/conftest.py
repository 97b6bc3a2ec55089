from collections.abc import Callable
from typing import Any

import pytest

from bots.tests.engine import Engine
from instagrowth.testing_processes import servers_of_the_tests
from sandbox.testing import Sandbox


@pytest.fixture
def engine_of(committed: None, sandbox: Sandbox, settings: Any) -> Callable[..., Engine]:
    """Makes engines: `engine_of(burst=1)`."""
    settings.INSTAGRAM_PRIVATE_URL = sandbox.url
    return lambda **bot: Engine(sandbox, **bot)


@pytest.fixture
def engine(engine_of: Callable[..., Engine]) -> Engine:
    return engine_of()


@pytest.fixture
def database_url(committed: None) -> str:
    """The way to this test's database for processes of their own."""
    return servers_of_the_tests()["DATABASE_URL"]
