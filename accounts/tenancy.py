"""The walls between workspaces: which rows the database shows is set here, and nowhere else.

Every tenant table has forced row-level security (`accounts.rls`). Nothing set means nothing visible. The settings are
local to the transaction, so a pooled connection never carries one person's view to the next.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created


class OtherWorkspaceError(Exception):
    """A task that works for one workspace wanted to see more than that: a fault of ours."""


_errand: ContextVar[str] = ContextVar("errand", default="")  # the workspace that the running task works for


@contextmanager
def errand(workspace: object) -> Iterator[None]:
    """Bind what runs inside to one workspace: whoever opens another view there raises OtherWorkspaceError.

    Sees nothing by itself and opens no transaction: the work inside takes its own short ones.
    """
    before = _errand.set(str(getattr(workspace, "pk", workspace)))
    try:
        yield
    finally:
        _errand.reset(before)


@contextmanager
def scope(workspace: object) -> Iterator[None]:
    """See the rows of one workspace (a Workspace or its id), in a transaction."""
    with _seen(workspace=str(getattr(workspace, "pk", workspace))):
        yield


@contextmanager
def person(user: object, workspace: object = "") -> Iterator[None]:
    """See a person's own memberships and, where named, one workspace: how a request starts."""
    with _seen(user=str(getattr(user, "pk", user) or ""), workspace=str(getattr(workspace, "pk", workspace) or "")):
        yield


@contextmanager
def nobody() -> Iterator[None]:
    """A transaction that sees nothing yet: how a request starts, whatever surrounds it."""
    with _seen():
        yield


@contextmanager
def platform(reason: str) -> Iterator[None]:
    """See the rows of all workspaces. `reason` says why, for the reader."""
    if not reason:
        raise ValueError("Say why all workspaces must be seen.")
    with _seen(scope="platform"):
        yield


def wait_patiently() -> None:
    """Let the open transaction sit idle for as long as a slow Instagram may take: a login is a dozen questions."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '150s'")


def look_at(*, workspace: str = "", user: str = "", scope: str = "") -> None:
    """Set the view for the rest of the transaction that is open now. Raises OtherWorkspaceError in an errand."""
    if (mine := _errand.get()) and (user or scope or workspace not in ("", mine)):
        raise OtherWorkspaceError(f"This task works for {mine} alone.")
    _set(workspace, user, scope)


def _set(workspace: str, user: str, scope: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('app.workspace', %s, true), set_config('app.user', %s, true),"
            " set_config('app.scope', %s, true)",
            [workspace, user, scope],
        )


@contextmanager
def _seen(**view: str) -> Iterator[None]:
    """Open a transaction with this view; inside an open one, lay the former view back at the end."""
    if not connection.in_atomic_block:
        with transaction.atomic():
            if view:
                look_at(**view)
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('app.workspace', true), current_setting('app.user', true),"
            " current_setting('app.scope', true)"
        )
        workspace, user, former = (value or "" for value in cursor.fetchone())
    look_at(**view)
    try:
        yield
    finally:
        # After a database error the transaction is lost, and with its rollback the former view comes back by itself.
        if not connection.needs_rollback and not _aborted():
            _set(workspace, user, former)


def _aborted() -> bool:
    from psycopg.pq import TransactionStatus

    return connection.connection.info.transaction_status == TransactionStatus.INERROR


def watch_role() -> None:
    """Refuse each new connection whose role would pass by row-level security."""
    connection_created.connect(_check_role, dispatch_uid="accounts.tenancy.role")


def _check_role(connection: BaseDatabaseWrapper, **_: object) -> None:
    # Asked once per process and database: a role does not change its nature while we run.
    key = (connection.settings_dict["NAME"], connection.settings_dict["USER"])
    if key in _checked:
        return
    with connection.connection.cursor() as cursor:
        name, unbound = cursor.execute(
            "SELECT rolname, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    if unbound:
        raise ImproperlyConfigured(
            f'The database role "{name}" is a superuser or has BYPASSRLS: row-level security would be void.'
            " Use a plain role."
        )
    _checked.add(key)


_checked: set[tuple[str, str]] = set()
