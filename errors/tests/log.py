"""Views on the log, as the rooms to our right have them through `accounts.tenancy`."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max

from errors.models import ActivityLog

_begins_after = {"id": 0}


def begin() -> None:
    """The log of this test begins here: what earlier ones committed stays, for nobody can delete it."""
    with scope(platform="platform"):
        _begins_after["id"] = ActivityLog.objects.aggregate(last=Max("id"))["last"] or 0


def rows() -> list[ActivityLog]:
    """The log of this test, oldest first."""
    with scope(platform="platform"):
        return list(ActivityLog.objects.filter(id__gt=_begins_after["id"]).order_by("id"))


@contextmanager
def scope(workspace: UUID | str = "", platform: str = "") -> Iterator[None]:
    """See one workspace, or all."""
    with transaction.atomic(), connection.cursor() as cursor:
        sql = "SELECT set_config('app.workspace', %s, true), set_config('app.scope', %s, true)"
        cursor.execute(sql, [str(workspace), platform])
        yield
        cursor.execute(sql, ["", ""])


def in_view() -> str:
    """The workspace and the scope that are set now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.workspace', true) || ' ' || current_setting('app.scope', true)")
        return cursor.fetchone()[0]
