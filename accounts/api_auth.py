"""How programs are let in, and the shape of what they get back."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from django.http import HttpRequest
from django.utils import timezone
from knox.auth import TokenAuthentication
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.throttling import AnonRateThrottle, UserRateThrottle

from accounts import entry, limits
from accounts.middleware import must_not_wait
from accounts.models import ApiToken, User, Workspace
from accounts.requests import MemberRequest
from accounts.roles import may
from errors import codes
from errors.exceptions import BotException


class BearerToken(TokenAuthentication):
    """`Authorization: Bearer …` of a member."""

    realm = ApiToken.Realm.USER

    def validate_user(self, auth_token: ApiToken) -> tuple[User, ApiToken]:
        """Refuse tokens of the other side; note the use at most once a minute."""
        user, token = super().validate_user(auth_token)
        if token.realm != self.realm or user.is_staff != (self.realm == ApiToken.Realm.ADMIN):
            raise AuthenticationFailed
        if token.last_used_at is None or timezone.now() - token.last_used_at > timedelta(minutes=1):
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=timezone.now())
        return user, token

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """The token's person, in their workspace."""
        try:
            found = super().authenticate(request)
        except UnicodeDecodeError:
            raise AuthenticationFailed from None
        if found and self.realm == ApiToken.Realm.USER:
            entry.enter(request._request, found[0])
        return found


class StaffToken(BearerToken):
    """`Authorization: Bearer …` of an admin."""

    realm = ApiToken.Realm.ADMIN


class SessionCookie(SessionAuthentication):
    """The cookie of the pages, with CSRF."""


class IsMember(BasePermission):
    """A signed-in member, in a workspace, with a token that was made for this.

    Looking needs the scope `look`; a write needs the door's own `deed`, of the token and of the member's role. Without
    one a write is about the person, not the workspace: no token with scopes may do it. A view says
    `open_to_must_change` where a forced change does not bar, `open_to_any_token` where scopes do not count,
    `open_without_workspace` where a person who belongs to none is answered too.
    """

    deed: str | None = None

    def has_permission(self, request: Request, view: object) -> bool:
        """Whether the door opens. Raises MUST_CHANGE_PASSWORD, TOKEN_SCOPE_MISSING or WORKSPACE_REQUIRED."""
        if not request.user.is_authenticated:
            return False
        if not getattr(view, "open_to_must_change", False):
            must_not_wait(request.user)
        deed = self.deed_of(request)
        if not getattr(view, "open_to_any_token", False):
            _must_cover(request.auth, deed)
        if workspace_of(request) is None:
            if getattr(view, "open_without_workspace", False):
                return True
            raise BotException(codes.WORKSPACE_REQUIRED)
        return deed is None or may(cast(MemberRequest, request._request).membership, deed)

    def deed_of(self, request: Request) -> str | None:
        """What this request does: look, act, decide, or something about the person that no scope covers."""
        return "look" if request.method in SAFE_METHODS else self.deed


class MayWork(IsMember):
    """A member who may change things: viewers only look."""

    deed = "act"


class MayDecide(IsMember):
    """A member who may decide about the workspace: others only look."""

    deed = "decide"


class InPerson(IsMember):
    """A member with the cookie of the pages or the token of a sign-in: nothing here is open to a token with scopes."""

    def deed_of(self, request: Request) -> str | None:
        """Nothing that a scope covers."""
        return None


def _must_cover(token: object, deed: str | None) -> None:
    if isinstance(token, ApiToken) and token.scopes and deed not in token.scopes:
        wanted = f"It needs the scope `{deed}`." if deed else "A token with scopes never opens this."
        raise BotException(codes.TOKEN_SCOPE_MISSING, f"{codes.TOKEN_SCOPE_MISSING.what} {wanted}")


class IsStaff(BasePermission):
    """An admin whose first password has been changed."""

    def has_permission(self, request: Request, view: object) -> bool:
        """Whether the door opens."""
        if not (request.user.is_authenticated and request.user.is_staff):
            return False
        must_not_wait(request.user)
        return True


class PersonThrottle(UserRateThrottle):
    """How much one person's programs may ask."""

    def get_ident(self, request: Request) -> str:
        """Who nobody knows is told apart as everywhere: by where they come from."""
        return limits.counted_as(limits.client_address(request._request))


class VisitorThrottle(PersonThrottle, AnonRateThrottle):
    """How much may be asked from one address without signing in."""

    scope = "anon"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        """Count visitors only."""
        return AnonRateThrottle.get_cache_key(self, request, view)


def workspace_of(request: Request) -> Workspace | None:
    """The workspace a program works in."""
    http: HttpRequest = request._request
    return getattr(http, "workspace", None)


class CorrelatedJSON(JSONRenderer):
    """JSON in which every answer carries the id that finds it in the log."""

    def render(
        self, data: object, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        """Add `correlation_id`."""
        request = (renderer_context or {}).get("request")
        if isinstance(data, dict) and request is not None:
            data = {**data, "correlation_id": getattr(request._request, "correlation_id", "")}
        return super().render(data, accepted_media_type, renderer_context)


class Pages(CursorPagination):
    """Lists by key, newest first: page 10,000 costs what page 1 costs."""

    page_size = 50
    max_page_size = 100
    page_size_query_param = "page_size"
    ordering = "-created_at"
