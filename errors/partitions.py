"""The months of the activity log: made ahead, and dropped whole when they are older than is kept."""

from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from instagrowth import system

AHEAD = 12  # months: so long may nobody look after the log before a row finds no place
PATIENCE = "3s"  # a month is dropped under a lock that everybody waits behind: rather try again at the next tick


def turn_over(today: datetime | None = None) -> tuple[int, list[str]]:
    """Make the months ahead of `today` (now) and drop those that ended long ago; how many, and which.

    The system settings say how long, 0 for ever. Raises OperationalError while somebody reads what must go.
    """
    today = today or timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
        cursor.execute("SELECT ensure_activity_partitions(%s, %s)", [AHEAD, today])
        (made,) = cursor.fetchone()
        if not (months := system.LOG_KEPT.now()):
            return made, []
        cursor.execute("SELECT drop_activity_partitions(%s, %s)", [months, today])
        return made, cursor.fetchone()[0]
