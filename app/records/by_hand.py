"""Pair, part and re-point records by a person's hand, after the first sync."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, Project, Record, RecordId, RecordKind, Side
from app.changes.store import note
from app.database import CommitPoint
from app.links.open_systems import open_side
from app.links.pairs import Pair, find_pair, partner_id
from app.problems import Problem
from app.queue import Job, defer
from app.records.asked import Refusal
from app.records.decisions import leave_out, refuse, take_in
from app.records.made import write_mark
from app.records.pair_up import pair_up
from app.records.part import clear_mark, couple_of, draft_of, part_pair, projects_of, write_event
from app.runtime import Runtime
from app.systems.ports import ChangeNotice


@dataclass(frozen=True, slots=True)
class Couple:
    """Hold what a person says is the same thing, and whose values count where they differ."""

    kind: RecordKind
    time_id: RecordId
    books_id: RecordId
    winners: Mapping[str, Side] = field(default_factory=dict)


async def pair_by_hand(runtime: Runtime, link_id: LinkId, couple: Couple, *, by: str) -> Pair:
    """
    Pair two records because a person says so; an earlier «no» of theirs is taken back.

    The ordinary sync then makes them equal, by the same rules as ever. Paired already with each
    other: that pair.

    Raises:
        Problem: ``record-missing``, ``record-already-paired``, ``customers-not-paired``.
        SystemFault: A side cannot be asked now; nothing was changed.

    """
    time, books = await _both(runtime, link_id, couple)
    async with runtime.database.reading(link_id) as session:
        there = await _pair_of_either(session, link_id, couple)
        await _inside_linked_customers(session, link_id, time, books)
    if there is not None:
        return there
    keeper = await open_side(runtime, link_id, Side.TIME)
    await write_mark(keeper, couple.kind, couple.time_id, couple.books_id)
    now = runtime.clock()
    try:
        async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
            await _forget_no(session, link_id, couple)
            pair, differs = await pair_up(
                session, link_id, time=time, books=books, origin="by-hand", now=now,
                winners=couple.winners,
            )  # fmt: skip
            await write_event(session, pair, "paired", value=None, by=by, now=now)
            if differs:
                await _look_at(session, link_id, couple.kind, {Side.TIME: couple.time_id}, runtime)
    except IntegrityError:
        raise Problem("record-already-paired") from None
    return pair


async def part_by_hand(
    runtime: Runtime, link_id: LinkId, pair_id: UUID, version: int, *, look: bool, by: str
) -> None:
    """
    Part two records because a person says so, and remember that they are not the same.

    Both stay on their own side from then on. With ``look`` they are looked at again instead: each
    may then be linked to another, asked about, or created on the other side.

    Raises:
        Problem: ``pair-in-use`` while a draft is under way, ``pair-has-projects``,
            ``precondition-failed`` when the pair changed meanwhile.
        SystemFault: The time side cannot be asked now; nothing was changed.

    """
    now = runtime.clock()
    pair = await _free_pair(runtime, link_id, pair_id)
    _, kind = couple_of(pair)
    keeper = await open_side(runtime, link_id, Side.TIME)
    await clear_mark(keeper, kind, pair.time_id, pair.books_id)
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        held = await _held(session, link_id, pair_id, version)
        ids = {side: held.record_id(side) for side in Side}
        await part_pair(session, held, by=by, now=now)
        await refuse(
            session, link_id, Side.TIME, kind, ids[Side.TIME], [ids[Side.BOOKS]], by=by, now=now
        )
        await _let_be(session, link_id, kind, ids, look=look, runtime=runtime)


async def repoint_by_hand(
    runtime: Runtime, link_id: LinkId, pair_id: UUID, version: int, couple: Couple, *, by: str
) -> Pair:
    """
    Let one half of a pair belong to another record instead; the former half stays by itself.

    Raises:
        Problem: As ``pair_by_hand`` and ``part_by_hand``.
        SystemFault: A side cannot be asked now; nothing was changed.

    """
    now = runtime.clock()
    pair = await _free_pair(runtime, link_id, pair_id)
    time, books = await _both(runtime, link_id, couple)
    moved = Side.BOOKS if couple.time_id == pair.time_id else Side.TIME
    former, new = pair.record_id(moved), {Side.TIME: time, Side.BOOKS: books}[moved]
    async with runtime.database.reading(link_id) as session:
        await _inside_linked_customers(session, link_id, time, books)
        if await find_pair(session, link_id, moved, couple.kind, new.id) is not None:
            raise Problem("record-already-paired")
    keeper = await open_side(runtime, link_id, Side.TIME)
    if moved is Side.TIME:
        await clear_mark(keeper, couple.kind, former, pair.books_id)
    await write_mark(keeper, couple.kind, couple.time_id, couple.books_id)
    try:
        async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
            held = await _held(session, link_id, pair_id, version)
            await part_pair(session, held, by=by, now=now)
            await refuse(
                session, link_id, moved, couple.kind, former, [couple_other(couple, moved)],
                by=by, now=now,
            )  # fmt: skip
            await leave_out(session, link_id, moved, couple.kind, [former])
            await _forget_no(session, link_id, couple)
            made, differs = await pair_up(
                session, link_id, time=time, books=books, origin="by-hand", now=now,
                winners=couple.winners,
            )  # fmt: skip
            await write_event(
                session, made, "repointed", value=former, winner=new.id, by=by, now=now
            )
            if differs:
                await _look_at(session, link_id, couple.kind, {Side.TIME: couple.time_id}, runtime)
    except IntegrityError:
        raise Problem("record-already-paired") from None
    return made


def couple_other(couple: Couple, side: Side) -> RecordId:
    """Give the half of a couple that is not on this side."""
    return couple.books_id if side is Side.TIME else couple.time_id


async def _both(runtime: Runtime, link_id: LinkId, couple: Couple) -> tuple[Record, Record]:
    found: list[Record] = []
    for side, record_id in ((Side.TIME, couple.time_id), (Side.BOOKS, couple.books_id)):
        keeper = await open_side(runtime, link_id, side)
        record = (await keeper.read(couple.kind, record_id)).record
        if record is None or record.gone:
            raise Problem("record-missing", side=side.value)
        found.append(record)
    return found[0], found[1]


async def _pair_of_either(session: AsyncSession, link_id: LinkId, couple: Couple) -> Pair | None:
    ids = {Side.TIME: couple.time_id, Side.BOOKS: couple.books_id}
    for side, record_id in ids.items():
        pair = await find_pair(session, link_id, side, couple.kind, record_id)
        if pair is not None:
            if (pair.time_id, pair.books_id) == (couple.time_id, couple.books_id):
                return pair
            raise Problem("record-already-paired", side=side.value, pairId=pair.pair_id)
    return None


async def _inside_linked_customers(
    session: AsyncSession, link_id: LinkId, time: Record, books: Record
) -> None:
    if not isinstance(time, Project) or not isinstance(books, Project):
        return
    own = time.customer_id
    found = own and await partner_id(session, link_id, Side.TIME, RecordKind.CUSTOMER, own)
    if found != books.customer_id:
        raise Problem("customers-not-paired")


async def _free_pair(runtime: Runtime, link_id: LinkId, pair_id: UUID) -> Pair:
    """Read a pair that nothing stands on now."""
    async with runtime.database.reading(link_id) as session:
        pair = await session.get(Pair, (link_id, pair_id))
        if pair is None:
            raise Problem("not-found")
        mark = await draft_of(session, pair, under_way=True)
        if mark is not None:
            raise Problem("pair-in-use", mark=mark)
        projects = await projects_of(session, pair)
        if projects:
            raise Problem("pair-has-projects", count=projects)
    return pair


async def _held(session: AsyncSession, link_id: LinkId, pair_id: UUID, version: int) -> Pair:
    pair = await session.get(Pair, (link_id, pair_id), with_for_update=True)
    if pair is None or pair.version != version:
        raise Problem("precondition-failed")
    return pair


async def _forget_no(session: AsyncSession, link_id: LinkId, couple: Couple) -> None:
    await session.execute(
        delete(Refusal).where(
            Refusal.link_id == link_id,
            Refusal.kind == couple.kind.value,
            Refusal.time_id == couple.time_id,
            Refusal.books_id == couple.books_id,
        )
    )
    for side in Side:
        own = couple.time_id if side is Side.TIME else couple.books_id
        await take_in(session, link_id, side, couple.kind, [own])


async def _let_be(
    session: AsyncSession,
    link_id: LinkId,
    kind: RecordKind,
    ids: Mapping[Side, RecordId],
    *,
    look: bool,
    runtime: Runtime,
) -> None:
    if look:
        await _look_at(session, link_id, kind, ids, runtime)
        return
    for side, record_id in ids.items():
        await leave_out(session, link_id, side, kind, [record_id])


async def _look_at(
    session: AsyncSession,
    link_id: LinkId,
    kind: RecordKind,
    ids: Mapping[Side, RecordId],
    runtime: Runtime,
) -> None:
    for side, record_id in ids.items():
        await note(session, link_id, side, [ChangeNotice(kind, record_id)], now=runtime.clock())
    await defer(session, Job.DRAIN_LINK, link_id)
