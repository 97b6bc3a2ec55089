"""What every page of the control room has: roles, quick lists, deeds with a log entry, a form that tells of others."""

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from unfold.admin import ModelAdmin, checkbox
from unfold.decorators import display

from accounts.models import User
from adminpanel import audit, navigation, presence, watching
from adminpanel.changelist import KeyedList, as_uuid, beginning
from adminpanel.deeds import Asked, Deed
from adminpanel.models import AdminLog
from adminpanel.pages import exports
from adminpanel.pages.doing import Doing, for_a_code, many, refuse
from adminpanel.versions import RowForm
from errors.exceptions import BotException

_MORE = '<a class="room-more" href="{}{}/change/" data-deeds aria-label="What can be done with {}">⋯</a>'
_TICK = '<input type="checkbox" name="_selected_action" value="{}" class="{}" aria-label="Select {}">'


class Page(Doing):
    """A page for the rows of one table. What may be done on it says `roles.MAY[page]`."""

    says = ""  # one sentence under its name in the index
    ready_views: tuple[tuple[str, str], ...] = ()  # what is often looked for: its name, and the list's query
    no_rows = "Nothing yet."  # what an empty list says, and what fills it
    field_deeds: dict[str, str] = {}  # fields that ask for a deed of their own
    search_text: tuple[str, ...] = ()  # columns with a trigram index
    search_exact: tuple[str, ...] = ()  # columns with a plain index
    search_ids: tuple[str, ...] = ("pk",)
    search_starts: tuple[str, ...] = ()  # columns in small letters whose beginning is looked for, by a plain index
    export_columns: tuple[str, ...] = ()
    make_form: type[forms.Form] | None = None  # where a function makes the rows: what it must be told
    make_says = ""
    make_button = "Make it"
    make_title = ""  # what making one is called; "" where the model's own name says it
    dangerous_make = False  # making one wants a fresh code
    live_every = 0  # seconds after which what stands under an open row is drawn anew
    form = RowForm
    list_per_page = 50
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_fullwidth = True
    change_form_template = "adminpanel/row.html"
    change_list_template = "adminpanel/rows.html"
    list_filter_submit = True
    list_disable_select_all = True  # what nobody looked at is not ticked
    actions_on_top = True

    # ── Who may ──

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the page is listed."""
        return self.may(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether rows are shown."""
        return self.may(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether rows can be made."""
        return self.may(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the form saves."""
        return self.may(request, "change")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deleting is a deed, with its confirmation and its reason."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Fields of the form that ask for more than its page does."""
        held = [name for name, deed in self.field_deeds.items() if not self.may(request, deed)]
        return (*super().get_readonly_fields(request, obj), *held)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The version is no field to look at."""
        return [name for name in super().get_fields(request, obj) if name != "version"]

    @property
    def called(self) -> str:
        """Its name in the menu, which its head and its empty list use too."""
        return navigation.NAMES[self.page]

    @property
    def to_make(self) -> str:
        """What the button says that makes one."""
        return self.make_title or f"New {self.model._meta.verbose_name}"

    @property
    def tells_times(self) -> bool:
        """Whether rows have times, whose zone must then be said."""
        return any(isinstance(field, models.DateTimeField) for field in self.model._meta.concrete_fields)

    # ── The list ──

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeyedList]:
        """Page by key."""
        return KeyedList

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """For the template: whether there is a search box."""
        return self.search_text or self.search_exact or self.search_starts

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Look by an index only: an id, an exact word, or part of a text that has a trigram index."""
        term = search_term.strip().replace("\0", "")[:200]
        if not term:
            return queryset, False
        if found := as_uuid(term):
            return queryset.filter(_any((name, found) for name in self.search_ids)), False
        plain = term.lower().removeprefix("@")
        wanted = [(f"{name}__icontains", term) for name in self.search_text]
        wanted += [(name, term) for name in self.search_exact]
        query = _any(wanted)
        for name in self.search_starts:
            query |= beginning(self.model, name, plain)
        return (queryset.filter(query) if query else queryset.none()), False

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """The columns, and what can be done with each row."""
        columns = tuple(super().get_list_display(request))
        return (*columns, "more") if self._open(request) else columns

    @display(description="More")
    def more(self, row: Any) -> str:
        """The row's deeds, which our script shows over the list; without it the row's page has them."""
        return format_html(_MORE, self._base, quote(row.pk), row)

    @display(description=ModelAdmin.action_checkbox.short_description)
    def action_checkbox(self, row: Any) -> str:
        """The box that ticks a row: as unfold's, with the row's name, and not drawn by a template fifty times."""
        return format_html(_TICK, row.pk, checkbox.attrs["class"], row)

    @cached_property
    def _base(self) -> str:
        return self.list_address()

    def get_actions(self, request: HttpRequest) -> dict[str, tuple[Callable[..., Any], str, str]]:
        """Deeds that can be done to many rows, and the CSV of those that are ticked."""
        found: dict[str, Any] = {
            deed.name: (many(deed), deed.name, deed.title) for deed in self._open(request) if deed.bulk
        }
        if self.may(request, "export"):
            found["export_ticked"] = (exports.ticked, "export_ticked", "Export as CSV")
        return found

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """The list, with what it can be exported and saved as."""
        from adminpanel.pages import views

        opts = self.model._meta
        link = reverse(f"admin:{opts.app_label}_{opts.model_name}_export") + f"?{request.GET.urlencode()}"
        everything = [
            (deed.title, reverse(f"admin:{opts.app_label}_{opts.model_name}_all", args=[deed.name]))
            for deed in self._open(request)
            if deed.bulk
        ]
        more = {
            "page": self,
            "title": self.called,
            "everything": everything,
            "may_export": self.may(request, "export"),
            "export_link": link,
            **views.shown(self, request),
            **(extra_context or {}),
        }
        answer = super().changelist_view(request, more)
        if isinstance(answer, TemplateResponse) and answer.context_data and "cl" in answer.context_data:
            self._watch(answer.context_data, answer.context_data["cl"].result_list)
        return answer

    def dress(self, rows: list[Any]) -> None:
        """Give the rows of a list what they need beside their columns, in a number of queries that does not grow."""

    def _watch(self, context: dict[str, Any], rows: list[Any]) -> None:
        """What the open line is asked to look at, so that a change shows without a reload."""
        context["watched"] = {"table": self.model._meta.label_lower, "rows": watching.versions(self, rows)}

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """The list as it is filtered, as CSV."""
        if not self.may(request, "export"):
            raise PermissionDenied
        return exports.export(self, request, self.get_changelist_instance(request).queryset)

    # ── One row ──

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """The row with its deeds, what hangs on it, and what staff did to it."""
        more = dict(extra_context or {})
        if object_id and request.method in ("GET", "HEAD"):
            row = self.get_object(request, object_id)
            if row is not None and self.has_view_permission(request, row):
                more |= {"has_deeds": bool(self._open(request)), "row_deeds": self._buttons(request, row)}
                more |= {"beside": self.beside(row), "log": self._log(row)}
        return super().changeform_view(request, object_id, form_url, {"page": self, **more})

    def beside(self, row: Any) -> list[dict[str, Any]]:
        """Boxes under the row: `title`, and `facts` (pairs) or `rows` (link, text, note), `more` (a link)."""
        return []

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save, and write down what changed."""
        before = audit.snapshot(type(obj)._default_manager.get(pk=obj.pk)) if change else {}
        super().save_model(request, obj, form, change)
        deed = "change" if change else "add"
        audit.record(f"{self.page}.{deed}", target=obj, before=before, after=audit.snapshot(obj), request=request)

    def log_addition(self, *args: Any) -> None:
        """Our own log has it."""

    def log_change(self, *args: Any) -> None:
        """Our own log has it."""

    def _log(self, row: models.Model) -> list[AdminLog]:
        types = {row._meta.label_lower, row._meta.concrete_model._meta.label_lower}  # type: ignore[union-attr]
        return list(AdminLog.objects.filter(target_type__in=types, target_id=str(row.pk))[:10])

    # ── Making one ──

    def make(self, asked: Asked) -> models.Model | HttpResponseBase:
        """Make a row, for pages with a `make_form`; or a page, where something is told once."""
        raise NotImplementedError

    def form_to_make(self, request: HttpRequest) -> Any:
        """The `make_form`, as whoever asks may fill it in."""
        return cast(Any, self.make_form)(request.POST or None, request.FILES or None)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        """Django's form, or our own where a function makes the rows."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if self.dangerous_make and not presence.has_proved(request.session):
            return for_a_code(request)
        if self.make_form is None:
            return super().add_view(request, form_url, extra_context)
        form = self.form_to_make(request)
        if request.method == "POST" and form.is_valid():
            try:
                with transaction.atomic():
                    made = self.make(Asked(request, cast(User, request.user), form.cleaned_data))
                    if isinstance(made, HttpResponseBase):
                        return made
                    audit.record(f"{self.page}.add", target=made, after=audit.snapshot(made), request=request)
                messages.success(request, f"{made} is made.")
                return redirect(self.address(made))
            except BotException as refused:
                refuse(form, refused)
        deed = Deed("add", self.to_make, lambda *_: None, self.make_says)
        return self.confirm(request, deed, form, [], self.list_address(), button=self.make_button)

    # ── Deeds ──

    def get_urls(self) -> list[Any]:
        """Django's, with ours before them."""
        opts = self.model._meta
        name = f"{opts.app_label}_{opts.model_name}"
        guard = self.admin_site.admin_view
        gone = (f"{name}_history", f"{name}_delete", None)
        return [
            path("export/", guard(self.export), name=f"{name}_export"),
            path("views/", guard(self.views), name=f"{name}_views"),
            path("all/<slug:deed>/", guard(self.do_to_all), name=f"{name}_all"),
            path("<path:object_id>/do/<slug:deed>/", guard(self.do), name=f"{name}_do"),
            *(url for url in super().get_urls() if url.name not in gone),
        ]

    def do_to_all(self, request: HttpRequest, deed: str) -> HttpResponseBase:
        """A deed to all rows that match, by a worker."""
        from adminpanel.pages import jobs

        return jobs.ask(self, request, deed)

    def views(self, request: HttpRequest) -> HttpResponseBase:
        """Keep or forget a view of the list, then show the list."""
        from adminpanel.pages import views

        return views.change(self, request)


def _any(pairs: Any) -> Q:
    found = Q()
    for name, value in pairs:
        found |= Q(**{name: value})
    return found
