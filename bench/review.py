"""
Measure a first sync of thousands of customers a side against systems that answer at once.

A process of its own, so that its memory is its own; prints its figures as JSON.
"""

import asyncio
import json
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from app.bootstrap import build_runtime, leave_to_stay
from app.canonical import LinkId, RecordId, RecordKind, Side
from app.database import CommitPoint
from app.first_sync.plan.answer import Answer, answer_many
from app.first_sync.plan.plan import read_plan
from app.first_sync.plan.renew import match_projects_again, take_fixes_in
from app.first_sync.plan.search import Filter, facets, ids_of
from app.first_sync.reading.start import start_reading
from app.first_sync.run.carry_out import run_first_sync
from app.first_sync.run.confirm import confirm
from app.first_sync.store import PlanState, current_plan
from app.links.store import LinkState
from app.records.fixed import is_any_fixed, note_fix
from app.records.store import recall
from app.runtime import Runtime, Systems
from app.settings import Settings
from app.systems.pace import Paces
from app.telemetry import configure_logging
from bench.at_once import AtOnce
from bench.matching.measure import sides_of, tables_of
from bench.pages import pages
from bench.world import KEYRING, make_world

SEED = 9101
LONGEST_RUN = 20.0
LONGEST_PACED_RUN = 90.0
PAGED_SIZE = 7000
"""Customers a side of the plan whose pages are read: enough for ten thousand lines."""
PACED_SIZE = 250
"""Customers a side of the run that is carried to its end at the real pace: some 60 seconds."""


async def measured(size: int) -> dict[str, Any]:
    """Read, review and carry out first syncs; give their figures."""
    world = make_world(Path(".data") / "bench", links=3, pairs=1, first=1)
    settings = Settings.model_validate(
        {
            "database_url": world.service_url, "keyring": KEYRING,
            "conta_url": "http://conta.test", "timerabbit_url": "http://timerabbit.test",
            "return_urls": "http://conta.test/",
        }
    )  # fmt: skip
    built = build_runtime(settings)
    leave_to_stay()  # as a worker does
    large, larger, small = (link.link_id for link in world.links)
    async with built.queue.open_async():
        runtime, sides = _with_systems(built, size, paced=False)
        figures = await _plan(runtime, large, sides)
        figures["fix_taken_in_seconds"] = await _take_a_fix_in(runtime, large)
        figures |= await _answers(runtime, large)
        figures |= await _own_speed(runtime, large, sides)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        runtime, sides = _with_systems(built, PAGED_SIZE, paced=False)
        await _start(runtime, larger)
        await read_plan(runtime, larger)
        figures |= await pages(runtime, larger)
        runtime, sides = _with_systems(built, PACED_SIZE, paced=True)
        figures |= await _paced_run(runtime, small, sides)
    await built.close()
    return {"customers_a_side": size, **figures, "memory_mb": round(memory / 1024)}


def _with_systems(
    built: Runtime, size: int, *, paced: bool
) -> tuple[Runtime, tuple[AtOnce, AtOnce]]:
    """Put systems of this many customers a side into a runtime."""
    rates = _rates(built)
    time_side, books_side = (
        AtOnce(side, records, paces=Paces(*rates[side]) if paced else None)
        for side, records in zip(Side, sides_of(tables_of(size, SEED)), strict=True)
    )
    systems = cast("Any", replace)(built.systems, time=time_side, books=books_side)
    return replace(built, systems=cast("Systems", systems)), (time_side, books_side)


def _rates(runtime: Runtime) -> dict[Side, tuple[float, int]]:
    """Give calls a second and burst that the settings allow towards each side."""
    rates = {
        Side.TIME: runtime.settings.timerabbit_calls_per_second,
        Side.BOOKS: runtime.settings.conta_calls_per_second,
    }
    return {side: (rate, max(1, round(rate))) for side, rate in rates.items()}


async def _plan(runtime: Runtime, link_id: LinkId, sides: tuple[AtOnce, AtOnce]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name in ("plan_seconds", "second_plan_seconds"):
        await _start(runtime, link_id)
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


async def _start(runtime: Runtime, link_id: LinkId) -> None:
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await start_reading(session, link_id, state=LinkState.ACTIVE, now=runtime.clock())


async def _take_a_fix_in(runtime: Runtime, link_id: LinkId) -> float:
    """Let a fix of one record be taken into the plan, as the next page does; give its seconds."""
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        row = (await recall(session, link_id, Side.TIME, RecordKind.CUSTOMER))[0]
        await note_fix(session, link_id, Side.TIME, RecordKind.CUSTOMER,
                       RecordId(row.record_id), "said something else")  # fmt: skip
    started = time.perf_counter()
    await take_fixes_in(runtime, link_id)
    async with runtime.database.reading(link_id) as session:
        assert not await is_any_fixed(session, link_id)
    return round(time.perf_counter() - started, 1)


async def _answers(runtime: Runtime, link_id: LinkId) -> dict[str, Any]:
    """Answer all questions by one call."""
    started = time.perf_counter()
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        plan = await current_plan(session, link_id, lock=True)
        assert plan is not None
        ids = [one for one, _ in await ids_of(session, plan, Filter(answered=False))]
        wanted = [one for one, _ in await ids_of(session, plan, Filter(deed="ask"))]
        await answer_many(session, plan, wanted, Answer("leave_out", "bench"), now=runtime.clock())
    seconds = time.perf_counter() - started
    await match_projects_again(runtime, link_id)
    return {
        "unanswered": len(ids),
        "bulk_answers": len(wanted),
        "bulk_seconds": round(seconds, 1),
    }


async def _own_speed(
    runtime: Runtime, link_id: LinkId, sides: tuple[AtOnce, AtOnce]
) -> dict[str, Any]:
    """Carry the large plan out without any pace, for 20 seconds at most: what we could do."""
    seconds, calls, _ = await _carry_out(runtime, link_id, sides, longest=LONGEST_RUN)
    return {"unpaced_run_calls_per_second": round(sum(calls.values()) / seconds)}


async def _paced_run(
    runtime: Runtime, link_id: LinkId, sides: tuple[AtOnce, AtOnce]
) -> dict[str, Any]:
    """
    Carry a small plan to its end at the pace the settings allow.

    The share is that of the side which had most to do by its pace: its calls, of those that were
    allowed from the first to the last moment, the burst at the start included.
    """
    await _start(runtime, link_id)
    await read_plan(runtime, link_id)
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        plan = await current_plan(session, link_id, lock=True)
        assert plan is not None
        wanted = [one for one, _ in await ids_of(session, plan, Filter(deed="ask"))]
        await answer_many(session, plan, wanted, Answer("leave_out", "bench"), now=runtime.clock())
    await match_projects_again(runtime, link_id)
    seconds, calls, ended = await _carry_out(runtime, link_id, sides, longest=LONGEST_PACED_RUN)
    allowed = {side: rate * seconds + burst for side, (rate, burst) in _rates(runtime).items()}
    return {
        "run_customers_a_side": PACED_SIZE,
        "run_ended": ended,
        "run_seconds": round(seconds, 1),
        "run_calls": {side.value: count for side, count in calls.items()},
        "run_percent_of_pace": round(100 * max(calls[side] / allowed[side] for side in Side), 1),
    }


async def _carry_out(
    runtime: Runtime, link_id: LinkId, sides: tuple[AtOnce, AtOnce], *, longest: float
) -> tuple[float, dict[Side, int], bool]:
    """Confirm and carry out; give seconds, calls by side, and whether it came to its end."""
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await confirm(session, link_id, state=LinkState.ACTIVE, by="bench", now=runtime.clock())
    before = [side.calls.total() for side in sides]
    started = time.perf_counter()
    state: str = PlanState.RUNNING
    while state == PlanState.RUNNING and time.perf_counter() - started < longest:
        await run_first_sync(runtime, link_id)
        async with runtime.database.reading(link_id) as session:
            plan = await current_plan(session, link_id)
        state = plan.state if plan is not None else ""
    seconds = time.perf_counter() - started
    calls = {
        side: one.calls.total() - count
        for side, one, count in zip(Side, sides, before, strict=True)
    }
    return seconds, calls, state == PlanState.DONE


if __name__ == "__main__":
    configure_logging("ERROR")
    print(json.dumps(asyncio.run(measured(int(sys.argv[1])))))
