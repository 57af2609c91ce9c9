"""Bring an open plan up to date with what a person answered, and with what our fixes wrote."""

import asyncio
from typing import Final
from weakref import WeakValueDictionary

from app.canonical import LinkId, RecordKind
from app.database import CommitPoint
from app.first_sync.plan.answer import Touched
from app.first_sync.plan.draw import (
    draw,
    draw_projects,
    fixed_in,
    known_of,
    known_world,
    rows_of,
)
from app.first_sync.plan.fates import Rows
from app.first_sync.plan.lines import customers_of, replace_lines, replace_some, stored_lines
from app.first_sync.plan.propose import Line
from app.first_sync.store import Plan, PlanState, plan_in
from app.records.ask_register import ask_if_wanted
from app.records.fixed import is_any_fixed, take_in_fixes
from app.records.judge_due import judge_due, judge_projects
from app.runtime import Runtime

_ONE_AT_A_TIME: Final[WeakValueDictionary[LinkId, asyncio.Lock]] = WeakValueDictionary()
"""Who draws a link's lines anew in this process; others wait for it without a connection."""


async def bring_up_to_date(runtime: Runtime, link_id: LinkId) -> None:
    """Match and judge what an open plan still waits for, before it is shown or confirmed."""
    async with runtime.database.reading(link_id) as session:
        plan = await plan_in(session, link_id, PlanState.OPEN)
    if plan is not None:
        await take_fixes_in(runtime, link_id)
        await match_projects_again(runtime, link_id)
        await judge_due(runtime, link_id)


async def take_fixes_in(runtime: Runtime, link_id: LinkId) -> None:
    """
    Draw the lines anew where a fix wrote what they do not say, before anybody sees them.

    What a fix made alike is proposed, what it made unlike is asked, and a search finds what stands
    there now. Answers live on: who fixed a record knows what it says. Where somebody answers
    meanwhile the next call draws them; until then the plan cannot be confirmed. A page asks for
    lines, counts and plan at once: the first of these draws, the others wait for it. As the job of
    ``Job.TAKE_FIXES_IN`` it follows each fix, so that most often nobody waits at all.
    """
    if await _plan_behind(runtime, link_id) is None:
        return
    async with _ONE_AT_A_TIME.setdefault(link_id, asyncio.Lock()):
        plan = await _plan_behind(runtime, link_id)
        if plan is not None:
            await _draw_anew(runtime, link_id, plan)


async def _plan_behind(runtime: Runtime, link_id: LinkId) -> Plan | None:
    """Give the open plan where a fix wrote what its lines do not say."""
    async with runtime.database.reading(link_id) as session:
        plan = await plan_in(session, link_id, PlanState.OPEN)
        return plan if plan is not None and await is_any_fixed(session, link_id) else None


async def _draw_anew(runtime: Runtime, link_id: LinkId, plan: Plan) -> None:
    async with runtime.database.reading(link_id) as session:
        old = await stored_lines(session, plan, list(RecordKind))
        projects = bool(plan.capabilities.get("projects"))
        world = await known_world(session, link_id, old, projects=projects)
    drawn = await asyncio.to_thread(draw, world)
    async with runtime.database.transaction(CommitPoint.PLAN_STORED, link_id) as session:
        held = await plan_in(session, link_id, PlanState.OPEN, lock=True)
        if held is None or (held.plan_id, held.version) != (plan.plan_id, plan.version):
            return
        await replace_lines(session, held, drawn.lines, old=drawn.old)
        await take_in_fixes(session, link_id, drawn.rows)
        await session.flush()
        await judge_projects(runtime, session, link_id, of=None)
        await ask_if_wanted(runtime, session, link_id)  # a fix may have given a number
        held.projects_stale = False
        held.version += 1
        held.updated_at = runtime.clock()


async def match_projects_again(runtime: Runtime, link_id: LinkId, touched: Touched = None) -> None:
    """
    Match and judge projects anew after a person's answers linked, parted or left out customers.

    Answers to lines whose records did not change stay. Until it is done the plan is marked, so
    that a death in between stops a confirmation and not the truth.

    Args:
        touched: Only the projects of these customers; all without it.

    """
    if touched is not None and not touched:
        return
    async with runtime.database.reading(link_id) as session:
        plan = await plan_in(session, link_id, PlanState.OPEN)
        if plan is None or not (plan.projects_stale or touched):
            return
        rows = _theirs(await rows_of(session, link_id, RecordKind.PROJECT), touched)
        known = await known_of(session, link_id, RecordKind.PROJECT, rows)
        customers = await customers_of(session, plan)
        old = {one.key: one for one in await stored_lines(session, plan, [RecordKind.PROJECT])}
    lines: list[Line] = []
    if plan.projects_stale and plan.capabilities.get("projects"):
        fixed = fixed_in(rows)
        lines = await asyncio.to_thread(draw_projects, known, customers, old, fixed=fixed)
    async with runtime.database.transaction(CommitPoint.PLAN_STORED, link_id) as session:
        held = await plan_in(session, link_id, PlanState.OPEN, lock=True)
        if held is None or held.plan_id != plan.plan_id:
            return
        await judge_projects(runtime, session, link_id, of=touched)
        if held.version == plan.version:
            await replace_some(session, held, lines)
            if lines:
                drawn = [row for of_side in rows.values() for row in of_side]
                await take_in_fixes(session, link_id, drawn)
            held.projects_stale = False


def _theirs(rows: Rows, touched: Touched) -> Rows:
    """Give the projects of these customers only."""
    if touched is None:
        return rows
    return {
        side: [row for row in of_side if (side, row.data["customer_id"]) in touched]
        for side, of_side in rows.items()
    }
