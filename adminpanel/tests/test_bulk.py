"""One deed to all rows that match: a worker does it in batches, each row once, whoever dies or stops it."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore as Session
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import User
from adminpanel import audit, bulk, presence, roles
from adminpanel.deeds import Deed
from adminpanel.models import AdminLog, BulkJob
from adminpanel.pages.people import UserPage
from adminpanel.site import site
from adminpanel.tests.control_room import do, inside, staff_person
from errors import codes
from errors.exceptions import BotException
from instagrowth.testing import everywhere

ROWS = 230
WHERE = "/admin/accounts/user/all/block/"


def people(count: int = ROWS) -> None:
    User.objects.bulk_create(User(email=f"spam{number}@example.com", name="Spam") for number in range(count))


def begun(client: Client, filters: str = "?q=spam") -> BulkJob:
    """Ask over the list; the worker is not there yet."""
    assert client.post(WHERE + filters, {"reason": "spam wave"}).status_code == 302
    return BulkJob.objects.get()


def blocked() -> int:
    return User.objects.filter(email__startswith="spam", is_active=False).count()


@pytest.fixture
def owner(nobody_guessed: None) -> Client:
    return inside("olga")


@pytest.mark.django_db
def test_it_says_how_many_and_does_all_of_them_with_one_log_for_the_whole(owner: Client, alice: User) -> None:
    people()
    page = owner.get(WHERE + "?q=spam").content.decode()
    job = begun(owner)
    people_later = User.objects.create(email="spam-later@example.com", name="Spam")
    assert (f"all {ROWS} rows" in page, job.total, blocked()) == (True, ROWS, 0)

    assert bulk.work_at(job.pk) is False

    job.refresh_from_db()
    alice.refresh_from_db()
    people_later.refresh_from_db()
    assert (job.status, job.done, job.percent, blocked()) == ("done", ROWS, 100, ROWS)
    assert (alice.is_active, people_later.is_active) == (True, True)
    log = AdminLog.objects.filter(target_id=str(job.pk)).order_by("pk")
    assert [(row.action, row.reason) for row in log] == [("users.block.all", "spam wave"), ("users.block.all_done", "")]
    assert log[1].changes["done"][1] == ROWS
    of_rows = AdminLog.objects.filter(action="users.block", reason="spam wave", door="worker", target="Spam")
    assert of_rows.values("target_id").distinct().count() == of_rows.count() == ROWS
    assert {(row.admin, row.correlation_id) for row in of_rows} == {("olga@staff.example.com", job.correlation_id)}
    assert all(row.changes["is_active"] == [True, False] for row in of_rows)
    assert all(row.changes["job"] == [None, str(job.pk)] for row in of_rows)
    assert list(audit.verify()) == []
    shown = owner.get(reverse("admin:adminpanel_bulkjob_change", args=[job.pk])).content.decode()
    assert f"{ROWS} of {ROWS} (100 %)" in shown


@pytest.mark.django_db
def test_a_filter_that_the_deed_itself_changes_leaves_nobody_out(owner: Client) -> None:
    people()
    job = begun(owner, "?q=spam&is_active__exact=1")

    bulk.work_at(job.pk)

    assert blocked() == ROWS


@pytest.mark.django_db
def test_it_is_stopped_between_batches_and_by_a_lost_role(owner: Client) -> None:
    people()
    job = begun(owner)
    bulk.step(job.pk)
    assert do(owner, job, "stop").status_code == 302
    assert (bulk.step(job.pk), blocked()) == (False, bulk.BATCH)

    BulkJob.objects.update(status="running")
    roles.give(User.objects.get(email="olga@staff.example.com"), roles.Role.OWNER)
    staff_person("paula")  # the last owner keeps the role
    roles.give(User.objects.get(email="olga@staff.example.com"), roles.Role.BILLING)
    assert (bulk.step(job.pk), blocked()) == (False, bulk.BATCH)
    assert BulkJob.objects.get().status == "refused"


@pytest.mark.django_db
def test_rows_that_are_refused_are_counted_and_do_not_hold_up_the_rest(
    owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(12)

    def refuse(row: User, asked: Any) -> None:
        if row.email and row.email.startswith("spam1"):  # 1, 10, 11
            User.objects.filter(pk=row.pk).update(name="half done")
            raise BotException(codes.LAST_OWNER) if row.email != "spam1@example.com" else RuntimeError("a bug")
        User.objects.filter(pk=row.pk).update(is_active=False)

    deed = Deed("block", "Block", refuse, bulk=True, fits=lambda row: row.email != "spam2@example.com")
    monkeypatch.setattr(UserPage, "deeds", (deed,))
    job = begun(owner)

    bulk.work_at(job.pk)

    job.refresh_from_db()
    assert (job.status, job.done, job.passed, job.refused) == ("done", 8, 1, 3)
    assert User.objects.filter(name="half done").count() == 0


@pytest.mark.django_db
def test_it_asks_for_role_reason_and_a_fresh_code(owner: Client) -> None:
    people(3)
    auditor = inside("ada", roles.Role.AUDITOR)
    assert auditor.post(WHERE, {"reason": "x"}).status_code == 403
    assert owner.post(WHERE, {"reason": ""}).status_code == 400
    assert owner.get("/admin/accounts/user/all/reset_password/").status_code == 404  # not one for many rows
    assert BulkJob.objects.count() == 0
    links = inside("sue", roles.Role.SUPPORT).get("/admin/accounts/user/?q=spam").content.decode()
    assert WHERE + "?q=spam" in links
    assert "/all/" not in auditor.get("/admin/accounts/user/").content.decode()
    stale = owner.cookies[settings.STAFF_COOKIE_NAME].value
    session = Session(stale)
    session[presence.MARK] |= {"proved": 0}
    session.save()
    assert "/admin/prove/" in owner.post(WHERE, {"reason": "x"})["Location"]
    assert BulkJob.objects.count() == 0


def test_two_workers_and_a_dead_one_take_each_row_once(
    committed: None, nobody_guessed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(400)
    with everywhere():
        job = BulkJob.objects.create(
            asked_by=staff_person(f"olga{uuid4().hex[:6]}"), page="users", model="accounts.user", deed="block",
            filters="q=spam", given={"reason": "x"}, total=400,
        )  # fmt: skip
    taken: list[str] = []
    died: list[str] = []

    def block(row: User, asked: Any) -> None:
        if len(taken) == 150 and not died:
            died.append(str(row.pk))
            raise KeyboardInterrupt  # as a worker that is killed in the middle of its second batch
        taken.append(str(row.pk))
        User.objects.filter(pk=row.pk).update(is_active=False)

    monkeypatch.setattr(type(site._registry[User]), "deeds", (Deed("block", "Block", block, bulk=True, fits=bool),))

    def worker(_: int) -> None:
        try:
            bulk.work_at(job.pk)
        except KeyboardInterrupt:
            died.append("indeed")
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(worker, range(3)))
    job.refresh_from_db()
    log = AdminLog.objects.filter(
        action="users.block", correlation_id=job.correlation_id, changes__job=[None, str(job.pk)]
    )
    rows = list(log.values_list("target_id", flat=True))
    print(json.dumps({"taken": len(rows), "twice": len(rows) - len(set(rows)), "lost": 400 - blocked()}))
    assert (job.status, job.done, len(rows), len(set(rows)), blocked()) == ("done", 400, 400, 400, 400)
    assert died[1:] == ["indeed"]
