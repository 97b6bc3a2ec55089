"""What tests of the content tools share."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from pytest_django.fixtures import Settings

from sandbox.testing import Control, Sandbox


@pytest.fixture
def openai(sandbox: Sandbox, settings: Settings) -> Iterator[Control]:
    """Our language model is the sandbox's, its breaker closed; order its bad days through this."""
    settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY = f"{sandbox.url}/v1", "sandbox-openai-key"
    settings.INSTAGRAM_PRIVATE_URL = sandbox.url
    cache.delete_many(["ai:failures", "ai:rests"])
    yield sandbox.control
    cache.delete_many(["ai:failures", "ai:rests"])
