"""Make the plan of a first sync: read both sides, match beside the loop, store it in one go."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import text

from app.canonical import LinkId, RecordKind, Side
from app.database import CommitPoint
from app.first_sync.plan.draw import Drawn, draw, recall_world
from app.first_sync.plan.lines import replace_lines
from app.first_sync.reading.again import WORKING, Away, hold_on
from app.first_sync.reading.read import Reading, Superseded, brake_of, read_side
from app.first_sync.reading.sides import capabilities_of, each_side, open_both
from app.first_sync.reading.sources import sources_of
from app.first_sync.store import Plan, PlanState, plan_in
from app.links.store import read_link
from app.records.ask_register import ask_if_wanted
from app.records.fixed import take_in_fixes
from app.records.judge import keep_judged
from app.records.judge_due import judge_due
from app.runtime import Runtime
from app.systems.ports import Capabilities

_log = structlog.get_logger()

_MANY_LINES: Final = 500
"""Lines from which on a page would be felt to be slow without fresh statistics."""


async def read_plan(runtime: Runtime, link_id: LinkId) -> None:
    """
    Read both sides and make the plan's lines; the job of ``Job.READ_PLAN``.

    Goes on where a death left it. A side that is away is tried again later by itself; a refused
    credential pauses the link. Does nothing when no plan is being read.
    """
    async with runtime.database.reading(link_id) as session:
        plan = await plan_in(session, link_id, PlanState.READING, PlanState.MATCHING)
        link = await read_link(session, link_id)
    if plan is None or link is None or link.state not in WORKING:
        return
    try:
        capabilities = await _read(runtime, link_id, plan)
    except Away as away:
        await hold_on(runtime, link_id, plan.plan_id, away)
        return
    except Superseded:
        return
    await make_lines(runtime, link_id, capabilities, started_at=plan.started_at)


async def make_lines(
    runtime: Runtime,
    link_id: LinkId,
    capabilities: Mapping[Side, Capabilities],
    *,
    started_at: datetime,
) -> None:
    """
    Judge and match what was read, in a thread beside the loop, and store all of it at once.

    Where nothing changed since the lines were drawn they stay, and matching is spared.
    """
    async with runtime.database.reading(link_id) as session:
        sources = await sources_of(session, link_id, capabilities)
        plan = await plan_in(session, link_id, PlanState.READING, PlanState.MATCHING)
    same = plan is not None and plan.drawn_from == sources and not plan.projects_stale
    drawn: Drawn | None = None
    if same:
        await judge_due(runtime, link_id)
    else:
        world = await recall_world(runtime, link_id, capabilities)
        drawn = await asyncio.to_thread(draw, world)
    now = runtime.clock()
    async with runtime.database.transaction(CommitPoint.PLAN_STORED, link_id) as session:
        plan = await plan_in(session, link_id, PlanState.READING, PlanState.MATCHING, lock=True)
        if plan is None or plan.started_at != started_at:
            return
        if drawn is not None:
            await keep_judged(session, link_id, drawn.judged)
            await replace_lines(session, plan, drawn.lines, old=drawn.old)
            await take_in_fixes(session, link_id, drawn.rows)
            plan.drawn_from = sources
        plan.state, plan.problem, plan.projects_stale = PlanState.OPEN.value, None, False
        plan.version += 1
        plan.updated_at = now
        await ask_if_wanted(runtime, session, link_id)
    if drawn is not None and len(drawn.lines) >= _MANY_LINES:
        await _refresh_statistics(runtime)
    _log.info("plan made", link_id=str(link_id), drawn_again=drawn is not None)


async def _refresh_statistics(runtime: Runtime) -> None:
    """
    Let the planner know of what was just stored.

    Until its own housekeeping comes by it takes the tables for small, walks all of a link's
    records for each line, and a page of a hundred takes two seconds (measured 2026-11).
    """
    async with runtime.database.transaction(CommitPoint.PLAIN) as session:
        await session.execute(text("SELECT refresh_statistics()"))


async def _read(runtime: Runtime, link_id: LinkId, plan: Plan) -> Mapping[Side, Capabilities]:
    """Read both sides at once; the slower one decides how long it takes."""
    keepers = await open_both(runtime, link_id)
    capabilities = await capabilities_of(keepers)
    projects = all(found.projects for found in capabilities.values())
    kinds = [RecordKind.CUSTOMER, *([RecordKind.PROJECT] if projects else [])]
    async with runtime.database.transaction(CommitPoint.PLAN_READ, link_id) as session:
        held = await plan_in(session, link_id, PlanState.READING, lock=True)
        if held is None or held.started_at != plan.started_at:
            raise Superseded
        held.capabilities, held.problem = {"projects": projects}, None
    brake = await brake_of(runtime, link_id)
    await each_side(
        lambda side: read_side(
            Reading(runtime, link_id, side, keepers[side], plan.started_at, brake), kinds
        )
    )
    return capabilities
