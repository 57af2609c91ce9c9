"""Make the plan of a first sync: read both sides, match beside the loop, store it in one go."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, RecordId, RecordKind, Side
from app.database import CommitPoint
from app.first_sync.plan.answer import Touched
from app.first_sync.plan.fates import Rows, kept_out_by, linked_by
from app.first_sync.plan.kept import keep_answers, woken
from app.first_sync.plan.lines import customers_of, replace_lines, replace_some, stored_lines
from app.first_sync.plan.places import places_of
from app.first_sync.plan.propose import Known, Line, propose_customers, propose_projects
from app.first_sync.reading.again import WORKING, Away, hold_on
from app.first_sync.reading.read import Reading, Superseded, brake_of, read_side
from app.first_sync.reading.sides import capabilities_of, each_side, open_both
from app.first_sync.reading.sources import sources_of
from app.first_sync.store import Plan, PlanState, plan_in
from app.links.store import read_link
from app.records.ask_register import ask_if_wanted
from app.records.businesses import recall_businesses
from app.records.decisions import refused_pairs
from app.records.judge import Judged, judge_side, keep_judged, paired_ids
from app.records.judge_due import judge_due, judge_projects
from app.records.store import recall
from app.runtime import Runtime
from app.systems.ports import Capabilities
from app.systems.register import Businesses

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
    drawn: _Drawn | None = None
    if same:
        await judge_due(runtime, link_id)
    else:
        world = await _recall(runtime, link_id, capabilities)
        drawn = await asyncio.to_thread(_draw, world)
    now = runtime.clock()
    async with runtime.database.transaction(CommitPoint.PLAN_STORED, link_id) as session:
        plan = await plan_in(session, link_id, PlanState.READING, PlanState.MATCHING, lock=True)
        if plan is None or plan.started_at != started_at:
            return
        if drawn is not None:
            await keep_judged(session, link_id, drawn.judged)
            await replace_lines(session, plan, drawn.lines, old=drawn.old)
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
        rows = await _rows(session, link_id, RecordKind.PROJECT)
        known = await _known(session, link_id, RecordKind.PROJECT, _theirs(rows, touched))
        customers = await customers_of(session, plan)
        old = {one.key: one for one in await stored_lines(session, plan, [RecordKind.PROJECT])}
    lines: list[Line] = []
    if plan.projects_stale and plan.capabilities.get("projects"):
        lines = await asyncio.to_thread(_draw_projects, known, customers, old)
    async with runtime.database.transaction(CommitPoint.PLAN_STORED, link_id) as session:
        held = await plan_in(session, link_id, PlanState.OPEN, lock=True)
        if held is None or held.plan_id != plan.plan_id:
            return
        await judge_projects(runtime, session, link_id, of=touched)
        if held.version == plan.version:
            await replace_some(session, held, lines)
            held.projects_stale = False


async def bring_up_to_date(runtime: Runtime, link_id: LinkId) -> None:
    """Match and judge what an open plan still waits for, before it is shown or confirmed."""
    async with runtime.database.reading(link_id) as session:
        plan = await plan_in(session, link_id, PlanState.OPEN)
    if plan is not None:
        await match_projects_again(runtime, link_id)
        await judge_due(runtime, link_id)


def _theirs(rows: Rows, touched: Touched) -> Rows:
    """Give the projects of these customers only."""
    if touched is None:
        return rows
    return {
        side: [row for row in of_side if (side, row.data["customer_id"]) in touched]
        for side, of_side in rows.items()
    }


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


@dataclass(frozen=True, slots=True)
class _World:
    """Hold everything the lines are drawn from."""

    rows: Rows
    capabilities: Mapping[Side, Capabilities]
    known: Mapping[RecordKind, Known]
    customers: Mapping[RecordId, RecordId]
    old: Sequence[Line]
    businesses: Businesses


@dataclass(frozen=True, slots=True)
class _Drawn:
    judged: list[Judged]
    lines: list[Line]
    old: Sequence[Line]


async def _recall(
    runtime: Runtime, link_id: LinkId, capabilities: Mapping[Side, Capabilities]
) -> _World:
    async with runtime.database.reading(link_id) as session:
        plan = await plan_in(session, link_id, PlanState.READING, PlanState.MATCHING)
        rows = {kind: await _rows(session, link_id, kind) for kind in RecordKind}
        return _World(
            rows={side: [row for kind in RecordKind for row in rows[kind][side]] for side in Side},
            capabilities=capabilities,
            known={kind: await _known(session, link_id, kind, rows[kind]) for kind in RecordKind},
            customers=await paired_ids(session, link_id, RecordKind.CUSTOMER),
            old=await stored_lines(session, plan, list(RecordKind)) if plan else [],
            businesses=await recall_businesses(
                session,
                [
                    row.number
                    for of_side in rows[RecordKind.CUSTOMER].values()
                    for row in of_side
                    if row.number
                ],
            ),
        )


async def _rows(session: AsyncSession, link_id: LinkId, kind: RecordKind) -> Rows:
    return {side: await recall(session, link_id, side, kind) for side in Side}


async def _known(session: AsyncSession, link_id: LinkId, kind: RecordKind, rows: Rows) -> Known:
    """
    Give the records that can take part: all that are not gone, on their side.

    One that could not be read whole takes part with what its list says, so that its partner is not
    created beside it; where it says nothing, its line does.
    """
    able = {side: [row for row in of_side if row.gone_at is None] for side, of_side in rows.items()}
    sides = {side: [row.record for row in of_side] for side, of_side in able.items()}
    return Known(
        time=sides[Side.TIME],
        books=sides[Side.BOOKS],
        refused=await refused_pairs(session, link_id, kind),
        linked=frozenset((await paired_ids(session, link_id, kind)).items()),
        thin=frozenset(
            (side, RecordId(row.record_id))
            for side, of_side in able.items()
            for row in of_side
            if not row.complete
        ),
    )


def _draw(world: _World) -> _Drawn:
    """Judge every record and give every record its line; pure, takes about a second for 5,000."""
    old = {line.key: line for line in woken(world.old)}
    customer_lines = keep_answers(propose_customers(world.known[RecordKind.CUSTOMER]), old)
    customers = {**world.customers, **linked_by(customer_lines, world.rows)}
    taken_in = {Side.TIME: set(customers), Side.BOOKS: set(customers.values())}
    judged = [
        one
        for side, rows in world.rows.items()
        for one in judge_side(
            rows,
            others=world.capabilities[side.other],
            taken_in=taken_in[side],
            kept_out=kept_out_by(customer_lines, side),
            businesses=world.businesses,
        )
    ]
    lines = list(customer_lines)
    if all(found.projects for found in world.capabilities.values()):
        lines += _draw_projects(world.known[RecordKind.PROJECT], customers, old)
    else:  # they rest, with a person's answers, until the right to projects is there again
        lines += [line for line in world.old if line.kind is RecordKind.PROJECT]
    return _Drawn(judged, lines, world.old)


def _draw_projects(
    known: Known, customers: Mapping[RecordId, RecordId], old: Mapping[Any, Line]
) -> list[Line]:
    places = places_of({Side.TIME: known.time, Side.BOOKS: known.books}, customers)
    return keep_answers(propose_projects(known, customers), old, places)
