"""The database's clock: the only one that decides when something is due, and how long an account rests."""

from datetime import datetime

from django.db import connection


def db_now() -> datetime:
    """The moment the database's transaction began; a worker whose own clock is wrong changes nothing by it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        now: datetime = cursor.fetchone()[0]
    return now
