"""A person's archive: all that is theirs, as a zip of tables, made in the background and kept for a week.

Tables come along by themselves: those of the person have a `user`, those of a workspace a `workspace`. What is secret
stays out by the kind and the name of its column.
"""

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import IO, Any
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.apps import apps
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import BinaryField, Field, Model, Q, QuerySet
from django.utils.text import slugify
from django.utils.timezone import now

from accounts import limits, notices, tenancy
from accounts.models import Export, Mail, Membership, User, Workspace
from errors.models import ActivityLog
from errors.recording import record

KEPT = timedelta(days=7)
GIVE_UP = timedelta(hours=1)  # an archive that is not made by then is not tried again
LOST = timedelta(minutes=1)  # one that nobody makes by then is sent to a worker again
CHUNK = 2000  # rows in memory at once
FOLDER = "exports"
OPEN = (Export.State.QUEUED, Export.State.RUNNING)
# A column with one of these words in its name, or of binary kind, is a secret or its mark.
SECRET_WORDS = {"password", "secret", "sealed", "hash", "digest", "fingerprint", "token", "key"}
SECRET_COLUMNS = {"mfa.Authenticator.data"}
README = """Your data at InstaGrowth OS

Made for {user} on {day} (UTC).

Each file is a table: the first line names its columns, each further line is one row. Times are UTC. A text that a
spreadsheet would compute has an apostrophe before it. Passwords, sign-in secrets, sessions at Instagram and pictures
are not in here: they are kept sealed or as hashes, and nobody can read them out.

"you" is about you as a person. Each other folder is a workspace that you own, with everything that is kept in it.

"""


@dataclass(frozen=True)
class Table:
    """One file of an archive: whose view shows its rows, and which rows and columns."""

    path: str
    about: str
    columns: list[str]
    view: Callable[[], AbstractContextManager[None]]
    rows: QuerySet[Any]  # asked only inside the view


def ask(user: User) -> Export:
    """Have an archive made, one at a time for a person; the one that is being made is given again.

    Raises TOO_MANY_TRIES.
    """
    from accounts.tasks import make_archive

    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # a second click waits here, and finds the first's
    if waiting := user.exports.filter(state__in=OPEN).first():
        return waiting
    limits.take(limits.EXPORT, user.pk)
    export = user.exports.create()
    transaction.on_commit(lambda: make_archive.apply_async((str(export.pk),), queue="ai"), robust=True)
    return export


def make(key: str) -> None:
    """Make one archive, if nobody else does so now. One that cannot be made is left as failed, with its error told."""
    with _alone(key) as ours:
        export = _begin(key) if ours else None
        if export is None:
            return
        try:
            _write(export)
        except Exception as error:  # noqa: BLE001  (whatever it was, the person must not wait for ever)
            _move(export, state=Export.State.FAILED, ended_at=now())
            record(error, action="export", user=export.user_id)


def sweep() -> list[str]:
    """Give the archives that no worker makes, though one should; end what was tried for too long."""
    with tenancy.platform("archives of everybody are looked after"):
        stuck = Export.objects.filter(state__in=OPEN, created_at__lt=now() - LOST)
        keys = [export.pk for export in stuck if not _is_being_made(export)]
        given_up = Export.objects.filter(pk__in=keys, created_at__lt=now() - GIVE_UP)
        given_up.update(state=Export.State.FAILED, ended_at=now())
        return [str(key) for key in Export.objects.filter(pk__in=keys, state__in=OPEN).values_list("pk", flat=True)]


def forget_old() -> None:
    """Remove archives whose week is over, and files that no archive names (their person was erased meanwhile)."""
    with tenancy.platform("archives of everybody go after their week"):
        for export in Export.objects.filter(ended_at__lt=now() - KEPT):
            remove(export)
        with suppress(FileNotFoundError):
            known = {name_of(key) for key in Export.objects.values_list("pk", flat=True)}
            for file in default_storage.listdir(FOLDER)[1]:
                if f"{FOLDER}/{file}" not in known:
                    default_storage.delete(f"{FOLDER}/{file}")


def remove(export: Export) -> None:
    """Throw an archive away: the file first, so that a fault between leaves a row to find it by."""
    default_storage.delete(name_of(export.pk))
    export.delete()


def name_of(key: object) -> str:
    """The name of an archive's file in the private storage."""
    return f"{FOLDER}/{key}.zip"


def inert(cell: str) -> str:
    """Give the text so that a spreadsheet shows it and never computes it."""
    return f"'{cell}" if cell.lstrip(" \n").startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def tables_of(user: User) -> list[Table]:
    """All that is a person's, and all that is in the workspaces they own."""
    with tenancy.person(user):
        member_of = list(Membership.objects.filter(user=user).values_list("workspace_id", flat=True))
        owned = Workspace.objects.filter(memberships__user=user, memberships__role=Membership.Role.OWNER)
        workspaces = list(owned.order_by("created_at"))
    return [
        *_of_person(user, member_of),
        *(table for workspace in workspaces for table in _of_workspace(workspace)),
    ]


def shown(model: type[Model]) -> list[Field]:
    """The columns of a table that are told: not its secrets, nor their marks."""
    return [
        field
        for field in model._meta.concrete_fields
        if not isinstance(field, BinaryField)
        and not SECRET_WORDS & set(field.name.split("_"))
        and f"{model._meta.label}.{field.name}" not in SECRET_COLUMNS
    ]


def has(model: type[Model], column: str) -> bool:
    """Whether a table has this column."""
    return any(field.attname == column for field in model._meta.concrete_fields)


def _of_person(user: User, member_of: list[UUID]) -> Iterator[Table]:
    def mine() -> AbstractContextManager[None]:
        return tenancy.person(user)

    def all_of_mine() -> AbstractContextManager[None]:
        return tenancy.platform("a person's own mails and deeds, wherever they are still a member")

    deeds = Q(workspace_id__in=member_of) | Q(workspace_id=None)
    yield _table("you", User, mine, Q(pk=user.pk))
    for model in apps.get_models():
        if has(model, "user_id") and (model is Membership or not has(model, "workspace_id")):
            yield _table("you", model, mine, Q(user_id=user.pk))
    yield _table("you", Mail, all_of_mine, Q(to__iexact=user.email or ""))
    yield _table("you", ActivityLog, all_of_mine, deeds & Q(user_id=user.pk))


def _of_workspace(workspace: Workspace) -> Iterator[Table]:
    def inside() -> AbstractContextManager[None]:
        return tenancy.scope(workspace)

    folder = f"{slugify(workspace.name)[:40] or 'workspace'}-{str(workspace.pk)[:8]}"
    yield _table(folder, Workspace, inside, Q(pk=workspace.pk))
    for model in apps.get_models():
        if has(model, "workspace_id"):
            yield _table(folder, model, inside, Q(workspace_id=workspace.pk))


def _table(folder: str, model: type[Model], view: Callable[[], AbstractContextManager[None]], where: Q) -> Table:
    doc = (model.__doc__ or "").partition("\n")[0].partition(". ")[0].rstrip(".")
    told = "" if doc.startswith(f"{model.__name__}(") else f": {doc}"  # Django's own words for a model without any
    return Table(
        path=f"{folder}/{model._meta.label_lower.replace('.', '_')}.csv",
        about=f"{str(model._meta.verbose_name_plural).capitalize()}{told}.",
        columns=[field.attname for field in shown(model)],
        view=view,
        rows=model._default_manager.filter(where).order_by(),
    )


@contextmanager
def _alone(key: str) -> Iterator[bool]:
    """Yield whether we alone make this archive. A killed worker's hold ends with its connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name_of(key)])
        (held,) = cursor.fetchone()
    try:
        yield held
    finally:
        if held:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name_of(key)])


def _is_being_made(export: Export) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [name_of(export.pk)])
        return not cursor.fetchone()[0]


def _begin(key: str) -> Export | None:
    with tenancy.platform("whose archive this is, only its row tells"):
        export = Export.objects.select_related("user").filter(pk=key, state__in=OPEN).first()
    if export is not None:
        _move(export, state=Export.State.RUNNING, done=0)
    return export


def _move(export: Export, **fields: object) -> bool:
    """Note how far an archive is; False when it is gone, because its person is."""
    with tenancy.person(export.user_id):
        return bool(Export.objects.filter(pk=export.pk).update(**fields))


def _write(export: Export) -> None:
    tables = tables_of(export.user)
    _move(export, total=len(tables))
    with tempfile.TemporaryFile() as draft:  # without a name: a killed worker leaves nothing behind
        with ZipFile(draft, "w", ZIP_DEFLATED) as archive:
            archive.writestr(_entry("README.txt"), _readme(export.user, tables))
            for number, table in enumerate(tables, 1):
                with archive.open(_entry(table.path), "w", force_zip64=True) as out:
                    _fill(out, table)
                if not _move(export, done=number):
                    return
        size = draft.seek(0, io.SEEK_END)
        draft.seek(0)
        _store(export, draft, size)


def _entry(path: str) -> ZipInfo:
    entry = ZipInfo(path, now().timetuple()[:6])
    entry.compress_type = ZIP_DEFLATED
    entry.external_attr = 0o600 << 16  # unpacked, only its owner reads it
    return entry


def _store(export: Export, draft: IO[bytes], size: int) -> None:
    """Put the file into the private storage, in place of the person's earlier archives."""
    default_storage.delete(name_of(export.pk))  # what a killed worker may have begun
    name = default_storage.save(name_of(export.pk), File(draft))
    with tenancy.person(export.user_id):  # one transaction, so that none is ready that nobody is told of
        if moved := _move(export, state=Export.State.DONE, file=name, size=size, ended_at=now()):
            notices.notify(export.user, "archive_ready")
    if not moved:
        default_storage.delete(name)
        return
    with tenancy.person(export.user_id):
        for earlier in Export.objects.filter(user_id=export.user_id).exclude(pk=export.pk).exclude(state__in=OPEN):
            remove(earlier)


def _fill(out: IO[bytes], table: Table) -> None:
    text = io.TextIOWrapper(out, "utf-8", newline="", write_through=True)
    lines = csv.writer(text)
    lines.writerow(table.columns)
    with table.view():
        rows = table.rows.values_list(*table.columns)
        lines.writerows(_cells(row) for row in rows.iterator(chunk_size=CHUNK))
    text.detach()


def _cells(row: Iterable[Any]) -> list[str]:
    return [_cell(value) for value in row]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return inert(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return value.isoformat() if isinstance(value, datetime | date) else str(value)


def _readme(user: User, tables: list[Table]) -> str:
    lines = [f"{table.path}\n    {table.about}\n" for table in tables]
    return README.format(user=user, day=f"{now():%Y-%m-%d %H:%M}") + "\n".join(lines)
