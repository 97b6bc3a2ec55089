"""Which workspace a request works in."""

from typing import cast
from uuid import UUID

from django.http import HttpRequest

from accounts import tenancy
from accounts.models import Membership, User
from accounts.requests import MemberRequest
from errors import codes
from errors.exceptions import BotException


def enter(request: HttpRequest, user: User) -> None:
    """Set `request.membership` and `request.workspace`, and open the view on that workspace's rows.

    A person with several workspaces names one in `X-Workspace`, or is where they were last. Raises WORKSPACE_NOT_FOUND.
    Costs two queries when the workspace is named or known from the session, else four.
    """
    named = request.headers.get("X-Workspace", "")
    wanted = _uuid(named) or _uuid(request.session.get("workspace", ""))
    mine = Membership.objects.filter(user=user).select_related("workspace__subscription__plan").order_by("created_at")
    membership = None
    if wanted:
        tenancy.look_at(user=str(user.pk), workspace=wanted)
        membership = mine.filter(workspace_id=wanted).first()
    if membership is None:
        tenancy.look_at(user=str(user.pk))
        if named:
            raise BotException(codes.WORKSPACE_NOT_FOUND)
        home = (
            Membership.objects.filter(user=user).order_by("created_at").values_list("workspace_id", flat=True).first()
        )
        if home is None:
            return
        tenancy.look_at(user=str(user.pk), workspace=str(home))
        membership = mine.get(workspace_id=home)
    member = cast(MemberRequest, request)
    member.membership, member.workspace = membership, membership.workspace
    here = str(membership.workspace_id)
    # Where a person was removed from, the session must not go on asking for: the live line follows the session too.
    if not named and wanted != here and hasattr(request, "user") and request.user.is_authenticated:
        request.session["workspace"] = here


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""
