"""Upkeep of the log, and alerts."""

import json
import time
from http import HTTPStatus

from celery import shared_task
from django.conf import settings
from django.core.mail import send_mail
from django.db import connection

from errors import outbound
from errors.exceptions import BotException


@shared_task(ignore_result=True, platform="the log is everybody's")
def ensure_partitions() -> None:
    """Keep the log's monthly partitions made for a year ahead."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ensure_activity_partitions(12)")


class AlertNotSentError(Exception):
    """The operators' webhook did not take an alert. Its address, often a secret, is not in the words."""


@shared_task(
    ignore_result=True,
    platform="operators hear of what happens anywhere",
    autoretry_for=(AlertNotSentError,),
    max_retries=3,
    retry_backoff=10,
)
def send_alert(message: dict[str, object]) -> None:
    """POST one alert to the operators' webhook, signed where there is a secret, up to four times."""
    body = json.dumps(message).encode()
    headers = {"Content-Type": "application/json"}
    if settings.ALERT_WEBHOOK_SECRET:
        headers[outbound.SIGNATURE] = outbound.signed(settings.ALERT_WEBHOOK_SECRET, body, int(time.time()))
    try:
        status = outbound.post(settings.ALERT_WEBHOOK_URL, body, headers)
    except BotException as exc:
        raise AlertNotSentError(exc.code.name) from None
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        raise AlertNotSentError(f"The webhook answered {status}.")


@shared_task(ignore_result=True, platform="operators hear of what happens anywhere")
def mail_alert(message: dict[str, object]) -> None:
    """Mail one alert to the operators, through the outbox as every mail."""
    subject = f"[InstaGrowth OS] {message['error_code'] or 'Test'}: {message['action']}"
    facts = "\n".join(f"{name}: {value}" for name, value in message.items() if name != "text" and value)
    send_mail(subject, f"{message['text']}\n\n{facts}\n", None, settings.ALERT_EMAILS)
