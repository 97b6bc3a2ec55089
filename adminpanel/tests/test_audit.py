"""The admin log: nobody changes a row, and a change by the database's owner shows."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from accounts.models import User
from adminpanel import audit
from adminpanel.models import AdminLog
from adminpanel.tests.control_room import staff_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def five(nobody_guessed: None) -> list[AdminLog]:
    olga = staff_person("olga")
    return [audit.record("users.block", by=olga, target=olga, reason=f"reason {number}") for number in range(5)]


@pytest.mark.parametrize(
    "deed", ["UPDATE admin_logs SET reason = 'x'", "DELETE FROM admin_logs", "TRUNCATE admin_logs"]
)
def test_the_apps_role_cannot_change_it(five: list[AdminLog], deed: str) -> None:
    for grant in ("", "GRANT UPDATE, DELETE, TRUNCATE ON admin_logs TO CURRENT_USER;"):  # an owner may grant itself
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(grant + deed)
    assert list(audit.verify()) == []


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE admin_logs SET reason = 'nothing' WHERE id = (SELECT max(id) - 2 FROM admin_logs)",
        "UPDATE admin_logs SET created_at = created_at - interval '1 day' WHERE id = (SELECT max(id) FROM admin_logs)",
        "DELETE FROM admin_logs WHERE id = (SELECT max(id) - 3 FROM admin_logs)",
        "DELETE FROM admin_logs WHERE id = (SELECT min(id) FROM admin_logs)",
    ],
)
def test_what_somebody_with_all_rights_changed_is_found(five: list[AdminLog], tampering: str) -> None:
    call_command("adminlog", "--expect", five[-1].hash)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "GRANT UPDATE, DELETE ON admin_logs TO CURRENT_USER; ALTER TABLE admin_logs DISABLE TRIGGER USER"
        )
        cursor.execute(tampering)

    detected = list(audit.verify())
    print(f"detected={len(detected)}")
    assert detected
    with pytest.raises(CommandError):
        call_command("adminlog")


def test_a_cut_off_end_shows_by_the_hash_in_the_processs_log(five: list[AdminLog]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "GRANT UPDATE, DELETE ON admin_logs TO CURRENT_USER; ALTER TABLE admin_logs DISABLE TRIGGER USER"
        )
        cursor.execute("DELETE FROM admin_logs WHERE id = (SELECT max(id) FROM admin_logs)")
    assert list(audit.verify()) == []
    with pytest.raises(CommandError, match="cut off"):
        call_command("adminlog", "--expect", five[-1].hash)


def test_secrets_and_whole_addresses_are_not_kept(nobody_guessed: None) -> None:
    olga = staff_person("olga")
    olga.set_password("a canary password 77")
    kept: Any = audit.record(
        "users.x", target=olga, after=audit.snapshot(olga), app_secret="canary-77", sealed=b"canary"
    )
    words = str(AdminLog.objects.values().get(pk=kept.pk))

    assert "canary" not in words
    assert olga.password not in words
    assert "ol•••@staff.example.com" in words
    assert User.objects.get(pk=olga.pk).email not in str(kept.changes)
