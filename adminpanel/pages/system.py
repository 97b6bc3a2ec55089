"""System settings: what changes while the product runs."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils.timezone import now
from unfold.decorators import display
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from adminpanel.choices import Choice
from adminpanel.deeds import Asked, Deed, DeedForm
from adminpanel.models import SystemSetting
from adminpanel.pages.base import Page
from adminpanel.site import site
from instagrowth import system


class SetForm(DeedForm):
    """A value of the setting's own type."""

    def __init__(self, *args: Any, row: SystemSetting, **kwargs: Any) -> None:
        """Ask for what the setting takes."""
        super().__init__(*args, row=row, **kwargs)
        setting = system.ALL[row.key]
        field = setting.field()
        if isinstance(field, forms.ChoiceField):
            field.widget = UnfoldAdminSelectWidget(choices=field.choices)
        else:
            number = isinstance(field, forms.IntegerField)
            field.widget = (UnfoldAdminIntegerFieldWidget if number else UnfoldAdminTextInputWidget)()
            field.widget.attrs |= field.widget_attrs(field.widget)
        field.label, field.help_text = setting.title, f"{setting.says} The default is {_words(setting.default())}."
        value = setting.now()
        field.initial = ", ".join(value) if isinstance(value, list) else value
        self.fields = {"value": field, **self.fields}


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return (", ".join(value) if isinstance(value, list) else str(value)) or "none"


def _set(row: SystemSetting, asked: Asked) -> str:
    return _keep(row, asked, asked.given["value"])


def _default(row: SystemSetting, asked: Asked) -> str:
    return _keep(row, asked, None)


def _keep(row: SystemSetting, asked: Asked, value: Any) -> str:
    SystemSetting.objects.filter(pk=row.pk).update(value=value, changed_by=asked.by.email or "", changed_at=now())
    transaction.on_commit(system.refresh)
    shown = _words(system.ALL[row.key].default() if value is None else value)
    return f"{row}: {shown}. Every part of the product knows it within {system.FRESH:.0f} seconds."


class Changed(Choice):
    """Those that somebody changed."""

    title = "value"
    parameter_name = "changed"
    ways = (("yes", "Changed", Q(value__isnull=False)), ("no", "The default", Q(value__isnull=True)))


@admin.register(SystemSetting, site=site)
class SystemPage(Page):
    """System settings."""

    page = "settings"
    says = "What changes while the product runs. Nothing is started again; each change is in the admin log."
    list_display = ("title", "section", "shown_value", "shown_default", "changed_by", "changed_at")
    list_filter = (Changed,)
    ordering = ("id",)
    sortable_by = ("changed_by", "changed_at")
    search_exact = ("key",)
    search_help_text = "A word of a setting's name or of what it does"
    fields = readonly_fields = (
        "title", "section", "meaning", "shown_value", "shown_default", "changed_by", "changed_at",
    )  # fmt: skip
    deeds = (
        Deed("set", "Change", _set, "It counts for everybody, from now.", SetForm, dangerous=True, mild=True),
        Deed("default", "Back to the default", _default, "It counts for everybody, from now.", dangerous=True,
             mild=True, fits=lambda row: row.value is not None),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> Any:
        """Those that the code knows: after an update a row may wait for `migrate`."""
        return super().get_queryset(request).filter(key__in=system.ALL)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """By their words, which stand in the code."""
        term = search_term.strip().lower()
        words = {key: f"{key} {one.title} {one.section} {one.says}".lower() for key, one in system.ALL.items()}
        return queryset.filter(key__in=[key for key, said in words.items() if term in said]), False

    @display(description="Setting")
    def title(self, row: SystemSetting) -> str:
        """Its name."""
        return system.ALL[row.key].title

    @display(description="About")
    def section(self, row: SystemSetting) -> str:
        """What it belongs to."""
        return system.ALL[row.key].section

    @display(description="What it does")
    def meaning(self, row: SystemSetting) -> str:
        """In one or two sentences."""
        return system.ALL[row.key].says

    @display(description="Now")
    def shown_value(self, row: SystemSetting) -> str:
        """What counts."""
        setting = system.ALL[row.key]
        if setting.refused(row.value):
            return f"{_words(setting.default())} (what is kept, {_words(row.value)}, is not valid any more)"
        return _words(setting.default() if row.value is None else row.value)

    @display(description="Default")
    def shown_default(self, row: SystemSetting) -> str:
        """What counts where nobody says otherwise."""
        return _words(system.ALL[row.key].default())
