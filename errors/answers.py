"""One error, one shape: JSON for programs, a page for people, each with the code and the correlation id."""

import math
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.template import TemplateDoesNotExist, loader
from django.utils.html import format_html

from errors import codes
from errors.causes import code_of
from errors.codes import Code
from errors.exceptions import BotException
from instagrowth import system
from instagrowth.paths import is_api

logger = structlog.get_logger("errors")
# What Django raises for the visitor's own mistakes: answered with a code, not recorded.
_VISITORS: list[tuple[type[Exception], Code]] = [
    (Http404, codes.NOT_FOUND),
    (PermissionDenied, codes.NO_PERMISSION),
    (RequestDataTooBig, codes.BODY_TOO_LARGE),
    (SuspiciousOperation, codes.BAD_REQUEST),
    (BadRequest, codes.BAD_REQUEST),
    (MultiPartParserError, codes.BAD_REQUEST),
]


def visitors_code(exc: BaseException) -> Code | None:
    """Give the code of a mistake that is the visitor's own; None if it is a registered error of ours or a failure."""
    return next((code for kind, code in _VISITORS if isinstance(exc, kind)), None)


def fail(request: HttpRequest, exc: BaseException) -> HttpResponse:
    """Answer an exception. It is remembered on the request, and recorded once the transaction is over."""
    if visitors := visitors_code(exc):
        return answer(request, visitors)
    vars(request)["failure"] = exc
    message = str(exc) if isinstance(exc, BotException) else ""
    response = answer(request, code_of(exc), message)
    if (seconds := retry_after(exc)) is not None:
        response["Retry-After"] = str(seconds)
    return response


def retry_after(exc: BaseException) -> int | None:
    """Give the whole seconds after which a repetition makes sense, where `meta` or the code tells."""
    if isinstance(exc, BotException) and isinstance(seconds := exc.meta.get("retry_after"), int | float):
        return math.ceil(seconds)
    return 30 if code_of(exc).http == HTTPStatus.SERVICE_UNAVAILABLE else None


def payload(code: Code, message: str = "", correlation_id: str = "", **more: object) -> dict[str, object]:
    """Give the body that every error has in the API."""
    return {
        "success": False,
        "error": code.name,
        "error_code": code.id,
        "message": message or code.what,
        "do_next": code.do_next,
        **more,
        "correlation_id": correlation_id,
    }


def upgrade(exc: BaseException) -> dict[str, Any]:
    """What plan would allow what was refused, where one would: for programs."""
    return {"upgrade": exc.meta["upgrade"]} if isinstance(exc, BotException) and "upgrade" in exc.meta else {}


def answer(request: HttpRequest, code: Code, message: str = "") -> HttpResponse:
    """JSON under `/api/` and `/webhooks/`, else the error page."""
    correlation_id = getattr(request, "correlation_id", "")
    if is_api(request):
        return JsonResponse(payload(code, message, correlation_id), status=code.http)
    return HttpResponse(_page(request, code, message or code.what, correlation_id), status=code.http)


def _page(request: HttpRequest, code: Code, message: str, correlation_id: str) -> str:
    """Draw the page; when our own house is on fire (5xx), without looking anything up."""
    context = {
        "code": code,
        "message": message,
        "correlation_id": correlation_id,
        "status": code.http,
        "support": system.SUPPORT_EMAIL.now(),
    }
    try:
        template = loader.select_template([f"errors/{code.http}.html", "errors/error.html"])
        return template.render(context, None if code.http >= HTTPStatus.INTERNAL_SERVER_ERROR else request)
    except TemplateDoesNotExist:
        logger.exception("error_page_missing", status=code.http)
    except Exception:  # a page about an error must never be an error
        logger.exception("error_page_broken", status=code.http)
    return format_html(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>{code}</title><h1>{message}</h1>'
        "<p>{do_next}</p><p>{code} · {correlation_id}</p>",
        code=code.id,
        do_next=code.do_next,
        message=message,
        correlation_id=correlation_id,
    )
