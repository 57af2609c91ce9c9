"""Work on both sides at once, and say which of them failed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from app.canonical import LinkId, Side
from app.first_sync.reading.again import Away
from app.links.open_systems import open_side
from app.runtime import Runtime
from app.systems.ports import Capabilities, RecordKeeper, SystemFault

T = TypeVar("T")
Keepers = Mapping[Side, RecordKeeper]


async def each_side(work: Callable[[Side], Awaitable[T]]) -> dict[Side, T]:
    """
    Do the same on both sides at once; both come to an end before a failure of one is told.

    Raises:
        Away: A side gave a fault.

    """
    answers = await asyncio.gather(*(work(side) for side in Side), return_exceptions=True)
    found: dict[Side, T] = {}
    for side, answer in zip(Side, answers, strict=True):
        if isinstance(answer, SystemFault):
            raise Away(side, answer) from answer
        if isinstance(answer, BaseException):
            raise answer
        found[side] = answer
    return found


async def open_both(runtime: Runtime, link_id: LinkId) -> Keepers:
    """Bind both systems to the link."""
    return await each_side(lambda side: open_side(runtime, link_id, side))


async def capabilities_of(keepers: Keepers) -> Mapping[Side, Capabilities]:
    """Ask both sides what they can do."""
    return await each_side(lambda side: keepers[side].capabilities())
