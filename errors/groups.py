"""Errors by the place they come from: how often, since when, and what nobody foresaw."""

from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now

from errors.causes import fingerprint, place
from errors.codes import Code
from errors.models import ErrorGroup

_COUNT = """
INSERT INTO error_groups (fingerprint, code, severity, exception, file, function, line, action, times, last_correlation)
VALUES (%(fingerprint)s, %(code)s, %(severity)s, %(exception)s, %(file)s, %(function)s, %(line)s, %(action)s, 1,
        %(last_correlation)s)
ON CONFLICT (fingerprint) DO UPDATE SET times = error_groups.times + 1, last_at = statement_timestamp(),
    line = excluded.line, action = excluded.action, last_correlation = excluded.last_correlation, handled_at = NULL
"""


def of(code: Code, exc: BaseException | None, fields: dict[str, Any]) -> ErrorGroup:
    """Make the group an error belongs to, unsaved. `fields` are the columns of its activity row."""
    where = place(exc) if exc is not None else None
    return ErrorGroup(
        fingerprint=fingerprint(code, exc),
        code=code.id,
        severity=code.severity,
        exception=type(exc).__name__[:80] if exc is not None else "",
        file=where.file[:200] if where else "",
        function=where.function[:120] if where else "",
        line=where.line if where else 0,
        action=fields["action"],
        last_correlation=fields["correlation_id"],
    )


def count(group: ErrorGroup) -> None:
    """Count an error into its group, in a transaction of its own."""
    names = ["fingerprint", "code", "severity", "exception", "file", "function", "line", "action", "last_correlation"]
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {name: getattr(group, name) for name in names})


def unforeseen() -> QuerySet[ErrorGroup]:
    """The groups whose code nobody registered, the most recent first."""
    return ErrorGroup.objects.filter(code__regex=r"-9\d{3}$")


def promotion(group: ErrorGroup) -> str:
    """Give the lines to write into `errors/codes.py` for an unforeseen error; words and number are to be chosen."""
    module = group.code.split("-")[1]
    name = "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in group.exception).strip("_")
    return (
        f"# Met {group.times} times as {group.code}: {group.exception} in {group.file}:{group.line},"
        f" {group.function}()\n"
        f"{name or 'NEW_CODE'} = _code(\n"
        f'    "E-{module}-{group.severity}-NNNN",  # the next free number of {module}\n'
        f'    "{name or "NEW_CODE"}",\n'
        '    "What happened.",\n'
        '    "What to do next.",\n'
        ")\n"
        f"# and the way to it in errors/causes.py, _FORESEEN: (({group.exception},), codes.{name or 'NEW_CODE'}),\n"
    )


def handle(group: ErrorGroup) -> None:
    """Note that somebody looked at it; the next time opens it again."""
    ErrorGroup.objects.filter(pk=group.pk).update(handled_at=Now())
