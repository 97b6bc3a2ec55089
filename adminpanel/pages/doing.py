"""How deeds are done from a page: permission, a fresh code, what was seen, confirmation, the log."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.admin import helpers
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from unfold.admin import ModelAdmin

from accounts import tenancy
from accounts.models import User
from adminpanel import audit, presence, roles, versions
from adminpanel.deeds import Asked, Deed
from errors import codes
from errors.exceptions import BotException

DEEDS = "staff do something to a row of any workspace"
AT_ONCE = 100  # rows a bulk deed is done to: those that were ticked on one page of a list


class Doing(ModelAdmin):
    """What a page of rows can do to them. Who may, says `roles.MAY[page]`."""

    page = ""  # its name in the table of roles
    deeds: tuple[Deed, ...] = ()
    judged_by: tuple[str, ...] = ()  # columns by which staff decide on a row, where machines write the others; else all

    def may(self, request: HttpRequest, deed: str = "look") -> bool:
        """Whether the person may do this here."""
        return roles.may(request.user, self.page, deed)

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
        """Ask for confirmation, then do it; to a dialog over a page, where to go stands in a header (204)."""
        answer = self._do(request, object_id, deed)
        if answer.status_code == 302 and "X-Room-Dialog" in request.headers:
            answer.status_code, answer["X-Room-Go"] = 204, answer["Location"]
            del answer["Location"]
        return answer

    def _do(self, request: HttpRequest, object_id: str, deed: str) -> HttpResponseBase:
        """Permission, fresh code, what was seen, confirmation, log entry: all here."""
        wanted = next((one for one in self._open(request) if one.name == deed), None)
        if wanted is None:
            raise PermissionDenied
        with tenancy.platform(DEEDS):
            row = self.get_object(request, object_id)
            if row is None:
                raise Http404
            if wanted.dangerous and not presence.has_proved(request.session):
                return for_a_code(request)
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
            "page": self,
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
    page: Doing, deed: Deed, row: Any, request: HttpRequest, given: dict[str, Any], seen: str
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
            kept = [audit.Seen(one) for one in (row, *deed.also(row))]
        answer = deed.do(row, Asked(request, by, given))
        with tenancy.platform(DEEDS):
            told = {"by": by, "reason": given.get("reason", ""), "request": request}
            for one in kept:
                one.record(f"{page.page}.{deed.name}", if_changed=one is not kept[0], **told)
    return answer


def many(deed: Deed) -> Callable[..., Any]:
    """The action of a list: confirmed on a page of its own, for the rows that were ticked."""

    def action(page: Doing, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponseBase | None:
        if request.POST.get("select_across") == "1":
            raise PermissionDenied  # no page of ours offers it
        if deed.dangerous and not presence.has_proved(request.session):
            return for_a_code(request)
        form = deed.form(request.POST if "confirmed" in request.POST else None)
        if form.is_bound and form.is_valid():
            return _do_many(page, deed, request, queryset, form.cleaned_data)
        chosen = list(queryset[:AT_ONCE])
        more = {"many": True}
        return page.confirm(request, deed, form, chosen, request.get_full_path(), **more)

    return action


def _do_many(
    page: Doing, deed: Deed, request: HttpRequest, queryset: QuerySet[Any], given: dict[str, Any]
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


def for_a_code(request: HttpRequest) -> HttpResponseBase:
    """To the form that asks for a fresh code, and from there back here."""
    return redirect(f"{reverse('admin:prove')}?{urlencode({'next': request.get_full_path()})}")


def refuse(form: forms.Form, refused: BotException) -> None:
    """Say in the form why a deed was refused."""
    field = refused.meta.get("field")
    where = field if isinstance(field, str) and field in form.fields else None
    form.add_error(where, f"{refused} {refused.code.do_next} ({refused.code.id})")
