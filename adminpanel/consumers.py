"""The socket of the control room, and the members' socket for staff who look in."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Self

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import DatabaseError, InterfaceError

from accounts import limits, tenancy
from adminpanel import presence, roles, visits, watching
from adminpanel.models import Visit
from instagrowth.consumers import LiveConsumer, WorkspaceConsumer
from instagrowth.live import STAFF

PAGE_OF = {"alert": "alerts", "user_registered": "users"}  # what staff are told, and the page whose role it asks for
ROWS_EVERY = 2.0  # seconds between two looks at the rows of a page


class StaffConsumer(LiveConsumer):
    """Live events for staff: a living staff session from an allowed address, looked at again while it is open."""

    def admit(self) -> bool:
        """Let staff in whose session, second factor and address would open a page."""
        self.audience = STAFF
        with tenancy.platform("staff are in no workspace"):
            user = presence.whose_socket(self.scope["headers"], limits.socket_address(self.scope))
            self.role = roles.of(user)
        self.person = user and user.pk
        return user is not None

    async def connect(self) -> None:
        """Let in whoever may listen, and look at the rows they have on their screen."""
        self.rows: tuple[str, dict[str, str]] | None = None
        self.looking: asyncio.Task[None] | None = None
        await super().connect()
        if not self.ended:
            self.looking = asyncio.create_task(self._look())

    async def disconnect(self, code: int) -> None:
        """Look no more."""
        if self.looking is not None:
            self.looking.cancel()
        await super().disconnect(code)

    async def receive_json(self, content: Any, **more: object) -> None:
        """`{"watch": {"table": …, "rows": {key: mark}}}` beside what every line may say: `rows` tells of changes."""
        if isinstance(content, dict) and "watch" in content:
            self.rows = watching.asked(content["watch"])
        await super().receive_json(content, **more)

    def tell(self, text: str, count: int) -> None:
        """Of a frame, the events that the person's role may look at."""
        heard = json.loads(text)
        mine = [event for event in heard.get("events", [heard]) if self.sees(event)]
        if mine:
            super().tell(json.dumps(mine[0] if len(mine) == 1 else {"events": mine}), len(mine))

    def sees(self, event: dict[str, Any]) -> bool:
        """Whether the page of such an event is open to the role. What is named nowhere is nobody's."""
        return self.role in roles.MAY.get(PAGE_OF.get(event["name"], ""), {}).get("look", ())

    def _missed(self, since: int | None) -> tuple[list[dict] | None, int]:
        messages, moment = super()._missed(since)
        return messages and [event for event in messages if self.sees(event)], moment

    async def _look(self) -> None:
        while not self.ended:
            await asyncio.sleep(ROWS_EVERY)
            if self.rows is None or not await self.may_hear():
                continue
            table, rows = self.rows
            try:
                changed = await database_sync_to_async(watching.changed)(self.person, table, rows)
            except (DatabaseError, InterfaceError):
                continue  # asked again in a moment
            if changed:
                self.rows = (table, {key: mark for key, mark in (rows | changed).items() if mark})
                await self.send_json({"name": "rows", "data": {"table": table, "rows": changed}})

    @classmethod
    def heard_by(cls, lines: list[Self]) -> list[Self]:
        """Those whose session still lives and whose address is still allowed, and their role: few enough to ask."""
        with tenancy.platform("staff are in no workspace"):
            found = [
                (line, presence.whose_socket(line.scope["headers"], limits.socket_address(line.scope)))
                for line in lines
            ]
            for line, user in found:
                line.role = roles.of(user)
        return [line for line, user in found if user is not None]


class MemberConsumer(WorkspaceConsumer):
    """Members' live events. Staff on a visit hear them too, for as long as it goes on; there is nothing to write."""

    def admit(self) -> bool:
        """Remember whether this is a visit."""
        self.visit = self.scope["session"].get(visits.MARK)
        return super().admit()

    @classmethod
    def heard_by(cls, lines: list[Self]) -> list[Self]:
        """As for members, and those on a visit that may go on."""
        return [line for line in super().heard_by(lines) if not line.visit or line.goes_on()]

    def goes_on(self) -> bool:
        """Whether the visit may go on: few enough to ask for each."""
        key = presence.staff_key(self.scope["headers"])
        with tenancy.platform("staff are in no workspace"):
            visit = Visit.objects.filter(pk=self.visit, ended_at=None).first()
            return visits.going_on(visit, key, limits.socket_address(self.scope)) is not None


def visit_first(inner: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Let a visit's cookie stand before the member's own, as on their pages."""

    async def line(scope: dict[str, Any], receive: Any, send: Any) -> None:
        cookies = scope["cookies"]
        if settings.VISIT_COOKIE_NAME in cookies:
            cookies = {**cookies, settings.SESSION_COOKIE_NAME: cookies[settings.VISIT_COOKIE_NAME]}
        await inner({**scope, "cookies": cookies}, receive, send)

    return line
