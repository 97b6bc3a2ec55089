"""Everything is saved in one sealed file, and comes back row by row; a file that was touched changes nothing."""

import os
import shutil

import psycopg
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import User
from bots import sessions
from bots.models import Session
from errors.models import ActivityLog
from errors.recording import log_activity
from instagrowth import backups, live
from instagrowth.models import LiveEvent
from instagrowth.testing import everywhere


@pytest.fixture
def files(settings, tmp_path):
    """A folder of private files of this test alone."""
    place = tmp_path / "data" / "files"
    private = settings.STORAGES["default"] | {"OPTIONS": {"location": place, "base_url": None}}
    settings.STORAGES = settings.STORAGES | {"default": private}
    place.mkdir(parents=True)
    (place / "exports").mkdir()
    (place / "exports" / "one.zip").write_bytes(b"a file")
    return place


@pytest.fixture
def saved(committed, alice, alices_account, files, tmp_path):
    """A backup of Alice's workspace."""
    with everywhere():
        log_activity("connect", workspace=alices_account.workspace_id, user=alice, account=alices_account)
    live.publish(live.STAFF, "alert", {"text": "of before"})
    target = tmp_path / "all.backup"
    call_command("backup", str(target))
    return target


@pytest.fixture
def databases():
    """The names of the databases; what a restore left beside ours is dropped."""

    def names():
        with backups._connect("postgres") as server:
            rows = server.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{ours}%"]).fetchall()
            return sorted(name for (name,) in rows)

    ours = connection.settings_dict["NAME"]
    yield names
    for name in names():
        if "_before_" in name or "_restored_" in name:
            backups._drop(name)


def test_everything_comes_back(saved, alices_account, alice, files, databases, capsys):
    with everywhere():
        logged = ActivityLog.objects.count()
        User.objects.filter(pk=alice.pk).update(name="Somebody Else")
        Session.objects.all().delete()
    shutil.rmtree(files / "exports")
    connection.close()

    call_command("restore", str(saved))

    assert "diff 0" in capsys.readouterr().out
    with everywhere():
        assert User.objects.get(pk=alice.pk).name == "Alice"
        login = sessions.settings_of(Session.objects.get())
        assert login["authorization_data"]["ds_user_id"] == str(alices_account.instagram_pk)
        assert ActivityLog.objects.count() == logged
    assert LiveEvent.objects.count() == 0, "another server counts its transactions anew"
    assert Session.objects.count() == 0, "the walls stand again"
    with pytest.raises(Exception, match="permission denied"), everywhere():
        ActivityLog.objects.all().delete()
    assert (files / "exports" / "one.zip").read_bytes() == b"a file"
    assert len(databases()) == 2, "what was there is kept beside it"


def test_the_drill_compares_and_changes_nothing(saved, alice, databases, capsys):
    User.objects.filter(pk=alice.pk).update(name="Somebody Else")

    call_command("restore", str(saved), "--check")

    assert "can be restored" in capsys.readouterr().out
    assert User.objects.get(pk=alice.pk).name == "Somebody Else"
    assert len(databases()) == 1


def test_the_drill_finds_a_difference(saved, databases, monkeypatch):
    """The control: one row more or less is noticed."""
    digests = backups._digests

    def one_row_less(database):
        found = digests(database)
        count, digest = found["accounts_membership"]
        return found | {"accounts_membership": (count - 1, digest)}

    monkeypatch.setattr(backups, "_digests", one_row_less)
    with pytest.raises(CommandError, match="not what was saved, in: accounts_membership"):
        call_command("restore", str(saved), "--check")
    assert len(databases()) == 1


def test_nothing_is_restored_under_a_running_product(saved, databases):
    with psycopg.connect(**backups._login()), pytest.raises(CommandError, match="stop web, worker and beat first"):
        call_command("restore", str(saved))

    assert len(databases()) == 1


@pytest.mark.parametrize(
    ("touch", "says"),
    [
        (lambda blob: blob[:-1], "its end is missing"),
        (lambda blob: blob[: len(blob) // 2], "its end is missing"),
        (lambda blob: blob[:40] + bytes([blob[40] ^ 1]) + blob[41:], "was changed"),
        (lambda blob: b"PK" + blob[2:], "is no backup"),
        (lambda _: b"", "is no backup"),
        (lambda blob: blob[:4] + b"\x00\x63" + blob[6:], "no key number 99"),
    ],
)
def test_a_file_that_was_touched_is_refused(saved, touch, says, databases):
    saved.write_bytes(touch(saved.read_bytes()))

    with pytest.raises(CommandError, match=says):
        call_command("restore", str(saved))
    assert len(databases()) == 1


def test_the_file_is_ours_alone_and_tells_nothing(saved, alice):
    blob = saved.read_bytes()

    assert saved.stat().st_mode & 0o777 == 0o600
    assert sorted(os.listdir(saved.parent)) == [saved.name, "data"], "no draft is left"
    assert alice.email.encode() not in blob
    assert b"manifest" not in blob


def test_a_name_in_use_is_written_whole_or_not_at_all(saved, monkeypatch):
    before = saved.read_bytes()
    monkeypatch.setattr(backups, "_run", lambda *_, **__: (_ for _ in ()).throw(backups.BackupError("pg_dump failed")))

    with pytest.raises(CommandError, match="pg_dump failed"):
        call_command("backup", str(saved))
    assert saved.read_bytes() == before


def test_private_files_alone_are_taken_along(files, tmp_path):
    default_storage.save("logos/x.png", ContentFile(b"png"))

    assert [str(path.relative_to(files)) for path in backups._files()] == ["exports/one.zip", "logos/x.png"]
