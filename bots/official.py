"""An account's official door: its Meta app, its sealed token, and what to do when Meta takes it away."""

from typing import Any

from django.conf import settings

from accounts import vault
from bots import api_pairs
from bots.instagram.graph import App, GraphDoor
from bots.models import ApiPair, Bot, InstagramAccount, OfficialAccess
from errors import codes
from errors.exceptions import BotException


def official_door(account: InstagramAccount) -> GraphDoor:
    """The door of an account through Meta. Raises IG_OFFICIAL_MISSING, IG_OFFICIAL_RECONNECT, IG_OFFICIAL_NO_APP.

    To be called in the workspace's view; the requests through it are made outside of any transaction.
    """
    access = OfficialAccess.objects.filter(account=account).first()
    if access is None:
        raise BotException(codes.IG_OFFICIAL_MISSING)
    if not access.is_active:
        raise BotException(codes.by_id(access.code) or codes.IG_OFFICIAL_RECONNECT)
    return door_of(access)


def door_of(access: OfficialAccess) -> GraphDoor:
    """The door that an access opens. Raises IG_OFFICIAL_NO_APP."""
    app = app_named(access.app_id)
    return GraphDoor(app, token_of(access), login=access.login, ig_id=access.ig_id, page_id=access.page_id)


def app_for(account: InstagramAccount | None) -> App:
    """The Meta app by which an account is connected: its API pair's, else the installation's own.

    Raises IG_OFFICIAL_NO_APP.
    """
    pair_id = (
        Bot.objects.filter(account=account).values_list("api_pair__app_id", flat=True).first() if account else None
    )
    return app_named(pair_id or settings.META_APP_ID)


def app_named(app_id: str) -> App:
    """The app of this id with its secret. Raises IG_OFFICIAL_NO_APP."""
    if app_id and app_id == settings.META_APP_ID:
        return App(app_id, settings.META_APP_SECRET)
    pair = ApiPair.objects.filter(app_id=app_id).first() if app_id else None
    if pair is None:
        raise BotException(codes.IG_OFFICIAL_NO_APP)
    return App(pair.app_id, api_pairs.secret_of(pair))


def token_of(access: OfficialAccess) -> str:
    """The unsealed token. Never log, show or send it anywhere but to Meta."""
    return vault.unseal(access.sealed_token, **_place(access)).decode()


def seal_token(access: OfficialAccess, token: str) -> None:
    """Put a token into a row that is about to be saved."""
    access.sealed_token = vault.seal(token.encode(), **_place(access))


def _place(access: OfficialAccess) -> dict[str, Any]:
    return {"table": "official", "row": access.pk, "column": "sealed_token"}
