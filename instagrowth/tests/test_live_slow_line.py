"""A browser that does not read what it is told costs the server a bounded amount."""

import asyncio

from instagrowth import consumers


def test_a_line_that_takes_nothing_keeps_so_much_and_is_closed() -> None:
    closed: list[int] = []

    class Line(consumers.LiveConsumer):
        async def end(self, code: int) -> None:
            closed.append(code)

        async def may_hear(self) -> bool:
            await asyncio.sleep(3600)  # its browser does not read
            return True

    async def tell(amount: int) -> None:
        line = Line()
        line.ended, line.waiting, line.sending = False, [], None
        for _ in range(amount):
            line.tell("{}", 1)
        await asyncio.sleep(0)
        if line.sending is not None:
            line.sending.cancel()

    asyncio.run(tell(consumers.WAITING))
    assert closed == []
    asyncio.run(tell(consumers.WAITING + 1))
    assert closed == [consumers.TOO_SLOW]
