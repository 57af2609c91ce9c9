"""
Measure a first sync of thousands of customers a side against systems that answer at once.

A process of its own, so that its memory is its own; prints its figures as JSON.
"""

import asyncio
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from app.bootstrap import build_runtime
from app.canonical import LinkId, Record, RecordId, RecordKind, Side
from app.database import CommitPoint
from app.first_sync.answer import Answer, answer_many
from app.first_sync.carry_out import run_first_sync
from app.first_sync.confirm import confirm
from app.first_sync.plan import match_projects_again, read_plan
from app.first_sync.search import Filter, Sort, facets, ids_of, page_of_lines
from app.first_sync.start import start_reading
from app.first_sync.store import PlanState, current_plan
from app.links.store import LinkState
from app.runtime import Runtime, Systems
from app.settings import Settings
from app.systems.ports import Capabilities, Page, Row, Sighting
from app.systems.reading import fingerprint
from app.telemetry import configure_logging
from bench.matching.measure import sides_of, tables_of
from bench.world import KEYRING, make_world

SEED = 9101
PAGE = 200
LONGEST_RUN = 20.0


class AtOnce:
    """Be one side's system: everything in memory, every call counted, none of them waits."""

    def __init__(self, side: Side, records: Sequence[Record]) -> None:
        self._records: dict[RecordId, Record] = {one.id: one for one in records}
        self._whole = side is Side.TIME
        self._next = 10_000_000
        self.calls: Counter[str] = Counter()

    def open(self, *_: object, **__: object) -> "AtOnce":
        """Bind to an account: there is only one."""
        return self

    async def close(self) -> None:
        """Close nothing."""

    async def capabilities(self) -> Capabilities:
        """Say what the real one says."""
        return Capabilities(
            projects=False, changed_since=True, complete_lists=self._whole,
            idempotent_create=self._whole, text_limits={}, required=frozenset({"name"}),
        )  # fmt: skip

    async def pages(
        self, kind: RecordKind, *, changed_since: datetime | None = None
    ) -> AsyncIterator[Page]:
        """List all records, thin where the side's lists are."""
        records = list(self._records.values()) if kind is RecordKind.CUSTOMER else []
        if changed_since is not None:
            records = []
        for start in range(0, max(len(records), 1), PAGE):
            self.calls["list"] += 1
            rows = [
                Row(one.id, one, complete=self._whole, fingerprint=fingerprint(one))
                for one in records[start : start + PAGE]
            ]
            yield Page(tuple(rows), total=len(records))

    async def read(self, kind: RecordKind, record_id: RecordId) -> Sighting:
        """Read one record."""
        del kind
        self.calls["read"] += 1
        return Sighting(self._records.get(record_id), raw={}, version='"1"')

    async def create(self, kind: RecordKind, record: Record, *, key: str) -> Record:
        """Create a record."""
        del kind, key
        self.calls["write"] += 1
        self._next += 1
        made = replace(record, id=RecordId(str(self._next)))
        self._records[made.id] = made
        return made

    async def update(self, kind: RecordKind, seen: Sighting, changes: Mapping[str, Any]) -> Record:
        """Change a record; our mark is kept, for it is asked for again."""
        del kind
        self.calls["write"] += 1
        changed = replace(cast("Any", seen.record), **changes)
        self._records[changed.id] = changed
        return cast("Record", changed)


async def measured(size: int) -> dict[str, Any]:
    """Read, review and carry out one first sync; give its figures."""
    world = make_world(Path(".data") / "bench", links=1, pairs=1, first=1)
    time_side, books_side = (
        AtOnce(side, records)
        for side, records in zip(Side, sides_of(tables_of(size, SEED)), strict=True)
    )
    built = build_runtime(
        Settings.model_validate(
            {
                "database_url": world.service_url, "keyring": KEYRING,
                "conta_url": "http://conta.test", "timerabbit_url": "http://timerabbit.test",
                "return_urls": "http://conta.test/",
            }
        )
    )  # fmt: skip
    runtime = replace(
        built, systems=cast("Systems", replace(built.systems, time=time_side, books=books_side))
    )  # type: ignore[arg-type]
    link_id = world.links[0].link_id
    async with runtime.queue.open_async():
        figures = await _plan(runtime, link_id, (time_side, books_side))
        figures |= await _review(runtime, link_id)
        figures |= await _run(runtime, link_id, (time_side, books_side))
    await runtime.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"customers_a_side": size, **figures, "memory_mb": round(peak / 1024)}


async def _plan(runtime: Runtime, link_id: LinkId, sides: tuple[AtOnce, AtOnce]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name in ("plan_seconds", "second_plan_seconds"):
        async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
            await start_reading(session, link_id, state=LinkState.ACTIVE, now=runtime.clock())
        before = sum(side.calls["read"] for side in sides)
        started, busy = time.perf_counter(), time.process_time()
        await read_plan(runtime, link_id)
        figures[name] = round(time.perf_counter() - started, 1)
        figures[name.replace("seconds", "cpu_seconds")] = round(time.process_time() - busy, 1)
        reads = name.replace("seconds", "reads")
        figures[reads] = sum(side.calls["read"] for side in sides) - before
    async with runtime.database.reading(link_id) as session:
        plan = await current_plan(session, link_id)
        assert plan is not None
        assert plan.state == PlanState.OPEN, plan.state
        figures["proposals"] = (await facets(session, plan, Filter())).total
    return figures


async def _review(runtime: Runtime, link_id: LinkId) -> dict[str, Any]:
    """Read pages of a hundred in both orders, and answer all questions by one call."""
    took: list[float] = []
    for sort in (Sort.NAME, Sort.YIELD):
        after: list[Any] | None = None
        for _ in range(20):
            started = time.perf_counter()
            async with runtime.database.reading(link_id) as session:
                plan = await current_plan(session, link_id)
                assert plan is not None
                rows = await page_of_lines(
                    session, plan, Filter(), after=after, limit=100, sort=sort
                )
            took.append((time.perf_counter() - started) * 1000)
            after = list(rows[-1]["place"])
    started = time.perf_counter()
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        plan = await current_plan(session, link_id, lock=True)
        assert plan is not None
        ids = [one for one, _ in await ids_of(session, plan, Filter(answered=False))]
        wanted = [one for one, _ in await ids_of(session, plan, Filter(deed="ask"))]
        await answer_many(session, plan, wanted, Answer("leave_out", "bench"), now=runtime.clock())
    seconds = time.perf_counter() - started
    await match_projects_again(runtime, link_id)
    took.sort()
    print(took[-4:], file=sys.stderr)
    return {
        "page_p50_ms": round(took[len(took) // 2]),
        "page_p95_ms": round(took[int(len(took) * 0.95)]),
        "unanswered": len(ids),
        "bulk_answers": len(wanted),
        "bulk_seconds": round(seconds, 1),
    }


async def _run(runtime: Runtime, link_id: LinkId, sides: tuple[AtOnce, AtOnce]) -> dict[str, Any]:
    """Carry the plan out for 20 seconds at most; count calls, which only the pace may limit."""
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await confirm(session, link_id, state=LinkState.ACTIVE, by="bench", now=runtime.clock())
    before = sum(sum(side.calls.values()) for side in sides)
    started = time.perf_counter()
    state: str = PlanState.RUNNING
    while state == PlanState.RUNNING and time.perf_counter() - started < LONGEST_RUN:
        await run_first_sync(runtime, link_id)
        async with runtime.database.reading(link_id) as session:
            plan = await current_plan(session, link_id)
        state = plan.state if plan is not None else ""
    seconds = time.perf_counter() - started
    calls = sum(sum(side.calls.values()) for side in sides) - before
    allowed = runtime.settings.conta_calls_per_second + runtime.settings.timerabbit_calls_per_second
    return {
        "run_ended": state == PlanState.DONE,
        "run_seconds": round(seconds, 1),
        "run_calls_per_second": round(calls / seconds),
        "allowed_calls_per_second": round(allowed),
    }


if __name__ == "__main__":
    configure_logging("ERROR")
    print(json.dumps(asyncio.run(measured(int(sys.argv[1])))))
