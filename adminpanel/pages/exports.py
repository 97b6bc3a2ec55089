"""A list as it is filtered, as CSV: read a chunk at a time, however long it is."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from accounts import tenancy
from accounts.archives import inert
from adminpanel import audit

if TYPE_CHECKING:
    from adminpanel.pages.base import Page

CSV_ROWS = 500  # a chunk


def ticked(page: "Page", request: HttpRequest, rows: QuerySet[Any]) -> HttpResponseBase:
    """The action of a list: those that are ticked, at most a page of them."""
    return export(page, request, rows)


def export(page: "Page", request: HttpRequest, rows: QuerySet[Any]) -> HttpResponseBase:
    """Write down that it is exported, and begin. Who may was asked before."""
    columns = page.export_columns or tuple(name for name in page.list_display if isinstance(name, str))
    audit.record(f"{page.page}.export", request=request, filters=request.GET.urlencode()[:500])
    answer = StreamingHttpResponse(_csv(page, rows.order_by("pk"), columns), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{page.page}.csv"'
    return answer


async def _csv(page: "Page", rows: QuerySet[Any], columns: tuple[str, ...]) -> AsyncIterator[str]:
    yield _line(columns)
    last = None
    while True:
        text, last = await sync_to_async(_chunk)(page, rows, columns, last)
        yield text
        if last is None:
            return


def _chunk(page: "Page", rows: QuerySet[Any], columns: tuple[str, ...], last: Any) -> tuple[str, Any]:
    """The lines after a row, and the row after which the next ones come; None at the end."""
    with tenancy.platform("staff export a list"):
        found = list((rows if last is None else rows.filter(pk__gt=last))[:CSV_ROWS])
        text = "".join(_line([_cell(page, row, name) for name in columns]) for row in found)
    return text, found[-1].pk if len(found) == CSV_ROWS else None


def _cell(page: "Page", row: Any, name: str) -> str:
    if name == "__str__":  # a page has one of its own
        return str(row)
    value = getattr(page, name)(row) if hasattr(page, name) else getattr(row, name, "")
    value = value() if callable(value) else value
    return "" if value is None else str(value)


def _line(cells: Any) -> str:
    return ",".join('"{}"'.format(inert(str(cell)).replace('"', '""')) for cell in cells) + "\r\n"
