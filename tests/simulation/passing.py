"""Let a world's time pass and its processes work, or die at it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from app.database import CommitPoint
from tests.simulation.driver import WAITING
from tests.simulation.stage import Died

if TYPE_CHECKING:
    from tests.simulation.drafts import DraftWorld

Done = TypeVar("Done")

A_LOOK = timedelta(hours=6, minutes=1)
"""After this an invoice is looked at again."""

A_SWEEP = timedelta(minutes=16)
"""After this a young draft is looked at again, and the hours are read where a person looks."""

A_WEEK = timedelta(days=7, minutes=1)
"""After this an invoice that was paid is looked at again."""

POINTS = tuple(point for point in CommitPoint if point.name.startswith("DRAFT_"))


async def pass_and_work(world: "DraftWorld", time: timedelta) -> None:
    """Let time pass and what is due be done."""
    world.stage.clock.instant += time
    await world.sign_in()
    await world.stage.work()


async def mortally(world: "DraftWorld", deed: Callable[[], Awaitable[Any]]) -> None:
    """Do a deed; now and then in a process that dies of it."""
    if world.random.random() < 0.8:
        await deed()
        return
    point = world.random.choice(POINTS)
    async with world.stage.in_a_mortal_process(point, world.random.choice(("before", "after"))):
        try:
            await deed()
        except Died:
            world.happened[f"death-{point.value}"] += 1


async def together(deeds: Iterable[Awaitable[Done]]) -> list[Done]:
    """Do deeds at once and wait for all, also where one fails: none may outlive its world."""
    with WAITING.together():
        outcomes = await asyncio.gather(*deeds, return_exceptions=True)
    done: list[Done] = []
    for one in outcomes:
        if isinstance(one, BaseException):
            raise one
        done.append(one)
    return done
