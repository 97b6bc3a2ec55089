"""Filters whose choices are written down: to ask a table for all values of a column reads all of it."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest


class Choice(admin.SimpleListFilter):
    """One of some ways to look at a list: what stands in the address, its name, and which rows these are."""

    ways: tuple[tuple[str, str, Q | Callable[[], Q]], ...] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All there are."""
        return [(key, name) for key, name, _ in self.ways]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """The rows of the way that is asked for; all for what is none."""
        rows = next((rows for key, _, rows in self.ways if key == self.value()), Q())
        return queryset.filter(rows() if callable(rows) else rows)
