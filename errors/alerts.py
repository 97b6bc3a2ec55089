"""Operators are told of critical errors at once."""

import kombu.exceptions
import structlog
from django.conf import settings

from errors.codes import Code
from errors.tasks import send_alert

logger = structlog.get_logger("errors")


def consider(code: Code, fields: dict[str, object]) -> None:
    """Send the operators' webhook a message if the code is critical and a webhook is set. The log line is there anyway.

    It does not wait for a commit: a critical error is one whether or not its transaction survives.
    """
    if code.severity != "C" or not settings.ALERT_WEBHOOK_URL:
        return
    try:
        send_alert.delay(
            {
                "text": f"{code.id} {code.name}: {code.what} {code.do_next}",
                "error_code": code.id,
                "action": fields["action"],
                "correlation_id": fields["correlation_id"],
            }
        )
    except kombu.exceptions.OperationalError:
        logger.exception("alert_lost", error_code=code.id)
