"""Members: people, their workspaces, and their places in them."""

import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.timezone import now
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from accounts import farewell
from accounts.models import Membership, User, Workspace
from accounts.sessions import of as sessions_of
from adminpanel import audit, members, staff, visits
from adminpanel.changelist import as_uuid
from adminpanel.deeds import Asked, Deed, DeedForm
from adminpanel.pages.base import Page
from adminpanel.pages.happened import activity_of, told
from adminpanel.pages.staff import shown_once
from adminpanel.site import site
from adminpanel.spans import When
from billing.models import Plan, Subscription
from bots.models import InstagramAccount
from errors import codes
from errors.exceptions import BotException
from errors.models import ActivityLog

FOUND = 200  # people at most whose workspaces are looked for


def found_people(term: str) -> list[Any]:
    """The ids of people whose e-mail or name has these words, by the trigram indexes."""
    words = Q(email__icontains=term) | Q(name__icontains=term) | Q(access_code=term.upper())
    return list(User.objects.filter(words, role=User.Role.USER).values_list("pk", flat=True)[:FOUND])


def workspaces_of(term: str) -> Any:
    """The ids of the workspaces in which such people are."""
    return Membership.objects.filter(user__in=found_people(term)).values("workspace")


class NewMemberForm(forms.Form):
    """A member with or without an e-mail."""

    name = forms.CharField(max_length=120, required=False, widget=UnfoldAdminTextInputWidget)
    email = forms.EmailField(
        label="E-mail", required=False, widget=UnfoldAdminEmailInputWidget,
        help_text="Without one they sign in by an access code, which you see once.",
    )  # fmt: skip
    plan = forms.ChoiceField(widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["plan"].choices = plan_choices()  # type: ignore[attr-defined]


class PlanForm(DeedForm):
    """Which plan, and for how long."""

    plan = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    days = forms.IntegerField(
        required=False, min_value=1, max_value=3660, widget=UnfoldAdminIntegerFieldWidget,
        help_text="Empty: for good. Then the free plan.",
    )  # fmt: skip

    def __init__(self, *args: Any, row: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, row=row, **kwargs)
        self.fields["plan"].choices = plan_choices()  # type: ignore[attr-defined]


class PlaceForm(DeedForm):
    """A role in a workspace."""

    role = forms.ChoiceField(choices=Membership.Role.choices, widget=UnfoldAdminSelectWidget)


class VisitForm(DeedForm):
    """In which of their workspaces."""

    workspace = forms.ChoiceField(
        widget=UnfoldAdminSelectWidget, help_text="They see in its activity log that you looked, and your reason."
    )

    def __init__(self, *args: Any, row: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, row=row, **kwargs)
        places = Membership.objects.filter(user=row).select_related("workspace").order_by("created_at")
        self.fields["workspace"].choices = [(str(one.workspace_id), one.workspace.name) for one in places]  # type: ignore[attr-defined]


def plan_choices() -> list[tuple[str, str]]:
    """The plans on sale."""
    return list(Plan.objects.filter(status=Plan.Status.ACTIVE).order_by("price").values_list("key", "name"))


def _reset(row: User, asked: Asked) -> HttpResponseBase:
    password = members.reset_password(row)
    facts = [("Sign in as", row.email or row.access_code), ("One-time password", password)]
    says = "They choose a password of their own at the next sign-in, within 24 hours."
    return shown_once(asked.request, "Hand this over", facts, UserPage(User, site).address(row), says)


def _block(row: User, asked: Asked) -> str:
    members.block(row)
    return f"{row} is signed out and cannot sign in. Bots of workspaces where nobody else is are stopped."


def _unblock(row: User, asked: Asked) -> str:
    members.unblock(row)
    return f"{row} may sign in again. Their bots stay stopped until somebody starts them."


def _sign_out(row: User, asked: Asked) -> str:
    staff.sign_out(row)
    return f"{row} is signed out everywhere."


def _change_plan(row: User, asked: Asked) -> str:
    home = Membership.objects.filter(user=row, role=Membership.Role.OWNER).order_by("created_at").first()
    if home is None:
        raise BotException(codes.WORKSPACE_NOT_FOUND)
    return change_plan(home.workspace, asked)


def change_plan(workspace: Workspace, asked: Asked) -> str:
    """Put a workspace on the plan that was chosen."""
    days = asked.given["days"]
    before = _on_plan(workspace)
    members.put_on_plan(workspace, asked.given["plan"], now() + timedelta(days=days) if days else None)
    door = "page" if asked.request else "worker"
    audit.record("workspaces.plan", target=workspace, by=asked.by, request=asked.request, door=door,
                 before=before, after=_on_plan(workspace))  # fmt: skip
    return f"{workspace} is on the plan {asked.given['plan']}{f' for {days} days' if days else ''}."


def _on_plan(workspace: Workspace) -> dict[str, Any]:
    """What a workspace has, as the log keeps it."""
    found = Subscription.objects.filter(workspace=workspace).select_related("plan").first()
    if found is None:
        return {"plan": None, "until": None, "status": None}
    until = found.current_period_end
    return {"plan": found.plan.key, "until": until.isoformat() if until else None, "status": found.status}


def _visit(row: User, asked: Asked) -> HttpResponseBase:
    visit = visits.begin(row, UUID(asked.given["workspace"]), asked.by, asked.given["reason"])
    answer = redirect("bots:dashboard")
    answer.set_cookie(
        settings.VISIT_COOKIE_NAME, visit.session_key, max_age=visits.LASTS, httponly=True,
        secure=settings.SESSION_COOKIE_SECURE, samesite=settings.SESSION_COOKIE_SAMESITE,
    )  # fmt: skip
    return answer


def _delete(row: User, asked: Asked) -> str:
    farewell.ask_for_account(row)
    return f"{row} is deleted when the days in which they may undo it are over. Bots are stopped now."


@admin.register(User, site=site)
class UserPage(Page):
    """Members."""

    page = "users"
    judged_by = ("email", "access_code", "name", "is_active", "must_change_password", "password", "delete_at")
    says = "Members: who may sign in, how, and to which workspaces they belong."
    list_display = (
        "shown_name",
        "email",
        "access_code",
        "is_active",
        "must_change_password",
        "created_at",
        "last_login",
    )
    list_filter = (When, "is_active", "must_change_password")
    ordering = ("-created_at",)
    sortable_by = ("created_at",)
    search_text = ("email", "name")
    search_exact = ("access_code",)
    search_help_text = "E-mail, name, access code or id"
    export_columns = ("id", "email", "access_code", "name", "is_active", "created_at", "last_login")
    fields = readonly_fields = (
        "email", "access_code", "name", "timezone", "is_active", "must_change_password", "last_login", "delete_at",
        "created_at",
    )  # fmt: skip
    make_form = NewMemberForm
    make_says = "They get a workspace of their own, and a one-time password that you hand over."
    deeds = (
        Deed("change_plan", "Change plan", _change_plan,
             "Of the workspace they own; what is paid for changes at Stripe.", PlanForm),
        Deed("visit", "See it as they do", _visit,
             "The product as they see it, for 15 minutes. You only look; sign-in and secrets stay hidden.",
             VisitForm, dangerous=True, fits=lambda row: row.is_active and not row.must_change_password),
        Deed("reset_password", "Reset password", _reset, "You get a one-time password to hand over. Sessions end."),
        Deed("sign_out", "Sign out everywhere", _sign_out, "Every browser and program of theirs.", bulk=True),
        Deed("block", "Block", _block, "They are signed out, and bots of theirs alone are stopped.", bulk=True,
             fits=lambda row: row.is_active),
        Deed("unblock", "Unblock", _unblock, "They may sign in again.", bulk=True, fits=lambda row: not row.is_active),
        Deed("delete", "Delete", _delete,
             "As if they had asked themselves: bots stop now, the data goes after 14 days.",
             dangerous=True, fits=lambda row: row.delete_at is None),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Members only: staff have their own page."""
        return super().get_queryset(request).filter(role=User.Role.USER)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        """A whole e-mail address by its own index: its parts are in everybody's."""
        if "@" in search_term:
            exact = queryset.alias(lower_email=Lower("email")).filter(lower_email=search_term.strip().lower())
            if exact.exists():
                return exact, False
        return super().get_search_results(request, queryset, search_term)

    def make(self, asked: Asked) -> HttpResponseBase:
        """Admit somebody, and show what to hand over."""
        given, password = asked.given, secrets.token_urlsafe(12)
        admitted = members.admit(
            email=given["email"], password=password, plan=given["plan"], must_change_password=True, by=asked.by
        )
        User.objects.filter(pk=admitted.user.pk).update(name=given["name"])
        audit.Seen(admitted.user, new=True).record("users.add", request=asked.request, plan=given["plan"])
        facts = [
            ("E-mail", admitted.user.email), ("Access code", admitted.user.access_code),
            ("One-time password", password),
        ]  # fmt: skip
        says = "They sign in with the e-mail or the access code, and choose a password of their own."
        return shown_once(asked.request, "Hand this over", facts, self.address(admitted.user), says)

    def beside(self, row: User) -> list[dict[str, Any]]:
        """Workspaces, sessions, and the last things that happened."""
        places = Membership.objects.filter(user=row).select_related("workspace__subscription__plan")[:20]
        log = ActivityLog.objects.filter(user_id=row.pk)[:8]
        return [
            {
                "title": "Workspaces",
                "rows": [
                    {
                        "link": reverse("admin:accounts_workspace_change", args=[place.workspace_id]),
                        "text": place.workspace.name,
                        "note": f"{place.get_role_display()}, plan {plan_name(place.workspace)}",
                    }
                    for place in places
                ],
            },
            {
                "title": "Signed in",
                "rows": [
                    {"text": str(one.user_agent)[:80], "note": f"since {one.created_at:%d %b %H:%M} UTC"}
                    for one in sessions_of(row)[:5]
                ],
                "empty": "Nowhere.",
            },
            {"title": "Last activity", "rows": told(log), "more": activity_of(row.pk)},
        ]

    @display(description="Name")
    def shown_name(self, row: User) -> str:
        """What they are called."""
        return str(row)


def plan_name(workspace: Workspace) -> str:
    """The plan of a workspace that was fetched with it."""
    subscription = getattr(workspace, "subscription", None)
    return f"{subscription.plan.name} ({subscription.status})" if subscription else "none"


def _workspace_plan(row: Workspace, asked: Asked) -> str:
    return change_plan(row, asked)


@admin.register(Workspace, site=site)
class WorkspacePage(Page):
    """Workspaces."""

    page = "workspaces"
    says = "Each workspace with its plan, its people and its Instagram accounts."
    list_display = ("name", "plan", "timezone", "created_at", "delete_at")
    ordering = ("-created_at",)
    sortable_by = ("created_at",)
    list_select_related = ("subscription__plan",)
    search_exact = ("name",)
    search_help_text = "A member's e-mail or name, the exact name of the workspace, or an id"
    export_columns = ("id", "name", "plan", "timezone", "created_at")
    fields = readonly_fields = ("name", "plan", "timezone", "wants_approval", "accent", "delete_at", "created_at")
    deeds = (Deed("change_plan", "Change plan", _workspace_plan, "Without payment, from now.", PlanForm, bulk=True),)

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
                    {
                        "link": reverse("admin:accounts_membership_change", args=[place.pk]),
                        "text": str(place.user),
                        "note": place.get_role_display(),
                    }
                    for place in places
                ],
            },
            {
                "title": "Instagram accounts",
                "rows": [
                    {
                        "link": reverse("admin:bots_instagramaccount_change", args=[account.pk]),
                        "text": str(account),
                        "note": account.get_health_display(),
                    }
                    for account in accounts
                ],
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


def _spare_last_owner(row: Membership) -> None:
    owners = Membership.objects.select_for_update().filter(workspace=row.workspace_id, role=Membership.Role.OWNER)
    if [owner.pk for owner in owners] == [row.pk]:
        raise BotException(codes.LAST_OWNER)


def _give_place(row: Membership, asked: Asked) -> str:
    if asked.given["role"] != Membership.Role.OWNER:
        _spare_last_owner(row)
    Membership.objects.filter(pk=row.pk).update(role=asked.given["role"])
    return f"{row.user} is {asked.given['role']} there now."


def _remove(row: Membership, asked: Asked) -> str:
    _spare_last_owner(row)
    row_name = str(row.user)
    Membership.objects.filter(pk=row.pk).delete()
    return f"{row_name} does not belong to it any more."


@admin.register(Membership, site=site)
class MembershipPage(Page):
    """Who belongs where."""

    page = "memberships"
    says = "Who belongs to which workspace, as what."
    list_display = ("user", "workspace", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "workspace")
    ordering = ("-created_at",)
    sortable_by = ("created_at",)
    search_text = ("user__email",)
    search_ids = ("pk", "user_id", "workspace_id")
    search_help_text = "A person's e-mail or name, or the id of a person or a workspace"
    export_columns = ("id", "user_id", "workspace_id", "role", "created_at")
    fields = readonly_fields = ("user", "workspace", "role", "created_at")
    deeds = (
        Deed("give_role", "Give another role", _give_place, "A workspace keeps at least one owner.", PlaceForm),
        Deed("remove", "Take out of the workspace", _remove, "From their next request on they see nothing of it."),
    )

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """By the person, whose e-mail has an index."""
        if not search_term.strip() or as_uuid(search_term):
            return super().get_search_results(request, queryset, search_term)
        return queryset.filter(user__in=found_people(search_term.strip())), False
