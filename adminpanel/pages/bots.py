"""Bots: made in one go, started, stopped, given API pairs."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.db.models.functions import Now
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from adminpanel import audit, uploads
from adminpanel import bots as making
from adminpanel.choices import Choice
from adminpanel.deeds import Asked, Deed, DeedForm
from adminpanel.pages.accounts import link_to
from adminpanel.pages.base import Page
from adminpanel.pages.happened import activity_of, told
from adminpanel.pages.sessions import FilesField, ManyFiles
from adminpanel.site import site
from adminpanel.spans import When
from bots import api_pairs, session_pool, switch
from bots.models import ApiPair, Bot, BotTask, Session
from errors.models import ActivityLog


class NewBotForm(forms.Form):
    """For whom, on which plan, with which sessions and which pair."""

    user = forms.CharField(
        label="Member", max_length=254, widget=UnfoldAdminTextInputWidget, help_text="E-mail, access code or id."
    )
    display_name = forms.CharField(
        label="Name of the bot", max_length=80, required=False, widget=UnfoldAdminTextInputWidget
    )
    plan_type = forms.ChoiceField(
        label="Plan", choices=[(key, key.title()) for key in making.PLAN_TYPES], widget=UnfoldAdminSelectWidget,
        help_text="The workspace is put on it. Another than it has wants a role that may change plans.",
    )  # fmt: skip
    cycle_delay = forms.IntegerField(
        label="Cycle delay (seconds)", min_value=1, max_value=86400, initial=90, widget=UnfoldAdminIntegerFieldWidget
    )
    sessions = forms.MultipleChoiceField(
        required=False, widget=UnfoldAdminSelectMultipleWidget,
        help_text="Unused ones from the pool. Each makes a bot of its own; hold Ctrl or ⌘ to choose several.",
    )  # fmt: skip
    session_files = FilesField(
        label="Or upload new sessions", required=False, help_text="Drop files here, or choose them.",
        widget=ManyFiles(attrs={"accept": ".json,application/json", "multiple": True, "data-drop": "1"}),
    )  # fmt: skip
    api_pair = forms.ChoiceField(label="API pair", initial=api_pairs.AUTO, widget=UnfoldAdminSelectWidget)

    steps = (
        ("Whom it is for", ("user", "display_name")),
        ("Plan and pace", ("plan_type", "cycle_delay")),
        ("Sessions: from the pool, or new ones", ("sessions", "session_files")),
        ("API pair", ("api_pair",)),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        unused = Session.objects.filter(status=Session.Status.UNUSED).order_by("-created_at")[:200]
        pairs: Any = api_pairs.pairs().filter(status=ApiPair.Status.ACTIVE)[:200]
        self.fields["sessions"].choices = [(str(one.pk), session_pool.filename_of(one)) for one in unused]  # type: ignore[attr-defined]
        self.fields["api_pair"].choices = [  # type: ignore[attr-defined]
            (api_pairs.AUTO, "The least used one"), ("", "None"),
            *((str(pair.pk), f"{pair} ({pair.used} of {pair.capacity})") for pair in pairs),
        ]  # fmt: skip
        self.fields["api_pair"].required = False
        if not unused:
            self.fields["sessions"].help_text = "No session waits in the pool: upload some below."

    def parts(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields by step."""
        return [(title, [self[name] for name in names]) for title, names in self.steps]

    def clean(self) -> dict[str, Any]:
        """Some session there must be."""
        found = super().clean() or {}
        if not found.get("sessions") and not found.get("session_files"):
            self.add_error("sessions", "Choose a session, or upload one.")
        return found


class GivePairForm(DeedForm):
    """Which pair."""

    api_pair = forms.ChoiceField(label="API pair", widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, row: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, row=row, **kwargs)
        pairs: Any = api_pairs.pairs().filter(status=ApiPair.Status.ACTIVE)[:200]
        self.fields["api_pair"].choices = [(api_pairs.AUTO, "The least used one")] + [  # type: ignore[attr-defined]
            (str(pair.pk), f"{pair} ({pair.used} of {pair.capacity})") for pair in pairs
        ]


def _start(row: Bot, asked: Asked) -> str:
    switch.start(row, asked.by)
    return f"{row} runs."


def _stop_bot(row: Bot, asked: Asked) -> str:
    switch.stop(row, asked.by)
    return f"{row} is stopped."


def _give_pair(row: Bot, asked: Asked) -> str:
    return f"{row} has {api_pairs.assign(row, asked.given['api_pair'], asked.by)} now."


def _take_pair(row: Bot, asked: Asked) -> str:
    api_pairs.release(row, asked.by)
    return f"{row} has no API pair any more."


class Queue(Choice):
    """Whose workers it has."""

    title = "queue"
    parameter_name = "queue"
    ways = tuple((key, key.title(), Q(queue=key)) for key in making.PLAN_TYPES)


class Due(Choice):
    """Bots that wait for a worker: what the dashboard's longest wait is of."""

    title = "turn"
    parameter_name = "due"
    ways = (("yes", "Is due, and nobody took it yet", Q(status="running", lease_until=None, next_run_at__lte=Now())),)


@admin.register(Bot, site=site)
class BotPage(Page):
    """Bots."""

    page = "bots"
    judged_by = ("status", "api_pair_id", "workspace_id", "user_id", "display_name", "cycle_delay")
    says = "Each bot drives one account."
    ready_views = (("Running", "status__exact=running"), ("Due now", "due=yes"), ("Parked", "status__exact=parked"))
    no_rows = "Upload sessions, add an API pair, then make a bot for a member."
    list_display = ("__str__", "account", "workspace", "shown_status", "next_run_at", "last_error_code", "created_at")
    list_filter = ("status", Due, Queue, When)
    list_select_related = ("account", "workspace", "user")
    ordering = ("-created_at",)
    sortable_by = ("created_at",)
    search_starts = ("account__username",)
    search_ids = ("pk", "account_id", "workspace_id", "user_id")
    search_help_text = "The beginning of an account's username, or an id"
    export_columns = ("id", "display_name", "account", "workspace_id", "status", "queue", "created_at")
    fields = readonly_fields = (
        "display_name", "account", "workspace", "user", "status", "api_pair", "queue", "share", "cycle_delay", "jitter",
        "burst", "works_from", "works_to", "next_run_at", "lease_until", "attempt", "last_error_code", "last_error_at",
        "started_at", "created_at",
    )  # fmt: skip
    make_form = NewBotForm
    make_says = (
        "Account, bot, plan, session and API pair in one go, or nothing of it. It is stopped until it is started."
    )
    deeds = (
        Deed("start", "Start", _start, "It takes its first turn at once.", bulk=True,
             fits=lambda row: row.status != "running"),
        Deed("stop", "Stop", _stop_bot, "Nothing more is sent.", bulk=True, fits=lambda row: row.status == "running"),
        Deed("give_pair", "Give an API pair", _give_pair, "In place of the one it has.", GivePairForm),
        Deed("take_pair", "Take the API pair away", _take_pair, fits=lambda row: row.api_pair_id is not None),
    )  # fmt: skip

    def make(self, asked: Asked) -> Bot:
        """Make it by the function that programs use."""
        given, beside = asked.given, list[audit.Seen]()
        made = making.create(
            by=asked.by,
            user=given["user"],
            plan_type=given["plan_type"],
            display_name=given["display_name"],
            cycle_delay=given["cycle_delay"],
            named=given["sessions"],
            uploads=[making.Upload(uploads.content_of(file), file.name or "") for file in given["session_files"]],
            api_pair=given["api_pair"] or None,
            sees=lambda *rows, new=False: beside.extend(audit.Seen(row, new=new) for row in rows),
        )
        for seen in [*(audit.Seen(further, new=True) for further in made[1:]), *beside]:
            seen.record("bots.add", if_changed=True, request=asked.request, plan=given["plan_type"])
        return made[0]

    def beside(self, row: Bot) -> list[dict[str, Any]]:
        """Its tasks, its last turns, and what happened."""
        tasks = BotTask.objects.filter(bot=row)[:8]
        turns = row.turns.order_by("-due_at")[:8]
        return [
            {"title": "Tasks", "rows": [link_to("bots_bottask", task, task.status) for task in tasks]},
            {
                "title": "Last turns",
                "rows": [
                    {"text": f"{turn.due_at:%d %b %H:%M:%S} UTC", "note": f"{turn.state} {turn.ended}"}
                    for turn in turns
                ],
            },
            {
                "title": "Last activity",
                "rows": told(ActivityLog.objects.filter(account_id=row.account_id)[:8]),
                "more": activity_of(row.account_id),
            },
        ]

    @display(description="Status", label={"running": "success", "stopped": "info", "parked": "danger"})
    def shown_status(self, row: Bot) -> str:
        """Its state."""
        return row.status
