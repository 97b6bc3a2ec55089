"""Everybody can take their data with them: all of it, and none of its secrets."""

import csv
import io
import os
import re
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.core import mail
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection
from django.test import Client
from django.utils.timezone import now

from accounts import archives, limits, sign_in, tasks, tenancy
from accounts.models import ApiToken, Export, StaffDevice, User, Workspace
from bots.models import Bot, BotTask, Candidate
from errors.models import ActivityLog
from instagrowth.testing import everywhere
from instagrowth.testing_processes import eventually, servers_of_the_tests

ROOT = Path(__file__).resolve().parents[2]
PAGE = "/settings/privacy/"
ARCHIVE = f"{PAGE}archive/"
pytestmark = pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")  # the tests' client is no ASGI


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path: Any) -> None:
    private = settings.STORAGES["default"]
    options = private["OPTIONS"] | {"location": tmp_path}
    settings.STORAGES = settings.STORAGES | {"default": private | {"OPTIONS": options}}


def archive_of(user: User) -> Export:
    """Have one made, as a worker does."""
    with tenancy.person(user):
        export = archives.ask(user)
    archives.make(str(export.pk))
    with tenancy.person(user):
        export.refresh_from_db()
    return export


def opened(export: Export) -> dict[str, str]:
    with default_storage.open(export.file) as file, zipfile.ZipFile(file) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def folder_of(workspace: Workspace) -> str:
    return f"{workspace.name.lower().replace(' ', '-').replace(chr(39), '')}-{str(workspace.pk)[:8]}"


def test_it_holds_the_person_and_every_table_of_what_they_own(alice: User, alices_bot: Bot) -> None:
    with everywhere():
        BotTask.objects.create(workspace_id=alices_bot.workspace_id, bot=alices_bot, kind="like", amount=7, value="sea")
        ActivityLog.objects.create(workspace_id=alices_bot.workspace_id, user_id=alice.pk, action="a_deed", status="ok")
        workspace = Workspace.objects.get(pk=alices_bot.workspace_id)

    export = archive_of(alice)

    files, folder = opened(export), folder_of(workspace)
    assert (export.state, export.done) == (Export.State.DONE, export.total)
    assert rows(files["you/accounts_user.csv"])[0]["email"] == "alice@example.com"
    assert rows(files["you/account_emailaddress.csv"])[0]["email"] == "alice@example.com"
    assert [row["action"] for row in rows(files["you/errors_activitylog.csv"])] == ["a_deed"]
    assert [row["username"] for row in rows(files[f"{folder}/bots_instagramaccount.csv"])] == ["alice.clay"]
    assert [(row["value"], row["amount"]) for row in rows(files[f"{folder}/bots_bottask.csv"])] == [("sea", "7")]
    tenants = {model for model in apps.get_models() if archives.has(model, "workspace_id")}
    assert {f"{folder}/{model._meta.label_lower.replace('.', '_')}.csv" for model in tenants} <= set(files)
    assert all(path in files["README.txt"] for path in files if path != "README.txt")
    assert export.size == default_storage.size(export.file)


def test_it_holds_nothing_of_others(alice: User, alices_bot: Bot, bob: User, charlie: User) -> None:
    with everywhere():
        ActivityLog.objects.create(
            workspace_id=alices_bot.workspace_id, user_id=bob.pk, action="bobs_deed", status="ok"
        )
        ActivityLog.objects.create(
            workspace_id=alices_bot.workspace_id, user_id=alice.pk, action="alices_deed", status="ok"
        )

    bobs, charlies = opened(archive_of(bob)), opened(archive_of(charlie))

    assert {path.partition("/")[0] for path in bobs} == {"README.txt", "you"}  # a manager owns nothing
    assert [row["action"] for row in rows(bobs["you/errors_activitylog.csv"])] == ["bobs_deed"]
    for word in ("alice.clay", "alices_deed", str(alice.pk)):
        assert word not in "".join(bobs.values())
        assert word not in "".join(charlies.values())
    assert str(alices_bot.workspace_id) not in "".join(charlies.values())


def test_no_secret_is_ever_in_it(alice: User, alices_bot: Bot, client: Client) -> None:
    client.force_login(alice)
    UserSession.objects.create(user=alice, session_key=client.session.session_key, ip="203.0.113.7")
    sign_in.make_token(alice, ApiToken.Realm.USER)
    Authenticator.objects.create(user=alice, type="totp", data={"secret": "JBSWY3DPEHPK3PXP"})
    StaffDevice.objects.create(user=alice, sealed_secret=b"sealed-staff-secret")
    secrets = [
        alice.password,
        client.session.session_key,
        *ApiToken.objects.filter(user=alice).values_list("digest", flat=True),
        *ApiToken.objects.filter(user=alice).values_list("token_key", flat=True),
        "JBSWY3DPEHPK3PXP",
        "sealed-staff-secret",
        alices_bot.account.session.fingerprint,
        bytes(alices_bot.account.session.sealed)[40:60].hex(),
    ]

    text = "".join(opened(archive_of(alice)).values())

    assert [secret for secret in secrets if not secret or secret in text] == []
    assert "\\x" not in text
    assert '"totp"' in text or ",totp," in text  # which factors there are is told


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1"])
def test_a_spreadsheet_computes_nothing(alice: User, alices_bot: Bot, text: str) -> None:
    with everywhere():
        Bot.objects.update(display_name=text)

    files = opened(archive_of(alice))

    (bots,) = (rows(content) for path, content in files.items() if path.endswith("bots_bot.csv"))
    assert bots[0]["display_name"] == f"'{text}"


def memory(name: str) -> int:
    """This process's memory in kB: VmRSS now, VmHWM at most."""
    return int(re.findall(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())[0])


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="left out: memory is counted on Linux")
def test_a_hundred_thousand_rows_take_no_more_memory_than_a_few(alice: User, alices_bot: Bot) -> None:
    with everywhere():
        task = BotTask.objects.create(workspace_id=alices_bot.workspace_id, bot=alices_bot, kind="like", amount=7)
        Candidate.objects.create(workspace_id=task.workspace_id, task=task, target_pk=1, username="a.person", place=1)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO bots_candidate SELECT (jsonb_populate_record("
                "  one, jsonb_build_object('id', gen_random_uuid(), 'target_pk', n))).*"
                " FROM bots_candidate one, generate_series(2, 100000) n"
            )
    with tenancy.person(alice):
        export = archives.ask(alice)

    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    before = memory("VmRSS")
    archives.make(str(export.pk))
    peak = memory("VmHWM") - before

    with tenancy.person(alice):
        export.refresh_from_db()
    (people,) = (text for path, text in opened(export).items() if path.endswith("bots_candidate.csv"))
    assert people.count("\n") == 100_001
    print(f"100,000 rows took {peak / 1024:.1f} MB of memory")
    assert peak < 24 * 1024  # kB; as objects these rows are 150 MB


def test_one_is_made_at_a_time_and_three_a_day(client: Client, alice: User) -> None:
    client.force_login(alice)
    for _ in range(3):
        client.post(ARCHIVE)
    with tenancy.person(alice):
        first = alice.exports.get()
    assert limits.left(limits.EXPORT, alice.pk) == limits.EXPORT.amount - 1

    archives.make(str(first.pk))
    for _ in range(limits.EXPORT.amount - 1):
        client.post(ARCHIVE)
        with tenancy.person(alice):
            key = str(alice.exports.get(state=Export.State.QUEUED).pk)
        archives.make(key)
    page = client.post(ARCHIVE, follow=True).content.decode()

    assert "E-AUTH-" in page
    with tenancy.person(alice):
        assert alice.exports.get().state == Export.State.DONE  # the newest took the place of the others
    assert default_storage.listdir(archives.FOLDER)[1] == [f"{key}.zip"]


def test_only_its_person_downloads_it(client: Client, alice: User, bob: User, charlie: User) -> None:
    address = f"{ARCHIVE}{archive_of(alice).pk}/"

    answers = {}
    for user in (alice, bob, charlie):
        client.force_login(user)
        answers[user] = client.get(address)

    assert [answers[user].status_code for user in (alice, bob, charlie)] == [200, 404, 404]
    assert answers[alice].headers["Cache-Control"] == "no-store"
    assert answers[alice].headers["Content-Disposition"].startswith('attachment; filename="instagrowth-')
    content = b"".join(answers[alice])
    assert len(content) == int(answers[alice].headers["Content-Length"])
    assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None
    client.logout()
    assert client.get(address).status_code == 302


def test_after_its_week_it_is_gone(client: Client, alice: User, charlie: User) -> None:
    old, young = archive_of(alice), archive_of(charlie)
    default_storage.save(f"{archives.FOLDER}/nobodys.zip", ContentFile(b"left behind"))
    with everywhere():
        Export.objects.filter(pk=old.pk).update(ended_at=now() - archives.KEPT - timedelta(seconds=1))

    tasks.forget_old_archives()

    client.force_login(alice)
    assert client.get(f"{ARCHIVE}{old.pk}/").status_code == 404
    assert default_storage.listdir(archives.FOLDER)[1] == [f"{young.pk}.zip"]


def test_the_page_tells_each_state_and_polls_only_while_there_is_something_to_wait_for(
    client: Client, alice: User
) -> None:
    client.force_login(alice)
    assert "Make an archive" in client.get(PAGE).content.decode()

    with tenancy.person(alice):
        export = Export.objects.create(user=alice, state="running", done=4, total=10)
    waiting = client.get(ARCHIVE).content.decode()
    with everywhere():
        Export.objects.update(state="failed", ended_at=now())
    failed = client.get(PAGE).content.decode()
    with everywhere():
        Export.objects.update(state="done", ended_at=now(), size=2048, file="exports/x.zip")
    ready = client.get(PAGE).content.decode()

    assert "4 of 10 tables" in waiting
    assert 'hx-trigger="every 2s"' in waiting
    assert "could not be made" in failed
    assert f"{ARCHIVE}{export.pk}/" in ready
    assert 'hx-trigger="every 2s"' not in failed + ready


def test_what_a_dead_worker_left_is_made_by_another_and_given_up_after_an_hour(alice: User, charlie: User) -> None:
    with everywhere():
        stuck = Export.objects.create(user=alice, state="running", created_at=now() - timedelta(minutes=5))
        Export.objects.create(user=charlie, state="running", created_at=now() - timedelta(hours=2))
        Export.objects.create(user=charlie, state="queued")  # its message is young

    again = archives.sweep()

    assert again == [str(stuck.pk)]
    with everywhere():
        assert sorted(charlie.exports.values_list("state", flat=True)) == ["failed", "queued"]
    archives.make(str(stuck.pk))
    with everywhere():
        assert alice.exports.get().state == "done"


HALF_WAY = """
import django; django.setup()
import sys, time
from accounts import archives
def stuck(*_):
    print("half way", flush=True)
    time.sleep(600)
archives._fill = stuck
archives.make(sys.argv[1])
"""


def test_a_killed_worker_is_noticed_at_once_and_another_makes_the_archive(committed: None, alice: User) -> None:
    with everywhere():
        key = str(Export.objects.create(user=alice, created_at=now() - timedelta(minutes=5)).pk)
    worker = subprocess.Popen(
        [sys.executable, "-c", HALF_WAY, key],
        env=os.environ | servers_of_the_tests(),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "half way\n"
        archives.make(key)  # a second message does nothing while it is being made
        assert archives.sweep() == []

        worker.kill()
    eventually(lambda: archives.sweep() == [key])
    archives.make(key)

    with everywhere():
        assert alice.exports.get().state == "done"


def test_a_fault_is_told_and_leaves_no_file(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(archives, "_fill", full)

    export = archive_of(alice)

    assert export.state == Export.State.FAILED
    assert not default_storage.exists(archives.name_of(export.pk))


def test_a_worker_that_dies_before_it_tells_leaves_the_archive_to_another(
    committed: None, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object, **__: object) -> None:
        raise SystemExit

    with everywhere():
        key = str(Export.objects.create(user=alice, created_at=now() - timedelta(minutes=5)).pk)
    with monkeypatch.context() as patch:
        patch.setattr(archives.notices, "notify", dies)
        with pytest.raises(SystemExit):
            archives.make(key)

    assert archives.sweep() == [key]
    archives.make(key)

    with everywhere():
        assert alice.exports.get().state == "done"
    assert [sent.subject for sent in mail.outbox] == ["Your archive is ready"]


def test_an_archive_of_somebody_who_is_erased_meanwhile_leaves_no_file(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = FileSystemStorage.save

    def erased_meanwhile(storage: FileSystemStorage, name: str, file: Any) -> str:
        with everywhere():
            Export.objects.all().delete()
        return str(save(storage, name, file))

    monkeypatch.setattr(FileSystemStorage, "save", erased_meanwhile)
    with tenancy.person(alice):
        export = archives.ask(alice)

    archives.make(str(export.pk))

    assert default_storage.listdir(archives.FOLDER)[1] == []
