"""Live events: written down with the deed they tell of, then told to the browsers that listen.

The row is the event; the message is a hint. Transactions commit in another order than they number their rows, so a
browser that knows number 6 may have missed number 5. It therefore remembers a moment instead: the oldest transaction
that was still open when it was told everything (`latest`), and asks for whatever that one and later ones wrote. It gets
some events twice that way, and drops those whose number it knows; it never gets one not at all.
"""

from typing import Any, cast
from uuid import UUID

from channels.layers import get_channel_layer
from django.conf import settings
from django.db import connection, transaction
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from errors.view import platform_view
from instagrowth.models import LiveEvent

STAFF = None  # the audience without a workspace
REPLAY = 1000  # events at most; a browser that missed more fetches all its live parts anew


def group_of(workspace_id: object) -> str:
    """The channel group of a workspace's browsers, or of the staff's."""
    return f"workspace.{workspace_id}" if workspace_id else "staff"


def publish(workspace_id: UUID | None, name: str, data: dict | None = None) -> None:
    """Tell a workspace (or STAFF, from any view) that something happened, once the transaction has been committed."""
    event = LiveEvent(workspace_id=workspace_id, name=name, data=data or {})
    if workspace_id is STAFF:
        with transaction.atomic(), platform_view():
            event.save()
    else:
        event.save()
    transaction.on_commit(lambda: tell(workspace_id, as_message(event)))


def latest(_: UUID | None) -> int:
    """Give the moment of the snapshot: the number of the oldest transaction that is still open.

    What earlier ones wrote is visible to whatever is read from now on. Ask before you read what you show.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        return int(cursor.fetchone()[0])


def missed(workspace_id: UUID | None, since: int) -> tuple[list[dict] | None, int]:
    """Give what an audience may have missed since a moment, oldest first, and the moment it then knows.

    None if that is more than REPLAY.
    """
    now = latest(workspace_id)
    events = LiveEvent.objects.filter(workspace_id=workspace_id, xact__gte=since).order_by("pk")[: REPLAY + 1]
    messages = [as_message(event) for event in events]
    return (messages if len(messages) <= REPLAY else None), now


def tell(workspace_id: UUID | None, message: dict) -> None:
    """Send one message of the group, as the channel layer would.

    Straight through the thread's own connection: an event loop for each message costs a worker more than a follow does.
    """
    layer = cast(dict[str, Any], settings.CHANNEL_LAYERS)["default"]["CONFIG"]
    channel = f"{layer['prefix']}__group__{group_of(workspace_id)}"
    try:
        get_redis_connection().publish(channel, get_channel_layer().serialize({"type": "event", **message}))
    except RedisError:
        return  # the browser reads the row when it asks again


def as_message(event: LiveEvent) -> dict:
    """What a browser gets."""
    return {"seq": event.pk, "name": event.name, "data": event.data, "at": event.at.isoformat()}
