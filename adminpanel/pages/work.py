"""What bots do: tasks, the journal of actions, and the limits of it."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from unfold.decorators import display

from adminpanel.deeds import Asked, Deed
from adminpanel.pages.accounts import link_to
from adminpanel.pages.base import Page
from adminpanel.pages.happened import story_box
from adminpanel.site import site
from adminpanel.spans import When
from bots import tasking
from bots.models import Action, BotTask, DailyLimit
from errors import codes
from errors.exceptions import BotException

RECENT = 30  # days


def _stop_task(row: BotTask, asked: Asked) -> str:
    tasking.stop(row, asked.by)
    return "The task is stopped; nothing more of it is sent."


@admin.register(BotTask, site=site)
class TaskPage(Page):
    """Tasks."""

    page = "tasks"
    judged_by = ("status", "amount", "bot_id")
    says = "What bots were asked to do, and how far they are."
    ready_views = (
        ("Running", "status__exact=running"),
        ("Waiting", "status__exact=waiting"),
        ("Failed", "status__exact=failed"),
    )
    no_rows = "Members and programs give tasks to bots that run."
    list_display = ("__str__", "bot", "workspace", "shown_status", "confirmed", "amount", "last_code", "created_at")
    list_filter = ("status", "kind", When)
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
        rows = [link_to("bots_action", one, f"{one.state} {one.created_at:%d %b %H:%M} UTC") for one in found]
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
    ready_views = (("Last 24 h", "when=24h"), ("Unknown outcome", "state=unknown"), ("Refused", "state=refused"))
    no_rows = "A bot that runs and has a task writes its first action here within a minute."
    list_display = ("created_at", "account", "kind", "target_username", "shown_state", "error_code", "ended_at")
    list_filter = (When, RecentState, RecentKind)
    list_select_related = ("account",)
    ordering = ("-created_at",)
    sortable_by = ("created_at",)
    search_starts = ("account__username",)
    search_ids = ("pk", "account_id", "task_id", "workspace_id")
    search_help_text = "The beginning of an account's username, or the id of an account, a task or a workspace"
    export_columns = ("id", "account", "kind", "target_username", "state", "error_code", "created_at", "ended_at")
    fields = readonly_fields = (
        "kind", "account", "target_username", "target_pk", "state", "error_code", "task", "turn", "campaign", "lookups",
        "look_up_at", "correlation_id", "created_at", "ended_at",
    )  # fmt: skip

    def beside(self, row: Action) -> list[dict[str, Any]]:
        """Where it belongs: its account and task, and the story in which it was done."""
        parts = [link_to("bots_instagramaccount", row.account, row.account.get_health_display())]
        parts += [link_to("bots_bottask", row.task, row.task.status)] if row.task else []
        return [{"title": "Part of", "rows": parts}, *story_box(row.correlation_id)]

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
    make_title = "New limit"
    list_display = ("kind", "whose", "hourly", "daily", "weekly")
    list_filter = ("kind",)
    list_select_related = ("workspace",)
    ordering = ("kind", "id")
    sortable_by = ("kind", "hourly", "daily", "weekly")
    search_help_text = "A kind, such as follow, or the id of a workspace"
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

    def beside(self, row: DailyLimit) -> list[dict[str, Any]]:
        """Whose it is."""
        rows = [link_to("accounts_workspace", row.workspace)] if row.workspace else []
        return [{"title": "Counts for", "rows": rows, "empty": "Every workspace that has no limit of its own."}]

    @display(description="Whose")
    def whose(self, row: DailyLimit) -> str:
        """Everybody's or a workspace's."""
        return str(row.workspace) if row.workspace else "Everybody"
