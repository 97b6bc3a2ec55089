"""Upkeep of the log."""

from celery import shared_task
from django.db import connection


@shared_task(ignore_result=True)
def ensure_partitions() -> None:
    """Keep the log's monthly partitions made for a year ahead."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ensure_activity_partitions(12)")
