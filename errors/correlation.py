"""The id that ties a request, its tasks, its log lines, its answer and its page together."""

from uuid import uuid4

from structlog.contextvars import bind_contextvars, get_contextvars


def begin() -> str:
    """Start a new story, such as `c-7f3a91e20b4d`.

    Ids from outside are never taken over: they would let a stranger write into our stories.
    """
    correlation_id = f"c-{uuid4().hex[:12]}"
    bind_contextvars(correlation_id=correlation_id)
    return correlation_id


def current() -> str:
    """Give the id of the story that runs in this thread or task; empty outside of any."""
    return str(get_contextvars().get("correlation_id", ""))
