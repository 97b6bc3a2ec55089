"""How often a sensitive door may be tried: exact, shared by all processes, one atomic step in Valkey.

A try is counted before it is looked at, so that parallel tries cannot slip through. Valkey gone means the door is shut.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from math import ceil
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django_redis import get_redis_connection

from errors import codes
from errors.exceptions import BotException

UNKNOWN = "0.0.0.0"  # noqa: S104  (whoever came past our proxies without an address: all of them share one count)


@dataclass(frozen=True)
class Door:
    """`amount` tries in `seconds` for one key; a `doubling` door rests twice as long each time it is shut in a day."""

    name: str
    amount: int
    seconds: int
    doubling: bool = False


# Each is counted by what stands in brackets.
GUESS = Door("guess", 5, 300)  # wrong passwords (login name): RELIABILITY row 1
SECOND_FACTOR = Door("second-factor", 5, 60, doubling=True)  # wrong codes (person): RELIABILITY row 20
PASSKEY = Door("passkey", 30, 300)  # passkeys in place of a password (client address): there is nothing to guess
RESET = Door("reset", 5, 3600)  # mails with a reset link (address)
RESET_FROM = Door("reset-from", 20, 3600)  # the same (client address)
RESET_KEY = Door("reset-key", 20, 3600)  # links tried (client address)
SIGN_UP = Door("sign-up", 20, 3600)  # new people (client address)
CONFIRM = Door("confirm", 5, 3600)  # mails that confirm an address (address)
MANAGE_EMAIL = Door("manage-email", 20, 3600)  # addresses added or removed (person)
INVITE = Door("invite", 50, 24 * 3600)  # invitations sent (workspace)
INVITATION = Door("invitation", 30, 3600)  # invitation links tried (client address)
HOOK_TEST = Door("hook-test", 20, 3600)  # webhooks tried out by hand (workspace)
EXPORT = Door("export", 3, 24 * 3600)  # archives of one's data (person)

_TAKE = """
local taken = redis.call('INCR', KEYS[1])
if taken == 1 then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
if taken == ARGV[1] + 1 and ARGV[3] == '1' then
  local times = redis.call('INCR', KEYS[2])
  redis.call('EXPIRE', KEYS[2], 86400)
  redis.call('EXPIRE', KEYS[1], math.min(ARGV[2] * 2 ^ (times - 1), 86400))
end
return {taken, redis.call('TTL', KEYS[1])}
"""

_GIVE_BACK = "if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('DECR', KEYS[1]) end"


def take(door: Door, key: object) -> int:
    """Count one try at a door; the tries left after it. Raises TOO_MANY_TRIES with `retry_after` in seconds."""
    redis = get_redis_connection()
    taken, wait = redis.eval(
        _TAKE, 2, _counter(door, key), f"{_counter(door, key)}:times", door.amount, door.seconds, int(door.doubling)
    )
    if taken > door.amount:
        wait = max(wait, 1)
        raise BotException(codes.TOO_MANY_TRIES, f"There were too many tries. Wait {_words(wait)}.", retry_after=wait)
    return door.amount - int(taken)


def left(door: Door, key: object) -> int:
    """How many tries there are before the door shuts."""
    return max(0, door.amount - int(get_redis_connection().get(_counter(door, key)) or 0))


def forgive(door: Door, key: object) -> None:
    """Forget the tries of somebody who has just proved who they are."""
    get_redis_connection().delete(_counter(door, key), f"{_counter(door, key)}:times")


def give_back(door: Door, key: object) -> None:
    """Uncount one try that turned out to be right; those of others stay counted."""
    get_redis_connection().eval(_GIVE_BACK, 1, _counter(door, key))


def client_address(request: HttpRequest) -> str:
    """Where a request came from: who is connected, or what the outermost of TRUSTED_PROXY_COUNT proxies saw.

    Anybody can write anything further left into X-Forwarded-For. Where our proxies should have told and did not, nobody
    knows: UNKNOWN. Always one form of an address: without port and brackets, an IPv4 written as IPv6 as IPv4.
    """
    proxies = settings.TRUSTED_PROXY_COUNT
    if not proxies:
        return _address(request.META.get("REMOTE_ADDR", ""))
    told = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    return _address(told[-proxies]) if len(told) >= proxies else UNKNOWN


def socket_address(scope: Mapping[str, Any]) -> str:
    """Where a socket came from: the same answer as for a request."""
    request, headers = HttpRequest(), dict(scope["headers"])
    request.META["REMOTE_ADDR"] = (scope.get("client") or ("",))[0]
    if told := headers.get(b"x-forwarded-for"):
        request.META["HTTP_X_FORWARDED_FOR"] = told.decode("latin-1")
    return client_address(request)


def counted_as(key: str) -> str:
    """What a count goes by: the key itself, but the /64 of an IPv6 address, as a household owns 2**64 of them."""
    try:
        return str(ip_network(f"{key}/64", strict=False)) if ":" in key else key
    except ValueError:
        return key


def _address(text: str) -> str:
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return UNKNOWN
    return str(getattr(found, "ipv4_mapped", None) or found)


def _words(seconds: int) -> str:
    for size, unit in ((3600, "hour"), (60, "minute")):
        if seconds > size:
            return f"{ceil(seconds / size)} {unit}s"
    return f"{seconds} second{'s' if seconds > 1 else ''}"


def _counter(door: Door, key: object) -> str:
    return f"tries:{door.name}:{hashlib.sha256(counted_as(str(key)).encode()).hexdigest()}"
