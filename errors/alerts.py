"""Operators are told: at once of what is critical or unforeseen, and of any error that comes in a storm.

An error that repeats is told at its 1st, 10th, 100th … time within ten minutes, so a storm is a handful of alerts. They
go to the webhook, to Sentry and by mail, each where it is set, and to the staff's browsers.
"""

from http import HTTPStatus

import structlog
from celery import Task
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from errors import sentry
from errors.codes import ENGINE_LATE, Code
from errors.models import ErrorGroup
from errors.tasks import mail_alert, send_alert
from instagrowth import system

logger = structlog.get_logger("errors")
WINDOW = 600  # seconds in which the same error is counted as one


def consider(code: Code, fields: dict[str, object], group: ErrorGroup) -> None:
    """Tell the operators of this error if it is time to. The log line is there anyway.

    It does not wait for a commit: a critical error is one whether or not its transaction survives. Never raises.
    """
    urgent = code.severity == "C" or group.is_unforeseen
    if not urgent and (code.severity != "E" or code.http < HTTPStatus.INTERNAL_SERVER_ERROR):
        return  # a warning, or a visitor's own mistake: nobody shall wake operators by knocking at closed doors
    times, storm = _count(group), system.ALERT_STORM.now()
    if (urgent and _is_round(times)) or (
        not urgent and times >= storm and times % storm == 0 and _is_round(times // storm)
    ):
        send(_message(code, fields, group, times))
    if _is_round(times):
        sentry.capture(code, fields, group)


def send(message: dict[str, object]) -> list[str]:
    """Send a message on every way that is set, through the workers unless it tells of them; which ways."""
    ways = []
    if settings.ALERT_WEBHOOK_URL and _leaves(send_alert, message):
        ways.append("webhook")
    if system.ALERT_EMAILS.now() and _leaves(mail_alert, message):
        ways.append("mail")
    if settings.SENTRY_DSN:
        ways.append("sentry")
    return [*ways, *_tell_staff(message)]


def try_out(who: str) -> list[str]:
    """Send a test on every way that is set, to see that it arrives; which ways."""
    sentry.say(f"A test of the alerts, asked for by {who}.")
    return send(
        {
            "text": f"A test of the alerts, asked for by {who}. Nothing happened.",
            "error_code": "",
            "action": "test_alert",
            "correlation_id": "",
            "times": 1,
        }
    )


def _leaves(task: Task, message: dict[str, object]) -> bool:
    try:
        if message["error_code"] == ENGINE_LATE.id:
            task.run(message, **({"straight": True} if task is mail_alert else {}))
        else:
            task.delay(message)
    except Exception:  # whatever the broker, a webhook or a mail service says, the other ways are left
        logger.exception("alert_lost", error_code=message["error_code"])
        return False
    return True


def _message(code: Code, fields: dict[str, object], group: ErrorGroup, times: int) -> dict[str, object]:
    often = f" {times} times in ten minutes." if times > 1 else ""
    return {
        "text": f"{code.id} {code.name}: {code.what}{often} {code.do_next}",
        "error_code": code.id,
        "action": fields["action"],
        "correlation_id": fields["correlation_id"],
        "times": times,
        "fingerprint": group.fingerprint,
        "place": f"{group.file}:{group.line}" if group.file else "",
    }


def _count(group: ErrorGroup) -> int:
    """How often this error was met in the running window; the first time where nobody can count."""
    try:
        redis, key = get_redis_connection(), f"alerts:{group.fingerprint}"
        times = int(redis.incr(key))
        redis.expire(key, WINDOW, nx=True)  # after the count: one that never ended would be silent for good
    except RedisError:
        return 1
    return times


def _is_round(times: int) -> bool:
    """Whether it is 1, 10, 100 and so on."""
    return str(times).rstrip("0") == "1"


def _tell_staff(message: dict[str, object]) -> list[str]:
    from instagrowth import live  # its table is ready only after the apps are

    try:
        live.publish(live.STAFF, "alert", {"text": message["text"], "error_code": message["error_code"]})
    except (DatabaseError, InterfaceError):  # the alert may be about the database
        return []
    return ["staff"]
