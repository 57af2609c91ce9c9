"""Tell the progress of a run as server-sent events: snapshots, heartbeats, and an end."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.canonical import LinkId
from app.first_sync.answers import RunAnswer
from app.first_sync.run_shown import find_run, run_shown
from app.first_sync.store import RunState
from app.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Beat:
    """
    Hold a stream's times, in seconds.

    Args:
        every: Between two looks at the run.
        heartbeat: The longest silence; a proxy takes a longer one for a dead line.
        longest: When the stream ends by itself; the caller comes back, with a token that is valid.

    """

    every: float = 1.0
    heartbeat: float = 15.0
    longest: float = 600.0


MEDIA_TYPE: Final = "text/event-stream"
_RETRY: Final = b"retry: 2000\n\n"
_ALIVE: Final = b": alive\n\n"


async def run_events(
    runtime: Runtime,
    link_id: LinkId,
    run_id: UUID,
    *,
    last_id: str | None = None,
    beat: Beat | None = None,
) -> AsyncIterator[bytes]:
    """
    Give a run's snapshots as they change, until it has ended.

    Each event is a whole snapshot, so none must be caught up with: ``last_id`` only spares the one
    the caller has. The stream looks at the run's rows, never at a worker, so it outlives any of
    them; when the database is away it ends, and the caller comes back by itself.
    """
    told = beat or Beat()
    loop = asyncio.get_running_loop()
    begun = spoken = loop.time()
    yield _RETRY
    while loop.time() - begun < told.longest:
        try:
            async with runtime.database.reading(link_id) as session:
                run = await find_run(session, link_id, run_id)
                shown = await run_shown(session, runtime, run)
        except (DBAPIError, PoolTimeout):
            return
        event_id = _id_of(shown)
        if event_id != last_id:
            last_id, spoken = event_id, loop.time()
            yield _event("progress", event_id, shown)
        if shown.state == RunState.DONE:
            yield _event("end", event_id, shown)
            return
        if loop.time() - spoken >= told.heartbeat:
            spoken = loop.time()
            yield _ALIVE
        await asyncio.sleep(told.every)


def _id_of(shown: RunAnswer) -> str:
    """Name a snapshot by what it says, but for the estimate, which changes at each look."""
    said = shown.model_dump_json(exclude={"estimated_end"})
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _event(name: str, event_id: str, shown: RunAnswer) -> bytes:
    data = shown.model_dump_json(by_alias=True)
    return f"event: {name}\nid: {event_id}\ndata: {data}\n\n".encode()
