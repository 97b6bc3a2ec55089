"""One event, one line of JSON; nothing in it is a secret."""

import logging.config
from typing import Any

import structlog
from structlog.typing import EventDict

from errors.redaction import redact_event

# Loggers that are not as talkative as the root. What `record()` writes with a code is not written again by others.
_LEVELS = {
    "instagrapi": "WARNING",  # its DEBUG prints whole answers with session tokens, its INFO addresses with names
    "private_request": "WARNING",
    "public_request": "WARNING",
    "graphql_request": "WARNING",
    "urllib3": "WARNING",
    "httpx2": "WARNING",
    "openai": "WARNING",  # its DEBUG prints what was asked
    "fontTools": "WARNING",  # each letter of a PDF
    "django.request": "CRITICAL",
    "django.template": "INFO",  # its DEBUG prints everything that a page is drawn with
    "django.db.backends": "INFO",  # its DEBUG prints statements with what is written
    "django.security.csrf": "ERROR",
    "django_structlog.celery": "ERROR",
    "celery.app.trace": "CRITICAL",
    "celery.worker.strategy": "WARNING",
    "celery.worker.request": "WARNING",  # ticks that a busy worker let expire are not news
    "celery.beat": "WARNING",
    "uvicorn.access": "WARNING",  # `request_finished` is our access log
}
_RECORDED = {"request_failed", "task_failed"}


def logging_config(level: str = "INFO", stream: str = "stdout") -> None:
    """Send every log line of this process, ours and the libraries', through one JSON formatter to `stream`.

    Raises ValueError for an unknown level.
    """
    before: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="timestamp"),
    ]
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "json": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": [*before, structlog.stdlib.ExtraAdder()],
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        structlog.processors.format_exc_info,
                        redact_event,
                        structlog.processors.JSONRenderer(default=str),
                    ],
                },
            },
            "handlers": {
                "lines": {"class": "logging.StreamHandler", "stream": f"ext://sys.{stream}", "formatter": "json"}
            },
            "root": {"handlers": ["lines"], "level": level.upper()},
            # An empty list takes away the handlers that uvicorn gave itself before we were imported.
            "loggers": {
                name: {"handlers": [], "propagate": True} for name in ("django", "uvicorn", "uvicorn.error", "celery")
            }
            | {name: {"handlers": [], "propagate": True, "level": floor} for name, floor in _LEVELS.items()},
        }
    )
    logging.captureWarnings(True)  # they come in several lines otherwise
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            _skip_recorded,
            *before,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _skip_recorded(_: object, __: str, event: EventDict) -> EventDict:
    """django-structlog also reports failures; ours carry the code and the place."""
    if event.get("event") in _RECORDED:
        raise structlog.DropEvent
    return event
