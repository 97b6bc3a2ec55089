"""A row in every table that is somebody's, whatever tables there are: what is to be erased, or must stay."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.utils.timezone import now

from accounts.archives import has
from accounts.models import User, Workspace
from billing.models import Invoice, Subscription, SubscriptionChange
from instagrowth.testing import everywhere

# Fields that a constraint ties together.
TIED: dict[str, dict[str, Any]] = {"bots.Session": {"status": "assigned"}}


# What was paid stays, as nobody's.
OUTLIVE = (Subscription, SubscriptionChange, Invoice)


class Filling:
    """One row of each table, all of one workspace and person, with `mark` in every text of theirs."""

    def __init__(self, workspace: Workspace, user: User, mark: str) -> None:
        self.mark = mark
        self.number = abs(hash(mark)) % 10**9
        self.rows: dict[type[models.Model], models.Model] = {Workspace: workspace, User: user}
        self.owned: set[type[models.Model]] = set()

    def tenants(self) -> list[type[models.Model]]:
        """Fill every table with a workspace, and those that hang on one."""
        mine = [model for model in apps.get_models() if has(model, "workspace_id")]
        hanging = [
            model
            for model in apps.get_models()
            if model not in mine and any(field.related_model in mine for field in model._meta.concrete_fields)
        ]
        return self._fill([*mine, *hanging])

    def persons(self) -> list[type[models.Model]]:
        """Fill every table with a person, and those that hang on one."""
        mine = [model for model in apps.get_models() if has(model, "user_id") and not has(model, "workspace_id")]
        hanging = [
            model
            for model in apps.get_models()
            if model not in mine and any(field.related_model in mine for field in model._meta.concrete_fields)
        ]
        return self._fill([*mine, *hanging])

    def ids(self) -> list[UUID]:
        """The ids of the rows that are somebody's; what was paid outlives them."""
        return [row.pk for model, row in self.rows.items() if model in self.owned and isinstance(row.pk, UUID)]

    def _fill(self, tables: list[type[models.Model]]) -> list[type[models.Model]]:
        self.owned |= {model for model in tables if model not in OUTLIVE}
        with everywhere():
            for model in tables:
                self._row(model)
        return tables

    def _row(self, model: type[models.Model]) -> models.Model:
        if model not in self.rows:
            tied = TIED.get(model._meta.label, {})
            mark = self.mark if model in self.owned else f"shared{self.number}"
            fields = {
                field.name: self._value(field, mark) for field in model._meta.concrete_fields if field.name not in tied
            }
            wanted = {name: value for name, value in fields.items() if value is not models.NOT_PROVIDED} | tied
            self.rows[model] = model._default_manager.model(**wanted)
            self.rows[model].save(force_insert=True)
        return self.rows[model]

    def _value(self, field: models.Field, mark: str) -> Any:
        if field.related_model is field.model and field.null:  # a row that hangs on one of its own kind
            return models.NOT_PROVIDED
        if field.related_model:
            return self._row(field.related_model)
        if isinstance(field, (models.AutoField, models.GeneratedField)) or field.has_db_default():
            return models.NOT_PROVIDED
        if field.name == "workspace_id":
            return self.rows[Workspace].pk
        if field.name == "account_id":  # of the log: never a person
            return models.NOT_PROVIDED
        if isinstance(field, models.UUIDField) and field.null:
            return self.rows[User].pk
        if field.choices or (field.has_default() and field.get_default()):
            return field.get_default() or field.choices[0][0]
        return self._made(field, mark)

    def _made(self, field: models.Field, mark: str) -> Any:
        """Give a value of the field's kind; the first kind that fits counts."""
        kinds: list[tuple[type[models.Field], Callable[[], Any]]] = [
            (models.EmailField, lambda: f"{mark}@example.com"),
            (models.CharField, lambda: mark[: field.max_length]),
            (models.TextField, lambda: mark),
            (models.JSONField, lambda: {"word": mark}),
            (models.BinaryField, lambda: mark.encode()),
            (ArrayField, lambda: [mark]),
            (models.GenericIPAddressField, lambda: "203.0.113.7"),
            (models.DateTimeField, now),
            (models.DateField, lambda: now().date()),
            (models.TimeField, lambda: now().time()),
            (models.BooleanField, lambda: False),
            (models.SmallIntegerField, lambda: 1),
            (models.PositiveSmallIntegerField, lambda: 1),
            (models.IntegerField, lambda: self.number),
        ]
        return next(value() for kind, value in kinds if isinstance(field, kind))


def hits(*words: object) -> list[str]:
    """Every row of the whole database that has one of these words, as `table: row`."""
    found = []
    with everywhere(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
            " AND relnamespace = 'public'::regnamespace ORDER BY 1"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT lower(t::text) FROM "{table}" t')
            rows = [row for (row,) in cursor.fetchall()]
            texts = {str(word).lower() for word in words}
            forms = texts | {text.encode().hex() for text in texts}
            found += [f"{table}: {row[:200]}" for row in rows if any(form in row for form in forms)]
    return found
