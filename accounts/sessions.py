"""Where a person is signed in, and signing out there."""

from allauth.usersessions.models import UserSession
from django.contrib.auth import logout, update_session_auth_hash
from django.db.models import F
from django.http import HttpRequest

from accounts import notices, tokens
from accounts.models import User
from errors.recording import log_activity


def of(user: User) -> list[UserSession]:
    """The sessions that live, newest first; those that died meanwhile are forgotten."""
    living: list[UserSession] = UserSession.objects.purge_and_list(user)
    return sorted(living, key=lambda session: session.created_at, reverse=True)


def programs(user: User) -> int:
    """How many programs are signed in: their tokens go with "sign out everywhere", those made by name stay."""
    return tokens.signed_in(user).count()


def end(session: UserSession, request: HttpRequest) -> None:
    """Sign one browser out; this one like any other."""
    if session.session_key == request.session.session_key:
        logout(request)
    session.end()


def end_others(user: User, request: HttpRequest) -> None:
    """Sign out every other browser, and every program that signed in. This browser goes on under a new key."""
    User.objects.filter(pk=user.pk).update(session_generation=F("session_generation") + 1)
    user.refresh_from_db(fields=["session_generation"])
    here = UserSession.objects.filter(user=user, session_key=request.session.session_key)
    update_session_auth_hash(request, user)
    here.update(session_key=request.session.session_key)
    for session in UserSession.objects.filter(user=user).exclude(session_key=request.session.session_key):
        session.end()
    tokens.signed_in(user).delete()
    if workspace := getattr(request, "workspace", None):
        log_activity("sign_out_everywhere", workspace=workspace, user=user)
    notices.notify(user, "signed_out_everywhere", request)
