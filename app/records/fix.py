"""Carry readiness fixes out in the system that owns the record, and judge the record anew."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.canonical import Customer, LinkId, Record, RecordId
from app.database import CommitPoint
from app.links.open_systems import open_side
from app.links.pairs import paired_among
from app.problems import Problem, catalogue
from app.queue import Job, defer
from app.records.agreement import content_print
from app.records.businesses import recall_businesses
from app.records.decisions import leave_out
from app.records.fix_choice import Chosen, choose
from app.records.fix_value import Fix, changes_of, require_value
from app.records.fixed import is_any_fixed, note_fix
from app.records.judge import judge_one
from app.records.judge_due import judge_due
from app.records.matching.identifiers import organization_digits
from app.records.readiness import FixKind
from app.records.shapes import tombstone
from app.records.store import recall, remember
from app.runtime import Runtime
from app.systems.ports import NotFound, Reason, RecordKeeper, Rejected
from app.systems.register import Business

SIDE_BY_SIDE: Final = 4
"""Records fixed at once; the pace of the link holds anyway."""

_NOT_FOUND: Final = "not-found"
_CHANGED: Final = "record-changed-meanwhile"
_PAIRED: Final = "record-is-paired"

LONGEST_SECONDS: Final = 15.0
"""Time one call may take before it answers with what is left."""


@dataclass(frozen=True, slots=True)
class Result:
    """
    Say what became of one record.

    Args:
        said: ``fixed``, ``would-fix``, ``not-needed``, ``not-found``, ``not-in-register`` or
            ``refused``, this one with reasons where the system gave any.

    """

    record_id: str
    said: str
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Fixed:
    """
    Say what became of a fix.

    Args:
        matched: Records it hits, those of later calls included.
        results: What became of the records of this call.
        after: The last record of this call where some are left; hand it in again to go on.

    """

    matched: int
    results: Sequence[Result]
    after: str | None


async def fix_records(
    runtime: Runtime, link_id: LinkId, fix: Fix, *, dry_run: bool, after: str | None = None
) -> Fixed:
    """
    Fix records, a bounded number a call; a call cut off anywhere is simply made again.

    What is fixed lacks nothing any more, so it is not chosen again. A record that was chosen by
    filter is written only if it still lacks what the fix gives when it is read.

    Raises:
        Problem: ``fix-refused`` when the fix lacks its value, ``register-not-configured`` when it
            is to come from a register that nobody named.
        SystemFault: The owning system is away; what was fixed before stays fixed.

    """
    require_value(fix)
    if fix.from_register and runtime.systems.register is None:
        raise Problem("register-not-configured")
    await judge_due(runtime, link_id)
    chosen = await _chosen(runtime, link_id, fix, after)
    if fix.kind is FixKind.LEAVE_OUT:
        results = await _leave_out(runtime, link_id, fix, chosen.ids, dry_run=dry_run)
    elif dry_run:
        results = [Result(one, "would-fix") for one in chosen.ids]
    else:
        results = await _fix_each(_Hands(runtime, link_id, fix, await open_side(
            runtime, link_id, fix.side)), chosen.ids)  # fmt: skip
    await judge_due(runtime, link_id)
    left = len(results) < len(chosen.ids)
    after = results[-1].record_id if left and results else chosen.after
    if after is None and not dry_run:
        await _let_review_follow(runtime, link_id)
    return Fixed(chosen.matched, results, after)


async def _let_review_follow(runtime: Runtime, link_id: LinkId) -> None:
    """
    Let an open review's lines be drawn anew before somebody looks at them.

    Who looks earlier, or after a death right here, waits for the same drawing.
    """
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        if await is_any_fixed(session, link_id):
            await defer(session, Job.TAKE_FIXES_IN, link_id)


async def _chosen(runtime: Runtime, link_id: LinkId, fix: Fix, after: str | None) -> Chosen:
    if fix.record_ids is not None:
        ids = fix.record_ids
        done = ids.index(RecordId(after)) + 1 if after is not None and after in ids else 0
        return Chosen(len(ids), ids[done:], None)
    async with runtime.database.reading(link_id) as session:
        return await choose(
            session, link_id, fix.side, fix.record_kind, fix.kind, fix.chosen_by, after=after
        )


async def _leave_out(
    runtime: Runtime, link_id: LinkId, fix: Fix, ids: Sequence[str], *, dry_run: bool
) -> list[Result]:
    """Leave records out, but none in a pair: the sync goes by the pair, and would still write."""
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        rows = await recall(session, link_id, fix.side, fix.record_kind, ids)
        known = {row.record_id for row in rows}
        paired = await paired_among(session, link_id, fix.side, fix.record_kind, known)
        if not dry_run:
            await leave_out(session, link_id, fix.side, fix.record_kind, known - paired)
    refused = (Reason(_PAIRED, text=catalogue()[_PAIRED].remedy),)
    left_out = "would-fix" if dry_run else "fixed"
    return [
        Result(one, "refused", refused) if one in paired
        else Result(one, left_out if one in known else _NOT_FOUND)
        for one in ids
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Hands:
    """Hold what carries one fix out."""

    runtime: Runtime
    link_id: LinkId
    fix: Fix
    keeper: RecordKeeper


async def _fix_each(hands: _Hands, ids: Sequence[str]) -> list[Result]:
    """Fix a few side by side until all are done or the time of a call is over."""
    began = time.monotonic()
    results: list[Result] = []
    for start in range(0, len(ids), SIDE_BY_SIDE):
        if results and time.monotonic() - began > LONGEST_SECONDS:
            break
        some = ids[start : start + SIDE_BY_SIDE]
        # All are waited for: none may go on writing after the caller was told of a fault.
        said = await asyncio.gather(
            *(_fix_one(hands, RecordId(one)) for one in some), return_exceptions=True
        )
        for outcome in said:
            if isinstance(outcome, BaseException):
                raise outcome
            results.append(outcome)
    return results


async def _fix_one(hands: _Hands, record_id: RecordId) -> Result:
    """Fix one record; once more where it changed in between. One that is gone is kept as gone."""
    name = await _known_name(hands, record_id)
    if name is None:
        # No id of a caller's own making goes into a call of ours.
        return Result(record_id, _NOT_FOUND)
    for _ in range(2):
        try:
            said = await _lay_over(hands, record_id)
        except NotFound:
            said = _NOT_FOUND
        except Rejected as refused:
            if refused.stale:
                continue
            return Result(record_id, "refused", refused.reasons)
        if said == _NOT_FOUND:
            gone = tombstone(hands.fix.record_kind, record_id, name=name)
            await _keep(hands, gone, seen=gone)
        return Result(record_id, said)
    return Result(record_id, "refused", (Reason(_CHANGED, text=catalogue()[_CHANGED].detail),))


async def _lay_over(hands: _Hands, record_id: RecordId) -> str:
    """
    Read, lay the fix over what was read, write.

    Raises:
        NotFound: It vanished in between.
        Rejected: The system refused it; ``stale`` where it changed in between.

    """
    fix = hands.fix
    seen = await hands.keeper.read(fix.record_kind, record_id)
    record = seen.record
    if record is None or record.gone:
        return _NOT_FOUND
    needed = fix.record_ids is not None or _lacks(hands, record)
    business = await _business(hands, record) if needed and fix.from_register else None
    changes = changes_of(fix, business) if needed else {}
    if not changes:
        await _keep(hands, record, seen=record)
        return "not-in-register" if needed else "not-needed"
    written = await hands.keeper.update(fix.record_kind, seen, changes)
    await _keep(hands, written, seen=record)
    return "fixed"


async def _known_name(hands: _Hands, record_id: RecordId) -> str | None:
    fix = hands.fix
    async with hands.runtime.database.reading(hands.link_id) as session:
        rows = await recall(
            session, hands.link_id, fix.side, fix.record_kind, record_ids=[record_id]
        )
    return rows[0].name if rows else None


def _lacks(hands: _Hands, record: Any) -> bool:  # noqa: ANN401 - a customer or project
    """Say whether a record, as it is now, has a finding that the fix closes."""
    demands = hands.runtime.systems.demands_of(hands.fix.side.other)
    wanted = hands.fix.chosen_by.has_organization_number
    has = isinstance(record, Customer) and bool(record.organization_number)
    if wanted is not None and wanted is not has:
        return False
    if hands.fix.from_register and hands.fix.kind is not FixKind.SET_ADDRESS:
        return True
    gaps = judge_one(record, others=demands)
    return any(gap.fix is hands.fix.kind for gap in gaps)


async def _keep(hands: _Hands, record: Record, *, seen: Record) -> None:
    """
    Remember a record, and what it said before the first fix that a review has not taken in yet.

    Where others changed it since we knew it, it is what this fix read: no review showed that.
    """
    runtime, link_id, fix = hands.runtime, hands.link_id, hands.fix
    read = content_print(seen)
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        rows = await recall(session, link_id, fix.side, fix.record_kind, [record.id])
        as_known = [row.fixed_from or read for row in rows if content_print(row.record) == read]
        before = as_known[0] if as_known else read
        await remember(session, link_id, fix.side, fix.record_kind, [record], now=runtime.clock())
        changed = not as_known or content_print(record) != before
        await note_fix(
            session, link_id, fix.side, fix.record_kind, record.id, before if changed else None
        )


async def _business(hands: _Hands, record: Any) -> Business | None:  # noqa: ANN401
    if not isinstance(record, Customer):
        return None
    number = organization_digits(record.organization_number)
    async with hands.runtime.database.reading(hands.link_id) as session:
        return (await recall_businesses(session, [number])).get(number)
