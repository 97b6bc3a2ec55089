"""The id of an answer finds its story, also when a middleware failed after others had cleared the log's context."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from structlog.contextvars import clear_contextvars

from errors.middleware import CorrelationMiddleware
from errors.tests.log import rows


@pytest.mark.django_db
def test_a_middleware_that_fails_late_is_found_by_the_answers_id() -> None:
    def fails_late(_: object) -> HttpResponse:
        clear_contextvars()
        raise RuntimeError("on the way out")

    answer = CorrelationMiddleware(fails_late)(RequestFactory().post("/api/accounts"))

    assert answer.status_code == 500
    assert [row.correlation_id for row in rows()] == [answer["X-Correlation-ID"]]
