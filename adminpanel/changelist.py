"""Lists that stay quick with a million rows: pages by key, no exact counts, search by index."""

import base64
import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.paginator import Paginator
from django.db import connection, models
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.views import ChangeList

FOUND = 200  # rows of another table at most, through which a list is searched
AFTER, BEFORE = "after", "before"  # the row beyond which a page begins, either way


class Matching(int):
    """A number of rows nobody counted: more than the page shows."""

    def __str__(self) -> str:
        return "matching"


class KeyedList(ChangeList):
    """A changelist whose pages begin after a row, not after a number of rows: page 10,000 costs what page 1 does."""

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        """What is filtered by; where a page begins is no filter."""
        found: dict[str, Any] = super().get_filters_params(params)
        self.place = {name: (found.pop(name, None) or [""])[-1] for name in (AFTER, BEFORE)}
        return found

    def get_filters(self, request: HttpRequest) -> Any:
        """What the page's own filters take, nothing else: by its first letters a hash could be spelled out."""
        found = super().get_filters(request)
        if rest := found[2]:
            raise DisallowedModelAdminLookup(f"No filter of this list takes {', '.join(rest)}.")
        return found

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """The rows; a filter that means nothing is a bad request, for the export and deeds to all rows too."""
        try:
            return super().get_queryset(request, exclude_parameters)
        except IncorrectLookupParameters as wrong:
            raise DisallowedModelAdminLookup("A filter of this list means nothing.") from wrong

    def apply_select_related(self, qs: QuerySet[Any]) -> QuerySet[Any]:
        """Fetch what hangs on a page's rows by their keys, after them.

        Behind a wall of rows PostgreSQL expects few of them, and joins whole tables to show fifty.
        """
        named = self.list_select_related
        if not isinstance(named, list | tuple):
            related = {field.name for field in self.lookup_opts.concrete_fields if field.is_relation}
            named = [name for name in self.list_display if name in related]
        return qs.prefetch_related(*named)

    def get_results(self, request: HttpRequest) -> None:
        """One query for a page and one row more, by which we know whether there is another page."""
        ordering = [str(name) for name in self.get_ordering(request, self.queryset)]
        back, key = bool(self.place[BEFORE]), self.place[BEFORE] or self.place[AFTER]
        order = [_turned(name) for name in ordering] if back else ordering
        rows = self.queryset.order_by(*order)
        if beyond := _beyond(self.model, order, key):
            rows = rows.filter(beyond)
        found = list(rows[: self.list_per_page + 1])
        more, found = len(found) > self.list_per_page, found[: self.list_per_page]
        if back:
            found.reverse()
        further = {True: bool(key), False: more}[back], {True: more, False: bool(beyond)}[back]
        self.next_page = self._link(AFTER, found[-1], ordering) if found and further[0] else ""
        self.last_page = self._link(BEFORE, found[0], ordering) if found and further[1] else ""
        self.first_page = self.get_query_string() if beyond else ""
        self.model_admin.dress(found)
        self.result_list = found
        self.result_count = Matching(len(found) + 1) if more or beyond else len(found)
        self.full_result_count = None
        self.show_all = self.can_show_all = False
        self.multi_page = False
        self.paginator = Paginator(found, self.list_per_page)
        self.page_num = 1

    @property
    def about(self) -> int | None:
        """About how many rows the whole table has, as PostgreSQL remembers; None where these are others."""
        all_there = not (self.next_page or self.first_page)
        filtered = self.query or self.has_active_filters or self.model._meta.proxy
        return None if all_there or filtered else estimate(self.model)

    def _link(self, direction: str, row: models.Model, ordering: list[str]) -> str:
        return self.get_query_string({direction: _key_of(row, ordering)})


def estimate(model: type[models.Model]) -> int:
    """About how many rows a table has: from the planner's statistics, with those of its partitions."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(greatest(reltuples, 0)), 0)::bigint FROM pg_class"
            " WHERE oid = %s::regclass OR oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = %s::regclass)",
            [model._meta.db_table, model._meta.db_table],
        )
        return int(cursor.fetchone()[0])


def _turned(name: str) -> str:
    return name.removeprefix("-") if name.startswith("-") else f"-{name}"


def _path(model: type[models.Model], name: str) -> str:
    plain = name.removeprefix("-")
    return str(model._meta.pk.name) if plain == "pk" else plain


def _key_of(row: models.Model, ordering: list[str]) -> str:
    values = []
    for name in ordering:
        value: Any = row
        for part in _path(type(row), name).split("__"):
            value = getattr(value, part, None)
        values.append(value.isoformat() if isinstance(value, datetime) else value)
    return base64.urlsafe_b64encode(json.dumps(values, default=str).encode()).decode().rstrip("=")


def _beyond(model: type[models.Model], order: list[str], key: str) -> Q | None:
    """What comes after a row in this order; None for a key that is none of ours."""
    try:
        values = json.loads(base64.urlsafe_b64decode(key + "=" * (-len(key) % 4)))
        names = [_path(model, name) for name in order]
        values = [_field(model, name).to_python(value) for name, value in zip(names, values, strict=True)]
    except (ValueError, TypeError, ValidationError, FieldDoesNotExist, UnicodeDecodeError):
        return None
    if not values or any(value is None for value in values):
        return None
    found = Q()
    for place in range(len(order)):
        step = "lt" if order[place].startswith("-") else "gt"
        same = Q(**{names[before]: values[before] for before in range(place)})
        found |= same & Q(**{f"{names[place]}__{step}": values[place]})
    # Said once more for the first column, so that its index is where the search begins.
    edge = "lte" if order[0].startswith("-") else "gte"
    return Q(**{f"{names[0]}__{edge}": values[0]}) & found


def _field(model: type[models.Model], path: str) -> Any:
    *through, last = path.split("__")
    for part in through:
        model = model._meta.get_field(part).related_model  # type: ignore[assignment]
    return model._meta.get_field(last)


def beginning(model: type[models.Model], path: str, text: str) -> Q:
    """Rows whose column begins with a text in small letters; of other tables at most FOUND rows are looked for first.

    Between two words, not LIKE: behind a wall of rows PostgreSQL lets only such comparisons use an index.
    """
    name, _, rest = path.partition("__")
    if not rest:
        return Q(**{f"{name}__gte": text, f"{name}__lt": text + "\U0010ffff"})
    there = model._meta.get_field(name).related_model
    found = there._default_manager.filter(beginning(there, rest, text)).values_list("pk", flat=True)  # type: ignore[union-attr, arg-type]
    return Q(**{f"{name}__in": list(found[:FOUND])})


def as_uuid(text: str) -> UUID | None:
    """The id somebody typed or pasted; None for anything else."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None
