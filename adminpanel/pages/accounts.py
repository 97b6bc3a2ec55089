"""Instagram accounts with their health, and the desk for those that wait for a person."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.urls import reverse
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminTextInputWidget,
)

from adminpanel.choices import Choice
from adminpanel.deeds import Asked, Deed, DeedForm
from adminpanel.pages.base import Page
from adminpanel.pages.happened import activity_of, told
from adminpanel.site import site
from adminpanel.spans import When
from bots import network, sessions
from bots.models import InstagramAccount
from errors.codes import by_id
from errors.models import ActivityLog

HEALTH = {
    "Active": "success", "Warming up": "info", "Slowed": "warning", "Cooling": "warning", "Needs login": "danger",
    "Needs you": "danger", "Frozen": "danger", "Banned": "danger",
}  # fmt: skip


class Trouble(Choice):
    """The challenge desk: accounts that go on only after a person did something."""

    title = "challenge desk"
    parameter_name = "desk"
    ways = (("open", "Waits for a person", Q(health__in=("needs_you", "frozen", "needs_login", "banned"))),)


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
    ready_views = (
        ("Challenge desk", "desk=open"),
        ("Warming up", "health__exact=warming"),
        ("Cooling", "health__exact=cooling"),
    )
    no_rows = "Members connect accounts themselves; a bot that you make on the page Bots brings its own."
    list_display = ("username", "workspace", "shown_health", "health_code", "health_since", "followers", "created_at")
    list_filter = (Trouble, When, "health")
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
        Deed("give_proxy", "Give a proxy", _give_proxy, "One that stays: for 30 days it gets no other.", ProxyForm,
             dangerous=True, mild=True),
        Deed("take_proxy", "Take the proxy", _take_proxy, "It goes straight to Instagram again.", bulk=True,
             fits=lambda row: row.sealed_proxy is not None),
    )  # fmt: skip

    def beside(self, row: InstagramAccount) -> list[dict[str, Any]]:
        """Why it is in this health and what is to be done, its session and bot, and what happened."""
        code = by_id(row.health_code) if row.health_code else None
        why = [("Code", code.id), ("What happened", code.what), ("What to do", code.do_next)] if code else []
        session, bot = getattr(row, "session", None), getattr(row, "bot", None)
        parts = [
            *([link_to("bots_session", session, session.status)] if session else []),
            *([link_to("bots_bot", bot, bot.status)] if bot else []),
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


def link_to(table: str, row: Any, note: str = "") -> dict[str, Any]:
    """A line of a box that leads to a row."""
    return {"link": reverse(f"admin:{table}_change", args=[row.pk]), "text": str(row), "note": note}
