"""The walls hold: with a row in every table, over many requests on one connection, in streams, caches and faults."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.db import DataError, connection, transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.timezone import now

from accounts import tenancy
from accounts.models import Mail, User, Workspace
from accounts.tests.filling import Filling
from accounts.tests.test_walls import tenant_tables
from billing.models import Drift, StripeEvent
from bots.models import ListedPerson
from errors.models import ActivityLog
from instagrowth import urls
from instagrowth.testing import everywhere, member, workspace_of

ROOT = Path(__file__).resolve().parents[2]
# Rows of a person that no wall hides, and why: they are asked for before anybody is signed in, always by person.
OPEN = {
    "account_emailaddress": "found by its address, to sign in and to reset a password",
    "adminpanel_bulkjob": "staff are in no workspace",
    "adminpanel_savedview": "staff are in no workspace",
    "accounts_apitoken": "found by its hash, to learn whose it is",
    "accounts_staffdevice": "staff are in no workspace; the secret is sealed",
    "django_admin_log": "staff are in no workspace",
    "knox_authtoken": "empty: ours are in accounts_apitoken",
    "mfa_authenticator": "asked for between password and code; the secrets are sealed",
    "socialaccount_socialaccount": "found by Google's number of a person, to sign in",
    "users_groups": "what staff may do",
    "users_user_permissions": "what staff may do",
    "usersessions_usersession": "found by the session's key with each request",
}
NAMED = re.compile(r"\bcache\.(?:set|add|incr|get_or_set)\w*\((\w+(?:\([^)]*\))?)|@cache_page|{% *cache ")


def visible() -> dict[str, int]:
    """How many rows of each walled table raw SQL shows now; a month of the log is asked for through its parent."""
    tables = [name for name in walled() if not name.startswith("activity_logs_") and name != "daily_limits"]
    tables.append("daily_limits WHERE workspace_id IS NOT NULL")  # the platform's own are everybody's
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{name.split()[0]}', count(*) FROM {name}" for name in tables))
        return dict(cursor.fetchall())


def walled() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relforcerowsecurity AND relkind IN ('r', 'p') ORDER BY 1")
        return [name for (name,) in cursor.fetchall()]


@pytest.fixture
def full(nobody_guessed: None) -> Workspace:
    """A workspace with a row in every table that is somebody's."""
    user = User.objects.create(email="full@example.com", name="Full")
    with everywhere():
        workspace = Workspace.objects.create(name="full")
    filling = Filling(workspace, user, "full")
    filling.tenants()
    filling.persons()
    with everywhere():
        Mail.objects.create(to="full@example.com", subject="full")
        StripeEvent.objects.create(id="evt_full", type="full", created_at=now())
        Drift.objects.create(kind="stale", stripe_customer_id="cus_full")
    return workspace


@pytest.mark.django_db
def test_raw_sql_without_a_view_sees_nothing_in_any_table(full: Workspace, charlie: User) -> None:
    with everywhere():
        there = visible()
    assert [name for name, count in there.items() if not count] == []
    assert set(tenant_tables()) <= set(walled())

    with tenancy.nobody():
        seen = visible()
    print(f"tables={len(there)} rows={sum(there.values())} seen={sum(seen.values())}")
    assert set(seen.values()) == {0}


@pytest.mark.django_db
@pytest.mark.parametrize("table", ["bots_bot", "accounts_workspace", "activity_logs"])
def test_the_same_question_finds_a_policy_that_was_dropped(full: Workspace, table: str) -> None:
    point = transaction.savepoint()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # rows that wait for their check would forbid the change
        cursor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY")
        cursor.execute(f"SELECT count(*) FROM {table}")
        with tenancy.nobody():
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone()[0] > 0
    assert table not in walled()
    transaction.savepoint_rollback(point)
    with tenancy.nobody():
        assert visible()[table] == 0


@pytest.mark.django_db
def test_another_workspace_sees_nothing_either(full: Workspace, charlie: User) -> None:
    with tenancy.scope(uuid4()):
        assert {name for name, count in visible().items() if count} == set()


@pytest.mark.django_db
def test_each_table_of_persons_is_walled_or_open_for_a_reason() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid"
            " WHERE contype = 'f' AND confrelid = 'users'::regclass AND NOT relforcerowsecurity"
        )
        assert {name for (name,) in cursor.fetchall()} <= set(OPEN)


@pytest.mark.django_db
def test_an_empty_setting_shows_nothing_and_a_broken_one_is_refused(full: Workspace) -> None:
    for view in ({}, {"workspace": ""}, {"workspace": "", "user": "", "scope": "nonsense"}, {"scope": "PLATFORM"}):
        with tenancy.nobody():
            tenancy.look_at(**view)
            assert sum(visible().values()) == 0
    with pytest.raises(DataError), transaction.atomic(), tenancy.scope("nonsense"):
        visible()


STRANGE = "3131ce56-9361-40ff-82b9-a6146439f0ad"  # of no workspace


@pytest.mark.django_db
@pytest.mark.parametrize("named", ["nonsense", "", "' OR true --", "0" * 5000, STRANGE, "\udcff"])
def test_a_broken_name_of_a_workspace_is_no_fault(
    client: Any, api: Any, alice: User, charlie: User, named: str
) -> None:
    client.force_login(charlie)
    session = client.session
    session["workspace"] = named.encode("utf-8", "replace").decode()
    session.save()

    assert client.get("/dashboard/").status_code == 200
    if named.isprintable():
        answer = api(charlie).get("/api/bots/", headers={"X-Workspace": named})
        assert answer.status_code == (404 if named else 200)


def test_a_thousand_requests_of_two_on_one_connection(committed: None, nobody_guessed: None, api: Any) -> None:
    alice, charlie = member("alice"), member("charlie")
    programs = []
    for user in (alice, charlie):
        with everywhere():
            ListedPerson.objects.create(workspace=workspace_of(user), list="keep", username=user.name.lower())
        programs.append((api(user), user))
    backends, foreign, errors = set(), 0, 0
    for number in range(1000):
        program, user = programs[number % 2]
        if number % 20:
            with tenancy.scope(workspace_of_cached(user)):
                found = list(ListedPerson.objects.values_list("username", flat=True))
                backends.add(connection.connection.info.backend_pid)
            foreign += found != [user.name.lower()]
        else:
            answer = program.get("/api/auth/me").json()
            errors += not answer["success"]
            foreign += [place["id"] for place in answer["workspaces"]] != [str(workspace_of_cached(user))]
        foreign += ListedPerson.objects.count()  # what a request was allowed to see ended with it
    print(f"requests=1000 connections={len(backends)} foreign_rows={foreign} errors={errors}")
    assert (len(backends), foreign, errors) == (1, 0, 0)


def workspace_of_cached(user: User, known: dict[object, object] = {}) -> object:  # noqa: B006  (a memory)
    return known.setdefault(user.pk, workspace_of(user).pk)


# ── Plain, template, stream, fault ──────────────────────────────────────────────────────────────────────────────────


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(ListedPerson.objects.count()))


def later(request: HttpRequest) -> TemplateResponse:
    rows = ListedPerson.objects.all()
    return TemplateResponse(request, engines["django"].from_string("{{ rows.count }}"), {"rows": rows})


def stream(request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[str]:
        yield str(ListedPerson.objects.count())

    return StreamingHttpResponse(parts())


def fault(request: HttpRequest) -> HttpResponse:
    ListedPerson.objects.create(workspace=request.workspace, list="block", username="nobody")  # type: ignore[attr-defined]
    raise ZeroDivisionError


urlpatterns = [
    path("plain", plain),
    path("later", later),
    path("stream", stream),
    path("fault", fault),
    *urls.urlpatterns,
]
handler500 = urls.handler500


@pytest.mark.urls(__name__)
def test_rows_are_there_in_every_kind_of_answer_and_gone_after_a_fault(
    committed: None, nobody_guessed: None, client: Any
) -> None:
    alice, charlie = member("alice"), member("charlie")
    with everywhere():
        for number in range(10):
            ListedPerson.objects.create(workspace=workspace_of(alice), list="keep", username=f"kept.{number}")
    found = []
    for user in (alice, charlie):
        client.force_login(user)
        for where in ("plain", "later", "stream"):
            answer = client.get(f"/{where}")
            found.append(b"".join(answer) if answer.streaming else answer.content)
    assert found == [b"10", b"10", b"10", b"0", b"0", b"0"]

    client.force_login(alice)
    client.raise_request_exception = False
    assert client.get("/fault").status_code == 500
    with everywhere():
        persisted = ListedPerson.objects.filter(username="nobody").count()
    print(f"plain/later/stream=10/10/10 rows_persisted={persisted}")
    assert persisted == 0


@pytest.mark.django_db
def test_a_stream_of_ten_thousand_rows_holds_them_all_and_no_others(client: Any, alice: User, charlie: User) -> None:
    with everywhere(), connection.cursor() as cursor:
        for user, count in ((alice, 10_000), (charlie, 100)):
            cursor.execute(
                "INSERT INTO activity_logs (workspace_id, action, status, error_code, error_message, correlation_id,"
                " metadata) SELECT %s, 'follow', 'ok', '', '', '', '{}' FROM generate_series(1, %s)",
                [workspace_of(user).pk, count],
            )
        counts = {
            user.pk: ActivityLog.objects.filter(workspace_id=workspace_of(user).pk).count() for user in (alice, charlie)
        }
    for user in (alice, charlie):
        client.force_login(user)
        answer = client.get("/activity/export.csv")

        async def read(answer: Any = answer) -> bytes:
            return b"".join([part async for part in answer.streaming_content])

        exported = len(list(csv.reader(io.StringIO(async_to_sync(read)().decode())))) - 1
        print(f"exported={exported} count={counts[user.pk]}")
        assert exported == counts[user.pk] >= 100


# ── Caches ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_cached_is_cached_for_one_person() -> None:
    """Every key in use names a person, a session, a token or a secret; a new use of the cache must be added here."""
    rooms = ("accounts", "billing", "bots", "content", "adminpanel", "errors", "instagrowth", "templates")
    files = [file for room in rooms for file in (ROOT / room).rglob("*") if file.suffix in (".py", ".html", ".txt")]
    keys = {
        f"{file.relative_to(ROOT)}: {found.group(1) or found.group(0)}"
        for file in files
        if "tests" not in file.parts and not file.stem.startswith("testing")
        for found in NAMED.finditer(file.read_text())
    }
    assert keys == {
        "accounts/announcements.py: _KEY",  # said to members: nobody's
        "accounts/google.py: name",  # where Google's doors are: nobody's
        "adminpanel/figures.py: name",  # staff's figures of the whole house: no member's page reads them
        "accounts/second_factor.py: _waiting(user, door)",  # person and session or token
        "accounts/second_factor.py: _proof(door)",  # session or token
        "accounts/second_factor.py: used",  # the hash of a secret
        "instagrowth/system.py: _KEY",  # the operators' settings: everybody's
        "billing/gateway.py: AWAY",  # whether Stripe answers: nobody's
        "bots/connecting.py: OUTDATED",  # whether Instagram takes our app: nobody's
    }
