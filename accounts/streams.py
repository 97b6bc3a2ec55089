"""Long answers, read beside the event loop: however slow the reader is, no thread and no connection waits for it."""

from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.core.files.storage import default_storage

PART = 256 * 1024  # bytes


async def parts_of(name: str) -> AsyncIterator[bytes]:
    """Give a file of the private storage, part by part."""
    with await sync_to_async(default_storage.open, thread_sensitive=False)(name) as file:
        while part := await sync_to_async(file.read, thread_sensitive=False)(PART):
            yield part
