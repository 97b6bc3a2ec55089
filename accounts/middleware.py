"""What happens round every request."""

from collections.abc import Callable, Iterable, Iterator
from typing import cast

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from accounts import entry, tenancy
from accounts.models import Workspace
from errors import codes
from errors.answers import answer
from errors.exceptions import BotException
from instagrowth import system
from instagrowth.paths import is_api

Answer = Callable[[HttpRequest], HttpResponseBase]
OPEN_TO_ALL = ("/static/", "/brand/", "/healthz", "/readyz", "/metrics", "/offline", "/sw.js")
# While members wait: the control room and its programs, what Meta fetches to publish, what Stripe and Meta tell.
OPEN_IN_MAINTENANCE = (*OPEN_TO_ALL, "/admin/", "/api/admin/", "/media/", "/webhooks/", "/help/")
ELSEWHERE = ("/admin/",)  # the control room has walls and a door of its own
# Their views wait for an outside server and open short views of their own: no transaction is held round them.
UNBOUND = ("/billing/stripe/",)
# What a person who must change the password still reaches.
CHANGE_ONLY = (
    "/profile/change-password",
    "/accounts/password/change/",
    "/logout",
    "/accounts/logout/",
    "/accounts/reauthenticate/",
    *OPEN_TO_ALL,
)


class MaintenanceMiddleware:
    """Keep members out while the operators work. Staff, health checks and what Stripe and Meta tell us come in."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, or say that we are back soon."""
        if request.path.startswith(OPEN_IN_MAINTENANCE) or not system.MAINTENANCE.now():
            return self.get_response(request)
        response = answer(request, codes.MAINTENANCE)
        response["Retry-After"] = "300"
        return response


class TenancyMiddleware:
    """Hold one transaction round the request, with the view on the person's workspace.

    With ATOMIC_REQUESTS a failed view is undone inside it; alone this transaction would keep what a failed view wrote.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer inside the wall."""
        request.__dict__.update(workspace=None, membership=None)
        if request.path.startswith((*OPEN_TO_ALL, *ELSEWHERE)):
            return self.get_response(request)
        if getattr(request.user, "is_staff", False):
            # Members sign in here, staff elsewhere: whoever became staff since is a stranger on this side.
            request.user = AnonymousUser()
        with tenancy.nobody():
            if request.user.is_authenticated:
                entry.enter(request, request.user)
            if not request.path.startswith(UNBOUND):
                return self._inside(request)
        return self.get_response(request)

    def _inside(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        workspace = request.__dict__["workspace"]
        if isinstance(response, StreamingHttpResponse) and not response.is_async and workspace is not None:
            response.streaming_content = _in_scope(workspace, cast(Iterator[bytes], response.streaming_content))
        return response


def _in_scope(workspace: Workspace, parts: Iterable[bytes]) -> Iterator[bytes]:
    """A stream is read after the request's transaction has ended: open the view again for as long as it flows.

    An asynchronous one opens its own views, chunk by chunk.
    """
    with tenancy.scope(workspace):
        yield from parts


class MustChangePasswordMiddleware:
    """Let a person whose password was set by someone else reach nothing but the change form and the way out."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, or send to the change form."""
        # Programs meet this wall in their permissions.
        if request.path.startswith((*CHANGE_ONLY, *ELSEWHERE)) or is_api(request):
            return self.get_response(request)
        if request.user.is_authenticated and request.user.must_change_password:
            return redirect("account_change_password_short")
        return self.get_response(request)


def must_not_wait(user: object) -> None:
    """The same wall for programs. Raises MUST_CHANGE_PASSWORD."""
    if getattr(user, "must_change_password", False):
        raise BotException(codes.MUST_CHANGE_PASSWORD)
