"""Upkeep of the log, and alerts."""

import requests
from celery import shared_task
from django.conf import settings
from django.db import connection


@shared_task(ignore_result=True)
def ensure_partitions() -> None:
    """Keep the log's monthly partitions made for a year ahead."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ensure_activity_partitions(12)")


@shared_task(ignore_result=True, autoretry_for=(requests.RequestException,), max_retries=3, retry_backoff=10)
def send_alert(message: dict[str, object]) -> None:
    """POST one alert to the operators' webhook, up to four times. Raises requests.RequestException."""
    answer = requests.post(settings.ALERT_WEBHOOK_URL, json=message, timeout=(3, 5), allow_redirects=False)
    answer.raise_for_status()
