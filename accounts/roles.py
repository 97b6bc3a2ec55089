"""Who may do what in a workspace: the one table that every page asks."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from accounts.models import Membership
from errors import codes
from errors.exceptions import BotException

Role = Membership.Role
MAY: dict[str, tuple[str, ...]] = {
    "look": (Role.OWNER, Role.MANAGER, Role.VIEWER),
    "act": (Role.OWNER, Role.MANAGER),  # connect accounts, start, stop, ask, tune
    "decide": (Role.OWNER,),  # about the workspace itself
}
# Nobody gives more than they have; viewers give nothing.
GIVES: dict[str, tuple[str, ...]] = {
    Role.OWNER: (Role.OWNER, Role.MANAGER, Role.VIEWER),
    Role.MANAGER: (Role.MANAGER, Role.VIEWER),
}
View = Callable[..., HttpResponseBase]


def may(membership: Membership | None, deed: str) -> bool:
    """Whether this member may look, act or decide."""
    return membership is not None and membership.role in MAY[deed]


def gives(membership: Membership) -> list[tuple[str, str]]:
    """The roles that this member may give somebody, as choices, the least first."""
    return [(role, Role(role).label) for role in reversed(GIVES.get(membership.role, ()))]


def check_gives(membership: Membership, role: str) -> None:
    """Raise NO_PERMISSION for a role above what this member may give."""
    if role not in GIVES.get(membership.role, ()):
        raise BotException(codes.NO_PERMISSION)


def members(deed: str = "look") -> Callable[[View], View]:
    """Open a page to signed-in members who may do this; who belongs to no workspace is shown how to make one.

    Raises WORKSPACE_REQUIRED or NO_PERMISSION.
    """

    def guard(view: View) -> View:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            membership = getattr(request, "membership", None)
            if membership is None:
                if request.method in ("GET", "HEAD"):
                    return redirect("accounts:new_workspace")
                raise BotException(codes.WORKSPACE_REQUIRED)
            if not may(membership, deed):
                raise BotException(codes.NO_PERMISSION)
            return view(request, *args, **kwargs)

        return guarded

    return guard
