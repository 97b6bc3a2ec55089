"""What Meta tells us by itself: signed events, that somebody removed us, that somebody wants their data deleted.

The signature is checked before anything is read. It shows by its own which Meta app it is from: the installation's, or
one of the API pairs that are in use: a bot has it, or an account was connected by it.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.timezone import now

from accounts import tenancy
from bots import api_pairs, official
from bots.instagram.graph import App
from bots.models import ApiPair, DataDeletion, InstagramAccount, MetaEvent, OfficialAccess
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity

ALL = "Meta names an account, and we look whose it is"
CLOCKS = timedelta(seconds=2)  # between Meta's and ours
MOST = 256 * 1024  # bytes of one request; Meta's largest are far smaller
_workers: list[Callable[[UUID, UUID], None]] = []
_forgetters: list[Callable[[InstagramAccount], None]] = []


def worked_by(send: Callable[[UUID, UUID], None]) -> None:
    """Let this function have what was told of an account (workspace, account) worked, after the commit."""
    _workers.append(send)


def forgotten_by(forget: Callable[[InstagramAccount], None]) -> None:
    """Let this function delete what came through Meta of an account."""
    _forgetters.append(forget)


def apps() -> Iterator[App]:
    """The Meta apps that may speak to us, the installation's own first."""
    if settings.META_APP_ID and settings.META_APP_SECRET:
        yield App(settings.META_APP_ID, settings.META_APP_SECRET)
    connected = OfficialAccess.objects.values("app_id")  # which stay with their app when no bot has it any more
    for pair in ApiPair.objects.filter(Q(bots__isnull=False) | Q(app_id__in=connected)).distinct():
        yield App(pair.app_id, api_pairs.secret_of(pair))


def greets(mode: str, token: str) -> bool:
    """Whether a handshake is Meta's: it repeats the word we chose."""
    word = settings.META_WEBHOOK_VERIFY_TOKEN
    return bool(word) and mode == "subscribe" and hmac.compare_digest(token.encode(), word.encode())


def take(body: bytes, signature: str) -> int:
    """Write down what a signed event tells, once however often it comes; how much of it was new.

    Nothing is worked here: Meta wants its answer at once. Raises SIGNATURE_WRONG, JSON_MALFORMED.
    """
    app = signer(body, signature)
    try:
        told = [
            (str(entry["id"]), what, _said_at(entry.get("time")))
            for entry in json.loads(body)["entry"]
            for what in (*entry.get("changes", []), *entry.get("messaging", []))
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BotException(codes.JSON_MALFORMED) from None
    with tenancy.platform(ALL), transaction.atomic():
        names = {ig_id for ig_id, _, _ in told}
        accesses = list(OfficialAccess.objects.filter(ig_id__in=names, app_id=app.id))
        events = [_event(access, what, at) for access in accesses for ig_id, what, at in told if ig_id == access.ig_id]
        known = MetaEvent.objects.filter(
            workspace__in={event.workspace_id for event in events},
            account__in={event.account_id for event in events},
            digest__in=[event.digest for event in events],
        )
        before = known.count()
        MetaEvent.objects.bulk_create(events, ignore_conflicts=True)
        new = known.count() - before
        for access in accesses if new else ():
            for send in _workers:
                send(access.workspace_id, access.account_id)
        return new


def signer(body: bytes, signature: str) -> App:
    """The app that signed a body. Raises SIGNATURE_WRONG."""
    with tenancy.platform(ALL):
        for app in apps():
            right = "sha256=" + hmac.digest(app.secret.encode(), body, hashlib.sha256).hex()
            if hmac.compare_digest(right.encode(), signature.encode()):
                return app
    raise BotException(codes.SIGNATURE_WRONG)


def opened(signed_request: str) -> tuple[App, dict[str, Any]]:
    """What a `signed_request` says, and whose app signed it. Raises SIGNATURE_WRONG."""
    signature, _, body = signed_request.partition(".")
    try:
        given = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
        said = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (binascii.Error, ValueError):
        raise BotException(codes.SIGNATURE_WRONG) from None
    with tenancy.platform(ALL):
        for app in apps():
            if hmac.compare_digest(hmac.digest(app.secret.encode(), body.encode(), hashlib.sha256), given):
                if not isinstance(said, dict) or said.get("algorithm", "").upper() != "HMAC-SHA256":
                    break
                return app, said
    raise BotException(codes.SIGNATURE_WRONG)


def removed(signed_request: str) -> int:
    """Somebody removed our app at Meta: each of their accounts needs a reconnect, said once; how many there were.

    What they connected anew since stays: Meta tells late, and sometimes twice. Raises SIGNATURE_WRONG.
    """
    app, said = opened(signed_request)
    with tenancy.platform(ALL):
        found = list(_accesses(app, said).filter(issued_at__lte=_told_at(said)))
        return sum(official.lose(access) for access in found)


def forget(signed_request: str) -> DataDeletion:
    """Somebody wants gone what Meta gave us: our access goes, and with it what came through it.

    Raises SIGNATURE_WRONG.
    """
    app, said = opened(signed_request)
    with tenancy.platform(ALL), transaction.atomic():
        found = list(_accesses(app, said).select_related("account"))
        for access in found:
            access.delete()
            for forgotten in _forgetters:
                forgotten(access.account)
            log_activity("data_deletion", workspace=access.workspace_id, account=access.account)
        return DataDeletion.objects.create(code=secrets.token_hex(8), accounts=len(found))


def _accesses(app: App, said: dict[str, Any]) -> QuerySet[OfficialAccess]:
    who = str(said.get("user_id", ""))
    return OfficialAccess.objects.filter(Q(meta_user=who) | Q(ig_id=who), app_id=app.id).exclude(ig_id="")


def _told_at(said: dict[str, Any]) -> datetime:
    """When Meta signed it, by its clock in whole seconds, so a moment later by ours; now, where it does not say."""
    at = said.get("issued_at")
    return datetime.fromtimestamp(at, UTC) + CLOCKS if isinstance(at, int) and 0 < at < time.time() else now()


def _said_at(told: Any) -> datetime:
    """When it happened by an entry's `time`, in seconds or milliseconds; now where Meta tells no moment of the past."""
    try:
        at = float(told)
        return min(datetime.fromtimestamp(at / 1000 if at > 1e11 else at, UTC), now())
    except (TypeError, ValueError, OverflowError, OSError):
        return now()


def _event(access: OfficialAccess, told: dict[str, Any], at: datetime) -> MetaEvent:
    digest = hashlib.sha256(json.dumps([access.ig_id, told], sort_keys=True).encode()).hexdigest()
    own = {"workspace_id": access.workspace_id, "account_id": access.account_id}
    # The digest is without the moment: what is told again is the same.
    return MetaEvent(**own, digest=digest, told=told, said_at=at)
