"""API tokens with a name: each made for one program, good for some deeds and some days.

A token's words are shown once and kept as a hash. Tokens without scopes come from signing in and may do all that their
person may.
"""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import now

from accounts.models import ApiToken, User
from accounts.notices import notify
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity

MOST = 20  # with a name, for one person
DAYS = (7, 30, 90, 365)
SCOPES = {
    "look": "Look: read accounts, bots, tasks and the activity log",
    "act": "Act: connect accounts, start and stop bots, ask for tasks",
    "decide": "Decide: change the team and the workspace, as far as your role allows",
}


def made_by(user: User) -> QuerySet[ApiToken]:
    """The tokens a person made, newest first; the expired ones too, until the next is made."""
    return _own(user).exclude(scopes=[])


def signed_in(user: User) -> QuerySet[ApiToken]:
    """The tokens a person's programs got by signing in, newest first."""
    return _own(user).filter(scopes=[], expiry__gt=now())


def make(user: User, name: str, scopes: list[str], days: int, request: HttpRequest) -> tuple[ApiToken, str]:
    """A new token and its words, which nobody can read again. Raises TOKENS_FULL."""
    User.objects.select_for_update().get(pk=user.pk)  # two at once must not both find the last place free
    made_by(user).filter(expiry__lte=now()).delete()
    if made_by(user).count() >= MOST:
        raise BotException(codes.TOKENS_FULL)
    chosen = [scope for scope in SCOPES if scope in scopes]
    token, words = ApiToken.objects.create(
        user, expiry=timedelta(days=days), realm=ApiToken.Realm.USER, name=name, scopes=chosen
    )
    _tell(request, user, "token_made", name=name, scopes=chosen, days=days)
    return token, words


def revoke(user: User, key: str, request: HttpRequest) -> ApiToken | None:
    """End one token of a person, by its first letters; None if there is none."""
    token = _own(user).filter(token_key=key).first()
    if token:
        token.delete()
        _tell(request, user, "token_revoked", name=token.name)
    return token


def revoke_all(user: User, request: HttpRequest) -> int:
    """End every token of a person, those of sign-ins too; how many."""
    ended: int = _own(user).delete()[0]
    if ended:
        _tell(request, user, "tokens_revoked", amount=ended)
    return ended


def _tell(request: HttpRequest, user: User, event: str, **facts: Any) -> None:
    if workspace := getattr(request, "workspace", None):
        log_activity(event, workspace=workspace, user=user, **facts)
    notify(user, event, request, **facts)


def _own(user: User) -> QuerySet[ApiToken]:
    return ApiToken.objects.filter(user=user, realm=ApiToken.Realm.USER).order_by("-created")
