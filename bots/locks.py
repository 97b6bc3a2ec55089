"""One Instagram account, one user of its session at a time. The lease makes it safe; this only sheds clashes."""

from collections.abc import Iterator
from contextlib import contextmanager

from django_redis import get_redis_connection
from redis.exceptions import LockError, RedisError
from redis.lock import Lock

from errors import codes
from errors.exceptions import BotException

TTL = 90  # seconds; longer than the 75 s after which Celery kills a task, so that a lock never ends under its holder


@contextmanager
def account_lock(account_id: object, *, without_redis: bool = False) -> Iterator[bool]:
    """Yield whether this account's session is ours for now; it is never waited for.

    While Redis is away a worker goes on under its lease (`without_redis`); a page raises QUEUE_UNAVAILABLE.
    """
    lock = get_redis_connection().lock(f"ig:{account_id}", timeout=TTL, blocking=False, thread_local=False)
    try:
        held = bool(lock.acquire())
    except RedisError:
        if not without_redis:
            raise BotException(codes.QUEUE_UNAVAILABLE) from None
        yield True
        return
    try:
        yield held
    finally:
        if held:
            _give_back(lock)


def _give_back(lock: Lock) -> None:
    try:
        lock.release()
    except (LockError, RedisError):
        # Expired, flushed, or Redis is away: there is nothing left to give back, and its end comes by itself.
        return
