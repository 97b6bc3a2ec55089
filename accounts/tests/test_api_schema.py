"""The API's own description."""

import re

import pytest
from django.core.management import call_command
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator


@pytest.fixture(scope="module")
def schema():
    return SchemaGenerator().get_schema(request=None, public=True)


def paths(resolver: URLResolver, prefix: str = "/") -> list[str]:
    found = []
    for entry in resolver.url_patterns:
        at = prefix + str(entry.pattern)
        found += [at] if isinstance(entry, URLPattern) else paths(entry, at)
    return found


def test_it_is_valid_and_leaves_nothing_to_guess(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))
    assert not GENERATOR_STATS


def test_every_door_is_in_it(schema):
    doors = {path for path in paths(get_resolver()) if path.startswith("/api/")} - {"/api/schema/", "/api/docs/"}

    assert {re.sub(r"<\w+:(\w+)>", r"{\1}", path) for path in doors} == set(schema["paths"])


def test_every_answer_carries_a_correlation_id(schema):
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            for status, response in operation["responses"].items():
                told = response["content"]["application/json"]["schema"]
                names = [part["$ref"].rpartition("/")[2] for part in told.get("allOf", [told])]
                wanted = "Correlated" if status.startswith("2") else "Failure"
                assert wanted in names, f"{method} {path} {status}"


def test_every_guarded_door_says_what_it_answers_to_strangers(schema):
    guarded = [
        operation
        for operations in schema["paths"].values()
        for operation in operations.values()
        if "security" in operation
    ]

    assert len(guarded) > 10
    assert all({"401", "403", "429", "500"} <= set(operation["responses"]) for operation in guarded)


def test_the_page_asks_no_outsider(client, db):
    page = client.get("/api/docs/")

    assert page.status_code == 200
    assert "https://" not in page.content.decode()
    assert "script-src" not in page["Content-Security-Policy"]
    assert "default-src 'self'" in page["Content-Security-Policy"]
    assert "unsafe-inline" not in page["Content-Security-Policy"]
    assert ("data-theme-switch" in page.content.decode(), "<style" in page.content.decode()) == (True, False)
