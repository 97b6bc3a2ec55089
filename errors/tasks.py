"""Upkeep of the log, and alerts."""

import json
import time
from http import HTTPStatus

from celery import shared_task
from django.conf import settings
from django.core.mail import get_connection, send_mail

from errors import codes, outbound, partitions, steps
from errors.exceptions import BotException
from instagrowth import system


@shared_task(ignore_result=True, platform="the log is everybody's")
def ensure_partitions() -> None:
    """Keep the log's monthly partitions made for a year ahead, and let go what is older than is kept."""
    partitions.turn_over()
    steps.forget()


@shared_task(
    ignore_result=True,
    platform="operators hear of what happens anywhere",
    autoretry_for=(BotException,),
    max_retries=3,
    retry_backoff=10,
)
def send_alert(message: dict[str, object]) -> None:
    """POST one alert to the operators' webhook, signed where there is a secret, up to four times.

    Raises ALERT_NOT_SENT. The address, often a secret, is not in the words.
    """
    body = json.dumps(message).encode()
    headers = {"Content-Type": "application/json"}
    if settings.ALERT_WEBHOOK_SECRET:
        headers[outbound.SIGNATURE] = outbound.signed(settings.ALERT_WEBHOOK_SECRET, body, int(time.time()))
    try:
        status = outbound.post(settings.ALERT_WEBHOOK_URL, body, headers)
    except BotException as exc:
        raise BotException(codes.ALERT_NOT_SENT, because=exc.code.name) from None
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        raise BotException(codes.ALERT_NOT_SENT, because=f"The webhook answered {status}.")


@shared_task(ignore_result=True, platform="operators hear of what happens anywhere")
def mail_alert(message: dict[str, object], *, straight: bool = False) -> None:
    """Mail one alert to the operators, through the outbox as every mail; `straight`: past it, which needs workers."""
    subject = f"[InstaGrowth OS] {message['error_code'] or 'Test'}: {message['action']}"
    facts = "\n".join(f"{name}: {value}" for name, value in message.items() if name != "text" and value)
    way = get_connection(settings.MAIL_BACKEND) if straight else None
    send_mail(subject, f"{message['text']}\n\n{facts}\n", None, system.ALERT_EMAILS.now(), connection=way)
