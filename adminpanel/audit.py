"""The log of what staff do: append-only, each row sealed to the one before it, so that a change shows."""

import hashlib
import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import connection, models, transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.limits import client_address
from adminpanel.models import AdminLog
from errors import correlation
from errors.redaction import HIDDEN, redact, redact_text

logger = structlog.get_logger("adminpanel")
_PERSONAL = ("email", "to", "reply_to")  # kept so far that staff recognise it, and no further
Values = dict[str, Any]


def record(action: str, **told: Any) -> AdminLog:
    """Write one row, in the caller's transaction, of what `entry` takes.

    Whoever else writes waits until this transaction ends, so that the chain has no fork.
    """
    return keep([entry(action, **told)])[0]


def entry(
    action: str,
    *,
    by: Any = None,
    target: models.Model | None = None,
    before: Values | None = None,
    after: Values | None = None,
    reason: str = "",
    request: HttpRequest | None = None,
    door: str = "page",
    story: str = "",
    **more: Any,
) -> AdminLog:
    """One row, not yet written. `before` and `after` are snapshots: what differs is kept."""
    changes = difference(before or {}, after or {}) | {key: [None, masked(key, value)] for key, value in more.items()}
    by = by or getattr(request, "user", None)
    return AdminLog(
        admin_id=getattr(by, "pk", None),
        admin=(getattr(by, "email", "") or "")[:120] if by else "",
        action=action[:80],
        target_type=target._meta.label_lower if target is not None else "",
        target_id=str(target.pk)[:64] if target is not None and target.pk else "",
        target=redact_text(_named(target))[:200] if target is not None else "",
        changes=changes,
        reason=redact_text(reason)[:500],
        address=client_address(request) if request is not None else None,
        correlation_id=story or correlation.current(),
        door=door,
        created_at=timezone.now(),
    )


def keep(rows: list[AdminLog]) -> list[AdminLog]:
    """Seal rows to the chain, in their order, and write them with one statement."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('admin log'))")
        last = AdminLog.objects.order_by("-pk").values_list("hash", flat=True).first() or ""
        for row in rows:
            row.previous = last
            last = row.hash = seal(row)
        AdminLog.objects.bulk_create(rows)
    # The line in the process's log is the anchor outside of the database: a cut-off end of the chain shows there.
    logger.info("admin_log", action=rows[-1].action, row=rows[-1].pk, hash=rows[-1].hash, rows=len(rows))
    return rows


class Seen:
    """A row as it was before a deed. What became of it is kept afterwards; a `new` one was nothing before."""

    def __init__(self, row: models.Model, *, new: bool = False) -> None:
        self.row = row
        self.before: Values = {} if new else snapshot(row)
        self.after: Values = {}

    def record(self, action: str, *, if_changed: bool = False, **more: Any) -> AdminLog | None:
        """Look at the row again, and write down what differs; all of it where it is gone."""
        told = self.entry(action, type(self.row)._default_manager.filter(pk=self.row.pk).first(), **more)
        return None if if_changed and self.after == self.before else keep([told])[0]

    def entry(self, action: str, now: models.Model | None, **more: Any) -> AdminLog:
        """The entry of a row of which it is known what it is `now`."""
        self.after = snapshot(now) if now is not None else {}
        return entry(action, target=self.row, before=self.before, after=self.after, **more)


def snapshot(row: models.Model) -> Values:
    """The columns of a row as the log may keep them: without secrets, sealed bytes and whole e-mail addresses."""
    return {
        field.attname: masked(field.attname, getattr(row, field.attname))
        for field in row._meta.concrete_fields
        if not field.primary_key
    }


def difference(before: Values, after: Values) -> dict[str, list[Any]]:
    """Field by field what was and what is, where they differ."""
    names = [*before, *(name for name in after if name not in before)]
    return {name: [before.get(name), after.get(name)] for name in names if before.get(name) != after.get(name)}


def masked(name: str, value: Any) -> Any:
    """One value as the log may keep it."""
    if isinstance(value, bytes | memoryview):
        return f"{HIDDEN} {hashlib.sha256(bytes(value)).hexdigest()[:8]}" if value else None
    if name.startswith("sealed") or name in ("hash", "token_hash"):
        return HIDDEN
    if isinstance(value, str) and name in _PERSONAL and "@" in value:
        return mask_email(value)
    if isinstance(value, datetime | date | UUID | float):
        return str(value)
    return redact(value, name)


def mask_email(address: str) -> str:
    """`al•••@example.com`."""
    name, _, host = address.partition("@")
    return f"{name[:2]}•••@{host}"


def verify() -> Iterator[str]:
    """One sentence for each place where the chain is broken; nothing where it is whole."""
    previous = ""
    for row in AdminLog.objects.order_by("pk").iterator(chunk_size=1000):
        if row.previous != previous:
            yield f"Row {row.pk}: the row before it was removed or changed."
        if row.hash != seal(row):
            yield f"Row {row.pk}: it was changed after it was written."
        previous = row.hash


def seal(row: AdminLog) -> str:
    """The hash of a row and, through `previous`, of all before it."""
    content = {
        field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if field.attname not in _OUT
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=_text).encode()).hexdigest()


_OUT = ("id", "hash")


def _text(value: object) -> str:
    return value.astimezone(timezone.get_default_timezone()).isoformat() if isinstance(value, datetime) else str(value)


def _named(target: models.Model) -> str:
    text = str(target)
    return mask_email(text) if "@" in text[1:] and " " not in text else text
