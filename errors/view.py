"""Rows of any workspace and of none are written, whatever the caller's own view is."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def platform_view() -> Iterator[None]:
    """See all workspaces for a moment; the caller's view comes back after. Needs a transaction.

    For what an errand of one workspace must tell the platform (`tenancy.platform` is closed to it, for good reasons):
    an error, an event for staff.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('app.scope', true), '')")
        (former,) = cursor.fetchone()
        cursor.execute("SELECT set_config('app.scope', 'platform', true)")
        yield  # after a database error the rollback lays the former view back
        cursor.execute("SELECT set_config('app.scope', %s, true)", [former])
