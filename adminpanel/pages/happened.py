"""What happened: the log of all workspaces, and the codes of what can go wrong."""

import re
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from unfold.decorators import display

from accounts.models import Workspace
from adminpanel.changelist import as_uuid
from adminpanel.choices import Choice
from adminpanel.pages.base import Page
from adminpanel.site import site
from adminpanel.spans import WhenAt
from errors.models import ActivityLog, ErrorCode

LOOKED_THROUGH = 100_000  # newest rows in which the name of a deed is searched; ids and codes are found in all
_CODE = re.compile(r"E-[A-Z]{2,4}-[IWEC]-\d{4}", re.IGNORECASE)
_MADE = r"-9\d{3}$"
STATUSES = {"ok": "Done", "info": "Note", "warning": "Warning", "error": "Error"}


class Outcome(Choice):
    """How it ended."""

    title = "outcome"
    parameter_name = "status"
    ways = tuple((key, name, Q(status=key)) for key, name in STATUSES.items())


def _is_deed(term: str) -> bool:
    return bool(term) and not (_CODE.fullmatch(term) or term.startswith("c-") or as_uuid(term))


def told(log: Any) -> list[dict[str, Any]]:
    """Rows of the activity log, as boxes show them."""
    return [
        {
            "link": reverse("admin:errors_activitylog_change", args=[entry.pk]),
            "text": f"{entry.action}: {entry.status}",
            "note": f"{entry.at:%d %b %H:%M} UTC {entry.error_code}",
        }
        for entry in log
    ]


def story_box(correlation_id: str) -> list[dict[str, Any]]:
    """The box that leads to the story of one correlation id; none without an id."""
    link = reverse("admin:story") + f"?id={correlation_id}"
    rows = [{"link": link, "text": correlation_id, "note": "request, tasks and calls, in their order"}]
    return [{"title": "Its story", "rows": rows}] if correlation_id else []


def activity_of(key: object) -> str:
    """The activity list of a person, a workspace or an account."""
    return reverse("admin:errors_activitylog_changelist") + f"?q={key}"


@admin.register(ActivityLog, site=site)
class ActivityPage(Page):
    """The activity of all workspaces."""

    page = "activity"
    says = "Everything that happened in all workspaces, the newest first."
    ready_views = (("Errors of 24 h", "status=error&when=24h"), ("Warnings of 24 h", "status=warning&when=24h"))
    list_display = ("told_at", "action", "shown_status", "error_code", "error_message", "workspace", "correlation_id")
    list_filter = (WhenAt, Outcome)
    ordering = ("-id",)
    sortable_by = ("told_at",)
    search_exact = ("action",)  # for the template: what is looked for how, is below
    search_help_text = "A deed, an error code, a correlation id, or the id of a workspace, a person or an account"
    export_columns = (
        "id", "at", "action", "status", "error_code", "error_message", "workspace_id", "user_id", "account_id",
        "correlation_id",
    )  # fmt: skip
    search_ids = ("workspace_id", "user_id", "account_id")
    fields = readonly_fields = (
        "at", "action", "status", "error_code", "error_message", "workspace_id", "user_id", "account_id",
        "correlation_id", "metadata",
    )  # fmt: skip

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """Each kind of word by its own index."""
        term = search_term.strip()
        if _CODE.fullmatch(term):
            return queryset.filter(error_code=term.upper()), False
        if term.startswith("c-"):
            return queryset.filter(correlation_id=term), False
        found, again = super().get_search_results(request, queryset, search_term)
        if _is_deed(term):
            newest = ActivityLog.objects.order_by("-id").values_list("id", flat=True).first() or 0
            found = found.filter(id__gt=newest - LOOKED_THROUGH)
        return found, again

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Saying so where not all rows were looked through."""
        more: dict[str, Any] = {}
        if _is_deed(request.GET.get("q", "").strip()):
            more["note"] = f"A deed is looked for in the newest {LOOKED_THROUGH:,} rows alone; an id or a code in all."
            more["export_title"] = f"Export as CSV (newest {LOOKED_THROUGH:,})"
        return super().changelist_view(request, {**more, **(extra_context or {})})

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """The file's name says so too."""
        answer = super().export(request)
        if _is_deed(request.GET.get("q", "").strip()):
            answer["Content-Disposition"] = f'attachment; filename="activity-newest-{LOOKED_THROUGH}-rows.csv"'
        return answer

    def beside(self, row: ActivityLog) -> list[dict[str, Any]]:
        """The whole story that this row belongs to, in its order."""
        same = (
            ActivityLog.objects.filter(correlation_id=row.correlation_id)
            if row.correlation_id
            else ActivityLog.objects.none()
        )
        rows = [
            {
                "link": reverse("admin:errors_activitylog_change", args=[entry.pk]),
                "text": f"{entry.action}: {entry.status}",
                "note": f"{entry.at:%d %b %H:%M:%S} UTC",
            }
            for entry in same.order_by("id")[:30]
        ]
        more = reverse("admin:story") + f"?id={row.correlation_id}" if rows else ""
        return [{"title": "The same story", "rows": rows, "more": more}]

    def dress(self, rows: list[Any]) -> None:
        """The names of the rows' workspaces: the log holds their ids alone, for it outlives them."""
        names = dict(Workspace.objects.filter(pk__in={row.workspace_id for row in rows}).values_list("pk", "name"))
        for row in rows:
            row.workspace_name = names.get(row.workspace_id, row.workspace_id)

    @display(description="When", ordering="id")
    def told_at(self, row: ActivityLog) -> Any:
        """When; rows are in the order of their ids, by which their partitions have an index."""
        return row.at

    @display(description="Workspace")
    def workspace(self, row: Any) -> Any:
        """Its name, or the id of one that is gone."""
        return row.workspace_name

    @display(description="Outcome", label={"Done": "success", "Warning": "warning", "Error": "danger"})
    def shown_status(self, row: ActivityLog) -> str:
        """In words."""
        return STATUSES.get(row.status, row.status)


class Foreseen(Choice):
    """Registered codes, or errors that nobody foresaw: these get numbers from 9000."""

    title = "kind"
    parameter_name = "kind"
    ways = (("registered", "Registered", ~Q(code__regex=_MADE)), ("unforeseen", "Unforeseen", Q(code__regex=_MADE)))


@admin.register(ErrorCode, site=site)
class ErrorPage(Page):
    """Error codes, with those that nobody foresaw."""

    page = "errors"
    says = "All codes with what to do next; unforeseen errors get a number from 9000."
    ready_views = (("Unforeseen", "kind=unforeseen"), ("Critical", "severity=C"))
    list_display = ("code", "name", "shown_severity", "description", "file_path", "created_at")
    list_filter = (Foreseen, "module", "severity")
    ordering = ("code",)
    sortable_by = ("code", "created_at")
    search_text = ("code", "name", "description")  # a few hundred rows
    search_help_text = "A code, or a word of its name or of what it means"
    search_ids = ()
    fields = readonly_fields = (
        "code", "name", "module", "severity", "description", "recommended_action", "reaction", "file_path",
        "created_at",
    )  # fmt: skip

    def beside(self, row: ErrorCode) -> list[dict[str, Any]]:
        """Where it occurred last."""
        rows = [
            {
                "link": reverse("admin:errors_activitylog_change", args=[entry.pk]),
                "text": f"{entry.action}",
                "note": f"{entry.at:%d %b %H:%M} UTC {entry.error_message[:80]}",
            }
            for entry in ActivityLog.objects.filter(error_code=row.pk)[:10]
        ]
        more = reverse("admin:errors_activitylog_changelist") + f"?q={row.pk}"
        return [{"title": "Last occurrences", "rows": rows, "more": more, "empty": "It never occurred."}]

    @display(description="Severity", label={"I": "info", "W": "warning", "E": "danger", "C": "danger"})
    def shown_severity(self, row: ErrorCode) -> str:
        """Its letter."""
        return row.severity
