"""Make one pair equal: read both sides, merge, write what differs, say what to keep."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from app.canonical import Project, Record, RecordId, RecordKind, Side
from app.links.pairs import Pair, find_pair
from app.records.agreement import shown_by
from app.records.fields import (
    FieldMap,
    customer_changes,
    customer_fields,
    project_changes,
    project_fields,
)
from app.sync.bite import Look, Work
from app.sync.follow import settle_vanished
from app.sync.merge import Decision, Plan, as_agreed, plan_merge
from app.sync.outcomes import Kept, Outcome, with_shown
from app.sync.store import ConflictState
from app.sync.verdicts import (
    CHANGED,
    CUSTOMER_NOT_LINKED,
    PROJECTS_NEED_SMART,
    REFUSED,
    Again,
    Asks,
    Done,
    Verdict,
    Waits,
    judge,
    refused_fields,
)
from app.systems.ports import Rejected, Sighting, SystemFault

Seen = Mapping[Side, Sighting]


class SideFailed(Exception):  # noqa: N818 - named by what it says
    """Say which side gave a fault, so that what it means can be judged."""

    def __init__(self, side: Side, fault: SystemFault) -> None:
        super().__init__(str(fault))
        self.side = side
        self.fault = fault


async def reconcile(look: Look, work: Work, pair: Pair) -> Outcome:
    """
    Look at a pair and make its two records equal as far as the rules allow.

    One read of each side, at most one write to each (two where a field is refused and the rest is
    not). An echo of our own write reads equal and writes nothing. What was written is in the
    outcome's base even where the other side failed, so that no value is taken for a new one later.
    """
    if work.kind is RecordKind.PROJECT and not look.projects:
        return Outcome(work, Waits(PROJECTS_NEED_SMART))
    try:
        seen = await read_both(look, work.kind, pair)
    except SideFailed as failed:
        return Outcome(work, judge(failed.fault, failed.side))
    if any(one.record is None or one.record.gone for one in seen.values()):
        return await settle_vanished(look, work, pair, seen)
    customers = await _customers(look, work.kind, seen)
    if isinstance(customers, Waits):
        return Outcome(work, customers)
    return await _make_equal(look, work, pair, _Records(work.kind, seen, customers))


async def read_both(look: Look, kind: RecordKind, pair: Pair) -> Seen:
    """
    Read both records at once.

    Raises:
        SideFailed: A side did not answer as hoped.

    """

    async def read(side: Side) -> Sighting:
        try:
            return await look.keepers[side].read(kind, pair.record_id(side))
        except SystemFault as fault:
            raise SideFailed(side, fault) from fault

    other = asyncio.create_task(read(Side.BOOKS))
    try:
        time = await read(Side.TIME)
    except asyncio.CancelledError:
        other.cancel()
        raise
    except Exception:
        await asyncio.gather(other, return_exceptions=True)
        raise
    return {Side.TIME: time, Side.BOOKS: await other}


@dataclass(frozen=True, slots=True)
class _Records:
    """Hold both records as read; for projects, their customers' pairs by side and id."""

    kind: RecordKind
    seen: Seen
    customers: Mapping[tuple[Side, RecordId], Pair]

    def fields(self, side: Side, record: Record | None = None) -> dict[str, Any]:
        found = record or self.seen[side].record
        if not isinstance(found, Project):
            return customer_fields(cast("Any", found))
        pair = self.customers.get((side, found.customer_id)) if found.customer_id else None
        return project_fields(found, customer_pair=str(pair.pair_id) if pair else None)

    def changes(self, side: Side, fields: FieldMap) -> dict[str, Any]:
        if self.kind is RecordKind.CUSTOMER:
            return customer_changes(fields)
        wanted = fields.get("customer")
        ids = (
            pair.record_id(side) for pair in self.customers.values() if str(pair.pair_id) == wanted
        )
        return project_changes(fields, customer_id=next(ids, None))


async def _customers(
    look: Look, kind: RecordKind, seen: Seen
) -> Mapping[tuple[Side, RecordId], Pair] | Waits:
    """Find the pairs of both projects' customers; wait where one is in none."""
    if kind is RecordKind.CUSTOMER:
        return {}
    found: dict[tuple[Side, RecordId], Pair] = {}
    async with look.runtime.database.reading(look.link_id) as session:
        for side, sighting in seen.items():
            customer_id = cast("Project", sighting.record).customer_id
            if customer_id is None:
                continue
            pair = await find_pair(session, look.link_id, side, RecordKind.CUSTOMER, customer_id)
            if pair is None:
                facts = {"side": side.value, "customerId": customer_id}
                return Waits(CUSTOMER_NOT_LINKED, facts=facts)
            found[side, customer_id] = pair
    return found


async def _make_equal(look: Look, work: Work, pair: Pair, records: _Records) -> Outcome:
    said: dict[Side, dict[str, Any]] = {}
    shown: dict[Side, dict[str, Any]] = {}
    for side in Side:
        said[side], shown[side] = as_agreed(
            records.fields(side), base=pair.base, shown=shown_by(side, pair.base)
        )
    planned = plan_merge(
        pair.base,
        said[Side.TIME],
        said[Side.BOOKS],
        policies=look.policies,
        decisions=_decisions(work),
    )
    if any(planned.to(side) for side in Side) and not await look.standing.holds(pair):
        return Outcome(work, Again(CHANGED))
    plan, verdict = planned, cast("Verdict", Done())
    for side in Side:
        plan, result, spelled = await _write(look, pair, records, plan, side)
        verdict = result if isinstance(verdict, Done) else verdict
        still = {name: one for name, one in shown[side].items() if name not in plan.to(side)}
        shown[side] = {**still, **planned.spelled.get(side, {}), **spelled}
    kept = Kept(
        pair=pair,
        base=with_shown(plan.new_base, shown),
        problem=_problem(plan, verdict),
        conflicts=plan.conflicts,
        losses=plan.losses,
        written={side: tuple(plan.to(side)) for side in Side if plan.to(side)},
    )
    return Outcome(work, verdict, kept)


async def _write(
    look: Look, pair: Pair, records: _Records, plan: Plan, side: Side
) -> tuple[Plan, Verdict, dict[str, Any]]:
    """Write a side's fields; a field refused by name is left out and the rest is written."""
    fields = plan.to(side)
    verdict: Verdict = Done()
    if not fields:
        return plan, verdict, {}
    try:
        spelled = await _update(look, records, side, fields)
    except SystemFault as fault:
        verdict = judge(fault, side)
        held = _held(fault, fields)
        plan = plan.without(side, held, base=pair.base)
        if isinstance(verdict, Asks):
            verdict = replace(verdict, code=_refusal_code(held))
        if not plan.to(side):
            return plan, verdict, {}
        try:
            spelled = await _update(look, records, side, plan.to(side))
        except SystemFault as second:
            return plan.without(side, set(fields), base=pair.base), judge(second, side), {}
    return plan, verdict, spelled


async def _update(look: Look, records: _Records, side: Side, fields: FieldMap) -> dict[str, Any]:
    """Write fields and give those the system then shows otherwise than they were written."""
    record = await look.keepers[side].update(
        records.kind, records.seen[side], records.changes(side, fields)
    )
    now_said = records.fields(side, record)
    return {
        name: now_said[name]
        for name, value in fields.items()
        if name != "customer" and now_said[name] != value
    }


def _held(fault: SystemFault, fields: FieldMap) -> Collection[str]:
    if isinstance(fault, Rejected) and not fault.stale:
        return (refused_fields(fault) & set(fields)) or set(fields)
    return set(fields)


def _refusal_code(held: Collection[str]) -> str:
    return "project-customer-locked" if "customer" in held else REFUSED


def _problem(plan: Plan, verdict: Verdict) -> str | None:
    if isinstance(verdict, Asks):
        return verdict.code
    return "conflict" if plan.conflicts else None


def _decisions(work: Work) -> Mapping[str, Decision]:
    return {
        row.field: Decision(row.time_value, row.books_value, row.decided_value)
        for row in work.conflicts
        if row.state == ConflictState.DECIDED
    }
