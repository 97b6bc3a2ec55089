"""The log's months turn over by themselves, whatever the clock says, and nobody changes a row meanwhile."""

from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from errors import partitions
from errors.models import ActivityLog
from errors.tests.log import rows, scope

pytestmark = pytest.mark.django_db
NEW_YEAR = datetime(2041, 1, 1, 0, 30, tzinfo=UTC)


def months() -> list[str]:
    """The months that have a table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT right(relname, 7) FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid"
            " WHERE inhparent = 'activity_logs'::regclass ORDER BY 1"
        )
        return [name for (name,) in cursor.fetchall()]


def write(at: datetime) -> ActivityLog:
    with scope(platform="platform"):
        return ActivityLog.objects.create(action="moved_clock", status="ok", at=at)


def test_a_clock_that_moves_finds_its_month_made_and_old_ones_gone(settings: Settings) -> None:
    settings.ACTIVITY_KEPT_MONTHS = 2
    former = f"activity_logs_{months()[0]}"
    write(timezone.now())

    made, gone = partitions.turn_over(NEW_YEAR)
    write(last_second := datetime(2040, 12, 31, 23, 59, 59, tzinfo=UTC)), write(NEW_YEAR)

    assert (made, gone[0], [months()[i] for i in (0, 1, -1)]) == (14, former, ["2040_12", "2041_01", "2042_01"])
    assert [row.at for row in rows()] == [last_second, NEW_YEAR]
    assert partitions.turn_over(NEW_YEAR) == (0, [])
    assert partitions.turn_over(datetime(2041, 3, 1, tzinfo=UTC)) == (2, ["activity_logs_2040_12"])
    assert [row.at for row in rows()] == [NEW_YEAR]


def test_without_a_table_for_its_month_a_row_is_refused() -> None:
    with pytest.raises(DatabaseError, match="no partition"), transaction.atomic():
        write(NEW_YEAR)


def test_what_is_kept_for_ever_stays(settings: Settings) -> None:
    settings.ACTIVITY_KEPT_MONTHS = 0
    before = months()

    assert partitions.turn_over(NEW_YEAR)[1] == []
    assert set(before) < set(months())


@pytest.mark.parametrize("table", ["activity_logs", "activity_logs_2041_01"])
@pytest.mark.parametrize("deed", ["UPDATE {} SET status = 'ok'", "DELETE FROM {}", "TRUNCATE {}"])
def test_a_month_that_was_made_by_itself_is_append_only_too(table: str, deed: str) -> None:
    partitions.turn_over(NEW_YEAR)
    write(NEW_YEAR)

    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(deed.format(table))


def test_a_new_month_shows_nothing_to_who_names_it() -> None:
    partitions.turn_over(NEW_YEAR)
    write(NEW_YEAR)

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM activity_logs_2041_01")
        assert cursor.fetchone() == (0,)
