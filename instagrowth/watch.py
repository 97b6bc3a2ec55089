"""Who notices that the workers stand still: a thread beside each beat, because no task could.

It also tells the operators itself: what goes through a worker would wait for the very one that does not work.
"""

import time
from threading import Thread

import structlog
from django.db import DatabaseError, InterfaceError, connection
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from bots import engine
from errors import codes
from errors.exceptions import BotException
from errors.recording import record
from instagrowth import metrics, system

EVERY = 15  # seconds between two looks
SILENT = 90  # seconds without a sign of life: with EVERY, frozen workers are told of within two minutes
START = 45  # seconds before the first, in which workers that were started with us take what waited meanwhile
AGAIN = 60  # seconds after which it is told once more, whichever beat looks
logger = structlog.get_logger("instagrowth")


def begin(**_: object) -> None:
    """Watch from now on, until the process ends."""
    Thread(target=_watch, name="watch", daemon=True).start()


def look() -> bool:
    """Tell operators if due bots wait and nobody takes them, or no worker shows that it lives; whether it is so."""
    if not (said := _standstill()):
        return False
    if _is_first():
        record(BotException(codes.ENGINE_LATE, said), action="engine")
    return True


def _standstill() -> str:
    try:
        age = metrics.worker_age()
    except RedisError:
        age = None  # its own alarm
    if age is not None and age > SILENT:
        return f"No worker has done anything for {age:.0f} seconds."
    stalled = engine.stalled() if system.BOTS_RUN.now() else []
    return f"Nobody works on {' and '.join(stalled)}: bots there wait for more than two minutes." if stalled else ""


def _is_first() -> bool:
    """Whether no other beat told of it lately."""
    try:
        return bool(get_redis_connection().set("watch:told", 1, ex=AGAIN, nx=True))
    except RedisError:
        return True


def _watch() -> None:
    time.sleep(START)
    while True:
        try:
            look()
        except (DatabaseError, InterfaceError):
            logger.warning("watch_is_blind")
        except Exception:  # a fault of ours must not end the watch
            logger.exception("watch_failed")
        connection.close()
        time.sleep(EVERY)
