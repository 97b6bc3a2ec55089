"""What we do on Instagram: accounts and their troubles, sessions, API pairs, bots, tasks, actions, limits."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from adminpanel import audit, bots, uploads
from adminpanel.deeds import Asked, Deed, DeedForm
from adminpanel.pages.base import Page
from adminpanel.pages.people import activity_of, told
from adminpanel.site import site
from adminpanel.spans import When
from bots import api_pairs, network, session_pool, sessions, switch, tasking
from bots.models import Action, ApiPair, Bot, BotTask, DailyLimit, InstagramAccount, Session
from errors import codes
from errors.codes import by_id
from errors.exceptions import BotException
from errors.models import ActivityLog

RECENT = 30  # days
HEALTH = {
    "Active": "success", "Warming up": "info", "Slowed": "warning", "Cooling": "warning", "Needs login": "danger",
    "Needs you": "danger", "Frozen": "danger", "Banned": "danger",
}  # fmt: skip


# ── Accounts, and the desk for those that wait for a person ──


class Trouble(admin.SimpleListFilter):
    """The challenge desk: accounts that go on only after a person did something."""

    title = "challenge desk"
    parameter_name = "desk"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """One choice."""
        return [("open", "Waits for a person")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Those in trouble."""
        if self.value() != "open":
            return queryset
        health = InstagramAccount.Health
        return queryset.filter(health__in=(health.NEEDS_YOU, health.FROZEN, health.NEEDS_LOGIN, health.BANNED))


def _test(row: InstagramAccount, asked: Asked) -> str:
    checked = sessions.check(row, asked.by)
    return f"Instagram takes the session of {row}." if checked.valid else f"Instagram refuses it: {checked.stop}"


class ProxyForm(DeedForm):
    """Through which proxy an account goes."""

    address = forms.CharField(
        max_length=300,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text="http://name:password@host:port, or https, socks5, socks5h. It must always lead through one line.",
    )


def _give_proxy(row: InstagramAccount, asked: Asked) -> str:
    return f"{row} goes through {network.give(row, asked.given['address'], asked.by)} from now on."


def _take_proxy(row: InstagramAccount, asked: Asked) -> str:
    network.take(row, asked.by)
    return f"{row} goes straight from now on."


@admin.register(InstagramAccount, site=site)
class AccountPage(Page):
    """Instagram accounts."""

    page = "accounts"
    judged_by = ("health", "health_code", "workspace_id", "proxy_since", "sealed_proxy")
    says = "Each connected account with its health. The challenge desk shows those that wait for a person."
    list_display = ("username", "workspace", "shown_health", "health_code", "health_since", "followers", "created_at")
    list_filter = (Trouble, "health")
    list_select_related = ("workspace",)
    ordering = ("-created_at",)
    sortable_by = ("created_at", "health_since")
    search_starts = ("username",)
    search_ids = ("pk", "workspace_id")
    search_help_text = "The beginning of a username, or an id"
    export_columns = ("id", "username", "workspace_id", "health", "health_code", "followers", "created_at")
    fields = readonly_fields = (
        "username", "workspace", "health", "health_code", "health_since", "health_until", "restrictions", "followers",
        "following", "measured_at", "timezone", "warmup_started_at", "risk_accepted_at", "created_at",
    )  # fmt: skip
    deeds = (
        Deed("test_session", "Test the session", _test, "We ask Instagram once. A stop sign stops the bot.", slow=True,
             fits=lambda row: hasattr(row, "session")),
        Deed("give_proxy", "Give a proxy", _give_proxy, "One that stays: for 30 days it gets no other.", ProxyForm),
        Deed("take_proxy", "Take the proxy", _take_proxy, "It goes straight to Instagram again.",
             fits=lambda row: row.sealed_proxy is not None),
    )  # fmt: skip

    def beside(self, row: InstagramAccount) -> list[dict[str, Any]]:
        """Why it is in this health and what is to be done, its session and bot, and what happened."""
        code = by_id(row.health_code) if row.health_code else None
        why = [("Code", code.id), ("What happened", code.what), ("What to do", code.do_next)] if code else []
        session, bot = getattr(row, "session", None), getattr(row, "bot", None)
        parts = [
            *([_link("bots_session", session, session.status)] if session else []),
            *([_link("bots_bot", bot, bot.status)] if bot else []),
        ]
        return [
            {"title": "Why", "facts": why, "empty": "Nothing stands in its way."},
            {"title": "Session and bot", "rows": parts},
            {"title": "Way to Instagram", "facts": [("Proxy", network.shown(row) or "none: it goes straight")]},
            {
                "title": "Last activity",
                "rows": told(ActivityLog.objects.filter(account_id=row.pk)[:8]),
                "more": activity_of(row.pk),
            },
        ]

    @display(description="Health", label=HEALTH, ordering="health")
    def shown_health(self, row: InstagramAccount) -> str:
        """In words."""
        return row.get_health_display()


def _link(table: str, row: Any, note: str = "") -> dict[str, Any]:
    return {"link": reverse(f"admin:{table}_change", args=[row.pk]), "text": str(row), "note": note}


# ── Sessions ──


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


class TakesFiles(Page):
    """A page on whose form files are uploaded."""

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        """What is uploaded stays in memory."""
        if request.method == "POST" and "multipart/" in request.headers.get("Content-Type", ""):
            request.upload_handlers = [uploads.InMemory(request)]
        return super().add_view(request, form_url, extra_context)


class UploadForm(forms.Form):
    """Session files."""

    session_files = FilesField(
        label="Session files", help_text="As instagrapi writes them, each at most 64 KB, at most 100 at once.",
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
class SessionPage(TakesFiles):
    """Sessions."""

    page = "sessions"
    judged_by = ("status", "account_id", "workspace_id", "username")
    says = "Sealed logins: unused ones wait in the pool, a bot takes one."
    list_display = ("filename", "username", "shown_status", "valid", "probed_at", "account", "created_at")
    list_filter = ("status", "valid")
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
    deeds = (
        Deed("verify", "Verify", _verify, "We ask Instagram once, and learn whose it is.", slow=True),
        Deed("release", "Take back", _release, "From its bot, which stops, into the pool.", ForceForm,
             fits=lambda row: row.status != "unused"),
        Deed("freeze", "Freeze", _stop(Session.Status.FROZEN), "Its bot stops.",
             fits=lambda row: row.status == "assigned"),
        Deed("ban", "Mark as banned", _stop(Session.Status.BANNED), "Its bot stops for good.",
             fits=lambda row: row.status in ("assigned", "frozen")),
        Deed("delete", "Delete", _delete_session, "Nobody can bring it back.", ForceForm, dangerous=True),
    )  # fmt: skip

    def make(self, asked: Asked) -> HttpResponseBase:
        """Judge each file alone, and tell what became of each."""
        results = [_uploaded(file, asked) for file in asked.given["session_files"]]
        taken = sum(1 for result in results if result["session"])
        audit.record("sessions.upload", request=asked.request, taken=taken, refused=len(results) - taken)
        context = {**site.each_context(asked.request), "title": "Uploaded", "results": results, "taken": taken}
        return TemplateResponse(asked.request, "adminpanel/uploaded.html", context)

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


# ── API pairs ──


class PairForm(forms.Form):
    """A Meta app."""

    app_id = forms.CharField(label="App id", max_length=40, widget=UnfoldAdminTextInputWidget)
    app_secret = forms.CharField(
        label="App secret", max_length=200, help_text="Sealed at once; never shown again.",
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    name = forms.CharField(max_length=80, required=False, widget=UnfoldAdminTextInputWidget)
    capacity = forms.IntegerField(
        min_value=1, max_value=api_pairs.MOST_BOTS, initial=50, widget=UnfoldAdminIntegerFieldWidget,
        help_text="How many bots may have it.",
    )  # fmt: skip


class PairForceForm(DeedForm):
    """Whether bots lose it."""

    force = forms.BooleanField(required=False, label="Also while bots have it, which then have none")


def _set_pair(status: str) -> Any:
    def set_status(row: ApiPair, asked: Asked) -> str:
        ApiPair.objects.filter(pk=row.pk).update(status=status)
        return f"{row} is {status}."

    return set_status


def _delete_pair(row: ApiPair, asked: Asked) -> str:
    api_pairs.delete(row, asked.by, force=asked.given["force"])
    return "The pair is deleted."


@admin.register(ApiPair, site=site)
class PairPage(Page):
    """API pairs."""

    page = "api_pairs"
    says = "Meta apps, each with room for so many bots."
    list_display = ("app_id", "name", "used", "capacity", "status", "created_at")
    list_filter = ("status",)
    ordering = ("-created_at",)
    sortable_by = ("created_at",)
    search_exact = ("app_id", "name")
    fields = readonly_fields = ("app_id", "name", "used", "capacity", "status", "created_at")
    make_form = PairForm
    deeds = (
        Deed("pause", "Pause", _set_pair(ApiPair.Status.PAUSED), "No more bots get it; those that have it keep it.",
             fits=lambda row: row.status == "active"),
        Deed("resume", "Resume", _set_pair(ApiPair.Status.ACTIVE), "Bots get it again.",
             fits=lambda row: row.status == "paused"),
        Deed("delete", "Delete", _delete_pair, "Bots that have it must be without it first, or lose it.", PairForceForm,
             dangerous=True),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> Any:
        """With how many bots have each."""
        return api_pairs.pairs()

    def make(self, asked: Asked) -> Any:
        """Take a Meta app into use."""
        return api_pairs.add(by=asked.by, **asked.given)

    @display(description="Bots")
    def used(self, row: Any) -> int:
        """How many bots have it."""
        return row.used

    def beside(self, row: ApiPair) -> list[dict[str, Any]]:
        """The bots that have it."""
        found = Bot.objects.filter(api_pair=row).select_related("account")[:20]
        return [{"title": "Bots", "rows": [_link("bots_bot", bot, bot.status) for bot in found]}]


# ── Bots ──


class NewBotForm(forms.Form):
    """For whom, on which plan, with which sessions and which pair."""

    user = forms.CharField(
        label="Member", max_length=254, widget=UnfoldAdminTextInputWidget, help_text="E-mail, access code or id."
    )
    display_name = forms.CharField(
        label="Name of the bot", max_length=80, required=False, widget=UnfoldAdminTextInputWidget
    )
    plan_type = forms.ChoiceField(
        label="Plan", choices=[(key, key.title()) for key in bots.PLAN_TYPES], widget=UnfoldAdminSelectWidget
    )
    cycle_delay = forms.IntegerField(
        label="Cycle delay (seconds)", min_value=1, max_value=86400, initial=90, widget=UnfoldAdminIntegerFieldWidget
    )
    sessions = forms.MultipleChoiceField(
        required=False, widget=UnfoldAdminSelectMultipleWidget,
        help_text="Unused ones from the pool. Each makes a bot of its own.",
    )  # fmt: skip
    session_files = FilesField(
        label="Or upload new sessions", required=False,
        widget=ManyFiles(attrs={"accept": ".json,application/json", "multiple": True, "data-drop": "1"}),
    )  # fmt: skip
    api_pair = forms.ChoiceField(label="API pair", initial=api_pairs.AUTO, widget=UnfoldAdminSelectWidget)

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


class Queue(admin.SimpleListFilter):
    """Whose workers it has. Written down here: to ask the table would read all of it."""

    title = "queue"
    parameter_name = "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Both there are."""
        return [(key, key.title()) for key in bots.PLAN_TYPES]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Those with these workers."""
        return queryset.filter(queue=self.value()) if self.value() in bots.PLAN_TYPES else queryset


@admin.register(Bot, site=site)
class BotPage(TakesFiles):
    """Bots."""

    page = "bots"
    judged_by = ("status", "api_pair_id", "workspace_id", "user_id", "display_name", "cycle_delay")
    says = "Each bot drives one account."
    list_display = ("__str__", "account", "workspace", "shown_status", "next_run_at", "last_error_code", "created_at")
    list_filter = ("status", Queue)
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
        given = asked.given
        made = bots.create(
            by=asked.by,
            user=given["user"],
            plan_type=given["plan_type"],
            display_name=given["display_name"],
            cycle_delay=given["cycle_delay"],
            named=given["sessions"],
            uploads=[bots.Upload(uploads.content_of(file), file.name or "") for file in given["session_files"]],
            api_pair=given["api_pair"] or None,
        )
        return made[0]

    def beside(self, row: Bot) -> list[dict[str, Any]]:
        """Its tasks, its last turns, and what happened."""
        tasks = BotTask.objects.filter(bot=row)[:8]
        turns = row.turns.order_by("-due_at")[:8]
        return [
            {"title": "Tasks", "rows": [_link("bots_bottask", task, task.status) for task in tasks]},
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


def _stop_task(row: BotTask, asked: Asked) -> str:
    tasking.stop(row, asked.by)
    return "The task is stopped; nothing more of it is sent."


@admin.register(BotTask, site=site)
class TaskPage(Page):
    """Tasks."""

    page = "tasks"
    judged_by = ("status", "amount", "bot_id")
    says = "What bots were asked to do, and how far they are."
    list_display = ("__str__", "bot", "workspace", "shown_status", "confirmed", "amount", "last_code", "created_at")
    list_filter = ("status", "kind")
    list_select_related = ("bot__account", "workspace")
    ordering = ("-created_at",)
    sortable_by = ("created_at",)
    search_starts = ("bot__account__username",)
    search_ids = ("pk", "bot_id", "workspace_id")
    export_columns = (
        "id", "kind", "source", "value", "amount", "status", "confirmed", "unknown", "skipped", "last_code", "bot_id",
        "workspace_id", "created_at", "ended_at",
    )  # fmt: skip
    search_help_text = "The beginning of an account's username, or the id of a task, a bot or a workspace"
    fields = readonly_fields = (
        "kind", "source", "value", "amount", "status", "confirmed", "unknown", "skipped", "waits_until", "last_code",
        "bot", "workspace", "correlation_id", "created_at", "ended_at",
    )  # fmt: skip
    deeds = (
        Deed("stop", "Stop", _stop_task, "Nothing more of it is sent.", bulk=True,
             fits=lambda row: row.status in (*BotTask.OPEN, BotTask.Status.PAUSED)),
    )  # fmt: skip

    @display(description="Status", label={"done": "success", "failed": "danger", "waiting": "warning"})
    def shown_status(self, row: BotTask) -> str:
        """Its state."""
        return row.status

    def beside(self, row: BotTask) -> list[dict[str, Any]]:
        """The newest actions of it."""
        found = Action.objects.filter(task=row).order_by("-created_at")[:10]
        rows = [
            {
                "link": reverse("admin:bots_action_change", args=[action.pk]),
                "text": f"@{action.target_username}",
                "note": f"{action.state} {action.created_at:%d %b %H:%M} UTC",
            }
            for action in found
        ]
        return [{"title": "Newest actions", "rows": rows}]


class Recent(admin.SimpleListFilter):
    """A column of the journal that has no index, for each action pays for one: looked for in the last days only."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All there are."""
        return list(Action._meta.get_field(self.parameter_name).choices or [])  # type: ignore[arg-type, union-attr]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Those of the last days."""
        if self.value() not in dict(self.lookup_choices):
            return queryset
        lately = timezone.now() - timedelta(days=RECENT)
        return queryset.filter(created_at__gte=lately, **{str(self.parameter_name): self.value()})


class RecentState(Recent):
    """Its state."""

    title = f"state, last {RECENT} days"
    parameter_name = "state"


class RecentKind(Recent):
    """What was done."""

    title = f"kind, last {RECENT} days"
    parameter_name = "kind"


@admin.register(Action, site=site)
class ActionPage(Page):
    """The journal."""

    page = "actions"
    says = "The journal: each action once, written down before it is sent and again when its outcome is known."
    list_display = ("created_at", "account", "kind", "target_username", "shown_state", "error_code", "ended_at")
    list_filter = (When, RecentState, RecentKind)
    list_select_related = ("account",)
    ordering = ("-created_at",)
    sortable_by = ()
    search_starts = ("account__username",)
    search_ids = ("pk", "account_id", "task_id", "workspace_id")
    search_help_text = "The beginning of an account's username, or the id of an account, a task or a workspace"
    export_columns = ("id", "account", "kind", "target_username", "state", "error_code", "created_at", "ended_at")
    fields = readonly_fields = (
        "kind", "account", "target_username", "target_pk", "state", "error_code", "task", "turn", "campaign", "lookups",
        "look_up_at", "correlation_id", "created_at", "ended_at",
    )  # fmt: skip

    @display(description="State", label={"confirmed": "success", "refused": "danger", "unknown": "warning"})
    def shown_state(self, row: Action) -> str:
        """Its state."""
        return row.state


def _delete_limit(row: DailyLimit, asked: Asked) -> str:
    if row.workspace_id is None:
        raise BotException(codes.VALIDATION_FAILED, "The default of everybody stays: change it instead.")
    DailyLimit.objects.filter(pk=row.pk).delete()
    return "The workspace follows the default again."


@admin.register(DailyLimit, site=site)
class LimitPage(Page):
    """The platform's limits."""

    page = "limits"
    says = "The platform's limit of each kind of action for one account: everybody's default, or one workspace's own."
    list_display = ("kind", "whose", "hourly", "daily", "weekly")
    list_filter = ("kind",)
    list_select_related = ("workspace",)
    ordering = ("kind", "id")
    sortable_by = ()
    search_exact = ("kind",)
    search_ids = ("pk", "workspace_id")
    raw_id_fields = ("workspace",)
    fields = ("workspace", "kind", "hourly", "daily", "weekly")
    deeds = (
        Deed("delete", "Delete", _delete_limit, "The workspace follows the default again.",
             fits=lambda row: row.workspace_id is not None),
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Whose it is and of what, stays."""
        return (*super().get_readonly_fields(request, obj), *(("workspace", "kind") if obj else ()))

    @display(description="Whose")
    def whose(self, row: DailyLimit) -> str:
        """Everybody's or a workspace's."""
        return str(row.workspace) if row.workspace else "Everybody"
