"""What happened, told once: one line in the log of the process and one row in the activity log.

Call `record()` where an error ends: at a door, or where you swallow it. Call `log_activity()` where a deed is done.
"""

import traceback
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, InterfaceError, connection, transaction
from psycopg.pq import TransactionStatus

from errors import alerts, correlation, groups
from errors.causes import code_of, place
from errors.codes import DATABASE_UNAVAILABLE, REGISTRY, Code
from errors.exceptions import BotException
from errors.models import ActivityLog, ErrorCode, ErrorGroup
from errors.redaction import redact, redact_text
from errors.view import platform_view

logger = structlog.get_logger("errors")
RECORDED = "is_recorded"  # the mark of an exception that has its row
_LEVEL = {"I": "info", "W": "warning", "E": "error", "C": "critical"}
_STATUS = {"I": "info", "W": "warning", "E": "error", "C": "error"}


def record(
    cause: BaseException | Code,
    *,
    action: str,
    workspace: object = None,
    user: object = None,
    account: object = None,
    status: str | None = None,
    **meta: object,
) -> ActivityLog | None:
    """Write an error down: log line, activity row, and an alert if it is critical. Never raises for a lost database.

    `workspace`, `user` and `account` are models or ids. Inside a healthy transaction the row shares its fate, so a
    door records after the rollback; inside a broken one the row is written beside it. None if there is no database.
    """
    code = cause if isinstance(cause, Code) else code_of(cause)
    message = str(cause) if isinstance(cause, BotException) else code.what
    meta = {**(cause.meta if isinstance(cause, BotException) else {}), **meta}
    if isinstance(cause, BaseException):
        where = place(cause)
        meta |= {"file": where.file, "line": where.line, "exception": type(cause).__name__}
        if code.severity in "EC":
            meta["stack"] = "".join(traceback.format_exception(cause))[-8000:]
    fields = _fields(action, status or _STATUS[code.severity], code, message, workspace, user, account, meta)
    _log(code, fields)
    group = groups.of(code, cause if isinstance(cause, BaseException) else None, fields)
    alerts.consider(code, fields, group)
    if code is DATABASE_UNAVAILABLE:
        return None  # to try would keep the visitor waiting for the same answer once more
    try:
        row = _write_safely(code, fields, group)
    except (DatabaseError, InterfaceError):
        logger.exception("activity_row_lost", action=fields["action"], error_code=code.id)
        return None
    if isinstance(cause, BaseException):  # once the row is there for good: who meets the exception later adds no other
        transaction.on_commit(partial(setattr, cause, RECORDED, True), robust=True)
    return row


def log_activity(
    action: str,
    *,
    status: str = "ok",
    code: Code | None = None,
    message: str = "",
    workspace: object = None,
    user: object = None,
    account: object = None,
    **meta: object,
) -> ActivityLog:
    """Write a deed and its outcome into the activity log, in the caller's transaction and view.

    Without `workspace` the one in view is asked for, which costs a query. Raises DatabaseError.
    """
    fields = _fields(action, status, code, message, workspace, user, account, meta)
    fields["workspace_id"] = fields["workspace_id"] or _workspace_in_view()
    return ActivityLog.objects.create(**fields)


def _fields(
    action: str,
    status: str,
    code: Code | None,
    message: str,
    workspace: object,
    user: object,
    account: object,
    meta: dict[str, object],
) -> dict[str, Any]:
    """Give the columns of one row, without secrets."""
    return {
        "action": redact_text(action)[:40],
        "status": status,
        "error_code": code.id if code else "",
        "error_message": redact_text(message),
        "workspace_id": _id(workspace),
        "user_id": _id(user),
        "account_id": _id(account),
        "correlation_id": correlation.current(),
        "metadata": redact(meta),
    }


def _log(code: Code, fields: dict[str, Any]) -> None:
    """One line, with every field by which somebody will search."""
    meta = fields["metadata"]
    getattr(logger, _LEVEL[code.severity])(
        fields["error_message"] or code.what,
        error_code=code.id,
        error=code.name,
        module=code.module,
        severity=code.severity,
        action=fields["action"],
        status=fields["status"],
        correlation_id=fields["correlation_id"],
        user_id=fields["user_id"],
        workspace_id=fields["workspace_id"],
        account_id=fields["account_id"],
        file=meta.get("file", ""),
        line=meta.get("line", 0),
        stack=meta.get("stack", ""),
        meta={key: value for key, value in meta.items() if key not in ("file", "line", "stack")},
    )


def _write_safely(code: Code, fields: dict[str, Any], group: ErrorGroup) -> ActivityLog:
    """Write the row here, or beside a transaction that cannot take it any more."""
    if not _transaction_is_broken():
        return _write(code, fields, group)
    with ThreadPoolExecutor(1) as beside:  # another thread has another connection
        return beside.submit(_write_and_close, code, fields, group).result()


def _write_and_close(code: Code, fields: dict[str, Any], group: ErrorGroup) -> ActivityLog:
    try:
        return _write(code, fields, group)
    finally:
        connection.close()


def _write(code: Code, fields: dict[str, Any], group: ErrorGroup) -> ActivityLog:
    # Counted when the row is there for good, and alone: two transactions that meet the same two errors in another
    # order would wait for each other's counts.
    transaction.on_commit(lambda: groups.count(group), robust=True)
    with transaction.atomic():
        fields["workspace_id"] = fields["workspace_id"] or _workspace_in_view()
        with platform_view():
            if code.id not in REGISTRY:
                _remember(code, fields["metadata"])
            return ActivityLog.objects.create(**fields)


def _remember(code: Code, meta: dict[str, Any]) -> None:
    """Put a generated code into the table, where people look codes up."""
    row = ErrorCode(
        code=code.id,
        name=code.id.replace("-", "_"),
        module=code.module,
        severity=code.severity,
        description=f"{meta.get('exception', 'Error')} in {meta.get('file') or 'a library'}",
        recommended_action=code.do_next,
        reaction=code.then,
        file_path=str(meta.get("file", ""))[:200],
    )
    ErrorCode.objects.bulk_create([row], ignore_conflicts=True)


def _workspace_in_view() -> UUID | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nullif(current_setting('app.workspace', true), '')")
        (found,) = cursor.fetchone()
    return UUID(found) if found else None


def _transaction_is_broken() -> bool:
    if not connection.in_atomic_block:
        return False
    return (
        connection.needs_rollback
        or connection.connection is None
        or connection.connection.info.transaction_status in (TransactionStatus.INERROR, TransactionStatus.UNKNOWN)
    )


def _id(thing: object) -> UUID | None:
    """Give the id of a model, an id as it is, None for nobody."""
    found = getattr(thing, "pk", thing)
    return found if found is None or isinstance(found, UUID) else UUID(str(found))
