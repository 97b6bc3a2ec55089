"""Named views of a list: its filters, order and search, for one person or for all staff who may see the page."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import QueryDict

from accounts.models import User
from adminpanel import roles
from adminpanel.changelist import AFTER, BEFORE
from adminpanel.models import SavedView
from errors import codes
from errors.exceptions import BotException

MOST = 30  # of one person on one page


def plain(query: str) -> str:
    """A query string without the place in the list: a view begins with its first page."""
    found = QueryDict(query, mutable=True)
    for name in (AFTER, BEFORE, "e", "p"):
        found.pop(name, None)
    return found.urlencode()


def of(page: str, user: User) -> list[SavedView]:
    """The person's own views of a page, and those that others share."""
    return list(SavedView.objects.filter(Q(owner=user) | Q(shared=True), page=page).select_related("owner")[:60])


def save(page: str, user: User, name: str, query: str, *, shared: bool) -> SavedView:
    """Keep a view under a name. Raises VALIDATION_FAILED for no name, one they have, too much of it, too many."""
    name, query = " ".join(name.replace("\0", "").split()), plain(query)
    if not 1 <= len(name) <= 40:
        raise BotException(codes.VALIDATION_FAILED, "Give the view a name of at most 40 characters.")
    if len(query) > 1000:
        raise BotException(codes.VALIDATION_FAILED, "That is too much to keep as a view.")
    if SavedView.objects.filter(owner=user, page=page).count() >= MOST:
        raise BotException(codes.VALIDATION_FAILED, f"You have {MOST} views of this list. Delete one first.")
    try:
        with transaction.atomic():
            return SavedView.objects.create(owner=user, page=page, name=name, query=query, shared=shared)
    except IntegrityError:
        raise BotException(codes.VALIDATION_FAILED, f"You have a view called {name} already.") from None


def may_delete(view: SavedView, user: User) -> bool:
    """Their own; what others share, owners of the control room too."""
    return view.owner_id == user.pk or (view.shared and roles.of(user) == roles.Role.OWNER)


def delete(page: str, user: User, key: str) -> SavedView | None:
    """Forget a view; None where there is none that they may delete."""
    found: Any = SavedView.objects.filter(page=page, pk=key).first() if key.isascii() and key.isdecimal() else None
    if found is None or not may_delete(found, user):
        return None
    found.delete()
    return found
