"""Connecting accounts through Meta: a person is sent there with a state, and comes back with a code or a refusal."""

import hmac
import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import tenancy
from accounts.models import User, Workspace
from bots import official, switch
from bots.instagram import graph_login
from bots.instagram.graph import App, GraphDoor
from bots.instagram.graph_login import Given
from bots.models import InstagramAccount, OfficialAccess
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity, record

PATIENCE = timedelta(minutes=15)  # that a person may stay at Meta


def back_address() -> str:
    """Where Meta sends people: to be entered in the app's settings at Meta."""
    return f"{settings.SITE_URL}/instagram/official/back/"


def begin(workspace: Workspace, login: str, account: InstagramAccount | None = None) -> tuple[str, dict[str, str]]:
    """Where to send the person, and what their browser's session must keep until they come back.

    With `account`, by the app of its API pair. Raises IG_OFFICIAL_NO_APP, BEING_DELETED.
    """
    if workspace.delete_at:
        raise BotException(codes.BEING_DELETED)
    app = official.app_for(account)
    waiting = {
        "state": secrets.token_urlsafe(32),
        "login": login,
        "app": app.id,
        "workspace": str(workspace.pk),
        "until": (timezone.now() + PATIENCE).isoformat(),
    }
    return graph_login.consent_url(app, login, back_address(), waiting["state"]), waiting


def finish(
    workspace: Workspace, user: User, waiting: dict[str, str], answer: dict[str, str]
) -> tuple[list[InstagramAccount], list[BotException]]:
    """Take what Meta sent back: the accounts that are connected now, and which were left out and why.

    Raises IG_OFFICIAL_STATE, IG_OFFICIAL_DECLINED, IG_OFFICIAL_NO_ACCOUNT, and where none could be connected
    PLAN_ACCOUNT_LIMIT and what Meta refuses.
    """
    _check(workspace, waiting, answer)
    app, login = official.app_named(waiting["app"]), waiting["login"]
    tenancy.wait_patiently()
    found = graph_login.redeem(app, login, back_address(), answer["code"])
    if not found:
        raise BotException(codes.IG_OFFICIAL_NO_ACCOUNT)
    connected: list[InstagramAccount] = []
    left_out: dict[str, tuple[BotException, list[str]]] = {}
    for given in found:
        try:
            with transaction.atomic():
                connected.append(keep(workspace, user, app, login, given))
        except BotException as refused:
            if len(found) == 1:
                raise
            left_out.setdefault(refused.code.id, (refused, []))[1].append(f"@{given.username}")
    told = [
        BotException(one.code, f"Not connected: {', '.join(names)}. {one.message}", **one.meta)
        for one, names in left_out.values()
    ]
    if not connected:
        raise told[0]
    return connected, told


def disconnect(account: InstagramAccount, user: User) -> None:
    """Tell Meta to send us nothing more, and throw the token away; the numbers and the history stay.

    Raises IG_OFFICIAL_MISSING.
    """
    access = OfficialAccess.objects.filter(account=account).first()
    if access is None:
        raise BotException(codes.IG_OFFICIAL_MISSING)
    if access.is_active and access.subscribed:
        tenancy.wait_patiently()
        try:
            official.door_of(access).unsubscribe()
        except BotException as refused:  # the token goes either way
            record(refused, action="official_disconnect", workspace=account.workspace_id, user=user, account=account)
    access.delete()
    switch.fit_to_plan(account.workspace_id)
    log_activity("official_disconnect", workspace=account.workspace_id, user=user, account=account)


def _check(workspace: Workspace, waiting: dict[str, str], answer: dict[str, str]) -> None:
    """The answer must be to the question of this browser, for this workspace, and in time."""
    same = hmac.compare_digest(waiting.get("state", "").encode(), answer.get("state", "").encode())
    late = timezone.now().isoformat() > waiting.get("until", "")
    if not waiting or not same or late or waiting["workspace"] != str(workspace.pk):
        raise BotException(codes.IG_OFFICIAL_STATE)
    if "error" in answer or not answer.get("code"):
        raise BotException(codes.IG_OFFICIAL_DECLINED)


def keep(workspace: Workspace, user: User, app: App, login: str, given: Given) -> InstagramAccount:
    """Write down the account and our access to it. Raises PLAN_ACCOUNT_LIMIT, and what Meta refuses."""
    door = GraphDoor(app, given.token, login=login, ig_id=given.ig_id or "me", page_id=given.page_id)
    told = door.me()
    door.ig_id = given.ig_id or str(told["user_id"])
    now = timezone.now()
    account = _account(workspace, door.ig_id, told)
    access = OfficialAccess.objects.filter(account=account).first() or OfficialAccess(
        workspace=workspace, account=account
    )
    access.login, access.ig_id, access.page_id, access.app_id = login, door.ig_id, given.page_id, app.id
    access.scopes, access.meta_user, access.connected_by = given.scopes, given.person, user.pk
    access.status, access.code, access.warned_at, access.issued_at = OfficialAccess.Status.ACTIVE, "", None, now
    access.expires_at = now + timedelta(seconds=given.seconds) if given.seconds else None
    access.refresh_at = access.expires_at - official.RENEW_BEFORE if access.expires_at else None
    official.seal_token(access, given.token)
    access.subscribed = _subscribed(door, account)
    access.save()
    log_activity("official_connect", workspace=workspace, user=user, account=account, login=login, scopes=given.scopes)
    return account


def _account(workspace: Workspace, ig_id: str, told: dict[str, Any]) -> InstagramAccount:
    """The account of this id, else of this name, else a new one. Raises PLAN_ACCOUNT_LIMIT."""
    name = str(told["username"]).lower()
    known = InstagramAccount.objects.filter(official__ig_id=ig_id).first()
    account = known or InstagramAccount.objects.filter(username=name).first()
    switch.must_have_place(workspace, account)
    if account is None:
        # Nothing is wrong with it: it just has no session for the automation.
        health = InstagramAccount.Health.ACTIVE
        account = InstagramAccount(workspace=workspace, username=name, timezone=workspace.timezone, health=health)
    account.full_name = str(told.get("name") or "")[:150]
    if (followers := told.get("followers_count")) is not None:
        account.followers, account.following = followers, told.get("follows_count", account.following)
        account.measured_at = timezone.now()
    told_now = ["full_name", "followers", "following", "measured_at"]
    account.save(update_fields=None if account._state.adding else told_now)  # a rest that began meanwhile stays
    return account


def _subscribed(door: GraphDoor, account: InstagramAccount) -> bool:
    """Ask Meta to tell us of comments and messages; without it the account still publishes."""
    try:
        door.subscribe()
    except BotException as refused:
        record(refused, action="official_subscribe", workspace=account.workspace_id, account=account)
        return False
    return True
