"""Judge the records that changed since they were judged, and what hangs on them; nothing else."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, RecordId, RecordKind, Side
from app.database import CommitPoint
from app.links.pairs import Pair
from app.records.businesses import recall_businesses
from app.records.judge import Judged, judge_customer, judge_project, keep_judged
from app.records.store import KnownRecord
from app.runtime import Runtime

MOST_AT_ONCE: Final = 500
"""Due records judged in one transaction; the rest follows in the next."""

_Own = tuple[ColumnElement[bool], ...]


async def judge_due(runtime: Runtime, link_id: LinkId, *, rounds: int = 4) -> int:
    """
    Judge what is due of a link; gives how many records were.

    Costs one look into an index where nothing is. A changed customer takes along its projects and
    the customers that share its organization number, or shared it before. Idempotent: a record
    that changes meanwhile stays due.

    Args:
        rounds: Most transactions; what is left stays due.

    """
    judged = 0
    for _ in range(rounds):
        done = await _judge_some(runtime, link_id)
        judged += done
        if done < MOST_AT_ONCE:
            break
    return judged


async def judge_later(
    session: AsyncSession, link_id: LinkId, side: Side, kind: RecordKind, ids: Iterable[str]
) -> None:
    """Let records be judged anew, since something about them changed that is not in them."""
    await session.execute(
        update(KnownRecord)
        .where(
            KnownRecord.link_id == link_id,
            KnownRecord.side == side.value,
            KnownRecord.kind == kind.value,
            KnownRecord.record_id.in_(list(ids)),
        )
        .values(revision=KnownRecord.revision + 1)
    )


async def judge_projects(
    runtime: Runtime,
    session: AsyncSession,
    link_id: LinkId,
    *,
    of: Collection[tuple[Side, RecordId]] | None,
) -> None:
    """
    Judge the projects of customers anew whose fate a plan decides, though no record changed.

    Args:
        of: These customers' projects; all of the link's without it.

    """
    ids = {side: [one for place, one in of or () if place is side] for side in Side}
    narrowed = or_(
        *(
            and_(KnownRecord.side == side.value, KnownRecord.customer_id.in_(ids[side]))
            for side in Side
        )
    )
    found = await session.scalars(
        select(KnownRecord).where(
            KnownRecord.link_id == link_id,
            KnownRecord.kind == RecordKind.PROJECT.value,
            KnownRecord.gone_at.is_(None),
            *(() if of is None else (narrowed,)),
        )
    )
    projects = found.all()
    able = await _able(session, link_id, projects)
    demands = {side: runtime.systems.demands_of(side.other) for side in Side}
    await keep_judged(
        session, link_id,
        [judge_project(row, demands[Side(row.side)], able[Side(row.side)]) for row in projects],
    )  # fmt: skip


async def _judge_some(runtime: Runtime, link_id: LinkId) -> int:
    async with runtime.database.reading(link_id) as session:
        due = await _due(session, link_id)
    if not due:
        return 0
    demands = {side: runtime.systems.demands_of(side.other) for side in Side}
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        around = await _look_around(session, link_id, due)
        customers = [
            judge_customer(
                row, demands[Side(row.side)], around.numbers[row.side], around.businesses
            )
            for row in around.customers
        ]
        await keep_judged(session, link_id, [*customers, *_vanished(due, RecordKind.CUSTOMER)])
        able = await _able(session, link_id, around.projects)
        projects = [
            judge_project(row, demands[Side(row.side)], able[Side(row.side)])
            for row in around.projects
        ]
        await keep_judged(session, link_id, [*projects, *_vanished(due, RecordKind.PROJECT)])
    return len(due)


async def _due(session: AsyncSession, link_id: LinkId) -> Sequence[KnownRecord]:
    found = await session.scalars(
        select(KnownRecord)
        .where(
            KnownRecord.link_id == link_id,
            KnownRecord.complete,
            KnownRecord.revision != KnownRecord.judged_revision,
        )
        .order_by(KnownRecord.side, KnownRecord.kind, KnownRecord.record_id)
        .limit(MOST_AT_ONCE)
    )
    return found.all()


@dataclass(frozen=True, slots=True)
class _Around:
    """Hold the records to judge, and what of others their judging needs."""

    customers: Sequence[KnownRecord]
    projects: Sequence[KnownRecord]
    numbers: Mapping[str, Mapping[str | None, int]]
    businesses: Mapping[str, Any]


async def _look_around(
    session: AsyncSession, link_id: LinkId, due: Sequence[KnownRecord]
) -> _Around:
    own: _Own = (KnownRecord.link_id == link_id, KnownRecord.gone_at.is_(None))
    changed = [row for row in due if row.kind == RecordKind.CUSTOMER]
    mates = await _mates(session, own, changed)
    living = {(r.side, r.record_id): r for r in [*mates, *changed] if r.gone_at is None}
    theirs = await _projects_of(session, own, changed)
    projects = {
        (row.side, row.record_id): row
        for row in [*theirs, *(row for row in due if row.kind == RecordKind.PROJECT)]
        if row.gone_at is None
    }
    numbers = {row.number for row in living.values() if row.number}
    counts: dict[str, dict[str | None, int]] = {side.value: {} for side in Side}
    for side, number, count in await session.execute(
        select(KnownRecord.side, KnownRecord.number, func.count())
        .where(*own, KnownRecord.number.in_(numbers))
        .group_by(KnownRecord.side, KnownRecord.number)
    ):
        counts[side][number] = count
    businesses = await recall_businesses(session, numbers)
    return _Around(list(living.values()), list(projects.values()), counts, businesses)


async def _mates(
    session: AsyncSession, own: _Own, changed: Sequence[KnownRecord]
) -> Sequence[KnownRecord]:
    """Give customers that have a changed customer's number, or may have had it in common."""
    if not changed:
        return []
    same = [
        and_(KnownRecord.side == row.side, KnownRecord.number == row.number)
        for row in changed
        if row.number
    ]
    # Written out, not bound, so that the small index of such rows is used.
    twice = text("""records.findings @> '[{"code": "organization-number-twice"}]'""")
    sides = {row.side for row in changed}
    found = await session.scalars(
        select(KnownRecord).where(*own, or_(and_(KnownRecord.side.in_(sides), twice), *same))
    )
    return found.all()


async def _projects_of(
    session: AsyncSession, own: _Own, changed: Sequence[KnownRecord]
) -> Sequence[KnownRecord]:
    if not changed:
        return []
    found = await session.scalars(
        select(KnownRecord).where(
            *own,
            or_(
                *(
                    and_(
                        KnownRecord.side == side.value,
                        KnownRecord.customer_id.in_(_ids(changed, side)),
                    )
                    for side in Side
                )
            ),
        )
    )
    return found.all()


# The plan of a first sync lives in the room above this one. A customer that it will link is there
# before its projects are made, and one that it leaves out stays, whatever else is known of it.
_PLANNED: Final = text("""
WITH line AS (
  SELECT p.anchor_side AS side, p.anchor_id AS id, p.answer, p.category,
         CASE WHEN p.answer = 'link' THEN p.partner_id
              WHEN p.answer IS NULL AND p.category = 'certain' THEN p.candidates -> 0 ->> 'id'
         END AS partner
  FROM proposals p JOIN plans ON plans.link_id = p.link_id AND plans.plan_id = p.plan_id
  WHERE p.link_id = :link_id AND plans.state <> 'done' AND p.kind = 'customer'
    AND NOT p.dormant AND p.outcome IS NULL
), out AS (
  SELECT side, record_id FROM records
  WHERE link_id = :link_id AND kind = 'customer' AND left_out
), linked AS (
  SELECT id AS time_id, partner AS books_id FROM line
  WHERE partner IS NOT NULL AND (answer = 'link' OR (
    id NOT IN (SELECT record_id FROM out WHERE side = 'time')
    AND partner NOT IN (SELECT record_id FROM out WHERE side = 'books')))
)
SELECT 'time' AS side, time_id AS id, true AS taken_in FROM linked
UNION ALL SELECT 'books', books_id, true FROM linked
UNION ALL SELECT side, id, false FROM line
  WHERE answer = 'leave_out' OR (answer IS NULL AND category = 'archived')
""")


async def _able(
    session: AsyncSession, link_id: LinkId, projects: Sequence[KnownRecord]
) -> Mapping[Side, Collection[RecordId]]:
    """Give the projects' customers that are linked or will be, or may be created."""
    able: dict[Side, set[RecordId]] = {side: set() for side in Side}
    if not projects:
        return able
    planned = (await session.execute(_PLANNED, {"link_id": link_id})).all()
    for side in Side:
        ids = {row.customer_id for row in projects if row.side == side.value and row.customer_id}
        if not ids:
            continue
        column = Pair.time_id if side is Side.TIME else Pair.books_id
        ready = await session.scalars(
            select(KnownRecord.record_id).where(
                KnownRecord.link_id == link_id,
                KnownRecord.side == side.value,
                KnownRecord.kind == RecordKind.CUSTOMER.value,
                KnownRecord.record_id.in_(ids),
                KnownRecord.ready,
                ~KnownRecord.left_out,
                KnownRecord.gone_at.is_(None),
            )
        )
        linked = await session.scalars(
            select(column).where(
                Pair.link_id == link_id, Pair.kind == RecordKind.CUSTOMER.value, column.in_(ids)
            )
        )
        fates = {RecordId(one): taken for place, one, taken in planned if place == side}
        kept_out = {one for one, taken in fates.items() if not taken}
        able[side] = {RecordId(one) for one in ready} - kept_out
        able[side] |= {RecordId(one) for one in linked}
        able[side] |= {one for one, taken in fates.items() if taken}
    return able


def _vanished(due: Sequence[KnownRecord], kind: RecordKind) -> list[Judged]:
    """Say of records that are gone that there is nothing to judge."""
    return [
        Judged(Side(row.side), kind, RecordId(row.record_id), (), row.revision)
        for row in due
        if row.gone_at is not None and row.kind == kind
    ]


def _ids(rows: Sequence[KnownRecord], side: Side) -> list[str]:
    return [row.record_id for row in rows if row.side == side.value]
