"""Every request has an id, and every error an answer with its code."""

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from redis.exceptions import RedisError
from structlog.contextvars import bind_contextvars, clear_contextvars

from errors import correlation, steps
from errors.answers import answer, fail, visitors_code
from errors.causes import code_of
from errors.codes import NOT_FOUND
from errors.exceptions import BotException
from errors.recording import record

Answer = Callable[[HttpRequest], HttpResponse]


class CorrelationMiddleware:
    """Outermost of ours: gives the request its id, and an answer where even the middlewares inside failed."""

    def __init__(self, get_response: Answer) -> None:
        """Stand before `get_response`."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer with the id in `X-Correlation-ID`."""
        clear_contextvars()
        correlation_id = vars(request)["correlation_id"] = correlation.begin()
        gathered = steps.begin()
        response = _answered(self.get_response, request)
        response["X-Correlation-ID"] = correlation_id
        bind_contextvars(correlation_id=correlation_id)  # some middleware on the way cleared it
        steps.request_ended(gathered, request, response, vars(request).pop("failed_with", ""))
        clear_contextvars()
        return response


class ErrorMiddleware:
    """Outside of the transaction, so that what is recorded here stays when the request is undone."""

    def __init__(self, get_response: Answer) -> None:
        """Stand before `get_response`."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, errors included."""
        response = _answered(self.get_response, request)
        if settings.DEBUG and response.status_code == NOT_FOUND.http and request.resolver_match is None:
            # With DEBUG on, Django answers an unknown address with a page for developers, programs too.
            response = answer(request, NOT_FOUND)
        return response

    def process_exception(self, request: HttpRequest, exc: Exception) -> HttpResponse | None:
        """Answer what was foreseen. The rest goes on up, undoes the transaction, and is met in `__call__`."""
        if isinstance(exc, BotException) or visitors_code(exc):
            return fail(request, exc)
        return None


def _answered(get_response: Answer, request: HttpRequest) -> HttpResponse:
    """Give the response, or the answer to what was raised instead. Failures are recorded, visitors' mistakes are not.

    Django lets exceptions of middlewares come up to here because of DEBUG_PROPAGATE_EXCEPTIONS.
    """
    try:
        response = get_response(request)
    except Exception as exc:  # noqa: BLE001  (the last place that can answer)
        bind_contextvars(correlation_id=vars(request)["correlation_id"])  # some middleware on the way cleared it
        response = fail(request, exc)
    failure = vars(request).pop("failure", None)
    if failure is not None:
        vars(request)["failed_with"] = code_of(failure).id
    # Refusals of the impatient are counted elsewhere; a row for each would let them fill the log.
    if failure is not None and code_of(failure).http != HTTPStatus.TOO_MANY_REQUESTS:
        record(
            failure,
            action=f"{request.method} {getattr(request.resolver_match, 'view_name', '') or 'request'}",
            workspace=getattr(request, "workspace", None),
            user=_person(request),
            path=request.path,
        )
    return response


def _person(request: HttpRequest) -> object:
    """Say who asks, where that can still be found out."""
    try:
        return getattr(getattr(request, "user", None), "pk", None)
    except (DatabaseError, InterfaceError, RedisError):
        return None
