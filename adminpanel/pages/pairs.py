"""API pairs: Meta apps, each with room for so many bots."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextInputWidget,
)

from adminpanel import bots
from adminpanel.deeds import Asked, Deed, DeedForm
from adminpanel.pages.accounts import link_to
from adminpanel.pages.base import Page
from adminpanel.site import site
from bots import api_pairs
from bots.models import ApiPair, Bot


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
    """Whether bots and accounts lose it."""

    force = forms.BooleanField(
        required=False,
        label="Also while bots have it, which then have none, and accounts, which must then be connected again",
    )


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
    ready_views = (("Active", "status__exact=active"), ("Paused", "status__exact=paused"))
    no_rows = "Add the id and the secret of a Meta app, and say how many bots may have it."
    make_title = "New API pair"
    list_display = ("app_id", "name", "used", "capacity", "status", "created_at")
    list_filter = ("status",)
    ordering = ("-created_at",)
    sortable_by = ("app_id", "name", "capacity", "created_at")
    search_help_text = "An app id or a name"
    search_exact = ("app_id", "name")
    fields = readonly_fields = ("app_id", "name", "used", "capacity", "status", "created_at")
    make_form = PairForm
    deeds = (
        Deed("pause", "Pause", _set_pair(ApiPair.Status.PAUSED), "No more bots get it; those that have it keep it.",
             bulk=True, fits=lambda row: row.status == "active"),
        Deed("resume", "Resume", _set_pair(ApiPair.Status.ACTIVE), "Bots get it again.", bulk=True,
             fits=lambda row: row.status == "paused"),
        Deed("delete", "Delete", _delete_pair, "Bots and connected accounts must be without it first, or lose it.",
             PairForceForm, dangerous=True, also=bots.having),
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
        """The bots that have it, and the accounts that are connected by it."""
        found = Bot.objects.filter(api_pair=row).select_related("account")[:20]
        connected = api_pairs.connected_by(row).select_related("account")[:20]
        accounts = [link_to("bots_instagramaccount", one.account, one.get_status_display()) for one in connected]
        return [
            {"title": "Bots", "rows": [link_to("bots_bot", bot, bot.status) for bot in found]},
            {"title": "Connected by it", "rows": accounts},
        ]
