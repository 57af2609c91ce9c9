"""Recall what is remembered of both sides, and draw a plan's lines from it beside the loop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, RecordId, RecordKind, Side
from app.first_sync.plan.fates import Rows, kept_out_by, linked_by
from app.first_sync.plan.kept import Key, keep_answers, woken
from app.first_sync.plan.lines import stored_lines
from app.first_sync.plan.places import places_of
from app.first_sync.plan.propose import Known, Line, propose_customers, propose_projects
from app.first_sync.store import PlanState, plan_in
from app.records.businesses import recall_businesses
from app.records.decisions import refused_pairs
from app.records.judge import Judged, judge_side, paired_ids
from app.records.store import KnownRecord, recall
from app.runtime import Runtime
from app.systems.ports import Capabilities
from app.systems.register import Businesses


@dataclass(frozen=True, slots=True)
class Drawn:
    """
    Hold what was drawn, and what from.

    Args:
        old: The lines as they were stored.
        rows: All that was known of records.

    """

    judged: Sequence[Judged]
    lines: Sequence[Line]
    old: Sequence[Line]
    rows: Sequence[KnownRecord]


@dataclass(frozen=True, slots=True)
class World:
    """
    Hold everything that lines are drawn from.

    Args:
        customers: Pairs of customers there are already.
        capabilities: What both accounts can do; without it nothing is judged.
        projects: Whether projects are matched; else they rest, with a person's answers.

    """

    rows: Rows
    known: Mapping[RecordKind, Known]
    customers: Mapping[RecordId, RecordId]
    old: Sequence[Line]
    projects: bool
    capabilities: Mapping[Side, Capabilities] | None = None
    businesses: Businesses | None = None


def fixed_in(rows: Rows) -> Mapping[Key, str]:
    """Give what records said before a fix of ours that no plan has taken in."""
    return {
        (RecordKind(row.kind), side, RecordId(row.record_id)): row.fixed_from
        for side, of_side in rows.items()
        for row in of_side
        if row.fixed_from is not None
    }


async def recall_world(
    runtime: Runtime, link_id: LinkId, capabilities: Mapping[Side, Capabilities]
) -> World:
    """Recall what a plan that was just read is drawn from."""
    async with runtime.database.reading(link_id) as session:
        plan = await plan_in(session, link_id, PlanState.READING, PlanState.MATCHING)
        old = await stored_lines(session, plan, list(RecordKind)) if plan else []
        world = await known_world(
            session, link_id, old,
            projects=all(found.projects for found in capabilities.values()),
        )  # fmt: skip
        numbers = [row.number for rows in world.rows.values() for row in rows
                   if row.number and row.kind == RecordKind.CUSTOMER]  # fmt: skip
        businesses = await recall_businesses(session, numbers)
    return World(
        world.rows, world.known, world.customers, old, world.projects, capabilities, businesses
    )


async def known_world(
    session: AsyncSession, link_id: LinkId, old: Sequence[Line], *, projects: bool
) -> World:
    """Recall records, pairs and every no."""
    rows = {kind: await rows_of(session, link_id, kind) for kind in RecordKind}
    return World(
        rows={side: [row for kind in RecordKind for row in rows[kind][side]] for side in Side},
        known={kind: await known_of(session, link_id, kind, rows[kind]) for kind in RecordKind},
        customers=await paired_ids(session, link_id, RecordKind.CUSTOMER),
        old=old,
        projects=projects,
    )


async def rows_of(session: AsyncSession, link_id: LinkId, kind: RecordKind) -> Rows:
    """Recall the records of a kind on both sides."""
    return {side: await recall(session, link_id, side, kind) for side in Side}


async def known_of(session: AsyncSession, link_id: LinkId, kind: RecordKind, rows: Rows) -> Known:
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


def draw(world: World) -> Drawn:
    """Judge every record and give every record its line; pure, takes about a second for 5,000."""
    old = {line.key: line for line in woken(world.old)}
    drawn = propose_customers(world.known[RecordKind.CUSTOMER])
    fixed = fixed_in(world.rows)
    customer_lines = keep_answers(drawn, old, fixed=fixed)
    customers = {**world.customers, **linked_by(customer_lines, world.rows)}
    lines = list(customer_lines)
    if world.projects:
        known = world.known[RecordKind.PROJECT]
        lines += draw_projects(known, customers, old, fixed=fixed)
    else:  # they rest, with a person's answers, until the right to projects is there again
        lines += [line for line in world.old if line.kind is RecordKind.PROJECT]
    every = [row for rows in world.rows.values() for row in rows]
    return Drawn(_judged(world, customer_lines, customers), lines, world.old, every)


def _judged(
    world: World, lines: Sequence[Line], customers: Mapping[RecordId, RecordId]
) -> list[Judged]:
    capabilities, businesses = world.capabilities, world.businesses
    if capabilities is None or businesses is None:
        return []
    taken_in = {Side.TIME: set(customers), Side.BOOKS: set(customers.values())}
    return [
        one
        for side, rows in world.rows.items()
        for one in judge_side(
            rows,
            others=capabilities[side.other],
            taken_in=taken_in[side],
            kept_out=kept_out_by(lines, side),
            businesses=businesses,
        )
    ]


def draw_projects(
    known: Known,
    customers: Mapping[RecordId, RecordId],
    old: Mapping[Any, Line],
    *,
    fixed: Mapping[Key, str],
) -> list[Line]:
    """Give every project its line; pure."""
    places = places_of({Side.TIME: known.time, Side.BOOKS: known.books}, customers)
    return keep_answers(propose_projects(known, customers), old, places, fixed=fixed)
