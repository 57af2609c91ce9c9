"""A run's progress as server-sent events: whole snapshots, signs of life, and an end."""

import asyncio
import json
from typing import Any
from uuid import UUID

import httpx

from app.first_sync.events import Beat, run_events
from app.runtime import Runtime
from tests.features.conftest import Linked
from tests.features.first_sync.conftest import Review, Work

QUICK = Beat(every=0.01, heartbeat=0.05, longest=30)


class Listener:
    """Collect a stream's events while something else happens."""

    def __init__(self, runtime: Runtime, linked: Linked, run_id: str) -> None:
        self._args: Any = (runtime, linked.link_id, UUID(run_id))
        self.events: list[dict[str, Any]] = []
        self.alive = 0

    async def listen(self, beat: Beat = QUICK, last_id: str | None = None) -> None:
        async for part in run_events(*self._args, beat=beat, last_id=last_id):
            lines = dict(line.split(": ", 1) for line in part.decode().strip().split("\n"))
            if "data" in lines:
                self.events.append({**lines, "data": json.loads(lines["data"])})
            self.alive += part.startswith(b":")

    @property
    def names(self) -> list[str]:
        return [one["event"] for one in self.events]


async def test_a_stream_tells_the_progress_and_ends_with_the_run(
    runtime: Runtime, reviewing: Linked, review: Review, confirmed: str, work: Work
) -> None:
    """What is done only grows; the last event is the run as it ended."""
    heard = Listener(runtime, reviewing, confirmed)
    listening = asyncio.create_task(heard.listen())

    await work()
    await asyncio.wait_for(listening, 10)

    done = [one["data"]["done"] for one in heard.events]
    assert done == sorted(done)
    assert heard.names[-1] == "end"
    assert heard.events[-1]["data"]["state"] == "done"
    assert set(heard.names[:-1]) == {"progress"}


async def test_a_silent_run_is_shown_to_be_alive(
    runtime: Runtime, reviewing: Linked, review: Review, confirmed: str
) -> None:
    """No worker at all: one snapshot, then comments, and the stream ends after its longest time."""
    heard = Listener(runtime, reviewing, confirmed)

    await heard.listen(Beat(every=0.01, heartbeat=0.02, longest=0.3))

    assert (heard.names, heard.alive > 1) == (["progress"], True)


async def test_a_snapshot_that_is_known_is_spared(
    runtime: Runtime, reviewing: Linked, review: Review, confirmed: str
) -> None:
    """Coming back with the last id tells nothing until something changed."""
    first, second = (Listener(runtime, reviewing, confirmed) for _ in range(2))
    short = Beat(every=0.01, heartbeat=1, longest=0.1)
    await first.listen(short)

    await second.listen(short, last_id=first.events[0]["id"])

    assert (len(first.events), second.events) == (1, [])


async def test_the_route_streams_to_those_who_may_read(
    client: httpx.AsyncClient, reviewing: Linked, review: Review, confirmed: str, work: Work
) -> None:
    """An ended run is told at once; an unknown one is not found."""
    await work()
    base = f"{reviewing.path}/first-sync/runs"

    got = await client.get(f"{base}/{confirmed}/events", headers=reviewing.books)
    unknown = await client.get(f"{base}/{UUID(int=7)}/events", headers=reviewing.books)

    assert got.headers["content-type"].startswith("text/event-stream")
    assert got.text.count("event: end") == 1
    assert unknown.status_code == 404
