"""Deeds to all rows that match: asked for over a list, followed and stopped on a page of their own."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from unfold.decorators import display

from adminpanel import bulk, presence
from adminpanel.deeds import Asked, BriefForm, Deed
from adminpanel.models import BulkJob
from adminpanel.pages.base import Page
from adminpanel.pages.doing import for_a_code, refuse
from adminpanel.site import site
from errors.exceptions import BotException


def ask(page: Page, request: HttpRequest, deed: str) -> HttpResponseBase:
    """Say how many rows match, ask for the reason, and begin. Always wants a fresh code: nobody looked at each row."""
    wanted = next((one for one in page.deeds if one.name == deed and one.bulk), None)
    if wanted is None:
        raise Http404
    if not (page.may(request) and page.may(request, deed)):
        raise PermissionDenied
    if not presence.has_proved(request.session):
        return for_a_code(request)
    filters = request.GET.urlencode()
    total = bulk.matching(page, request.user, filters)[: bulk.MOST + 1].count()  # type: ignore[arg-type]
    form = wanted.form(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            job = bulk.begin(page, wanted, request, filters, form.cleaned_data, total)
            return redirect(JobPage(BulkJob, site).address(job))
        except BotException as refused:
            refuse(form, refused)
    back = page.list_address() + (f"?{filters}" if filters else "")
    says = f"{wanted.says} To all {total:,} rows that match, by a worker; you can stop it on the way."
    return page.confirm(
        request, wanted, form, [], back, many=False, says=says, button=f"{wanted.title}: {total:,} rows"
    )


def _stop(row: BulkJob, asked: Asked) -> str:
    if bulk.stop(row, asked.by):
        return "It is stopped. What was done stays done."
    return "It had ended already."


@admin.register(BulkJob, site=site)
class JobPage(Page):
    """Bulk jobs."""

    page = "bulk_jobs"
    judged_by = ("status",)
    says = "Deeds to all rows that matched a list's filters, with how far each is."
    ready_views = (("Running", "status__exact=running"),)
    no_rows = "Over a list, choose a deed under “To all rows that match”."
    list_display = ("__str__", "asked_by", "shown_status", "progress", "done", "refused", "created_at", "ended_at")
    list_filter = ("status",)
    list_select_related = ("asked_by",)
    ordering = ("-created_at",)
    sortable_by = ("created_at",)
    search_exact = ("page", "deed", "correlation_id")
    search_help_text = "The name of a page or a deed, or a correlation id"
    fields = readonly_fields = (
        "page", "deed", "filters", "asked_by", "shown_status", "progress", "total", "done", "passed", "refused",
        "last_code", "given", "correlation_id", "created_at", "worked_at", "ended_at",
    )  # fmt: skip
    live_every = 3
    deeds = (
        Deed("stop", "Stop", _stop, "After the rows it is at. What was done stays done.", BriefForm,
             fits=lambda row: row.status == "running"),
    )  # fmt: skip

    @display(description="Status", label={"running": "info", "done": "success", "refused": "danger"})
    def shown_status(self, row: BulkJob) -> str:
        """Its state."""
        return row.status

    @display(description="Progress")
    def progress(self, row: BulkJob) -> str:
        """How far it is."""
        return f"{row.taken:,} of {row.total:,} ({row.percent} %)"

    def beside(self, row: BulkJob) -> list[dict[str, Any]]:
        """How far it is, drawn anew while one looks, and back to the list as it was filtered."""
        model = row.model.replace(".", "_")
        link = reverse(f"admin:{model}_changelist") + (f"?{row.filters}" if row.filters else "")
        facts = [
            ("Status", row.status), ("Rows", self.progress(row)), ("Done", f"{row.done:,}"),
            ("Did not fit", f"{row.passed:,}"), ("Refused", f"{row.refused:,} {row.last_code}"),
        ]  # fmt: skip
        progress = {"title": "How far it is", "facts": facts, "percent": row.percent}
        return [
            progress,
            {"title": "The list", "rows": [{"link": link, "text": "What matches now", "note": row.filters}]},
        ]
