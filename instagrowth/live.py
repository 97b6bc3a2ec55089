"""Live events: written down in order, then told to the browsers that listen."""

from typing import Any, cast
from uuid import UUID

from channels.layers import get_channel_layer
from django.conf import settings
from django.db import transaction
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from instagrowth.models import LiveEvent

STAFF = None  # the audience without a workspace


def group_of(workspace_id: object) -> str:
    """The channel group of a workspace's browsers, or of the staff's."""
    return f"workspace.{workspace_id}" if workspace_id else "staff"


def publish(workspace_id: UUID | None, name: str, data: dict | None = None) -> None:
    """Tell a workspace (or STAFF) that something happened, once the transaction has been committed.

    The row is the event; the message is a hint. A browser that missed it, or while Redis is away, asks by number.
    """
    event = LiveEvent.objects.create(workspace_id=workspace_id, name=name, data=data or {})
    transaction.on_commit(lambda: tell(workspace_id, as_message(event)))


def latest(workspace_id: UUID | None) -> int:
    """Give the number of the last event a workspace had, 0 before the first."""
    last = LiveEvent.objects.filter(workspace_id=workspace_id).order_by("-pk").values_list("pk", flat=True).first()
    return last or 0


def tell(workspace_id: UUID | None, message: dict) -> None:
    """Send one message of the group, as the channel layer would.

    Straight through the thread's own connection: an event loop for each message costs a worker more than a follow does.
    """
    layer = cast(dict[str, Any], settings.CHANNEL_LAYERS)["default"]["CONFIG"]
    channel = f"{layer['prefix']}__group__{group_of(workspace_id)}"
    try:
        get_redis_connection().publish(channel, get_channel_layer().serialize({"type": "event", **message}))
    except RedisError:
        return  # the browser reads the row when it reconnects


def as_message(event: LiveEvent) -> dict:
    """What a browser gets."""
    return {"seq": event.pk, "name": event.name, "data": event.data, "at": event.at.isoformat()}
