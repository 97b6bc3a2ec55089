"""What every page of the control room has: roles, quick lists, deeds with a log entry, a form that tells of others."""

from collections.abc import AsyncIterator, Callable
from contextlib import nullcontext
from typing import Any, cast

from asgiref.sync import sync_to_async
from django import forms
from django.contrib import messages
from django.contrib.admin import ShowFacets, helpers
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import urlencode
from unfold.admin import ModelAdmin

from accounts import tenancy
from accounts.archives import inert
from accounts.limits import client_address
from accounts.models import User
from adminpanel import audit, presence, roles, versions, watching
from adminpanel.changelist import KeyedList, as_uuid, beginning
from adminpanel.deeds import Asked, BriefForm, Deed
from adminpanel.models import AdminLog
from adminpanel.versions import RowForm
from errors import codes
from errors.exceptions import BotException

DEEDS = "staff do something to a row of any workspace"
AT_ONCE = 100  # rows a bulk deed is done to: those that were ticked on one page of a list
CSV_ROWS = 500  # a chunk of an export


class Page(ModelAdmin):
    """A page for the rows of one table. What may be done on it says `roles.MAY[page]`."""

    page = ""  # its name in the table of roles
    says = ""  # one sentence under its name in the index
    deeds: tuple[Deed, ...] = ()
    judged_by: tuple[str, ...] = ()  # columns by which staff decide on a row, where machines write the others; else all
    field_deeds: dict[str, str] = {}  # fields that ask for a deed of their own
    search_text: tuple[str, ...] = ()  # columns with a trigram index
    search_exact: tuple[str, ...] = ()  # columns with a plain index
    search_ids: tuple[str, ...] = ("pk",)
    search_starts: tuple[str, ...] = ()  # columns in small letters whose beginning is looked for, by a plain index
    export_columns: tuple[str, ...] = ()
    make_form: type[forms.Form] | None = None  # where a function makes the rows: what it must be told
    make_says = ""
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

    def may(self, request: HttpRequest, deed: str = "look") -> bool:
        """Whether the person may do this here."""
        return roles.may(request.user, self.page, deed)

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

    def get_actions(self, request: HttpRequest) -> dict[str, tuple[Callable[..., Any], str, str]]:
        """Deeds that can be done to many rows."""
        if helpers.ACTION_CHECKBOX_NAME in request.POST or request.method in ("GET", "HEAD", "POST"):
            return {deed.name: (_many(deed), deed.name, deed.title) for deed in self._open(request) if deed.bulk}
        return {}

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

    def _watch(self, context: dict[str, Any], rows: list[Any]) -> None:
        """What the open line is asked to look at, so that a change shows without a reload."""
        context["watched"] = {"table": self.model._meta.label_lower, "rows": watching.versions(self, rows)}

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """The list as it is filtered, as CSV, a chunk at a time."""
        if not self.may(request, "export"):
            raise PermissionDenied
        listed = self.get_changelist_instance(request)
        columns = self.export_columns or tuple(name for name in self.list_display if isinstance(name, str))
        audit.record(f"{self.page}.export", request=request, filters=request.GET.urlencode()[:500])
        rows = listed.queryset.order_by("pk")
        answer = StreamingHttpResponse(self._csv(rows, columns), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{self.page}.csv"'
        return answer

    async def _csv(self, rows: QuerySet[Any], columns: tuple[str, ...]) -> AsyncIterator[str]:
        yield _line(columns)
        last = None
        while True:
            text, last = await sync_to_async(self._chunk)(rows, columns, last)
            yield text
            if last is None:
                return

    def _chunk(self, rows: QuerySet[Any], columns: tuple[str, ...], last: Any) -> tuple[str, Any]:
        """The lines after a row, and the row after which the next ones come; None at the end."""
        with tenancy.platform("staff export a list"):
            found = list((rows if last is None else rows.filter(pk__gt=last))[:CSV_ROWS])
            text = "".join(_line([self._cell(row, name) for name in columns]) for row in found)
        return text, found[-1].pk if len(found) == CSV_ROWS else None

    def _cell(self, row: Any, name: str) -> str:
        value = getattr(self, name)(row) if hasattr(self, name) else getattr(row, name, "")
        value = value() if callable(value) else value
        return "" if value is None else str(value)

    # ── One row ──

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """The row with its deeds, what hangs on it, and what staff did to it."""
        more = dict(extra_context or {})
        if object_id and request.method in ("GET", "HEAD"):
            row = self.get_object(request, object_id)
            if row is not None and self.has_view_permission(request, row):
                more |= {"row_deeds": self._buttons(request, row), "beside": self.beside(row), "log": self._log(row)}
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

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        """Django's form, or our own where a function makes the rows."""
        if self.make_form is None:
            return super().add_view(request, form_url, extra_context)
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = self.make_form(request.POST or None, request.FILES or None)
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
        title = f"New {self.model._meta.verbose_name}"
        deed = Deed("add", title, lambda *_: None, self.make_says)
        return self.confirm(request, deed, form, [], self.list_address(), button="Make it")

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

    def address(self, row: Any, deed: str = "") -> str:
        """The address of a row, or of a deed to it."""
        opts = self.model._meta
        name = f"admin:{opts.app_label}_{opts.model_name}_{'do' if deed else 'change'}"
        return reverse(name, kwargs={"object_id": row.pk, **({"deed": deed} if deed else {})})

    def list_address(self) -> str:
        """The address of the list."""
        return reverse(f"admin:{self.model._meta.app_label}_{self.model._meta.model_name}_changelist")

    @transaction.non_atomic_requests
    def do(self, request: HttpRequest, object_id: str, deed: str) -> HttpResponseBase:
        """Ask for confirmation, then do it: permission, fresh code, log entry, all here."""
        wanted = next((one for one in self._open(request) if one.name == deed), None)
        if wanted is None:
            raise PermissionDenied
        with tenancy.platform(DEEDS):
            row = self.get_object(request, object_id)
            if row is None:
                raise Http404
            if wanted.dangerous and not presence.has_proved(request.session):
                return redirect(f"{reverse('admin:prove')}?{urlencode({'next': request.get_full_path()})}")
            try:
                seen = request.POST.get("version", "") if request.method == "POST" else request.GET.get("version")
                self.expect(wanted, row, seen)
            except BotException as refused:
                return self._anew(request, row, refused)
            form = wanted.form(request.POST or None, request.FILES or None, row=row)
            ready = request.method == "POST" and form.is_valid()
            if not ready or not wanted.unbound:
                return self._done(request, wanted, row, form, ready)
        return self._done(request, wanted, row, form, ready)

    def _done(self, request: HttpRequest, wanted: Deed, row: Any, form: forms.Form, ready: bool) -> HttpResponseBase:
        """Do what is ready and say so, else ask; drawn before the view on the rows ends."""
        try:
            if ready:
                answer = perform(self, wanted, row, request, form.cleaned_data, request.POST.get("version", ""))
                if isinstance(answer, TemplateResponse):
                    return answer.render()
                if isinstance(answer, HttpResponseBase):
                    return answer
                messages.success(request, answer or f"{wanted.title}: done.")
                with tenancy.platform(DEEDS):
                    there = type(row)._default_manager.filter(pk=row.pk).exists()
                return redirect(self.address(row) if there else self.list_address())
        except BotException as refused:
            if refused.code in (codes.CHANGED_MEANWHILE, codes.DOES_NOT_FIT):
                return self._anew(request, row, refused)
            refuse(form, refused)
        with tenancy.platform(DEEDS):
            return self.confirm(request, wanted, form, [row], self.address(row)).render()

    def expect(self, deed: Deed, row: Any, seen: str | None) -> None:
        """Raise CHANGED_MEANWHILE for a row that is not what somebody has `seen`, DOES_NOT_FIT where no button shows.

        None is who has seen nothing yet.
        """
        if seen is not None and seen != self.marks([row])[str(row.pk)]:
            raise versions.changed(row)
        if not deed.fits(row):
            raise BotException(codes.DOES_NOT_FIT)

    def marks(self, rows: list[Any]) -> dict[str, str]:
        """The versions of rows by their keys, which buttons and forms of deeds carry."""
        return versions.for_deeds(rows, self.judged_by)

    def _anew(self, request: HttpRequest, row: Any, refused: BotException) -> HttpResponseBase:
        messages.error(request, f"{refused} Nothing was done. This is how it is now. ({refused.code.id})")
        return redirect(self.address(row))

    def confirm(
        self, request: HttpRequest, deed: Deed, form: forms.Form, rows: list[Any], back: str, **more: Any
    ) -> TemplateResponse:
        """The page on which a deed is confirmed."""
        context = {
            **self.admin_site.each_context(request),
            "title": deed.title,
            "opts": self.model._meta,
            "deed": deed,
            "form": form,
            "rows": rows[:20],
            "versions": self.marks(rows),
            "back": back,
            **more,
        }
        status = 400 if form.errors else 200
        return TemplateResponse(request, "adminpanel/confirm.html", context, status=status)

    def _open(self, request: HttpRequest) -> list[Deed]:
        return [deed for deed in self.deeds if self.may(request, deed.name)]

    def _buttons(self, request: HttpRequest, row: Any) -> list[dict[str, Any]]:
        seen = urlencode({"version": self.marks([row])[str(row.pk)]})
        return [
            {"title": deed.title, "link": f"{self.address(row, deed.name)}?{seen}", "dangerous": deed.dangerous}
            for deed in self._open(request)
            if deed.fits(row)
        ]


def perform(
    page: Page, deed: Deed, row: Any, request: HttpRequest, given: dict[str, Any], seen: str
) -> str | HttpResponseBase | None:
    """Do it to one row as it was `seen`, and write it down, both or neither. Raises what the deed is refused with.

    Of an unbound deed the second comes after the first, which has left its own line in the activity log.
    """
    by = cast(User, request.user)
    with nullcontext() if deed.unbound else transaction.atomic(), versions.held(row, unbound=deed.unbound):
        with tenancy.platform(DEEDS):
            row = page.get_object(request, str(row.pk))
            if row is None:
                raise BotException(codes.CHANGED_MEANWHILE, "Somebody deleted this while you had it open.")
            page.expect(deed, row, seen)
            kept = audit.Seen(row)
        answer = deed.do(row, Asked(request, by, given))
        with tenancy.platform(DEEDS):
            kept.record(f"{page.page}.{deed.name}", by=by, reason=given.get("reason", ""), request=request)
    return answer


def _many(deed: Deed) -> Callable[..., Any]:
    """The action of a list: confirmed on a page of its own, for the rows that were ticked."""

    def action(page: Page, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponseBase | None:
        if request.POST.get("select_across") == "1":
            raise PermissionDenied  # no page of ours offers it
        if deed.dangerous and not presence.has_proved(request.session):
            return redirect(f"{reverse('admin:prove')}?{urlencode({'next': request.get_full_path()})}")
        form = deed.form(request.POST if "confirmed" in request.POST else None)
        if form.is_bound and form.is_valid():
            return _do_many(page, deed, request, queryset, form.cleaned_data)
        chosen = list(queryset[:AT_ONCE])
        more = {"many": True}
        return page.confirm(request, deed, form, chosen, request.get_full_path(), **more)

    return action


def _do_many(
    page: Page, deed: Deed, request: HttpRequest, queryset: QuerySet[Any], given: dict[str, Any]
) -> HttpResponseBase | None:
    done, refused = 0, ""
    seen = dict(zip(request.POST.getlist(helpers.ACTION_CHECKBOX_NAME), request.POST.getlist("version"), strict=False))
    for row in queryset.order_by("pk")[:AT_ONCE]:
        if not deed.fits(row):
            continue
        try:
            perform(page, deed, row, request, given, seen.get(str(row.pk), ""))
            done += 1
        except BotException as why:
            refused = f" Not all: {why} ({why.code.id})"
    (messages.warning if refused else messages.success)(request, f"{deed.title}: {done} done.{refused}")
    return redirect(request.get_full_path())


def refuse(form: forms.Form, refused: BotException) -> None:
    """Say in the form why a deed was refused."""
    field = refused.meta.get("field")
    where = field if isinstance(field, str) and field in form.fields else None
    form.add_error(where, f"{refused} {refused.code.do_next} ({refused.code.id})")


def _any(pairs: Any) -> Q:
    found = Q()
    for name, value in pairs:
        found |= Q(**{name: value})
    return found


def _line(cells: Any) -> str:
    return ",".join('"{}"'.format(inert(str(cell)).replace('"', '""')) for cell in cells) + "\r\n"


def here(request: HttpRequest) -> str:
    """Where somebody comes from."""
    return client_address(request)


__all__ = ["Asked", "BriefForm", "Deed", "Page", "RowForm", "here", "perform"]
