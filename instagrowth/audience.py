"""One ear of this process for each audience: what it hears is put into words once and handed to all open lines.

A subscription for each line costs every line its own decoding, its own thread hop and its own frame for each event: a
burst of 500 events to 200 lines took minutes. What comes within GATHER of what was told last goes out as one frame.
"""

import asyncio
import json
from typing import Any, ClassVar, Protocol

from channels.layers import get_channel_layer

GATHER = 0.02  # seconds; with 40 ms a burst comes three times as late, with 80 ms four times


class Listener(Protocol):
    """A line that can be told something."""

    def tell(self, text: str, count: int) -> None:
        """Take a frame of so many events; never waits."""


class Ear:
    """Hears one group, as long as anybody listens."""

    open: ClassVar[dict[tuple[asyncio.AbstractEventLoop, str], "Ear"]] = {}

    def __init__(self, group: str) -> None:
        """Hear nothing yet."""
        self.group = group
        self.lines: set[Listener] = set()
        self.heard: list[dict[str, Any]] = []
        self.subscribed = asyncio.Event()
        self.told_at = 0.0
        self.flush: asyncio.TimerHandle | None = None
        self.task = asyncio.create_task(self._listen())

    @classmethod
    async def join(cls, group: str, line: Listener) -> None:
        """Tell this line whatever the group is told from now on. Raises what Redis does if it cannot be asked."""
        loop = asyncio.get_running_loop()
        known = ear = cls.open.get((loop, group))
        if ear is None or ear.task.done():
            ear = cls.open[loop, group] = cls(group)
            ear.lines |= known.lines if known else set()  # of an ear that fell off
        ear.lines.add(line)
        subscribed = asyncio.create_task(ear.subscribed.wait())
        await asyncio.wait({subscribed, ear.task}, return_when=asyncio.FIRST_COMPLETED)
        if ear.task.done():
            subscribed.cancel()
            ear.lines.discard(line)
            ear.task.result()

    @classmethod
    def leave(cls, group: str, line: Listener) -> None:
        """Tell this line nothing more; the last one closes the ear."""
        key = (asyncio.get_running_loop(), group)
        ear = cls.open.get(key)
        if ear is None:
            return
        ear.lines.discard(line)
        if not ear.lines:
            del cls.open[key]
            ear.task.cancel()
            if ear.flush:
                ear.flush.cancel()

    async def _listen(self) -> None:
        layer = get_channel_layer()
        channel = await layer.new_channel()
        await layer.group_add(self.group, channel)
        self.subscribed.set()
        try:
            while True:
                message = await layer.receive(channel)
                self.heard.append({name: value for name, value in message.items() if name != "type"})
                if self.flush is None:
                    loop = asyncio.get_running_loop()
                    self.flush = loop.call_at(max(loop.time(), self.told_at + GATHER), self._tell)
        finally:
            await layer.group_discard(self.group, channel)

    def _tell(self) -> None:
        """Hand what was heard to all lines: one event as it is, several as `{"events": […]}`."""
        self.flush, self.told_at = None, asyncio.get_running_loop().time()
        heard, self.heard = self.heard, []
        text = json.dumps(heard[0] if len(heard) == 1 else {"events": heard})
        for line in tuple(self.lines):
            line.tell(text, len(heard))
