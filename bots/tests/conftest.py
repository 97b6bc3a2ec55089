from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import TransactionTestCase

from accounts import tenancy
from accounts.models import User, Workspace
from bots.tests.engine import Engine
from sandbox.testing import Sandbox


def _empty(_: object) -> None:
    """Django would truncate every table: plans and default limits too, and the log, which nobody may empty."""
    with tenancy.platform("a test cleans up"):
        Workspace.objects.all().delete()
        User.objects.all().delete()


@pytest.fixture
def _gentle_flush() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", _empty)
        yield


@pytest.fixture
def committed(_gentle_flush: None, transactional_db: None) -> None:
    """Rows that other connections and processes see; gone afterwards."""


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
    import os
    from urllib.parse import urlsplit, urlunsplit

    from django.db import connection

    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}"))
