"""The calendar's secret addresses: making, revoking, and what is read from them."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.pages.doors import do
from accounts.requests import MemberRequest
from accounts.roles import may, members
from bots.pages.doors import do_for
from content import feeds as feeding
from content.calendar_forms import FeedForm
from content.models import Feed
from errors import codes
from errors.exceptions import BotException


@require_http_methods(["GET", "HEAD", "POST"])
@members("look")
def feeds(request: MemberRequest) -> HttpResponse:
    """Answer the addresses there are, and open one; its secret is shown this once. Raises NO_PERMISSION."""
    form = FeedForm(request.POST if request.method == "POST" else None)
    address = ""

    def deed() -> str:
        nonlocal address
        _, token = feeding.make(request.workspace, request.user, form.cleaned_data["name"])
        address = settings.SITE_URL + reverse("calendar:feed", args=[token])
        return "The address is open."

    made = False
    if request.method == "POST":
        if not may(request.membership, "act"):
            raise BotException(codes.NO_PERMISSION)
        made = form.is_valid() and do_for(request, form, deed, name="feed_made")
    context = {
        "form": FeedForm() if made else form,
        "address": address,
        "feeds": Feed.objects.filter(workspace=request.workspace).order_by("-created_at"),
    }
    status = 400 if request.method == "POST" and not made else 200
    answer = render(request, "content/feeds.html", context, status=status)
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
@members("act")
def revoke(request: MemberRequest, feed_id: str) -> HttpResponse:
    """Close an address."""
    feed = get_object_or_404(Feed, workspace=request.workspace, pk=feed_id)
    do(request, lambda: feeding.revoke(feed, request.user), f"“{feed}” reads nothing more.", name="feed_revoked")
    return redirect("calendar:feeds")


@require_safe
def read(request: HttpRequest, token: str) -> HttpResponse:
    """Answer the calendar behind a secret address; any other does not exist."""
    told = feeding.read(token)
    if told is None:
        raise Http404
    request.session.accessed = False  # who asks does not matter
    headers = {"Cache-Control": "private, max-age=300", "Content-Disposition": 'inline; filename="posts.ics"'}
    return HttpResponse(told, content_type="text/calendar; charset=utf-8", headers=headers)
