"""The API's errors: what REST framework raises, in our one shape."""

import json
import math

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.views import set_rollback

from errors import codes
from errors.answers import payload, retry_after, upgrade, visitors_code
from errors.codes import Code
from errors.exceptions import BotException

# The first row that fits decides.
_CODES: list[tuple[type[Exception], Code]] = [
    (drf.ParseError, codes.JSON_MALFORMED),
    (drf.ValidationError, codes.VALIDATION_FAILED),
    (drf.NotAuthenticated, codes.NOT_SIGNED_IN),
    (drf.AuthenticationFailed, codes.TOKEN_INVALID),
    (drf.PermissionDenied, codes.NO_PERMISSION),
    (drf.NotFound, codes.NOT_FOUND),
    (drf.MethodNotAllowed, codes.METHOD_NOT_ALLOWED),
    (drf.NotAcceptable, codes.NOT_ACCEPTABLE),
    (drf.UnsupportedMediaType, codes.UNSUPPORTED_MEDIA),
    (drf.Throttled, codes.TOO_MANY_REQUESTS),
]


def exception_handler(exc: Exception, context: dict[str, object]) -> Response | None:
    """Answer an exception of an API view, whose transaction is then undone; None if nobody foresaw it."""
    request = getattr(context.get("request"), "_request", None)
    code = _code(exc)
    if code is None:
        return None
    set_rollback()
    if isinstance(exc, BotException) and request is not None:
        vars(request)["failure"] = exc  # recorded by the middleware once the transaction is over
    correlation_id = getattr(request, "correlation_id", "")
    return Response(
        payload(code, _message(exc), correlation_id, **_details(exc), **upgrade(exc)), code.http, headers=_headers(exc)
    )


def _code(exc: Exception) -> Code | None:
    if isinstance(exc, BotException):
        return exc.code
    if isinstance(exc, Http404 | PermissionDenied | SuspiciousOperation):
        return visitors_code(exc)
    if isinstance(exc, RecursionError) and _raised_by_json(exc):
        return codes.JSON_MALFORMED
    if isinstance(exc, drf.PermissionDenied) and str(exc.detail).startswith("CSRF Failed"):
        return codes.CSRF_FAILED
    return next((code for kind, code in _CODES if isinstance(exc, kind)), None)


def _message(exc: Exception) -> str:
    """One sentence where the exception says more than its code."""
    if isinstance(exc, BotException):
        return str(exc)
    if isinstance(exc, drf.ValidationError):
        return _first(exc.detail)
    if isinstance(exc, drf.PermissionDenied | drf.NotFound) and str(exc.detail) != str(exc.default_detail):
        return str(exc.detail)
    return ""


def _first(detail: object, field: str = "") -> str:
    """Give the first complaint in REST framework's tree of them, with the field it is about."""
    if isinstance(detail, dict):
        name, inner = next(iter(detail.items()), ("", ""))
        return _first(inner, field if name == "non_field_errors" else ".".join(filter(None, (field, str(name)))))
    if isinstance(detail, list):
        return _first(next((item for item in detail if item), ""), field)
    return f"{field}: {detail}" if field and detail else str(detail)


def _details(exc: Exception) -> dict[str, object]:
    """All complaints, by field."""
    if isinstance(exc, BotException) and "field" in exc.meta:
        return {"details": {str(exc.meta["field"]): [str(exc)]}}
    if not isinstance(exc, drf.ValidationError):
        return {}
    return {"details": exc.detail if isinstance(exc.detail, dict) else {"non_field_errors": exc.detail}}


def _headers(exc: Exception) -> dict[str, str]:
    challenge, wait = getattr(exc, "auth_header", None), getattr(exc, "wait", None)
    seconds = math.ceil(wait) if wait else retry_after(exc) if isinstance(exc, BotException) else None
    found = {"WWW-Authenticate": challenge, "Retry-After": seconds}
    return {name: str(value) for name, value in found.items() if value is not None}


def _raised_by_json(exc: RecursionError) -> bool:
    """Whether a body nested too deeply caused it, and not a fault of ours."""
    last = exc.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return last is not None and last.tb_frame.f_globals.get("__package__") == json.__package__
