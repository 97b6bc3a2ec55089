"""Sessions: the pool of sealed logins, and what is uploaded into it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.files.uploadedfile import UploadedFile
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from unfold.decorators import display

from adminpanel import audit, bots, uploads
from adminpanel.deeds import Asked, Deed, DeedForm
from adminpanel.pages.accounts import link_to
from adminpanel.pages.base import Page
from adminpanel.pages.happened import activity_of, told
from adminpanel.site import site
from adminpanel.spans import When
from bots import session_pool
from bots.models import Session
from errors.exceptions import BotException
from errors.models import ActivityLog


class ManyFiles(forms.ClearableFileInput):
    """A field for several files; our script lets them be dropped on it."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files of any content: each is judged alone."""

    widget = ManyFiles

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        """At least one, at most a hundred."""
        files = data if isinstance(data, list | tuple) else [data] if data else []
        if not self.required and not files:
            return []
        if not 1 <= len(files) <= uploads.MOST_FILES:
            raise forms.ValidationError(f"Choose 1 to {uploads.MOST_FILES} files.")
        return list(files)


class UploadForm(forms.Form):
    """Session files."""

    session_files = FilesField(
        label="Session files",
        help_text="Drop them here, or choose them: as instagrapi writes them, each at most 64 KB, at most 100 at once.",
        widget=ManyFiles(attrs={"accept": ".json,application/json", "multiple": True, "data-drop": "1"}),
    )  # fmt: skip


class ForceForm(DeedForm):
    """Whether a bot at work may be stopped for it."""

    force = forms.BooleanField(required=False, label="Also while its bot is running, which then stops")


def _verify(row: Session, asked: Asked) -> str:
    checked = session_pool.verify(row, asked.by)
    return "Instagram takes it." if checked.valid else f"Instagram refuses it: {checked.stop}"


def _release(row: Session, asked: Asked) -> str:
    session_pool.release(row, asked.by, force=asked.given["force"])
    return "It is back in the pool, unused."


def _stop(to: str) -> Any:
    def stop(row: Session, asked: Asked) -> str:
        session_pool.stop(row, to, asked.by)
        return f"It is {to}; its bot is stopped and its owner told."

    return stop


def _delete_session(row: Session, asked: Asked) -> str:
    session_pool.delete(row, asked.by, force=asked.given["force"])
    return "The session is deleted."


@admin.register(Session, site=site)
class SessionPage(Page):
    """Sessions."""

    page = "sessions"
    judged_by = ("status", "account_id", "workspace_id", "username")
    says = "Sealed logins: unused ones wait in the pool, a bot takes one."
    ready_views = (
        ("Unused", "status__exact=unused"),
        ("Assigned", "status__exact=assigned"),
        ("Frozen", "status__exact=frozen"),
        ("Banned", "status__exact=banned"),
    )
    no_rows = "Upload session files: each waits here unused until a bot takes it."
    make_title = "Upload sessions"
    make_button = "Upload"
    list_display = ("filename", "username", "shown_status", "valid", "probed_at", "account", "created_at")
    list_filter = ("status", "valid", When)
    list_select_related = ("account",)
    ordering = ("-created_at",)
    sortable_by = ("created_at",)
    search_starts = ("username",)
    search_ids = ("pk", "account_id", "workspace_id")
    export_columns = ("id", "filename", "username", "status", "valid", "probed_at", "account_id", "workspace_id")
    search_help_text = "The beginning of a username, or an id"
    fields = readonly_fields = (
        "filename", "username", "status", "valid", "probed_at", "account", "workspace", "version", "created_at",
    )  # fmt: skip
    make_form = UploadForm
    dangerous_make = True
    deeds = (
        Deed("verify", "Verify", _verify, "We ask Instagram once, and learn whose it is.", slow=True,
             also=bots.driven_by),
        Deed("release", "Take back", _release, "From its bot, which stops, into the pool.", ForceForm,
             fits=lambda row: row.status != "unused", also=bots.driven_by),
        Deed("freeze", "Freeze", _stop(Session.Status.FROZEN), "Its bot stops.",
             fits=lambda row: row.status == "assigned", also=bots.driven_by),
        Deed("ban", "Mark as banned", _stop(Session.Status.BANNED), "Its bot stops for good.",
             fits=lambda row: row.status in ("assigned", "frozen"), also=bots.driven_by),
        Deed("delete", "Delete", _delete_session, "Nobody can bring it back.", ForceForm, dangerous=True,
             also=bots.driven_by),
    )  # fmt: skip

    def make(self, asked: Asked) -> HttpResponseBase:
        """Judge each file alone, and tell what became of each."""
        results = [_uploaded(file, asked) for file in asked.given["session_files"]]
        for result in results:
            if result["session"]:
                audit.Seen(result["session"], new=True).record("sessions.add", request=asked.request)
        taken = sum(1 for result in results if result["session"])
        audit.record("sessions.upload", request=asked.request, taken=taken, refused=len(results) - taken)
        context = {**site.each_context(asked.request), "title": "Uploaded", "results": results, "taken": taken}
        return TemplateResponse(asked.request, "adminpanel/uploaded.html", context)

    def beside(self, row: Session) -> list[dict[str, Any]]:
        """The account it signs in to with its bot, and what happened there."""
        if row.account is None:
            return [{"title": "In use by", "empty": "Nobody: it waits in the pool."}]
        bot, log = getattr(row.account, "bot", None), ActivityLog.objects.filter(account_id=row.account_id)
        parts = [link_to("bots_instagramaccount", row.account, row.account.get_health_display())]
        parts += [link_to("bots_bot", bot, bot.status)] if bot else []
        return [
            {"title": "In use by", "rows": parts},
            {"title": "Last activity", "rows": told(log[:8]), "more": activity_of(row.account_id)},
        ]

    @display(description="Name")
    def filename(self, row: Session) -> str:
        """Our name for it."""
        return session_pool.filename_of(row)

    @display(
        description="Status", label={"unused": "info", "assigned": "success", "frozen": "warning", "banned": "danger"}
    )
    def shown_status(self, row: Session) -> str:
        """Its state."""
        return row.status


def _uploaded(file: UploadedFile, asked: Asked) -> dict[str, Any]:
    result: dict[str, Any] = {"name": uploads.called(file), "session": None}
    try:
        found = session_pool.judge(uploads.content_of(file), file.name or "")
        result["session"] = session_pool.add(found, asked.by)
    except BotException as refused:
        result |= {"why": str(refused), "do_next": refused.code.do_next, "code": refused.code.id}
    return result
