"""Workspaces, and who belongs to them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from accounts import teams
from accounts.models import Membership, Workspace
from adminpanel.changelist import as_uuid
from adminpanel.choices import Choice
from adminpanel.deeds import Asked, Deed, DeedForm
from adminpanel.pages.accounts import link_to
from adminpanel.pages.base import Page
from adminpanel.pages.happened import activity_of, told
from adminpanel.pages.people import PlanForm, change_plan, found_people, plan_name, workspaces_of
from adminpanel.site import site
from adminpanel.spans import When
from bots.models import InstagramAccount
from errors.models import ActivityLog


class PlaceForm(DeedForm):
    """A role in a workspace."""

    role = forms.ChoiceField(choices=Membership.Role.choices, widget=UnfoldAdminSelectWidget)


class Leaving(Choice):
    """Those that somebody asked to delete."""

    title = "deletion"
    parameter_name = "leaving"
    ways = (("yes", "Is being deleted", Q(delete_at__isnull=False)),)


@admin.register(Workspace, site=site)
class WorkspacePage(Page):
    """Workspaces."""

    page = "workspaces"
    says = "Each workspace with its plan, its people and its Instagram accounts."
    ready_views = (("New in 24 h", "when=24h"), ("Being deleted", "leaving=yes"))
    no_rows = "A workspace is made with each member. Make one on the page Users."
    list_display = ("name", "plan", "timezone", "created_at", "delete_at")
    list_filter = (When, Leaving)
    ordering = ("-created_at",)
    sortable_by = ("created_at",)
    list_select_related = ("subscription__plan",)
    search_exact = ("name",)
    search_help_text = "A member's e-mail or name, the exact name of the workspace, or an id"
    export_columns = ("id", "name", "plan", "timezone", "created_at")
    fields = readonly_fields = ("name", "plan", "timezone", "wants_approval", "accent", "delete_at", "created_at")
    deeds = (Deed("change_plan", "Change plan", change_plan, "Without payment, from now.", PlanForm, bulk=True),)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """By its people, whose e-mails have an index."""
        found, again = super().get_search_results(request, queryset, search_term)
        if found.exists() or not search_term.strip():
            return found, again
        return queryset.filter(pk__in=workspaces_of(search_term.strip())), False

    def beside(self, row: Workspace) -> list[dict[str, Any]]:
        """People, Instagram accounts, and the last things that happened."""
        places = Membership.objects.filter(workspace=row).select_related("user")[:20]
        accounts = InstagramAccount.objects.filter(workspace=row)[:20]
        return [
            {
                "title": "People",
                "rows": [
                    link_to("accounts_membership", place, place.get_role_display()) | {"text": str(place.user)}
                    for place in places
                ],
            },
            {
                "title": "Instagram accounts",
                "rows": [link_to("bots_instagramaccount", one, one.get_health_display()) for one in accounts],
            },
            {
                "title": "Last activity",
                "rows": told(ActivityLog.objects.filter(workspace_id=row.pk)[:8]),
                "more": activity_of(row.pk),
            },
        ]

    @display(description="Plan")
    def plan(self, row: Workspace) -> str:
        """Its plan, and whether that lives."""
        return plan_name(row)


def _give_place(row: Membership, asked: Asked) -> str:
    place = teams.give_role(teams.hold(row.workspace), asked.by, row.user_id, asked.given["role"])
    return f"{place.user} is {place.role} there now."


def _remove(row: Membership, asked: Asked) -> str:
    return f"{teams.take_out(teams.hold(row.workspace), asked.by, row.user_id)} does not belong to it any more."


@admin.register(Membership, site=site)
class MembershipPage(Page):
    """Who belongs where."""

    page = "memberships"
    says = "Who belongs to which workspace, as what."
    no_rows = "Each member has a place in a workspace of their own. Make a member on the page Users."
    list_display = ("user", "workspace", "role", "created_at")
    list_filter = (When, "role")
    list_select_related = ("user", "workspace")
    ordering = ("-created_at",)
    sortable_by = ("created_at",)
    search_text = ("user__email",)
    search_ids = ("pk", "user_id", "workspace_id")
    search_help_text = "A person's e-mail or name, or the id of a person or a workspace"
    export_columns = ("id", "user_id", "workspace_id", "role", "created_at")
    fields = readonly_fields = ("user", "workspace", "role", "created_at")
    deeds = (
        Deed(
            "give_role",
            "Give another role",
            _give_place,
            "A mail tells them. A workspace keeps at least one owner.",
            PlaceForm,
            dangerous=True,
            mild=True,
        ),
        Deed(
            "remove",
            "Take out of the workspace",
            _remove,
            "From their next request on they see nothing of it, and a mail tells them.",
            bulk=True,
        ),
    )

    def beside(self, row: Membership) -> list[dict[str, Any]]:
        """The person's other places, and what they did last in this one."""
        places = Membership.objects.filter(user=row.user_id).exclude(pk=row.pk).select_related("workspace")[:20]
        log = ActivityLog.objects.filter(workspace_id=row.workspace_id, user_id=row.user_id)[:8]
        rows = [link_to("accounts_workspace", one.workspace, one.get_role_display()) for one in places]
        return [
            {"title": "Their other places", "rows": rows, "empty": "None."},
            {"title": "Last activity here", "rows": told(log), "more": activity_of(row.user_id)},
        ]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """By the person, whose e-mail has an index."""
        if not search_term.strip() or as_uuid(search_term):
            return super().get_search_results(request, queryset, search_term)
        return queryset.filter(user__in=found_people(search_term.strip())), False
