"""Carry readiness fixes out in the system that owns the record, and judge the record anew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.canonical import Address, CustomerKind, LinkId, RecordId, RecordKind, Side
from app.database import CommitPoint
from app.links.open_systems import open_side
from app.problems import Problem
from app.records.decisions import leave_out
from app.records.judge import judge_side, keep_judged, paired_ids
from app.records.readiness import FixKind, valid_organization_number
from app.records.store import KnownRecord, recall, remember
from app.runtime import Runtime
from app.systems.ports import RecordKeeper, Rejected


@dataclass(frozen=True, slots=True)
class Fix:
    """
    Hold a fix and what it is to be carried out on.

    Args:
        record_ids: Which records; ``None`` takes all of the side that have a finding it closes.

    """

    kind: FixKind
    side: Side
    record_kind: RecordKind
    record_ids: tuple[RecordId, ...] | None
    customer_kind: str | None = None
    organization_number: str | None = None
    address: Mapping[str, Any] | None = None


async def fix_records(
    runtime: Runtime, link_id: LinkId, fix: Fix, *, dry_run: bool
) -> list[tuple[str, str]]:
    """
    Fix records one by one; gives for each ``fixed``, ``would-fix``, ``not-found`` or ``refused``.

    Raises:
        Problem: ``fix-refused`` when the fix lacks its value.
        SystemFault: The owning system is away; what was fixed before stays fixed.

    """
    changes = _changes(fix)
    chosen = await _chosen(runtime, link_id, fix)
    if dry_run:
        return [(record_id, "would-fix") for record_id in chosen]
    if fix.kind is FixKind.LEAVE_OUT:
        async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
            await leave_out(session, link_id, fix.side, fix.record_kind, chosen)
        return [(record_id, "fixed") for record_id in chosen]
    keeper = await open_side(runtime, link_id, fix.side)
    known = await _known(runtime, link_id, fix, chosen)
    results = [
        (
            record_id,
            await _fix_one(runtime, link_id, fix, keeper, RecordId(record_id), changes)
            if record_id in known
            else "not-found",
        )
        for record_id in chosen
    ]
    await _judge_again(runtime, link_id, fix.side)
    return results


def _changes(fix: Fix) -> dict[str, Any]:
    """Give the fields a fix writes; one address or number is never laid over all records."""
    chosen = len(fix.record_ids or ())
    match fix.kind:
        case FixKind.LEAVE_OUT:
            return {}
        case _ if fix.record_kind is not RecordKind.CUSTOMER:
            raise Problem("fix-refused", fix=fix.kind.value)
        case FixKind.SET_KIND if fix.customer_kind is not None:
            return {"kind": CustomerKind(fix.customer_kind)}
        case FixKind.SET_ADDRESS if fix.address is not None and chosen:
            return {"address": Address(**fix.address)}
        case FixKind.SET_ORGANIZATION_NUMBER if chosen == 1 and valid_organization_number(
            fix.organization_number
        ):
            return {"organization_number": fix.organization_number}
        case _:
            raise Problem("fix-refused", fix=fix.kind.value)


async def _chosen(runtime: Runtime, link_id: LinkId, fix: Fix) -> Sequence[str]:
    if fix.record_ids is not None:
        return fix.record_ids
    wanted = [{"fix": fix.kind.value}]
    async with runtime.database.reading(link_id) as session:
        rows = await session.scalars(
            select(KnownRecord.record_id)
            .where(
                KnownRecord.link_id == link_id,
                KnownRecord.side == fix.side.value,
                KnownRecord.kind == fix.record_kind.value,
                KnownRecord.gone_at.is_(None),
                KnownRecord.findings.contains(wanted),
            )
            .order_by(KnownRecord.record_id)
        )
        return rows.all()


async def _known(runtime: Runtime, link_id: LinkId, fix: Fix, chosen: Sequence[str]) -> set[str]:
    """Give those that were ever read: no id of a caller's own making goes into a call of ours."""
    async with runtime.database.reading(link_id) as session:
        rows = await session.scalars(
            select(KnownRecord.record_id).where(
                KnownRecord.link_id == link_id,
                KnownRecord.side == fix.side.value,
                KnownRecord.kind == fix.record_kind.value,
                KnownRecord.record_id.in_(list(chosen)),
            )
        )
        return set(rows)


async def _fix_one(
    runtime: Runtime,
    link_id: LinkId,
    fix: Fix,
    keeper: RecordKeeper,
    record_id: RecordId,
    changes: Mapping[str, Any],
) -> str:
    seen = await keeper.read(fix.record_kind, record_id)
    if seen.record is None or seen.record.gone:
        return "not-found"
    try:
        record = await keeper.update(fix.record_kind, seen, changes)
    except Rejected:
        return "refused"
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await remember(session, link_id, fix.side, fix.record_kind, [record], now=runtime.clock())
    return "fixed"


async def _judge_again(runtime: Runtime, link_id: LinkId, side: Side) -> None:
    other = await open_side(runtime, link_id, side.other)
    demands = await other.capabilities()
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        rows = [row for kind in RecordKind for row in await recall(session, link_id, side, kind)]
        pairs = await paired_ids(session, link_id, RecordKind.CUSTOMER)
        paired = pairs.keys() if side is Side.TIME else pairs.values()
        await keep_judged(
            session, link_id, judge_side(side, rows, others=demands, paired=set(paired))
        )
