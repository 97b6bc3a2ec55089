"""What members are told: banners over their pages, and the notifications each of them got."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.timezone import now
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectMultipleWidget

from accounts import announcements, notifications
from accounts.models import Announcement, Membership, Notification
from adminpanel.choices import Choice
from adminpanel.deeds import Asked, Deed
from adminpanel.pages.accounts import link_to
from adminpanel.pages.base import Page
from adminpanel.site import site
from adminpanel.spans import When
from adminpanel.versions import RowForm
from billing.models import Plan
from errors import codes
from errors.exceptions import BotException


class AnnouncementForm(RowForm):
    """A banner: what it says, to whom, from when until when."""

    plans = forms.MultipleChoiceField(
        required=False, widget=UnfoldAdminSelectMultipleWidget, help_text="None chosen: members of every plan."
    )
    roles = forms.MultipleChoiceField(
        required=False,
        widget=UnfoldAdminSelectMultipleWidget,
        choices=Membership.Role.choices,
        help_text="None chosen: everybody in the workspace.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the plans there are."""
        super().__init__(*args, **kwargs)
        self.fields["plans"].choices = Plan.objects.order_by("price").values_list("key", "name")  # type: ignore[attr-defined]
        if "path" in self.fields:  # not for whoever may only look
            self.fields["path"].help_text = "A page of ours to read on, such as /pricing/."

    def clean_path(self) -> str:
        """A page of ours, and nobody else's."""
        path: str = self.cleaned_data["path"].strip()
        if path and (not path.startswith("/") or path.startswith(("//", "/\\"))):
            raise forms.ValidationError("Begin with one slash: a banner leads to pages of ours only.")
        return path

    def clean(self) -> dict[str, Any]:
        """It ends after it begins."""
        found = super().clean()
        begins, ends = found.get("starts_at"), found.get("ends_at")
        if begins and ends and ends <= begins:
            self.add_error("ends_at", "It must end after it begins.")
        return found


class Shown(Choice):
    """Whether it is shown now."""

    title = "when"
    parameter_name = "when"
    ways = (
        ("now", "Shown now", Q(starts_at__lte=Now()) & (Q(ends_at=None) | Q(ends_at__gt=Now()))),
        ("later", "Later", Q(starts_at__gt=Now())),
        ("over", "Over", Q(ends_at__lte=Now())),
    )


def _end(row: Announcement, asked: Asked) -> str:
    Announcement.objects.filter(pk=row.pk).update(ends_at=now())
    transaction.on_commit(announcements.refresh)
    return f"“{row}” is shown no more."


def _ring(row: Announcement, asked: Asked) -> str:
    if not Announcement.objects.filter(pk=row.pk, rang_at=None).update(rang_at=now()):
        raise BotException(codes.VALIDATION_FAILED, "Every bell was rung for this already.")
    count = notifications.announce(row.title, row.body, row.path)
    return f"It is in {count:,} bells."


def _open(row: Announcement) -> bool:
    return row.ends_at is None or row.ends_at > now()


@admin.register(Announcement, site=site)
class AnnouncementPage(Page):
    """Banners."""

    page = "announcements"
    says = "A banner over the pages of all members, or of some plans and roles, for a while."
    ready_views = (("Shown now", "when=now"), ("Later", "when=later"), ("Over", "when=over"))
    no_rows = "Members see no banner. Write one before you close for maintenance, for example."
    list_display = ("title", "tone", "to_whom", "starts_at", "ends_at", "rang_at")
    list_filter = (Shown, "tone")
    ordering = ("-id",)
    sortable_by = ("title", "starts_at")
    search_exact = ("title",)
    search_help_text = "A title, as it stands there"
    search_ids = ()
    form = AnnouncementForm
    fields = ("title", "body", "path", "tone", "plans", "roles", "starts_at", "ends_at", "may_put_away")
    deeds = (
        Deed("end", "End it now", _end, "Members see it no more.", fits=_open),
        Deed("ring", "Ring every bell too", _ring, "It becomes a notification of every member, once, whatever the"
             " banner's audience is.", dangerous=True, fits=lambda row: _open(row) and row.rang_at is None),
    )  # fmt: skip

    @display(description="To")
    def to_whom(self, row: Announcement) -> str:
        """Plans and roles, in words."""
        return ", ".join([*row.plans, *row.roles]) or "everybody"

    def beside(self, row: Announcement) -> list[dict[str, Any]]:
        """How it reads."""
        words = [("Title", row.title), ("Text", row.body or "none"), ("Leads to", row.path or "nowhere")]
        return [{"title": "As members read it", "facts": words}]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save, write down, and let pages know."""
        super().save_model(request, obj, form, change)
        transaction.on_commit(announcements.refresh)


@admin.register(Notification, site=site)
class NotificationPage(Page):
    """What is in people's bells."""

    page = "notifications"
    says = "What each person was told, and whether they have seen it."
    no_rows = "Nobody was told anything."
    list_display = ("created_at", "user", "workspace", "kind", "title", "times", "read_at", "shown_ways")
    list_filter = (When, "kind", "tone")
    list_select_related = ("user", "workspace")
    ordering = ("-id",)
    sortable_by = ("created_at",)
    search_ids = ("user_id", "workspace_id")
    search_exact = ("code",)
    search_help_text = "The id of a person or a workspace, or a code"
    fields = readonly_fields = (
        "created_at", "user", "workspace", "kind", "tone", "title", "body", "path", "code", "times", "in_app",
        "mail_waits", "hook_due_at", "hook_tries", "read_at",
    )  # fmt: skip
    export_columns = ("id", "created_at", "user_id", "workspace_id", "kind", "title", "code", "times", "read_at")

    def beside(self, row: Notification) -> list[dict[str, Any]]:
        """Whose bell it is in, and what the code means."""
        rows = [link_to("accounts_user", row.user)] if row.user else []
        rows += [link_to("accounts_workspace", row.workspace)] if row.workspace else []
        rows += [{"link": f"/help/errors/{row.code}/", "text": f"What {row.code} means"}] if row.code else []
        return [{"title": "Told to", "rows": rows}]

    @display(description="Ways")
    def shown_ways(self, row: Notification) -> str:
        """On which ways it goes."""
        ways = [("in the product", row.in_app), ("mail waits", row.mail_waits), ("webhook waits", row.hook_due_at)]
        return ", ".join(word for word, on in ways if on)
