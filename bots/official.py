"""An account's official door: its Meta app, its sealed token, and what to do when Meta takes it away."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts import notices, tenancy, vault
from accounts.models import Membership
from bots import api_pairs
from bots.instagram import graph_login
from bots.instagram.graph import App, GraphDoor
from bots.models import ApiPair, Bot, InstagramAccount, OfficialAccess
from errors import codes
from errors.codes import Code
from errors.exceptions import BotException
from errors.recording import log_activity, record
from instagrowth import live

RENEW_BEFORE = timedelta(days=10)  # of a token's 60: on day 50
ALARM_BEFORE = timedelta(days=7)  # on day 53 the owners are told
AGAIN = timedelta(hours=6)  # after a renewal that failed


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
    door = GraphDoor(
        app_named(access.app_id), token_of(access), login=access.login, ig_id=access.ig_id, page_id=access.page_id
    )

    def lost() -> None:
        with tenancy.scope(access.workspace_id):
            lose(access)

    door.when_lost = lost
    return door


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


# When Meta takes it away, or it grows old


def lose(access: OfficialAccess, code: Code = codes.IG_OFFICIAL_RECONNECT) -> bool:
    """This access is gone: say so once, in the log and to the owners.

    False where that was done before, or the account has got a newer access meanwhile: an old token's refusal says
    nothing of it. In a view on the workspace; the two together in one transaction.
    """
    workspace = access.workspace_id
    with transaction.atomic():
        mine = OfficialAccess.objects.filter(
            pk=access.pk, status=OfficialAccess.Status.ACTIVE, issued_at=access.issued_at
        )
        if not mine.update(status=OfficialAccess.Status.RECONNECT, code=code.id):
            return False
        account = InstagramAccount.objects.get(pk=access.account_id)
        record(code, action="official_lost", workspace=workspace, account=account)
        _tell_owners(account, code)
    live.publish(workspace, "health", {"account": account.username, "official": "reconnect"})
    return True


def warn(access: OfficialAccess) -> bool:
    """Our access ends within a week and was not renewed: say so once. False where that was done before."""
    with transaction.atomic():
        mine = OfficialAccess.objects.filter(pk=access.pk, status=OfficialAccess.Status.ACTIVE, warned_at=None)
        if not mine.update(warned_at=Now()):
            return False
        record(codes.IG_OFFICIAL_AGING, action="official_aging", workspace=access.workspace_id, account=access.account)
        _tell_owners(access.account, codes.IG_OFFICIAL_AGING)
    return True


def due_for_care() -> list[tuple[UUID, UUID]]:
    """Workspace and id of the accesses whose day to be renewed has come."""
    with tenancy.platform("tokens of all workspaces grow old"):
        due = OfficialAccess.objects.filter(status=OfficialAccess.Status.ACTIVE, refresh_at__lte=Now())
        return list(due.order_by("refresh_at").values_list("workspace_id", "pk")[:500])


def care_for(workspace_id: UUID, access_id: UUID) -> None:
    """Renew one token: on day 50, then every six hours until it works; from day 53 on the owners know."""
    with tenancy.scope(workspace_id):
        access = OfficialAccess.objects.select_related("account").filter(pk=access_id).first()
        if access is None or not access.is_active or access.expires_at is None:
            return
        token = token_of(access)
    refused = None
    try:
        token, seconds = graph_login.renew(token)
    except BotException as failed:
        refused = failed
    now = timezone.now()
    with tenancy.scope(workspace_id):
        mine = OfficialAccess.objects.filter(pk=access.pk, issued_at=access.issued_at)  # not connected anew meanwhile
        if refused is None:
            seal_token(access, token)
            ends = now + timedelta(seconds=seconds)
            mine.update(
                sealed_token=access.sealed_token,
                issued_at=now,
                expires_at=ends,
                refresh_at=ends - RENEW_BEFORE,
                warned_at=None,
            )
            log_activity("official_renewed", workspace=workspace_id, account=access.account)
        elif refused.code is codes.IG_OFFICIAL_RECONNECT or access.expires_at <= now:
            lose(access)
        else:
            mine.update(refresh_at=now + AGAIN)
            record(refused, action="official_renewed", workspace=workspace_id, account=access.account)
            if access.expires_at - now <= ALARM_BEFORE:
                warn(access)


def _tell_owners(account: InstagramAccount, code: Code) -> None:
    owners = Membership.objects.filter(workspace=account.workspace_id, role=Membership.Role.OWNER)
    for membership in owners.select_related("user", "workspace__subscription__plan"):
        notices.notify(
            membership.user,
            "official_needs_you",
            label_of=membership.workspace,
            username=account.username,
            cause=code.what,
            next_step=code.do_next,
            code=code.id,
            page=f"{settings.SITE_URL}/instagram/",
        )
