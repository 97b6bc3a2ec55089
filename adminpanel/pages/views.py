"""The named views over a list: shown as links, kept and forgotten by small forms."""

from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from accounts.models import User
from adminpanel import audit, saved_views
from errors.exceptions import BotException


def shown(page: Any, request: HttpRequest) -> dict[str, Any]:
    """What stands over a list: the views, which of them is open, and what could be kept."""
    user, now = cast(User, request.user), saved_views.plain(request.GET.urlencode())
    opts = page.model._meta
    views = [
        {"view": view, "open": view.query == now, "mine": view.owner_id == user.pk,
         "may_delete": saved_views.may_delete(view, user)}
        for view in saved_views.of(page.page, user)
    ]  # fmt: skip
    open_ = next((one for one in views if one["open"]), None)
    where = reverse(f"admin:{opts.app_label}_{opts.model_name}_views")
    ready = [(name, query, query == now) for name, query in page.ready_views]
    known = open_ or any(open_ for *_, open_ in ready)
    return {"views": views, "view_open": open_, "view_query": now, "views_at": where, "ready": ready, "known": known}


def change(page: Any, request: HttpRequest) -> HttpResponseBase:
    """Keep the view that is named, or forget one."""
    if not page.may(request):
        raise PermissionDenied
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    user, query = cast(User, request.user), saved_views.plain(request.POST.get("query", "")[:2000])
    try:
        if "delete" in request.POST:
            gone = saved_views.delete(page.page, user, request.POST["delete"])
            if gone is None:
                raise PermissionDenied
            audit.record(f"{page.page}.view_deleted", request=request, name=gone.name, shared=gone.shared)
            messages.success(request, f"The view {gone.name} is deleted.")
        else:
            shared = "shared" in request.POST
            view = saved_views.save(page.page, user, request.POST.get("name", ""), query, shared=shared)
            audit.record(f"{page.page}.view_saved", request=request, name=view.name, query=query, shared=shared)
            messages.success(request, f"Kept as {view.name}{', for all staff' if shared else ''}.")
    except BotException as refused:
        messages.error(request, str(refused))
    return redirect(page.list_address() + (f"?{query}" if query else ""))
