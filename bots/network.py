"""The one network address from which an account goes to Instagram, where its operator gave it one: sealed, and stable.

It is the address of a proxy that always leads through the same line. Nothing here picks, checks or changes one by
itself: an account that moves about looks stolen.
"""

from datetime import timedelta
from urllib.parse import SplitResult, urlsplit

from django.db import transaction
from django.utils import timezone

from accounts import tenancy, vault
from accounts.models import User
from bots import ways
from bots.models import Bot, InstagramAccount
from errors import codes, outbound
from errors.exceptions import BotException
from errors.recording import log_activity

SCHEMES = ("http", "https", "socks5", "socks5h")
STAYS = timedelta(days=30)
MENDABLE = timedelta(hours=1)  # in which a typing error may be mended


def give(account: InstagramAccount, address: str, by: User) -> str:
    """Let an account go through a proxy from now on; where it leads, without its password.

    Raises VALIDATION_FAILED for what is no address, for another one within 30 days, and while its bot runs, and
    ADDRESS_NOT_PUBLIC for one that leads into a network of ours.
    """
    parts = _parts(address)
    with tenancy.scope(account.workspace_id), transaction.atomic():
        held = _resting(account)
        since = held.proxy_since
        if since and MENDABLE < timezone.now() - since < STAYS:
            raise BotException(
                codes.VALIDATION_FAILED,
                f"It got an address on {since:%d %b}. An account that changes it within 30 days looks stolen.",
                field="address",
            )
        held.sealed_proxy = vault.seal(address.strip().encode(), **ways.place_of_proxy(held))
        held.proxy_since = timezone.now()
        held.save(update_fields=["sealed_proxy", "proxy_since"])
        log_activity("proxy", workspace=held.workspace_id, user=by, account=held, at=str(parts.hostname))
    return f"{parts.hostname}:{parts.port}"


def take(account: InstagramAccount, by: User) -> None:
    """Let an account go straight again. Raises VALIDATION_FAILED while its bot runs."""
    with tenancy.scope(account.workspace_id), transaction.atomic():
        held = _resting(account)
        held.sealed_proxy = None
        held.save(update_fields=["sealed_proxy"])
        log_activity("proxy", workspace=held.workspace_id, user=by, account=held, at="none")


def shown(account: InstagramAccount) -> str:
    """Where an account's proxy is, without its name and password; empty without one."""
    if account.sealed_proxy is None:
        return ""
    parts = urlsplit(ways.proxy_of(account))
    return f"{parts.scheme}://{parts.hostname}:{parts.port}"


def _resting(account: InstagramAccount) -> InstagramAccount:
    held = InstagramAccount.objects.select_for_update().get(pk=account.pk)
    if Bot.objects.filter(account=held).exclude(status=Bot.Status.STOPPED).exists():
        raise BotException(codes.VALIDATION_FAILED, "Stop the bot first: an address changes between two runs.")
    return held


def _parts(address: str) -> SplitResult:
    try:
        parts = urlsplit(address.strip())
        good = parts.scheme in SCHEMES and parts.hostname and parts.port and not parts.query and parts.path in ("", "/")
    except ValueError:
        good = False
    if not good:
        raise BotException(
            codes.VALIDATION_FAILED,
            "Write it as http://name:password@host:port, or with https, socks5 or socks5h.",
            field="address",
        )
    outbound.must_be_public(str(parts.hostname))
    return parts
