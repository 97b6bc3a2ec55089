"""Who may do what in a workspace: the one table that every page asks."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.models import Membership
from errors import codes
from errors.exceptions import BotException

Role = Membership.Role
MAY: dict[str, tuple[str, ...]] = {
    "look": (Role.OWNER, Role.MANAGER, Role.VIEWER),
    "act": (Role.OWNER, Role.MANAGER),  # connect accounts, start, stop, ask, tune
    "decide": (Role.OWNER,),  # about the workspace itself
}
View = Callable[..., HttpResponseBase]


def may(membership: Membership | None, deed: str) -> bool:
    """Whether this member may look, act or decide."""
    return membership is not None and membership.role in MAY[deed]


def members(deed: str = "look") -> Callable[[View], View]:
    """Open a page to signed-in members who may do this. Raises WORKSPACE_REQUIRED or NO_PERMISSION."""

    def guard(view: View) -> View:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            membership = getattr(request, "membership", None)
            if membership is None:
                raise BotException(codes.WORKSPACE_REQUIRED)
            if not may(membership, deed):
                raise BotException(codes.NO_PERMISSION)
            return view(request, *args, **kwargs)

        return guarded

    return guard
