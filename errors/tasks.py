"""Upkeep of the log, and alerts."""

from http import HTTPStatus

import requests
from celery import shared_task
from django.conf import settings
from django.db import connection


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
    """POST one alert to the operators' webhook, up to four times. Redirects are not followed."""
    try:
        answer = requests.post(settings.ALERT_WEBHOOK_URL, json=message, timeout=(3, 5), allow_redirects=False)
    except requests.RequestException as exc:
        raise AlertNotSentError(type(exc).__name__) from None
    if answer.status_code >= HTTPStatus.MULTIPLE_CHOICES:
        raise AlertNotSentError(f"The webhook answered {answer.status_code}.")
