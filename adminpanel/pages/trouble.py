"""What went wrong: errors by the place they come from, the whole story of one id, and how operators are told."""

from itertools import chain
from operator import itemgetter
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Q
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import display

from adminpanel import audit, roles
from adminpanel.choices import Choice
from adminpanel.deeds import Asked, BriefForm, Deed
from adminpanel.models import AdminLog
from adminpanel.pages.base import Page
from adminpanel.site import site
from errors import alerts, groups
from errors.models import ActivityLog, ErrorGroup, StoryStep
from instagrowth import live, system
from instagrowth.models import LiveEvent

IN_STORY = 500  # rows of one kind of a story that are shown
TOLD = 30  # alerts that are shown


class Kind(Choice):
    """What is to be looked at, and what nobody foresaw."""

    title = "kind"
    parameter_name = "kind"
    ways = (
        ("open", "Not looked at", Q(handled_at=None)),
        ("unforeseen", "Unforeseen", lambda: Q(pk__in=groups.unforeseen().values("pk"))),
        ("handled", "Looked at", Q(handled_at__isnull=False)),
    )


def _handle(row: ErrorGroup, asked: Asked) -> str:
    groups.handle(row)
    return "Noted. The next time it happens, it is open again."


@admin.register(ErrorGroup, site=site)
class GroupPage(Page):
    """The same error from the same place, however often."""

    page = "error_groups"
    judged_by = ("handled_at",)
    says = (
        "Each error once, with how often it was met, since when and where; an unforeseen one says how to register it."
    )
    ready_views = (("Not looked at", "kind=open"), ("Unforeseen", "kind=unforeseen"))
    no_rows = "No error was met."
    list_display = ("code", "shown_severity", "exception", "shown_place", "times", "first_at", "last_at", "handled_at")
    list_filter = (Kind, "severity")
    ordering = ("-last_at", "pk")
    sortable_by = ("times", "last_at")
    search_exact = ("code", "exception", "file", "last_correlation")
    search_ids = ()
    search_help_text = "A code, the class of an exception, a file, or a correlation id"
    deeds = (
        Deed("handle", "Looked at", _handle, "It leaves the list of what is to be looked at.", form=BriefForm,
             fits=lambda row: row.handled_at is None, bulk=True),
    )  # fmt: skip
    fields = readonly_fields = (
        "code", "severity", "exception", "file", "function", "line", "action", "times", "first_at", "last_at",
        "last_correlation", "handled_at",
    )  # fmt: skip

    def beside(self, row: ErrorGroup) -> list[dict[str, Any]]:
        """The last story, the code's help, and for an unforeseen error the lines that register it."""
        links = [{"link": f"/help/errors/{row.code}/", "text": f"What {row.code} means"}]
        if row.last_correlation:
            links.insert(0, {"link": story_of(row.last_correlation), "text": f"The last story: {row.last_correlation}"})
        boxes: list[dict[str, Any]] = [{"title": "Look further", "rows": links}]
        if row.is_unforeseen:
            boxes.append({"title": "Promote: write this into errors/codes.py", "code": groups.promotion(row)})
        return boxes

    @display(description="Severity", label={"I": "info", "W": "warning", "E": "danger", "C": "danger"})
    def shown_severity(self, row: ErrorGroup) -> str:
        """Its letter."""
        return row.severity

    @display(description="Place")
    def shown_place(self, row: ErrorGroup) -> str:
        """The line of ours, the last time."""
        return f"{row.file}:{row.line}" if row.file else "a library"


def story_of(correlation_id: str) -> str:
    """The address of a story."""
    return reverse("admin:story") + f"?id={correlation_id}"


def story_page(request: HttpRequest) -> HttpResponseBase:
    """Everything that happened under one correlation id, in order: log, requests, tasks, calls, staff's deeds."""
    roles.check(request.user, "story")
    wanted = request.GET.get("id", "").replace("\0", "").strip()[:40]
    parts = [_of_log(wanted), _steps(wanted), _of_staff(request, wanted)] if wanted else []
    lines = sorted(chain.from_iterable(parts), key=itemgetter("at"))
    met = ErrorGroup.objects.filter(last_correlation=wanted) if wanted else []
    context = {
        **site.each_context(request),
        "title": "Story",
        "wanted": wanted,
        "lines": lines,
        "cut": any(len(part) == IN_STORY for part in parts) and IN_STORY,
        "met": {
            "title": "Errors whose last time this was",
            "rows": [
                {"link": _address(one), "text": str(one), "note": "once" if one.times == 1 else f"{one.times} times"}
                for one in met
            ],
        },
    }
    return TemplateResponse(request, "adminpanel/story.html", context)


def _of_log(wanted: str) -> list[dict[str, Any]]:
    rows = ActivityLog.objects.filter(correlation_id=wanted).order_by("id")[:IN_STORY]
    return [
        {"at": row.at, "deed": row.action, "status": row.status, "code": row.error_code, "says": row.error_message,
         "workspace": row.workspace_id, "link": _address(row), "place": _place(row.metadata)}
        for row in rows
    ]  # fmt: skip


def _steps(wanted: str) -> list[dict[str, Any]]:
    rows = StoryStep.objects.filter(correlation_id=wanted)[:IN_STORY]
    return [
        {"at": row.at, "deed": row.name, "status": row.outcome, "code": row.code, "place": row.kind,
         "says": f"{row.milliseconds} ms" + (f", attempt {row.attempt}" if row.attempt > 1 else "")}
        for row in rows
    ]  # fmt: skip


def _of_staff(request: HttpRequest, wanted: str) -> list[dict[str, Any]]:
    if not roles.may(request.user, "admin_log"):
        return []
    rows = AdminLog.objects.filter(correlation_id=wanted).order_by("id")[:IN_STORY]
    return [
        {"at": row.created_at, "deed": f"{row.action} by {row.admin or 'nobody known'}", "status": "staff",
         "says": row.target, "link": _address(row)}
        for row in rows
    ]  # fmt: skip


def _place(metadata: Any) -> str:
    return (
        f"{metadata['file']}:{metadata.get('line', '')}" if isinstance(metadata, dict) and metadata.get("file") else ""
    )


def _address(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def alerts_page(request: HttpRequest) -> HttpResponseBase:
    """How operators are told, whom the last alerts went to, and a button that tries every way."""
    roles.check(request.user, "alerts")
    may_test = roles.may(request.user, "alerts", "test")
    if request.method == "POST":
        roles.check(request.user, "alerts", "test")
        ways = alerts.try_out(str(request.user))
        audit.record("alerts.test", request=request, ways=", ".join(ways))
        messages.success(request, f"A test was sent by: {', '.join(ways) or 'no way'}.")
        return redirect("admin:alerts")
    told = LiveEvent.objects.filter(workspace_id=live.STAFF, name="alert").order_by("-id")[:TOLD]
    context = {
        **site.each_context(request),
        "title": "Alerts",
        "ways": _ways(),
        "told": told,
        "may_test": may_test,
        "storm": system.ALERT_STORM.now(),
        "minutes": alerts.WINDOW // 60,
    }
    return TemplateResponse(request, "adminpanel/alerts.html", context)


def _ways() -> list[tuple[str, str]]:
    """Each way with where it leads; of the webhook the host alone, for its address is often a secret."""
    host, signed = urlsplit(settings.ALERT_WEBHOOK_URL).hostname, bool(settings.ALERT_WEBHOOK_SECRET)
    return [
        ("Webhook", f"{host}, {'signed' if signed else 'not signed'}" if host else "ALERT_WEBHOOK_URL is not set"),
        ("Mail", ", ".join(system.ALERT_EMAILS.now()) or "no address is set"),
        ("Sentry", "on" if settings.SENTRY_DSN else "SENTRY_DSN is not set"),
        ("Staff's browsers", "always, while one of these pages is open"),
    ]
