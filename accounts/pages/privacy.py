"""Your data: an archive of it, and its end, with 14 days to undo."""

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlencode
from uuid import UUID

from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import archives, farewell
from accounts.forms import SayItForm
from accounts.models import Export
from accounts.pages import doors
from accounts.requests import MemberRequest
from accounts.roles import View, members
from accounts.streams import parts_of
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity
from instagrowth import system


def once_more(view: View) -> View:
    """Open a page to somebody who proved in the last minutes that it is they; send others to prove it, and back here.

    A form they sent is not kept meanwhile: it is asked for anew, because what it does is weighty.
    """

    @wraps(view)
    def guarded(request: MemberRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if did_recently_reauthenticate(request):
            return view(request, *args, **kwargs)
        return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': request.path})}")

    return guarded


@require_safe
@login_required
@never_cache
def privacy_page(request: MemberRequest) -> HttpResponse:
    """Answer a person's archive, and the ways to end the workspace and the account."""
    return render(request, "accounts/privacy.html", _archive(request))


# ── The archive ─────────────────────────────────────────────────────────────────────────────────────────────────────


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def archive(request: MemberRequest) -> HttpResponse:
    """Have an archive made; or answer how far it is, for the page that waits."""
    if request.method != "POST":
        return render(request, "accounts/privacy_archive.html", _archive(request))
    done = "Your archive is being made. You may close this page: we mail you when it is ready."
    doors.do(request, lambda: archives.ask(request.user), done, name="export")
    return redirect("accounts:privacy")


@require_safe
@login_required
def download(request: MemberRequest, key: UUID) -> StreamingHttpResponse:
    """Answer the file of one's own archive, part by part. Raises EXPORT_GONE."""
    export = Export.objects.filter(pk=key, user=request.user, state=Export.State.DONE).first()
    if export is None or not default_storage.exists(export.file):
        raise BotException(codes.EXPORT_GONE)
    if request.membership is not None:
        log_activity("export_download", user=request.user)
    answer = StreamingHttpResponse(parts_of(export.file), content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="instagrowth-{export.created_at:%Y-%m-%d}.zip"'
    answer["Content-Length"] = export.size
    answer["Cache-Control"] = "no-store"
    return answer


def _archive(request: MemberRequest) -> dict[str, object]:
    newest = request.user.exports.order_by("-created_at").first()
    ready = request.user.exports.filter(state=Export.State.DONE).order_by("-created_at").first()
    return {
        "export": newest,
        "ready": ready,
        "gone_at": ready and ready.ended_at and ready.ended_at + archives.KEPT,
        "undo_days": system.DELETION_WAITS.now(),
        "is_open": newest is not None and newest.state in archives.OPEN,
    }


# ── The end ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@require_http_methods(["GET", "HEAD", "POST"])
@members("decide")
@once_more
@never_cache
def delete_workspace(request: MemberRequest) -> HttpResponse:
    """Ask for the workspace's name, then let it wait for its end."""

    def ask() -> None:
        farewell.ask_for_workspace(request.workspace, request.user)

    return _say_it(request, "accounts/delete_workspace.html", request.workspace.name, ask, "This workspace is closed.")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@once_more
@never_cache
def delete_account(request: MemberRequest) -> HttpResponse:
    """Ask for the person's e-mail or access code, then let the account wait for its end."""
    user = request.user

    def ask() -> None:
        farewell.ask_for_account(user)

    return _say_it(request, "accounts/delete_account.html", user.email or user.access_code or "", ask, "")


@require_POST
@members("decide")
def keep_workspace(request: MemberRequest) -> HttpResponse:
    """Undo the end of the workspace."""
    done = f"{request.workspace} stays. Its bots are stopped: start those you want."
    doors.do(request, lambda: farewell.keep_workspace(request.workspace, request.user), done, name="workspace_keep")
    return redirect("accounts:privacy")


@require_POST
@login_required
def keep_account(request: MemberRequest) -> HttpResponse:
    """Undo the end of the account."""
    done = "Your account stays, and so does what was to go with it. Bots are stopped: start those you want."
    doors.do(request, lambda: farewell.keep_account(request.user), done, name="account_keep")
    return redirect("accounts:privacy")


def _say_it(request: MemberRequest, page: str, word: str, ask: Callable[[], None], done: str) -> HttpResponse:
    form = SayItForm(word, request.POST or None)
    if form.is_valid():
        try:
            with transaction.atomic():
                ask()
        except BotException as refused:
            form.add_error(None, doors.said(refused))
        else:
            messages.success(request, f"{done} You can undo it for {system.DELETION_WAITS.now()} days.".strip())
            return redirect("accounts:privacy")
    context = {"form": form, "word": word, "undo_days": system.DELETION_WAITS.now()}
    return render(request, page, context, status=400 if form.errors else 200)
