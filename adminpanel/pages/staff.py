"""Staff themselves: who they are, what role they have, from where they may come, and what they did."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import display
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.limits import client_address
from accounts.models import User
from adminpanel import allowlist, audit, roles, staff
from adminpanel.choices import Choice
from adminpanel.deeds import Asked, Deed, DeedForm
from adminpanel.models import AdminLog, AllowedNetwork, StaffMember
from adminpanel.pages.accounts import link_to
from adminpanel.pages.base import Page
from adminpanel.pages.happened import story_box
from adminpanel.site import site
from adminpanel.spans import When


class RoleForm(DeedForm):
    """Which role."""

    role = forms.ChoiceField(choices=roles.Role.choices, widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, row: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, row=row, **kwargs)
        if row is not None:
            self.initial["role"] = roles.of(row)


class InviteForm(forms.Form):
    """A new administrator; the one-time password is made by us."""

    email = forms.EmailField(label="E-mail", widget=UnfoldAdminEmailInputWidget)
    role = forms.ChoiceField(choices=roles.Role.choices, widget=UnfoldAdminSelectWidget)


def _give_role(row: User, asked: Asked) -> str:
    former = roles.of(row)
    roles.give(row, asked.given["role"])
    before, after = {"staff_role": former}, {"staff_role": asked.given["role"]}
    audit.record("staff.role", target=row, request=asked.request, before=before, after=after)
    return f"{row} is {asked.given['role']} now."


def _block(row: User, asked: Asked) -> str:
    staff.block(row)
    return f"{row} cannot sign in any more, and is signed out everywhere."


def _unblock(row: User, asked: Asked) -> str:
    staff.unblock(row)
    return f"{row} may sign in again."


def sign_out(row: User, asked: Asked) -> str:
    """Members and staff alike."""
    staff.sign_out(row)
    return f"{row} is signed out everywhere."


def _new_access(row: User, asked: Asked) -> HttpResponseBase:
    return handed_out(asked.request, staff.renew(row), StaffPage.where(row))


def handed_out(request: HttpRequest, handed: staff.Handed, back: str) -> HttpResponseBase:
    """Show a one-time password, this once."""
    facts = [("E-mail", handed.user.email), ("One-time password", handed.password)]
    says = "They choose a password of their own and set up an authenticator at the first sign-in, within 24 hours."
    return shown_once(request, "Hand this over", facts, back, says)


def shown_once(request: HttpRequest, title: str, facts: list[Any], back: str, says: str = "") -> HttpResponseBase:
    """A page with what is told this once."""
    context = {**site.each_context(request), "title": title, "facts": facts, "back": back, "says": says}
    answer = TemplateResponse(request, "adminpanel/once.html", context)
    answer["Cache-Control"] = "no-store"
    return answer


@admin.register(StaffMember, site=site)
class StaffPage(Page):
    """Administrators."""

    page = "staff"
    judged_by = ("email", "name", "is_active", "password")
    says = "Who may come in here, and what their role lets them do."
    make_title = "New administrator"
    list_display = ("email", "staff_role", "shown_active", "authenticator", "last_login", "created_at")
    list_filter = ("is_active", "groups")
    ordering = ("-created_at",)
    search_text = ("email", "name")
    search_help_text = "An e-mail or a name"
    make_form = InviteForm
    dangerous_make = True
    make_says = "You hand over a one-time password; at the first sign-in they set up an authenticator of their own."
    fields = readonly_fields = ("email", "name", "staff_role", "is_active", "authenticator", "last_login", "created_at")
    deeds = (
        Deed("give_role", "Give another role", _give_role, "What they may do changes at once.", RoleForm,
             dangerous=True, mild=True),
        Deed("sign_out", "Sign out everywhere", sign_out, "Every session and token of theirs ends."),
        Deed("new_access", "New one-time password", _new_access, dangerous=True,
             says="Their password and authenticator are forgotten; you hand them a password for the first sign-in."),
        Deed("block", "Block", _block, "They are signed out and cannot come back.", dangerous=True,
             fits=lambda row: row.is_active),
        Deed("unblock", "Unblock", _unblock, "They may sign in again.", dangerous=True, mild=True,
             fits=lambda row: not row.is_active),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Administrators only."""
        return super().get_queryset(request).filter(role=User.Role.ADMIN).prefetch_related("groups", "staff_device")

    def make(self, asked: Asked) -> HttpResponseBase:
        """Make an administrator, and show the one-time password."""
        handed = staff.invite(asked.given["email"], asked.given["role"])
        audit.Seen(handed.user, new=True).record("staff.add", request=asked.request, staff_role=asked.given["role"])
        return handed_out(asked.request, handed, self.address(handed.user))

    def beside(self, row: Any) -> list[dict[str, Any]]:
        """Their last deeds; what was done to them stands below."""
        log = reverse("admin:adminpanel_adminlog_changelist") + f"?q={row.pk}"
        rows = [
            link_to("adminpanel_adminlog", one, f"{one.created_at:%d %b %H:%M} UTC")
            for one in AdminLog.objects.filter(admin_id=row.pk)[:10]
        ]
        return [{"title": "Last deeds", "rows": rows, "more": log if rows else ""}]

    @classmethod
    def where(cls, row: Any) -> str:
        """The address of one of them."""
        return cls(StaffMember, site).address(row)

    @display(description="Role", label=True)
    def staff_role(self, row: Any) -> str:
        """The role."""
        return next((group.name for group in row.groups.all()), "none")

    @display(description="May sign in", boolean=True, ordering="is_active")
    def shown_active(self, row: Any) -> bool:
        """Whether they are let in."""
        return row.is_active

    @display(description="Authenticator", boolean=True)
    def authenticator(self, row: Any) -> bool:
        """Whether one is set up."""
        return hasattr(row, "staff_device")


class NetworkForm(forms.Form):
    """A network."""

    network = forms.CharField(
        max_length=60,
        widget=UnfoldAdminTextInputWidget,
        help_text="Such as 203.0.113.0/24, 2001:db8::/48, or one address.",
    )
    note = forms.CharField(max_length=120, required=False, widget=UnfoldAdminTextInputWidget)


def _remove_network(row: AllowedNetwork, asked: Asked) -> str:
    allowlist.remove(row.network, here=client_address(asked.request))
    return f"{row.network} is off the list."


@admin.register(AllowedNetwork, site=site)
class NetworkPage(Page):
    """The allow-list."""

    page = "networks"
    says = "From where staff may come. While the list is empty, from everywhere."
    no_rows = "Staff may come from everywhere. Allow your own network first: a list that shuts you out is not kept."
    make_title = "Allow a network"
    list_display = ("network", "note", "created_at")
    ordering = ("network",)
    sortable_by = ("network", "created_at")
    search_exact = ("network", "note")
    search_help_text = "A network or a note, as it stands there"
    make_form = NetworkForm
    dangerous_make = True
    make_says = "From the moment the list has a network, staff come from listed networks only."
    fields = readonly_fields = ("network", "note", "created_at")
    deeds = (
        Deed("delete", "Take off the list", _remove_network, "Staff from this network are shut out at once.",
             dangerous=True),
    )  # fmt: skip

    def make(self, asked: Asked) -> AllowedNetwork:
        """Allow a network, unless it would shut out whoever asks."""
        return allowlist.add(
            asked.given["network"], asked.given["note"], by=asked.by, here=client_address(asked.request)
        )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """With the networks that the environment allows, which nobody can take off here."""
        from django.conf import settings

        note = ", ".join(settings.ADMIN_ALLOWED_NETWORKS)
        told = f"ADMIN_ALLOWED_NETWORKS allows {note} besides." if note else f"You come from {client_address(request)}."
        return super().changelist_view(request, {"note": told, **(extra_context or {})})


class Door(Choice):
    """By which way."""

    title = "door"
    parameter_name = "door"
    ways = (
        ("page", "A page", Q(door="page")),
        ("api", "A program", Q(door="api")),
        ("manage.py", "manage.py", Q(door="manage.py")),
        ("worker", "A worker", Q(door="worker")),
    )


@admin.register(AdminLog, site=site)
class LogPage(Page):
    """What staff did."""

    page = "admin_log"
    says = "What staff did, row by row; nobody can change it, and a change from outside shows."
    ready_views = (("Last 24 h", "when=24h"), ("By programs", "door=api"), ("On the server", "door=manage.py"))
    list_display = ("created_at", "admin", "action", "target", "reason", "address", "door")
    list_filter = (When, Door)
    ordering = ("-id",)
    sortable_by = ("created_at",)
    search_exact = ("action", "admin", "correlation_id", "target_id")
    search_ids = ("admin_id",)
    search_help_text = "Action, e-mail, id or correlation id"

    def beside(self, row: AdminLog) -> list[dict[str, Any]]:
        """The story it was done in."""
        return story_box(row.correlation_id)

    fields = readonly_fields = (
        "created_at", "admin", "action", "target_type", "target", "target_id", "reason", "changes", "address", "door",
        "correlation_id", "previous", "hash",
    )  # fmt: skip
    export_columns = (
        "id", "created_at", "admin", "action", "target_type", "target_id", "target", "reason", "address", "door",
        "correlation_id", "hash",
    )  # fmt: skip
