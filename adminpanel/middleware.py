"""The control room's own cookie, and its door."""

import re
from collections.abc import Callable

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage.session import SessionStorage
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.http import urlencode

from accounts import tenancy
from accounts.limits import client_address
from accounts.middleware import OPEN_TO_ALL
from adminpanel import allowlist, presence, uploads, visits
from errors import codes
from errors.answers import answer, fail
from errors.exceptions import BotException
from instagrowth.paths import is_api

Answer = Callable[[HttpRequest], HttpResponseBase]
DOOR = ("/admin/login/", "/admin/enrol/")  # for those who are not in yet
# What staff whose password was set by somebody else reach.
CHANGE_ONLY = ("/admin/password/", "/admin/logout/")
# A deed may wait for Stripe: its page (`Page.do`) opens short views of its own, and no transaction is held round it.
UNBOUND = re.compile(r"/admin/.+/do/[a-z_]+/$")
# The theme's scripts evaluate and style inline: only here, where nothing of a stranger's is shown as markup.
CSP = {"script-src": [SELF, UNSAFE_INLINE, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE], "font-src": [SELF]}


class StaffCookieMiddleware:
    """Staff and members never share a session: under /admin/ the session lives in a cookie of another name.

    So does that of a visit, on the members' side, where it stands before a member's own.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Swap the two names on the way in and on the way out."""
        staffs, visit = settings.STAFF_COOKIE_NAME, settings.VISIT_COOKIE_NAME
        staff_key, visit_key = request.COOKIES.pop(staffs, None), request.COOKIES.pop(visit, None)
        vars(request).update(staff_key=staff_key or "", visit_key=visit_key or "")
        if presence.in_control_room(request.path):
            # Before the form's token is looked for, for which all of the body is read.
            request.upload_handlers = [uploads.InMemory(request)]
            return self._in_place_of_the_members(request, staffs, staff_key)
        if visit_key is not None:
            return self._in_place_of_the_members(request, visit, visit_key)
        return self.get_response(request)

    def _in_place_of_the_members(self, request: HttpRequest, name: str, key: str | None) -> HttpResponseBase:
        members = settings.SESSION_COOKIE_NAME
        request.COOKIES.pop(members, None)
        if key is not None:
            request.COOKIES[members] = key
        response = self.get_response(request)
        cookies = response.cookies
        if (cookie := cookies.pop(members, None)) is not None:
            cookie.set(name, cookie.value, cookie.coded_value)
            cookies[name] = cookie
        return response


LOOK = "X-Room-Look"


class ControlRoomMiddleware:
    """Before any page of staff: the address, the session and its limits, a password that must be changed."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with the view on all workspaces, or turn away."""
        if not presence.in_control_room(request.path):
            return self.get_response(request)
        vars(request).update(workspace=None, membership=None, _messages=SessionStorage(request))
        unbound = UNBOUND.match(request.path)
        with tenancy.platform("staff work in the control room"):
            try:
                allowlist.check(request)
                response = _turned_away(request) or (None if unbound else self.get_response(request))
            except BotException as refused:
                response = fail(request, refused)
        response = response or self.get_response(request)
        vars(response)["_csp_replace"] = CSP
        return response


def _turned_away(request: HttpRequest) -> HttpResponse | None:
    """Where this visitor must go first; None for those who may come in."""
    path = request.path
    if not presence.is_here(request.user, request.session):
        request.user = AnonymousUser()  # a member who became staff, or whose session was put into our cookie
        if presence.MARK in request.session:
            request.session.flush()
        if path.startswith(DOOR):
            return None
        if request.method not in ("GET", "HEAD"):
            raise BotException(codes.NOT_SIGNED_IN)
        return redirect("/admin/login/?" + urlencode({"next": request.get_full_path()}))
    if LOOK not in request.headers:  # a page that refreshes itself is nobody's being there
        presence.note(request.session)
    if getattr(request.user, "must_change_password", False) and not path.startswith(CHANGE_ONLY):
        return redirect("admin:password_change")
    return None


class VisitMiddleware:
    """Whoever is on a visit only looks: no method that writes, no page that is the member's alone, no file to take.

    What a page writes by being looked at (a notification read, an AI budget's month begun) is undone with the
    transaction round it, and what it would have sent is not sent.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer as the member would be answered, or refuse."""
        elsewhere = request.path.startswith(OPEN_TO_ALL) or presence.in_control_room(request.path)
        if elsewhere or not (vars(request)["visit_key"] or visits.MARK in request.session):
            return self.get_response(request)
        visit = visits.going_on(visits.of(request), vars(request)["staff_key"], client_address(request))
        if visit is None:
            request.session.flush()
            return answer(request, codes.NOT_SIGNED_IN) if is_api(request) else redirect("admin:index")
        vars(request)["visit"] = visit
        request.META.pop("HTTP_X_WORKSPACE", None)
        try:
            visits.check(request.method, request.path)
            return self._looking(request) if request.path != visits.STOP else self.get_response(request)
        except BotException as refused:
            return answer(request, refused.code)  # in nobody's log: the member did nothing wrong

    def _looking(self, request: HttpRequest) -> HttpResponseBase:
        with transaction.atomic():
            response = self.get_response(request)
            transaction.set_rollback(True)
        if response.headers.get("Content-Disposition", "").startswith("attachment"):
            raise BotException(codes.VISIT_HIDES)
        response["Cache-Control"] = "no-store"
        return response
