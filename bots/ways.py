"""The way to Instagram: an account's own proxy, or this machine's line, which all accounts without one share.

Instagram slows accounts, and it slows addresses. Where it slows several accounts of one way within minutes it means the
way: then all that go there rest, before it counts against the others too.
"""

from typing import Any

from django_redis import get_redis_connection
from redis.exceptions import RedisError

from accounts import vault
from bots.models import InstagramAccount
from errors import codes
from errors.codes import Code
from errors.recording import record

SIGNS = (codes.INSTAGRAM_THROTTLED, codes.INSTAGRAM_PLEASE_WAIT, codes.INSTAGRAM_SENTRY_BLOCK)
ACCOUNTS = 3  # slowed
WITHIN = 600  # seconds of each other
REST = 900  # seconds


def proxy_of(account: InstagramAccount) -> str:
    """The account's one stable network address, if it was given one. It may hold a password: never log or show it."""
    if account.sealed_proxy is None:
        return ""
    return vault.unseal(account.sealed_proxy, **place_of_proxy(account)).decode()


def place_of_proxy(account: InstagramAccount) -> dict[str, Any]:
    """To what the sealed address is bound."""
    return {"table": "account", "row": account.pk, "column": "proxy"}


def note(account: InstagramAccount, sign: Code) -> None:
    """Remember that Instagram slowed an account; the third of a way lets the way rest, and operators hear of it."""
    if sign not in SIGNS:
        return
    key = _key(account)
    try:
        redis = get_redis_connection()
        redis.sadd(key, str(account.pk))
        redis.expire(key, WITHIN)
        begins = redis.scard(key) >= ACCOUNTS and redis.set(f"{key}:rests", 1, ex=REST, nx=True)
    except RedisError:
        return  # each account rests by itself in any case
    if begins:
        record(codes.NETWORK_SLOWED, action="network", proxy=account.sealed_proxy is not None)


def rests(account: InstagramAccount) -> bool:
    """Whether the way of an account rests."""
    try:
        return bool(get_redis_connection().exists(f"{_key(account)}:rests"))
    except RedisError:
        return False


def forget() -> None:
    """Let all ways go on, with nothing held against them."""
    redis = get_redis_connection()
    if keys := [*redis.scan_iter("way:*")]:
        redis.delete(*keys)


def _key(account: InstagramAccount) -> str:
    proxy = proxy_of(account)
    return f"way:{vault.fingerprint(proxy.encode())[:16] if proxy else 'direct'}"
