"""Sentry: the only module that imports its library, and only where SENTRY_DSN is set.

We send what `record()` knows, already without secrets, and nothing the library would collect by itself: no request
bodies, no local variables, no breadcrumbs.
"""

from functools import cache
from typing import Any

from django.conf import settings

from errors.codes import Code
from errors.models import ErrorGroup

_LEVEL = {"W": "warning", "E": "error", "C": "fatal"}


def capture(code: Code, fields: dict[str, Any], group: ErrorGroup) -> None:
    """Hand an error over; the library sends it from a thread of its own. Nothing without a DSN."""
    if not (client := _client()):
        return
    meta = fields["metadata"]
    client.capture_event(
        {
            "level": _LEVEL[code.severity],
            "message": f"{code.id} {code.name}: {fields['error_message']}",
            "fingerprint": [group.fingerprint],
            "tags": {
                "error_code": code.id,
                "error": code.name,
                "action": fields["action"],
                "correlation_id": fields["correlation_id"],
            },
            "extra": {key: meta[key] for key in ("file", "line", "exception", "stack") if key in meta},
        }
    )


def say(words: str) -> None:
    """Hand a sentence over."""
    if client := _client():
        client.capture_event({"level": "info", "message": words})


def flush() -> None:
    """Wait until what was handed over has left, at most two seconds."""
    if client := _client():
        client.flush(timeout=2)


def _client() -> Any:
    return _made(settings.SENTRY_DSN) if settings.SENTRY_DSN else None


@cache
def _made(dsn: str) -> Any:
    import sentry_sdk

    return sentry_sdk.Client(
        dsn=dsn,
        default_integrations=False,
        auto_enabling_integrations=False,
        include_local_variables=False,
        max_breadcrumbs=0,
        server_name="",
    )
