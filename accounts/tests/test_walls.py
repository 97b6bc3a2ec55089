"""The walls between workspaces, asked of the database itself."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from accounts import tenancy
from accounts.models import Membership, User, Workspace
from bots.models import Bot, InstagramAccount, Turn
from errors.models import ActivityLog
from errors.recording import log_activity
from instagrowth.testing import warm_account, workspace_of

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
# Unique without the workspace, and why that tells no stranger anything.
ALLOWED = {
    "accounts_invitation_token_hash_key": "the hash of a secret: to ask about it one must hold the link",
    "bots_session_fingerprint_key": "a keyed hash of a login: to ask about it one must hold the login",
    "bots_session_account_id_key": "the composite foreign key already ties it to the workspace",
    "bots_bot_account_id_key": "the composite foreign key already ties it to the workspace",
    "bots_officialaccess_account_id_key": "the composite foreign key already ties it to the workspace",
    "subscriptions_workspace_id_key": "is the workspace",
    "content_feed_token_hash_key": "the hash of a secret: to ask about it one must hold the address",
    "invoices_stripe_invoice_id_key": "Stripe's own name, and only what Stripe tells us is written",
}


def tenant_tables() -> list[str]:
    """Every table with a workspace_id, partitions and their parents included."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE a.attname = 'workspace_id' AND NOT a.attisdropped AND c.relkind IN ('r', 'p')"
            " AND c.relnamespace = 'public'::regnamespace ORDER BY 1"
        )
        return [name for (name,) in cursor.fetchall()]


def test_every_table_of_tenants_forces_row_level_security() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c WHERE c.relname = ANY(%s)"
            " AND NOT (c.relrowsecurity AND c.relforcerowsecurity)",
            [[*tenant_tables(), "accounts_workspace"]],
        )
        assert cursor.fetchall() == []
    assert len(tenant_tables()) > 12


def test_every_policy_guards_reading_and_writing() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_policies WHERE qual IS NOT NULL AND with_check IS NOT NULL AND cmd = 'ALL'"
        )
        guarded = {name for (name,) in cursor.fetchall()}
    # A month of the log has no policy of its own: named directly it shows nothing at all.
    assert {name for name in tenant_tables() if not name.startswith("activity_logs_")} <= guarded


def test_foreign_keys_between_tenants_include_the_workspace() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE contype = 'f' AND conrelid::regclass::text = ANY(%s)"
            " AND confrelid::regclass::text = ANY(%s) AND array_length(conkey, 1) < 2",
            [tenant_tables(), tenant_tables()],
        )
        assert cursor.fetchall() == []


def test_uniqueness_is_within_the_workspace() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid"
            " WHERE x.indisunique AND NOT x.indisprimary AND x.indrelid::regclass::text = ANY(%s) AND NOT EXISTS ("
            "  SELECT 1 FROM pg_attribute a WHERE a.attrelid = x.indrelid AND a.attnum = ANY(x.indkey)"
            "  AND a.attname = 'workspace_id')",
            [tenant_tables()],
        )
        assert {name for (name,) in cursor.fetchall()} <= set(ALLOWED)


def test_no_materialized_view_and_no_owners_view_shows_tenants_rows() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('m', 'v') AND relnamespace = 'public'::regnamespace"
        )
        assert cursor.fetchall() == []


def test_without_a_view_nothing_is_visible_and_nothing_can_be_written(alices_bot: Bot) -> None:
    with tenancy.nobody():
        assert (Bot.objects.count(), Workspace.objects.count(), Membership.objects.count()) == (0, 0, 0)
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            InstagramAccount.objects.create(workspace_id=alices_bot.workspace_id, username="nobodys")


def test_a_workspace_sees_its_own_rows_only(alices_bot: Bot, charlie: User) -> None:
    with tenancy.scope(workspace_of(charlie)):
        assert Bot.objects.count() == 0
        assert Bot.objects.filter(pk=alices_bot.pk).update(burst=9) == 0
    with tenancy.scope(alices_bot.workspace_id):
        assert Bot.objects.get().pk == alices_bot.pk


def test_a_person_finds_their_memberships_before_a_workspace_is_chosen(alice: User, bob: User, charlie: User) -> None:
    with tenancy.person(bob):
        assert [m.workspace.pk for m in Membership.objects.select_related("workspace")] == [workspace_of(alice).pk]


def test_a_person_cannot_write_themselves_into_a_workspace(alice: User, charlie: User) -> None:
    target = workspace_of(alice)
    with tenancy.person(charlie), pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        Membership.objects.create(workspace=target, user=charlie)


def test_a_row_cannot_point_into_another_workspace(alices_bot: Bot, charlie: User) -> None:
    theirs = warm_account(workspace_of(charlie), "charlie.kayak")
    with tenancy.platform("a test tries"):
        Bot.objects.create(workspace_id=alices_bot.workspace_id, account=theirs)
        with pytest.raises(IntegrityError), transaction.atomic():
            connection.check_constraints()
        connection.set_rollback(True)


def test_the_former_view_comes_back(alices_bot: Bot, charlie: User) -> None:
    with tenancy.scope(workspace_of(charlie)):
        with tenancy.platform("a test looks around"):
            assert Bot.objects.count() == 1
        assert Bot.objects.count() == 0
        with pytest.raises(ZeroDivisionError), tenancy.scope(alices_bot.workspace_id):
            _ = 1 / 0
        assert Bot.objects.count() == 0


def test_the_log_cannot_be_changed_or_emptied(alice: User) -> None:
    with tenancy.scope(workspace_of(alice)):
        ActivityLog.objects.create(workspace_id=workspace_of(alice).pk, action="test", status="ok")
        for attempt in (
            lambda: ActivityLog.objects.update(status="error"),
            lambda: ActivityLog.objects.all().delete(),
            lambda: connection.cursor().execute("TRUNCATE activity_logs"),
        ):
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                attempt()


def test_a_month_of_the_log_named_directly_shows_itself_to_the_platform_alone(alice: User) -> None:
    workspace = workspace_of(alice)
    seen = []
    for view in (tenancy.scope(workspace), tenancy.platform("a backup copies month by month")):
        with view, connection.cursor() as cursor:
            log_activity("test", workspace=workspace.pk)
            cursor.execute("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')")
            (month,) = cursor.fetchone()
            cursor.execute(f"SELECT count(*) FROM activity_logs_{month} WHERE workspace_id = %s", [workspace.pk])
            seen += cursor.fetchone()
            with pytest.raises(ProgrammingError), transaction.atomic():
                cursor.execute(
                    f"INSERT INTO activity_logs_{month} (action, status, error_code, error_message, correlation_id,"
                    " metadata) VALUES ('x', 'ok', '', '', '', '{}')"
                )

    assert seen == [0, 2]


PROGRAMS = {
    "a command": ["manage.py", "migrate", "-v", "0"],
    "the web": ["-m", "uvicorn", "instagrowth.asgi:application", "--port", "0"],
    "a worker": ["-m", "celery", "-q", "-A", "instagrowth", "worker", "-c", "1"],
}


@pytest.mark.parametrize(
    ("role", "nature", "program"),
    [
        ("postgres", "", "a command"),
        ("walker", "BYPASSRLS", "a command"),
        ("twice", "SUPERUSER BYPASSRLS", "a command"),
        ("walker", "BYPASSRLS", "the web"),
        ("walker", "BYPASSRLS", "a worker"),
    ],
)
def test_a_role_that_passes_the_walls_starts_nothing(services: Any, role: str, nature: str, program: str) -> None:
    address, password = urlsplit(services.environment["DATABASE_URL"]), services.secrets["postgres"]

    def named(name: str) -> str:
        return address._replace(netloc=f"{name}:{quote(password)}@").geturl()

    if nature:
        with psycopg.connect(named("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP ROLE IF EXISTS {role}")
            connection.execute(f"CREATE ROLE {role} LOGIN {nature} PASSWORD '{password}'")
    env = os.environ | services.environment | {"DATABASE_URL": named(role)}
    command = [sys.executable, *PROGRAMS[program]]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode != 0
    assert f'The database role "{role}" is a superuser or has BYPASSRLS' in done.stdout + done.stderr


def test_deleting_a_workspace_takes_everything_with_it(alices_bot: Bot) -> None:
    with tenancy.platform("a test deletes"):
        Turn.objects.create(workspace_id=alices_bot.workspace_id, bot=alices_bot, due_at="2026-01-01T00:00Z", fence=1)
        Workspace.objects.get(pk=alices_bot.workspace_id).delete()
        assert (Bot.objects.count(), Turn.objects.count()) == (0, 0)
