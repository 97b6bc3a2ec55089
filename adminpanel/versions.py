"""Two administrators at one row: what was opened carries the row's version, and whoever comes second is told."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django import forms
from django.db import connection, models

from adminpanel.labels import HELP, LABELS
from adminpanel.models import AdminLog
from errors import codes
from errors.exceptions import BotException

AT_IT = "Somebody else is doing something to this right now. Load the page again in a moment."


class RowForm(forms.ModelForm):
    """A row as it was when the form was opened: whoever saves over somebody else's change is told."""

    version = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        labels = LABELS
        help_texts = HELP

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and not self.instance._state.adding:
            self.initial["version"] = of(self.instance)

    def clean(self) -> dict[str, Any]:
        """Compare with the row as it is now, and hold it until the transaction ends."""
        found = super().clean() or {}
        if not self.instance._state.adding:
            if not _try("pg_try_advisory_xact_lock", self.instance):
                raise forms.ValidationError(AT_IT)
            now = type(self.instance)._default_manager.select_for_update().filter(pk=self.instance.pk).first()
            if now is None or of(now) != found.get("version"):
                raise forms.ValidationError(str(changed(self.instance)))
        return found


def of(row: models.Model, columns: tuple[str, ...] = (), deeds: int = 0) -> str:
    """A mark that differs when any of the columns does; without columns, when any of all does."""
    names = columns or tuple(field.attname for field in row._meta.concrete_fields)
    values = {name: str(getattr(row, name)) for name in names} | {"deeds": deeds}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:20]


def for_deeds(rows: Sequence[models.Model], columns: tuple[str, ...] = ()) -> dict[str, str]:
    """The versions of rows by their keys, with the newest deed to each: what a deed does may stand in another table."""
    if not rows:
        return {}
    types = {rows[0]._meta.label_lower, rows[0]._meta.concrete_model._meta.label_lower}  # type: ignore[union-attr]
    told = AdminLog.objects.filter(target_type__in=types, target_id__in=[str(row.pk) for row in rows]).order_by()
    newest = dict(told.values_list("target_id").annotate(newest=models.Max("pk")))
    return {str(row.pk): of(row, columns, newest.get(str(row.pk), 0)) for row in rows}


def changed(row: models.Model) -> BotException:
    """What the second one is told: who was first."""
    last = AdminLog.objects.filter(target_type=row._meta.label_lower, target_id=str(row.pk)).first()
    who = last.admin if last and last.admin else "Somebody"
    return BotException(codes.CHANGED_MEANWHILE, f"{who} changed this while you had it open.")


@contextmanager
def held(row: models.Model, *, unbound: bool = False) -> Iterator[None]:
    """Let nobody else of staff do anything to a row. Raises CHANGED_MEANWHILE where somebody is at it.

    Held until the transaction ends; for what has no transaction (`unbound`), until the block does. It does not wait:
    one who holds several rows and waits for another may be waited for.
    """
    if not _try("pg_try_advisory_lock" if unbound else "pg_try_advisory_xact_lock", row):
        raise BotException(codes.CHANGED_MEANWHILE, AT_IT)
    try:
        yield
    finally:
        if unbound:
            _try("pg_advisory_unlock", row)


def _try(function: str, row: models.Model) -> bool:
    with connection.cursor() as cursor:
        name = f"staff at {row._meta.concrete_model._meta.label_lower} {row.pk}"  # type: ignore[union-attr]
        cursor.execute(f"SELECT {function}(hashtextextended(%s, 0))", [name])
        return bool(cursor.fetchone()[0])
