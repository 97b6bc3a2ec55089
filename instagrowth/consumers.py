"""Sockets: who may listen, for how long, and how much they may ask."""

import asyncio
import time
from collections import deque
from typing import Any, ClassVar, Self, cast

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import DatabaseError, InterfaceError
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts import tenancy
from accounts.models import Membership, User
from instagrowth import live
from instagrowth.audience import Ear
from instagrowth.live import group_of

SIGNED_OUT = 4401  # our own close codes: the page says why, and does not come back by itself
TOO_MANY_LINES = 4429
TOO_MANY_WORDS = 1008
TOO_SLOW = 1013  # the browser comes back, and asks for what it missed
ASKED_EVERY = 2.0  # seconds between two looks at all open lines of the process
ASKED_AGAIN = 5  # seconds: nobody hears anything on a line that was looked at longer ago than this
LINES = 20  # of one person, in one web process; the oldest gives way
WORDS = 20  # messages of one line in WORDS_IN seconds; a page asks when it connects and once a minute
WORDS_IN = 10
WAITING = 1000  # events for one line that does not take them; more are not kept


class LiveConsumer(AsyncJsonWebsocketConsumer):
    """A line on which one audience's events are told, for as long as its person may hear them."""

    open: ClassVar[list[Any]] = []  # all lines of this process, of any kind, oldest first
    watch: ClassVar[asyncio.Task | None] = None

    def admit(self) -> bool:
        """Say who listens (`person`) to whom (`audience`); False turns them away. Runs where the database is."""
        raise NotImplementedError

    @classmethod
    def heard_by(cls, lines: list[Self]) -> list[Self]:
        """Find those of these lines whose person may still listen. Runs where the database is."""
        raise NotImplementedError

    async def connect(self) -> None:
        """Let in whoever may listen; a refusal before the handshake would reach the browser as a mere failure."""
        self.person: object = None
        self.audience: Any = None
        self.said: deque[float] = deque(maxlen=WORDS)
        self.waiting: list[tuple[str, int]] = []
        self.sending: asyncio.Task | None = None
        self.ended = not await database_sync_to_async(self.admit)()
        if self.ended:
            await self.accept()
            await self.close(SIGNED_OUT)
            return
        self.asked = time.monotonic()
        # First, so that whoever sees the line open is told everything from then on.
        await Ear.join(group_of(self.audience), self)
        await self.accept()
        mine = [line for line in self.open if line.person == self.person]
        self.open.append(self)
        _watch_over(self.open)
        for line in mine[: max(0, len(mine) - LINES + 1)]:
            await line.end(TOO_MANY_LINES)

    async def disconnect(self, code: int) -> None:
        """Leave the group."""
        self.ended = True
        if self in self.open:
            self.open.remove(self)
            Ear.leave(group_of(self.audience), self)

    async def receive_json(self, content: object, **_: object) -> None:
        """`{"since": moment}`: send what came after, then `{"since": …}` for next time; null asks for that alone."""
        now = time.monotonic()
        if len(self.said) == WORDS and now - self.said[0] < WORDS_IN:
            await self.end(TOO_MANY_WORDS)
            return
        self.said.append(now)
        since = content.get("since") if isinstance(content, dict) else None
        if not isinstance(since, int | None) or not await self.may_hear():
            return
        messages, moment = await database_sync_to_async(self._missed)(since)
        for message in messages if messages is not None else [{"name": "too_much"}]:
            await self.send_json(message)
        await self.send_json({"since": moment})

    @classmethod
    async def decode_json(cls, text_data: str) -> object:
        """What is no JSON says nothing, as does anything else we do not know."""
        try:
            return await super().decode_json(text_data)
        except (ValueError, RecursionError):
            return None

    def tell(self, text: str, count: int) -> None:
        """Take a frame of so many events for the browser, in order; a line that is too slow for them is closed."""
        if self.ended:
            return
        self.waiting.append((text, count))
        if sum(events for _, events in self.waiting) > WAITING:
            self.waiting.clear()
            self.sending = asyncio.create_task(self.end(TOO_SLOW))
        elif self.sending is None or self.sending.done():
            self.sending = asyncio.create_task(self._send_waiting())

    async def _send_waiting(self) -> None:
        while self.waiting and await self.may_hear():
            text, _ = self.waiting.pop(0)
            await self.send(text_data=text)

    async def may_hear(self) -> bool:
        """Whether the line is open and was looked at a moment ago; one that may not go on is closed."""
        if not self.ended and time.monotonic() - self.asked > ASKED_AGAIN:
            self.asked = time.monotonic()
            if not await database_sync_to_async(self.heard_by)([self]):
                await self.end(SIGNED_OUT)
        return not self.ended

    async def end(self, code: int) -> None:
        """Close the line from our side."""
        if not self.ended:
            self.ended = True
            await self.close(code)

    def _missed(self, since: int | None) -> tuple[list[dict] | None, int]:
        view = tenancy.scope(self.audience) if self.audience else tenancy.platform("events for staff are nobody's")
        with view:
            return live.missed(self.audience, since) if since is not None else ([], live.latest(self.audience))


def _watch_over(lines: list[LiveConsumer]) -> None:
    """See that somebody looks at the open lines, as long as there are any."""
    watch = LiveConsumer.watch
    if watch is None or watch.done() or watch.get_loop() is not asyncio.get_running_loop():
        LiveConsumer.watch = asyncio.create_task(_look_at(lines))


async def _look_at(lines: list[LiveConsumer]) -> None:
    """Close the lines on which nobody may listen any more, even if nothing is told: one look at all, not one each."""
    while lines:
        await asyncio.sleep(ASKED_EVERY)
        for kind in {type(line) for line in lines}:
            mine, now = [line for line in lines if type(line) is kind], time.monotonic()
            try:
                heard = set(await database_sync_to_async(kind.heard_by)(mine))
            except (DatabaseError, InterfaceError):
                continue  # `may_hear` keeps them silent meanwhile
            for line in mine:
                line.asked = now
                if line not in heard:
                    await line.end(SIGNED_OUT)


class WorkspaceConsumer(LiveConsumer):
    """Live events of the workspace the person is in."""

    def admit(self) -> bool:
        """Let members in, into the workspace their session is in."""
        user, session = self.scope["user"], self.scope["session"]
        self.audience = session.get("workspace", "")
        if not user.is_authenticated or not self.audience:
            return False
        self.person, self.session_key, self.hash = user.pk, session.session_key, session.get(HASH_SESSION_KEY, "")
        return bool(self.heard_by([self]))

    @classmethod
    def heard_by(cls, lines: list[Self]) -> list[Self]:
        """Those who are still signed in, still themselves, and still in the team."""
        with tenancy.platform("the open lines of all workspaces are looked at"):
            sessions = Session.objects.filter(
                pk__in={line.session_key for line in lines}, expire_date__gt=timezone.now()
            )
            kept = set(sessions.values_list("pk", flat=True))
            people = User.objects.in_bulk({cast(Any, line.person) for line in lines})
            teams = Membership.objects.filter(user__in=people)
            places = {(user, str(workspace)) for user, workspace in teams.values_list("user_id", "workspace_id")}
        return [
            line
            for line in lines
            if line.session_key in kept
            and (user := people.get(cast(Any, line.person))) is not None
            and user.is_active
            and not user.is_staff
            and not user.must_change_password
            and constant_time_compare(line.hash, user.get_session_auth_hash())
            and (user.pk, line.audience) in places
        ]
