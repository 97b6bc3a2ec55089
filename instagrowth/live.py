"""Live events: written down in order, then told to the browsers that listen."""

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction
from redis.exceptions import RedisError

from instagrowth.models import LiveEvent

STAFF = None  # the audience without a workspace


def group_of(workspace_id: object) -> str:
    """The channel group of a workspace's browsers, or of the staff's."""
    return f"workspace.{workspace_id}" if workspace_id else "staff"


def publish(workspace_id: object, name: str, data: dict | None = None) -> None:
    """Tell a workspace (or STAFF) that something happened, once the transaction has been committed.

    The row is the event; the message is a hint. A browser that missed it, or while Redis is away, asks by number.
    """
    event = LiveEvent.objects.create(workspace_id=workspace_id, name=name, data=data or {})
    transaction.on_commit(lambda: _tell(event))


def _tell(event: LiveEvent) -> None:
    try:
        async_to_sync(get_channel_layer().group_send)(
            group_of(event.workspace_id), {"type": "event", **as_message(event)}
        )
    except (RedisError, OSError):
        return  # the browser reads the row when it reconnects


def as_message(event: LiveEvent) -> dict:
    """What a browser gets."""
    return {"seq": event.pk, "name": event.name, "data": event.data, "at": event.at.isoformat() if event.at else None}
