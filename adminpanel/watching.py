"""Rows that staff have on their screen: which of them look otherwise now than when the page was drawn.

Asked by the open line every two seconds, one query for a page's rows; so nothing that works on rows must tell of it.
"""

import hashlib
import json
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest

from accounts import tenancy
from accounts.models import User
from adminpanel import roles

MOST = 100  # rows of one line


def versions(page: Any, rows: list[Any]) -> dict[str, list[str]]:
    """The addresses of rows, each with its key and a mark that differs when any column does."""
    return {page.address(row): [str(row.pk), _mark(row)] for row in rows[:MOST]}


def asked(content: object) -> tuple[str, dict[str, str]] | None:
    """What a browser wants to have watched, `{"table": …, "rows": {key: mark}}`; None for anything else."""
    if not isinstance(content, dict) or not isinstance(content.get("rows"), dict):
        return None
    table, rows = content.get("table"), content["rows"]
    known = all(isinstance(key, str) and isinstance(mark, str) and len(key) < 80 for key, mark in rows.items())
    return (table, rows) if isinstance(table, str) and known and len(rows) <= MOST else None


def changed(user: object, table: str, rows: dict[str, str]) -> dict[str, str]:
    """The rows that changed, with their marks now; "" for one that is gone. Nothing for who may not see the page."""
    from adminpanel.site import site

    page: Any = next((one for one in site._registry.values() if one.model._meta.label_lower == table), None)
    if page is None:
        return {}
    with tenancy.platform("staff look at rows of all workspaces"):
        person = User.objects.filter(pk=cast(Any, user)).first()
        if not roles.may(person, page.page):
            return {}
        try:
            # As the list fetches them, so that what it counts beside a row is looked at too.
            now = {str(row.pk): _mark(row) for row in page.get_queryset(HttpRequest()).filter(pk__in=list(rows))}
        except (ValidationError, ValueError):
            return {}
    return {key: now.get(key, "") for key, mark in rows.items() if now.get(key, "") != mark}


def _mark(row: Model) -> str:
    values = {name: str(value) for name, value in vars(row).items() if not name.startswith("_")}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]
