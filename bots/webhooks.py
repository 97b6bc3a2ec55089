"""What Meta tells us by itself: that somebody removed us, that somebody wants their data deleted.

The signature is checked before anything is read. It shows by its own which Meta app it is from: the installation's, or
one of the API pairs that are in use.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts import tenancy
from bots import api_pairs, official
from bots.instagram.graph import App
from bots.models import ApiPair, DataDeletion, OfficialAccess
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity

ALL = "Meta names an account, and we look whose it is"


def apps() -> Iterator[App]:
    """The Meta apps that may speak to us, the installation's own first."""
    if settings.META_APP_ID and settings.META_APP_SECRET:
        yield App(settings.META_APP_ID, settings.META_APP_SECRET)
    for pair in ApiPair.objects.filter(bots__isnull=False).distinct():
        yield App(pair.app_id, api_pairs.secret_of(pair))


def greets(mode: str, token: str) -> bool:
    """Whether a handshake is Meta's: it repeats the word we chose."""
    word = settings.META_WEBHOOK_VERIFY_TOKEN
    return bool(word) and mode == "subscribe" and hmac.compare_digest(token.encode(), word.encode())


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

    Raises SIGNATURE_WRONG.
    """
    app, said = opened(signed_request)
    with tenancy.platform(ALL):
        found = list(_accesses(app, said).values_list("account_id", "workspace_id"))
        return sum(official.lose(account, workspace) for account, workspace in found)


def forget(signed_request: str) -> DataDeletion:
    """Somebody wants gone what Meta gave us: our access goes, and with it what came through it.

    Raises SIGNATURE_WRONG.
    """
    app, said = opened(signed_request)
    with tenancy.platform(ALL), transaction.atomic():
        found = list(_accesses(app, said).select_related("account"))
        for access in found:
            access.delete()
            log_activity("data_deletion", workspace=access.workspace_id, account=access.account)
        return DataDeletion.objects.create(code=secrets.token_hex(8), accounts=len(found))


def _accesses(app: App, said: dict[str, Any]) -> QuerySet[OfficialAccess]:
    who = str(said.get("user_id", ""))
    return OfficialAccess.objects.filter(Q(meta_user=who) | Q(ig_id=who), app_id=app.id).exclude(ig_id="")
