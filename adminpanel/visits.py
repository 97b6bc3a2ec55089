"""Visits: staff see the product as a member sees it. They only look, a quarter of an hour long, and the member is told.

A visit is a session of its own in a cookie of its own, good for nothing without the living staff session that began it.
"""

from datetime import timedelta
from importlib import import_module
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from accounts import tenancy
from accounts.models import Membership, User, Workspace
from adminpanel import audit, presence, roles
from adminpanel.models import Visit
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity

LASTS = timedelta(minutes=15)
MARK = "visit"  # nobody but `begin` writes it: whoever brings such a session, in whatever cookie, only looks
STOP = "/visit/stop/"
# What concerns only the member: how they get in, what opens doors without them, what leaves the house.
HIDDEN = (
    "/accounts/", "/login", "/logout", "/signup", "/profile/", "/invitations/", "/mails/", "/billing/stripe/",
    "/settings/tokens/", "/settings/privacy/", "/settings/webhooks/", "/settings/notifications/", "/calendar/feeds/",
    "/calendar/feed/", "/analytics/shared/", "/instagram/official/back/", "/api/auth/", "/api/tokens/", "/api/users/",
    "/api/admin/",
)  # fmt: skip
SAFE = ("GET", "HEAD", "OPTIONS")


def begin(member: User, workspace: UUID, by: User, reason: str) -> Visit:
    """Open a visit at a member's, in one workspace of theirs; one that this staff person has open ends.

    Raises VISIT_REFUSED for staff, for the blocked, for who has not chosen a password yet, and who is not in there.
    """
    open_to_visits = member.role == User.Role.USER and member.is_active and not member.must_change_password
    with tenancy.scope(workspace):
        home = Workspace.objects.filter(pk=workspace, memberships__user=member).first()
        if not open_to_visits or home is None:
            raise BotException(codes.VISIT_REFUSED)
        for former in Visit.objects.filter(admin_id=by.pk, ended_at=None):
            end(former, "another began")
        until = timezone.now() + LASTS
        visit = Visit(admin_id=by.pk, member_id=member.pk, home_id=home.pk, reason=reason, until=until)
        visit.session_key = _session(visit, member)
        visit.save()
        log_activity(
            "staff_visit", status="info", workspace=home, user=member, reason=reason,
            minutes=LASTS.seconds // 60, ended="looks only",
        )  # fmt: skip
    return visit


def _session(visit: Visit, member: User) -> str:
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(member.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = member.get_session_auth_hash()
    session["workspace"] = str(visit.home_id)
    session[MARK] = str(visit.pk)
    session.set_expiry(visit.until)
    session.create()
    return str(session.session_key)


@transaction.atomic
def end(visit: Visit, how: str) -> None:
    """Close a visit, once: its session is gone, and both logs say so."""
    if not Visit.objects.filter(pk=visit.pk, ended_at=None).update(ended_at=timezone.now()):
        return
    import_module(settings.SESSION_ENGINE).SessionStore(visit.session_key).delete()
    member, admin = (User.objects.filter(pk=key).first() for key in (visit.member_id, visit.admin_id))
    audit.record("users.visit_end", by=admin, target=member or visit, reason=visit.reason, how=how)
    with tenancy.scope(visit.home_id):
        if Workspace.objects.filter(pk=visit.home_id).exists():
            log_activity("staff_visit", status="info", workspace=visit.home_id, user=visit.member_id, ended="ended")


def end_due() -> int:
    """Close the visits whose time is over; how many they were."""
    due = list(Visit.objects.filter(ended_at=None, until__lte=timezone.now()))
    for visit in due:
        end(visit, "its time was over")
    return len(due)


def of(request: HttpRequest) -> Visit | None:
    """The open visit that a request belongs to, also where the session was thrown away a moment ago."""
    mine = Q(pk=request.session.get(MARK)) | Q(session_key=vars(request)["visit_key"] or "none")
    return Visit.objects.filter(mine, ended_at=None).first()


def going_on(visit: Visit | None, staff_key: str, address: str) -> Visit | None:
    """The visit, while it may go on; one that may not is closed.

    Its time is not over, the staff person who began it is still here and may visit, and the member is still in there.
    """
    if visit is None:
        return None
    admin = presence.whose(staff_key, address)
    here = admin is not None and admin.pk == visit.admin_id and roles.may(admin, "users", "visit")
    if here and visit.until > timezone.now() and _is_open(visit):
        return visit
    end(visit, "its time was over" if visit.until <= timezone.now() else "who began it, or the member, was gone")
    return None


def _is_open(visit: Visit) -> bool:
    session = import_module(settings.SESSION_ENGINE).SessionStore(visit.session_key)
    with tenancy.scope(visit.home_id):
        place = Membership.objects.filter(user=visit.member_id, workspace=visit.home_id).select_related("user").first()
    return (
        place is not None
        and place.user.is_active
        and not place.user.is_staff
        and session.get(HASH_SESSION_KEY) == place.user.get_session_auth_hash()
    )


def check(method: Any, path: str) -> None:
    """Let looking pass, and the way out. Raises VISIT_ONLY_LOOKS or VISIT_HIDES."""
    if path == STOP:
        return
    if method not in SAFE:
        raise BotException(codes.VISIT_ONLY_LOOKS)
    if path.startswith(HIDDEN):
        raise BotException(codes.VISIT_HIDES)
