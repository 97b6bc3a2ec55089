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
from django.utils.timezone import now
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from accounts import farewell
from accounts.models import Membership, User, Workspace, known_timezone
from accounts.sessions import of as sessions_of
from adminpanel import audit, members, visits
from adminpanel.deeds import Asked, Deed, DeedForm
from adminpanel.pages.accounts import link_to
from adminpanel.pages.base import Page
from adminpanel.pages.happened import activity_of, told
from adminpanel.pages.staff import shown_once, sign_out
from adminpanel.site import site
from adminpanel.spans import When
from billing.models import Plan, Subscription
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


class EditForm(DeedForm):
    """What a member is called, where mail reaches them, and in which zone their times are shown."""

    name = forms.CharField(max_length=120, required=False, widget=UnfoldAdminTextInputWidget)
    email = forms.EmailField(
        label="E-mail", required=False, widget=UnfoldAdminEmailInputWidget,
        help_text="Counts as confirmed, because you vouch for it. The former address is told.",
    )  # fmt: skip
    timezone = forms.CharField(
        label="Time zone", max_length=64, validators=[known_timezone], widget=UnfoldAdminTextInputWidget,
        help_text="Such as Europe/Berlin.",
    )  # fmt: skip

    def __init__(self, *args: Any, row: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, row=row, **kwargs)
        self.initial = {name: getattr(row, name) for name in ("name", "email", "timezone")}


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


def _edit(row: User, asked: Asked) -> str:
    members.edit(row, **{name: asked.given[name] for name in ("name", "email", "timezone")}, by=asked.by)
    return f"{row} is changed."


def _block(row: User, asked: Asked) -> str:
    members.block(row)
    return f"{row} is signed out and cannot sign in. Bots of workspaces where nobody else is are stopped."


def _unblock(row: User, asked: Asked) -> str:
    members.unblock(row)
    return f"{row} may sign in again. Their bots stay stopped until somebody starts them."


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
    judged_by = (
        "email", "access_code", "name", "timezone", "is_active", "must_change_password", "password", "delete_at",
    )  # fmt: skip
    says = "Members: who may sign in, how, and to which workspaces they belong."
    ready_views = (
        ("Signed up in 24 h", "when=24h"),
        ("First password", "must_change_password__exact=1"),
        ("Blocked", "is_active__exact=0"),
    )
    no_rows = "Nobody has signed up. Make the first member yourself, with or without an e-mail."
    list_display = ("shown_name", "login", "shown_state", "created_at", "last_login")
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
        Deed("edit", "Edit", _edit, "What they are called, and where mail reaches them.", EditForm, dangerous=True,
             mild=True),
        Deed("change_plan", "Change plan", _change_plan,
             "Of the workspace they own; what is paid for changes at Stripe.", PlanForm),
        Deed("visit", "See it as they do", _visit,
             "The product as they see it, for 15 minutes. You only look; sign-in and secrets stay hidden.",
             VisitForm, dangerous=True, mild=True, fits=lambda row: row.is_active and not row.must_change_password),
        Deed("reset_password", "Reset password", _reset, "You get a one-time password to hand over. Sessions end.",
             dangerous=True),
        Deed("sign_out", "Sign out everywhere", sign_out, "Every browser and program of theirs.", bulk=True),
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

    def form_to_make(self, request: HttpRequest) -> Any:
        """Who may not change plans gives the free one."""
        form = super().form_to_make(request)
        if not self.may(request, "change_plan"):
            form.fields["plan"].choices = [(key, name) for key, name in plan_choices() if key == "free"]
        return form

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
                    link_to(
                        "accounts_workspace",
                        place.workspace,
                        f"{place.get_role_display()}, plan {plan_name(place.workspace)}",
                    )
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

    @display(description="Signs in as")
    def login(self, row: User) -> str:
        """The e-mail, or the access code of whoever has none."""
        return row.email or row.access_code or ""

    @display(
        description="State",
        label={"Active": "success", "First password": "info", "Leaves": "warning", "Blocked": "danger"},
    )
    def shown_state(self, row: User) -> str:
        """Whether they may sign in, and what stands in the way."""
        if not row.is_active:
            return "Blocked"
        return "Leaves" if row.delete_at else "First password" if row.must_change_password else "Active"


def plan_name(workspace: Workspace) -> str:
    """The plan of a workspace that was fetched with it."""
    subscription = getattr(workspace, "subscription", None)
    return f"{subscription.plan.name} ({subscription.status})" if subscription else "none"
