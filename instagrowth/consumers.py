"""Sockets."""

import time

from channels.auth import get_user
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.contrib.sessions.backends.base import SessionBase

from accounts import tenancy
from accounts.models import Membership, User
from instagrowth.live import as_message, group_of
from instagrowth.models import LiveEvent

SIGNED_OUT = 4401  # our own close code: the page says that it must be loaded again
ASKED_AGAIN = 5  # seconds: who left the team or signed out hears nothing later than this
REPLAY = 500  # events at most; a browser that missed more reloads its page


class WorkspaceConsumer(AsyncJsonWebsocketConsumer):
    """Live events of the workspace the person is in."""

    async def connect(self) -> None:
        """Let members in, into the workspace their session is in."""
        user = self.scope["user"]
        wanted = self.scope["session"].get("workspace", "")
        self.workspace_id = await database_sync_to_async(_workspace_of)(user, wanted)
        if self.workspace_id is None:
            # A refusal before the handshake reaches the browser as a mere failure, and it would try for ever.
            await self.accept()
            await self.close(SIGNED_OUT)
            return
        self.asked = time.monotonic()
        self.group = group_of(self.workspace_id)
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        """Leave the group."""
        if getattr(self, "group", None):
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive_json(self, content: object, **_: object) -> None:
        """`{"since": n}`: send what came after event n."""
        since = content.get("since") if isinstance(content, dict) else None
        if isinstance(since, int) and await self._belongs():
            for message in await database_sync_to_async(_missed)(self.workspace_id, since):
                await self.send_json(message)

    async def event(self, message: dict) -> None:
        """An event of the workspace."""
        if await self._belongs():
            await self.send_json({name: value for name, value in message.items() if name != "type"})

    async def _belongs(self) -> bool:
        """Whether the person is still signed in and in the team; a line on which they are not is closed."""
        if self.workspace_id is None:
            return False
        if time.monotonic() - self.asked > ASKED_AGAIN:
            self.asked = time.monotonic()
            user = await get_user(self.scope)  # nobody, after "sign out everywhere" or another password
            signed_in = await database_sync_to_async(_is_kept)(self.scope["session"])
            if not signed_in or await database_sync_to_async(_workspace_of)(user, self.workspace_id) is None:
                self.workspace_id = None
                await self.close(SIGNED_OUT)
        return self.workspace_id is not None


def _is_kept(session: SessionBase) -> bool:
    return session.session_key is not None and session.exists(session.session_key)


def _workspace_of(user: User, wanted: str) -> str | None:
    if not user.is_authenticated or not user.is_active or user.is_staff or user.must_change_password or not wanted:
        return None
    with tenancy.person(user):
        return wanted if Membership.objects.filter(user=user, workspace_id=wanted).exists() else None


def _missed(workspace_id: str, since: int) -> list[dict]:
    with tenancy.scope(workspace_id):
        return [
            as_message(event)
            for event in LiveEvent.objects.filter(workspace_id=workspace_id, pk__gt=since).order_by("pk")[:REPLAY]
        ]
