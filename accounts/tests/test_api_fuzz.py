"""Whatever is sent to the API, an error is answered with a registered code and never with a fault of ours."""

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from django.http import JsonResponse
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as bounds

from accounts.models import User
from errors.codes import REGISTRY
from instagrowth.testing import Program

pytestmark = pytest.mark.django_db
EACH = 3  # requests to each door and method, good and bad ones
LEFT_OUT = ("/api/auth/logout", "/api/schema/", "/api/docs/")  # the first would end the session it asks with


@pytest.fixture
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_every_error_of_the_api_has_a_registered_code(
    api: Callable[[User], Program], alice: User, alices_bot: object, settings: Any, monkeypatch: Any, quiet: None
) -> None:
    settings.INSTAGRAM_PRIVATE_URL = settings.INSTAGRAM_GRAPH_URL = "http://127.0.0.1:9"  # nobody listens there
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9"
    monkeypatch.setattr("rest_framework.throttling.SimpleRateThrottle.allow_request", lambda *_: True)
    client, statuses, wrong = api(alice), Counter[int](), []
    client.raise_request_exception = False
    described = schemathesis.openapi.from_dict(json.loads(json.dumps(SchemaGenerator().get_schema(public=True))))

    for found in described.get_all_operations():
        door = found.ok()
        if door.path not in LEFT_OUT:
            for case, answer in _asked(client, door):
                statuses[answer.status_code // 100] += 1
                if complaint := _complaint(answer):
                    wrong.append(f"{case.method} {case.formatted_path}: {answer.status_code}, {complaint}")

    print(f"asked={statuses.total()} refused={statuses[4]} faults={statuses[5]} without_code={len(wrong)}")
    assert wrong == []
    assert (statuses[5], statuses[4] > 50, statuses[2] > 10) == (0, True, True)


def _asked(client: Program, door: Any) -> list[tuple[Any, Any]]:
    """A few requests to one door as schemathesis thinks of them, the same ones each time."""
    heard: list[tuple[Any, Any]] = []

    @seed(1)
    @bounds(
        max_examples=EACH, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=[*HealthCheck]
    )
    @given(door.as_strategy())
    def ask(case: Any) -> None:
        body = case.body if isinstance(case.body, dict | list | str | int | float | bool) or case.body is None else {}
        where = case.formatted_path
        more = {"query_params": {name: str(value) for name, value in (case.query or {}).items()}}
        answer = client.generic(case.method, where, json.dumps(body), content_type="application/json", **more)
        heard.append((case, answer))

    ask()
    return heard


def _complaint(answer: Any) -> str:
    """What is wrong with an error; nothing if it is none, or says its registered code."""
    if answer.status_code < 400:
        return ""
    if answer.status_code >= 500:
        return "a fault"
    told = json.loads(answer.content) if "json" in answer["Content-Type"] else {}
    return "" if told.get("error_code") in REGISTRY and told.get("correlation_id") else f"no code: {str(told)[:100]}"


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, {}), (400, {"error": "no code"}), (404, {"error_code": "E-API-E-8999", "correlation_id": "c-1"})],
)
def test_the_same_look_finds_an_answer_without_a_code(status: int, body: dict[str, str]) -> None:
    assert _complaint(JsonResponse(body, status=status))
