"""Whoever asks gets an answer with a code: programs JSON, people a page."""

import json
import re
from collections.abc import Callable
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.test import Client, RequestFactory, override_settings

from errors import codes, views
from errors.models import ErrorCode
from errors.recording import record
from errors.tests.log import rows, scope

pytestmark = [pytest.mark.django_db, pytest.mark.urls("errors.tests.urls")]
CORRELATION = re.compile(r"c-[0-9a-f]{12}")
EVERY_WAY = [
    ("bot", codes.SESSION_INVALID),
    ("wait", codes.TOO_MANY_TRIES),
    ("gone", codes.NOT_FOUND),
    ("denied", codes.NO_PERMISSION),
    ("odd", codes.BAD_REQUEST),
    ("database", codes.DATABASE_UNAVAILABLE),
    ("redis", codes.QUEUE_UNAVAILABLE),
]


@pytest.fixture
def visitor() -> Client:
    """Somebody who is not signed in, and sees our answers where a test would see the exception."""
    return Client(raise_request_exception=False)


def _actions() -> list[tuple[str, str]]:
    return [(row.action, row.error_code) for row in rows()]


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("door", ["/api/plain/", "/api/boom/"])
@pytest.mark.parametrize(("kind", "code"), EVERY_WAY)
def test_programs_get_json_with_the_code(visitor: Client, door: str, kind: str, code: codes.Code, debug: bool) -> None:
    with override_settings(DEBUG=debug):
        response = visitor.get(f"{door}{kind}")

    assert response.status_code == code.http
    body = response.json()
    assert (body["success"], body["error"], body["error_code"]) == (False, code.name, code.id)
    assert body["message"] == ("No session for @clay." if kind == "bot" else code.what)
    assert body["correlation_id"] == response["X-Correlation-ID"]
    assert CORRELATION.fullmatch(body["correlation_id"])
    assert not ErrorCode.objects.filter(pk="E-X").exists()


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(("kind", "code"), EVERY_WAY)
def test_people_get_a_page_with_the_code(
    visitor: Client, kind: str, code: codes.Code, debug: bool, log_lines: Callable[[], list[dict]]
) -> None:
    with override_settings(DEBUG=debug):
        response = visitor.get(f"/boom/{kind}")

    assert response.status_code == code.http
    assert response["Content-Type"] == "text/html; charset=utf-8"
    page = response.content.decode()
    assert response["X-Correlation-ID"] in page
    assert code.id in page
    assert "Traceback" not in page
    assert not [line for line in log_lines() if line["event"].startswith("error_page")]
    assert not ErrorCode.objects.filter(pk="E-X").exists()


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("door", ["/api/plain/", "/api/boom/", "/boom/"])
def test_a_fault_of_ours_says_so_under_a_code_that_finds_it(
    visitor: Client, door: str, debug: bool, log_lines: Callable[[], list[dict]]
) -> None:
    with override_settings(DEBUG=debug):
        response = visitor.get(f"{door}fault")

    assert response.status_code == 500
    ((action, code_id),) = _actions()
    assert re.fullmatch(r"E-API-E-9\d{3}", code_id)
    assert action.startswith("GET ")
    (line,) = (line for line in log_lines() if line["level"] == "error")
    assert (line["error_code"], line["file"]) == (code_id, "errors/tests/urls.py")
    assert "ZeroDivisionError: a fault of ours" in line["stack"]
    if door != "/boom/":
        assert (response.json()["error"], response.json()["error_code"]) == ("INTERNAL_ERROR", code_id)
    assert "a fault of ours" not in response.content.decode()
    assert not ErrorCode.objects.filter(pk="E-X").exists()


def test_a_broken_transaction_is_undone_answered_and_recorded(visitor: Client) -> None:
    assert visitor.get("/broken").status_code == 500
    assert [action for action, _ in _actions()] == ["GET errors.tests.urls.broken_transaction"]


def test_a_registered_error_leaves_one_row_and_the_visitors_mistakes_none(visitor: Client) -> None:
    for kind in ("bot", "gone", "denied", "odd", "wait"):
        visitor.get(f"/boom/{kind}")
        visitor.get(f"/api/boom/{kind}")
    visitor.get("/api/nowhere/")

    assert [code_id for _, code_id in _actions()] == ["E-SESS-E-0001", "E-SESS-E-0001"]


@pytest.mark.parametrize("debug", [False, True])
def test_an_address_that_is_not_ours_is_said_so(visitor: Client, debug: bool) -> None:
    with override_settings(DEBUG=debug):
        api, page = visitor.get("/api/nowhere/"), visitor.get("/nowhere/")

    assert (api.status_code, api.json()["error_code"]) == (404, codes.NOT_FOUND.id)
    assert (page.status_code, page["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert page["X-Correlation-ID"] in page.content.decode()


def test_who_must_wait_is_told_how_long(visitor: Client) -> None:
    assert visitor.get("/boom/wait")["Retry-After"] == "300"
    assert visitor.get("/api/boom/wait")["Retry-After"] == "300"
    assert visitor.get("/api/boom/throttled")["Retry-After"] == "13"
    assert visitor.get("/api/boom/throttled").json()["error"] == "TOO_MANY_REQUESTS"
    assert visitor.get("/api/plain/redis")["Retry-After"] == "30"


@pytest.mark.parametrize(
    "body", ["{", "[", '{"hashtag": ', "\xff\xfe", "[" * 100_000, "{'a': 1}", "NaNaN"], ids=lambda body: body[:12]
)
def test_malformed_json_is_named(visitor: Client, body: str) -> None:
    response = visitor.post("/api/form", body.encode("latin-1"), content_type="application/json")

    assert (response.status_code, response.json()["error"]) == (400, "JSON_MALFORMED")


def test_a_wrong_field_is_named(visitor: Client) -> None:
    response = visitor.post("/api/form", json.dumps({"amount": 1000}), content_type="application/json")

    body = response.json()
    assert (response.status_code, body["error"]) == (400, "VALIDATION_FAILED")
    assert body["message"] == "hashtag: This field is required."
    assert set(body["details"]) == {"hashtag", "amount"}


def test_a_wrong_way_of_asking_is_named(visitor: Client) -> None:
    method = visitor.get("/api/form")
    media = visitor.post("/api/form", "<a/>", content_type="application/xml")

    assert (method.status_code, method.json()["error"], method["Allow"]) == (405, "METHOD_NOT_ALLOWED", "POST, OPTIONS")
    assert (media.status_code, media.json()["error"]) == (415, "UNSUPPORTED_MEDIA")


def test_ids_from_outside_are_not_taken_over(visitor: Client) -> None:
    response = visitor.get("/fine", headers={"X-Request-ID": "mine", "X-Correlation-ID": "c-0011223344aa"})

    assert CORRELATION.fullmatch(response["X-Correlation-ID"])
    assert response["X-Correlation-ID"] != "c-0011223344aa"
    assert response.content.decode() == response["X-Correlation-ID"]


def test_two_requests_are_two_stories(visitor: Client) -> None:
    assert visitor.get("/fine")["X-Correlation-ID"] != visitor.get("/fine")["X-Correlation-ID"]


@pytest.mark.parametrize(
    ("origin", "code"), [(None, codes.CSRF_FAILED), ("https://evil.example", codes.ORIGIN_REFUSED)]
)
def test_a_forged_form_is_refused_with_its_code(origin: str | None, code: codes.Code) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/boom/bot", headers={"Origin": origin} if origin else {})

    assert response.status_code == 403
    assert code.id in response.content.decode()


def test_a_page_that_cannot_be_drawn_is_still_an_answer(visitor: Client) -> None:
    broken = [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]
    with override_settings(TEMPLATES=broken):
        response = visitor.get("/boom/bot")

    assert response.status_code == 409
    assert "E-SESS-E-0001" in response.content.decode()
    assert response["X-Correlation-ID"] in response.content.decode()


@pytest.mark.parametrize("code_id", ["E-FLW-W-0002", "e-flw-w-0002", "FOLLOW_LIMIT_NEAR"])
def test_each_code_has_a_help_page(visitor: Client, code_id: str) -> None:
    response = visitor.get(f"/help/errors/{code_id}/")

    assert response.status_code == 200
    assert codes.FOLLOW_LIMIT_NEAR.what in response.content.decode()


def test_help_shows_members_where_it_occurred_in_their_workspace_alone(rf: RequestFactory) -> None:
    mine, theirs = uuid4(), uuid4()
    for workspace, code in ((mine, codes.FOLLOW_BLOCKED), (theirs, codes.FOLLOW_BLOCKED), (mine, codes.NET_TIMEOUT)):
        record(code, action="follow", workspace=workspace)
    request = rf.get("/help/errors/FOLLOW_BLOCKED/")

    assert views.find_occurrences(request, codes.FOLLOW_BLOCKED) == ([], 0)
    request.workspace = SimpleNamespace(pk=mine)
    with scope(mine):
        occurrences, in_7_days = views.find_occurrences(request, codes.FOLLOW_BLOCKED)
    assert ([row.workspace_id for row in occurrences], in_7_days) == ([mine], 1)


def test_help_about_a_code_nobody_knows_is_not_found_but_about_a_generated_one_is(visitor: Client) -> None:
    assert visitor.get("/help/errors/E-FLW-W-0999/").status_code == 404
    assert visitor.get("/help/errors/E-API-E-9123/").status_code == 200


def test_help_is_searched_by_words(visitor: Client) -> None:
    page = visitor.get("/help/errors/", {"q": "follow limit"}).content.decode()

    assert "E-FLW-W-0002" in page
    assert "E-AUTH-E-0001" not in page
