"""Keep what a create made: the pair and its base; then tell the source what it must know."""

from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, Record, RecordId, RecordKind, Side
from app.database import CommitPoint
from app.links.open_systems import open_side
from app.links.pairs import Pair, make_pair
from app.records.agreement import base_after_create
from app.records.intents import find_intent, set_marked, unmarked
from app.records.judge_due import judge_later
from app.records.pair_up import named_fields
from app.records.shapes import from_json, kind_of
from app.records.store import CreateIntent, KnownRecord, remember
from app.runtime import Runtime
from app.systems.ports import NotFound, RecordKeeper, Rejected, SystemFault

_MOST_TRIES: Final = 3
"""Reads before a mark is given up on a record that changes each time."""

_log = structlog.get_logger()


async def known_ids(
    session: AsyncSession, link_id: LinkId, side: Side, kind: RecordKind, before: datetime
) -> frozenset[RecordId]:
    """Give the ids on a side that cannot be what a POST made: paired, or heard of before it."""
    column = Pair.time_id if side is Side.TIME else Pair.books_id
    paired = await session.scalars(
        select(column).where(Pair.link_id == link_id, Pair.kind == kind.value)
    )
    seen = await session.scalars(
        select(KnownRecord.record_id).where(
            KnownRecord.link_id == link_id,
            KnownRecord.side == side.value,
            KnownRecord.kind == kind.value,
            KnownRecord.first_seen_at <= before,
        )
    )
    return frozenset(RecordId(record_id) for ids in (paired, seen) for record_id in ids)


async def keep_made(
    session: AsyncSession, intent: CreateIntent, source: Record, made: Record, now: datetime
) -> Pair:
    """
    Make the pair; its base is what was sent, with what the target made of it.

    Raises:
        sqlalchemy.exc.IntegrityError: One of the two is in a pair already.

    """
    link_id, target = LinkId(intent.link_id), Side(intent.target_side)
    sent = from_json(RecordKind(intent.kind), intent.content)
    said = await named_fields(session, link_id, target, sent)
    came = await named_fields(session, link_id, target, made)
    ids = {target: made.id, target.other: source.id}
    pair = await make_pair(
        session, link_id, kind_of(source), time_id=ids[Side.TIME], books_id=ids[Side.BOOKS],
        base=base_after_create(said, came, target), origin="created", now=now,
    )  # fmt: skip
    await remember(session, link_id, target, kind_of(made), [made], now=now)
    # The source's projects may exist on the other side from now on.
    await judge_later(session, link_id, target.other, kind_of(source), [source.id])
    return pair


async def finish_create(runtime: Runtime, link_id: LinkId, target: Side, source: Record) -> None:
    """
    Write the mark on the time side where it could not go with the create itself.

    The record is made and paired by now, so a fault here is none of its caller's: it stays to be
    done and ``finish_creates`` does it later.
    """
    async with runtime.database.reading(link_id) as session:
        intent = await find_intent(session, link_id, target, source)
    if intent is None or intent.marked or intent.state != "done":
        return
    try:
        await _mark_source(runtime, intent)
    except SystemFault as fault:
        _log.info(
            "the mark of a create is not written yet",
            link_id=str(link_id), record_id=source.id, error=type(fault).__name__,
        )  # fmt: skip


async def finish_creates(runtime: Runtime, link_id: LinkId) -> int:
    """
    Write the marks that could not be written at once; give how many.

    Raises:
        SystemFault: The time system cannot be asked now.

    """
    async with runtime.database.reading(link_id) as session:
        waiting = await unmarked(session, link_id)
    for intent in waiting:
        try:
            await _mark_source(runtime, intent)
        except Rejected:
            _log.info("a mark cannot be written", record_id=intent.source_id)
    return len(waiting)


async def _mark_source(runtime: Runtime, intent: CreateIntent) -> None:
    link_id, mark = LinkId(intent.link_id), str(intent.result_id)
    await write_mark(
        await open_side(runtime, link_id, Side.TIME),
        RecordKind(intent.kind), RecordId(intent.source_id), mark,
    )  # fmt: skip
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await set_marked(session, intent)


async def write_mark(
    keeper: RecordKeeper, kind: RecordKind, record_id: RecordId, mark: str
) -> bool:
    """
    Write our mark on a record of the time side, unless it has it; say whether the record is there.

    A record that is gone needs none, and a refusal is no reason to stop: the mark is for people who
    look there, the pair is what counts.
    """
    for _ in range(_MOST_TRIES):
        seen = await keeper.read(kind, record_id)
        if seen.record is None or seen.record.gone:
            return False
        if seen.record.mark == mark:
            return True
        try:
            await keeper.update(kind, seen, {"mark": mark})
        except NotFound:
            return False
        except Rejected as refusal:
            if refusal.stale:
                continue
            _log.info("the mark was refused", record_id=record_id)
        return True
    return True
