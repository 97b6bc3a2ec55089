"""Where a person is signed in."""

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import browsers, sessions
from accounts.requests import MemberRequest


@require_safe
@never_cache
@login_required
def sessions_page(request: MemberRequest) -> HttpResponse:
    """List the browsers a person is signed in with, this one first."""
    shown = [
        {
            "key": session.pk,
            "words": browsers.words(session.user_agent),
            "ip": session.ip,
            "since": session.created_at,
            "is_this": session.session_key == request.session.session_key,
        }
        for session in sessions.of(request.user)
    ]
    shown.sort(key=lambda session: not session["is_this"])
    context = {"sessions": shown, "programs": sessions.programs(request.user)}
    return render(request, "usersessions/usersession_list.html", context)


@require_POST
@login_required
def sign_out_one(request: MemberRequest, key: int) -> HttpResponse:
    """Sign one browser out."""
    session = UserSession.objects.filter(user=request.user, pk=key).first()
    if session is None:
        raise Http404
    sessions.end(session, request)
    messages.success(request, f"{browsers.words(session.user_agent)} is signed out.")
    return redirect("usersessions_list")


@require_POST
@login_required
def sign_out_others(request: MemberRequest) -> HttpResponse:
    """Sign everything out but this browser and the API tokens that were made by name."""
    sessions.end_others(request.user, request)
    messages.success(request, "You are signed out everywhere else.")
    return redirect("usersessions_list")
