"""The notification centre, its bell, and how a person wants to hear of things."""

import json
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now
from django.views.decorators.http import require_POST, require_safe

from accounts import announcements, notifications
from accounts.forms import NoticeChoiceForm
from accounts.pages.doors import back
from accounts.requests import MemberRequest
from accounts.roles import members
from errors.exceptions import BotException
from instagrowth import live

ROWS = 30


@require_safe
@members("look")
def notifications_page(request: MemberRequest) -> HttpResponse:
    """Answer what there is, newest first, a page by key."""
    since, rows = live.latest(request.workspace.pk), notifications.mine(request.workspace, request.user)
    only_unread = request.GET.get("show") == "unread"
    if only_unread:
        rows = rows.filter(read_at=None)
    older = _number(request, "older")
    found = list((rows.filter(pk__lt=older) if older else rows)[: ROWS + 1])
    show = "&show=unread" if only_unread else ""
    context = {
        "live_since": since,
        "rows": found[:ROWS],
        "older": f"?older={found[ROWS - 1].pk}{show}" if len(found) > ROWS else "",
        "newest": f"?{show.lstrip('&')}" if older else "",
        "only_unread": only_unread,
        "unread_here": notifications.bell(request.workspace, request.user)["unread"],
    }
    return render(
        request, "accounts/notification_rows.html" if request.htmx else "accounts/notifications.html", context
    )


@require_safe
@members("look")
def bell(request: MemberRequest) -> HttpResponse:
    """Answer the bell; what came after `after` becomes a toast, unless the person's hours are quiet."""
    response = render(request, "accounts/bell.html", {"bell": notifications.bell(request.workspace, request.user)})
    news = notifications.mine(request.workspace, request.user).filter(read_at=None, pk__gt=_number(request, "after"))
    newest = news.first() if "after" in request.GET else None
    choice = notifications.choice_of(request.workspace, request.user)
    if newest and not notifications.is_quiet(choice, request.user, now()):
        tone = {"warn": "warn", "bad": "bad"}.get(newest.tone, "ok")
        response["HX-Trigger"] = json.dumps({"toast": {"text": newest.title, "tone": tone}})
    return response


@require_POST
@members("look")
def open_notification(request: MemberRequest, number: int) -> HttpResponse:
    """Mark one as read and go where it leads."""
    row = get_object_or_404(notifications.mine(request.workspace, request.user), pk=number)
    notifications.mark_read(request.workspace, request.user, row.pk)
    return redirect(row.path or "accounts:notifications")


@require_POST
@members("look")
def read_all(request: MemberRequest) -> HttpResponse:
    """Mark all as read."""
    notifications.mark_read(request.workspace, request.user)
    return redirect("accounts:notifications")


@require_safe
@members("look")
def choice_page(request: MemberRequest) -> HttpResponse:
    """Answer how the person hears of this workspace."""
    choice = notifications.choice_of(request.workspace, request.user)
    return _choice_page(request, NoticeChoiceForm(instance=choice))


@require_POST
@members("look")
def save_choice(request: MemberRequest) -> HttpResponse:
    """Keep how the person wants to hear of this workspace."""
    choice = notifications.choice_of(request.workspace, request.user)
    form = NoticeChoiceForm(request.POST, instance=choice)
    if not form.is_valid():
        return _choice_page(request, form, HTTPStatus.BAD_REQUEST)
    choice = form.save()
    url = form.cleaned_data["hook"]
    if url != notifications.hook_of(choice).get("url", ""):
        try:
            notifications.set_hook(choice, url)
        except BotException as refused:
            form.add_error("hook", f"{refused} ({refused.code.id})")
            return _choice_page(request, form, HTTPStatus.BAD_REQUEST)
    messages.success(request, "Kept. From now on you hear of things this way.")
    return redirect("accounts:notice_choice")


@require_POST
@members("look")
def try_hook(request: MemberRequest) -> HttpResponse:
    """Send a test to the person's webhook."""
    choice = notifications.choice_of(request.workspace, request.user)
    if choice.sealed_hook:
        notifications.try_hook(choice)
        messages.success(request, "A test is on its way to your webhook.")
    else:
        messages.error(request, "There is no webhook to test. Save its address first.")
    return redirect("accounts:notice_choice")


def _choice_page(request: MemberRequest, form: NoticeChoiceForm, status: int = 200) -> HttpResponse:
    choice = form.instance
    saved = notifications.hook_of(choice) if choice.pk else {}
    return render(request, "accounts/notice_choice.html", {"form": form, "secret": saved.get("secret")}, status=status)


def _number(request: MemberRequest, name: str) -> int:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


@require_POST
@members("look")
def put_away(request: MemberRequest, number: int) -> HttpResponse:
    """Show this browser a banner no more."""
    answer = back(request, "/dashboard/")
    cookie = announcements.put_away(request.COOKIES.get(announcements.COOKIE, ""), number)
    answer.set_cookie(
        announcements.COOKIE, cookie, max_age=365 * 86400, httponly=True, secure=request.is_secure(), samesite="Lax"
    )
    return answer
