"""Store a plan's lines in one go, and keep each record's fate in one line only."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields, replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.canonical import LinkId, RecordId, RecordKind, Side
from app.first_sync.plan.categories import Category
from app.first_sync.plan.dormant import rest_projects, settle_dormant
from app.first_sync.plan.propose import Line
from app.first_sync.store import PARTNER, Plan, Proposal
from app.records.judge import paired_ids

_INSERT: Final = text("""
INSERT INTO proposals (link_id, proposal_id, plan_id, kind, category, anchor_side, anchor_id, name,
                       candidates, siblings, score, print, answer, partner_id, winners,
                       answered_by, answered_at, lost, dormant, version, outcome, outcome_code,
                       outcome_facts, not_before, words, undo, undo_code, undo_facts)
SELECT :link_id, n.proposal_id, :plan_id, n.kind, n.category, n.side, n.anchor_id, n.name,
       n.candidates, n.siblings, n.score, n.print, n.answer, n.partner_id, n.winners,
       n.answered_by, n.answered_at, n.lost, n.dormant, n.version, NULL, NULL, '{}', NULL, n.words,
       NULL, NULL, '{}'
FROM jsonb_to_recordset(CAST(:lines AS jsonb))
     AS n (proposal_id uuid, kind text, category text, side text, anchor_id text, name text,
           candidates jsonb, siblings jsonb, score integer, print text, answer text,
           partner_id text, winners jsonb, answered_by text, dormant boolean, version integer,
           answered_at timestamptz, lost jsonb, words text)
""")

_LINKS: Final = text(f"""
SELECT proposal_id, anchor_id, {PARTNER} AS partner FROM proposals
WHERE link_id = :link_id AND plan_id = :plan_id AND kind = :kind AND anchor_side = 'time'
  AND ({PARTNER}) IS NOT NULL
""")  # noqa: S608 - a constant of ours

_TAKEN_IN: Final = text(f"""
SELECT anchor_id, {PARTNER} AS partner FROM proposals p
WHERE link_id = :link_id AND plan_id = :plan_id AND kind = :kind AND anchor_side = 'time'
  AND ({PARTNER}) IS NOT NULL
  AND (answer IS NOT NULL OR NOT EXISTS (
    SELECT FROM records r WHERE r.link_id = p.link_id AND r.kind = p.kind AND r.left_out
      AND (r.side, r.record_id) IN (('time', p.anchor_id), ('books', p.candidates -> 0 ->> 'id'))))
""")  # noqa: S608 - a constant of ours

_LINKED: Final = text(f"""
SELECT proposal_id, {PARTNER} AS partner FROM proposals
WHERE link_id = :link_id AND plan_id = :plan_id AND kind = :kind AND anchor_side = 'time'
  AND ({PARTNER}) = ANY(CAST(:ids AS text[]))
""")  # noqa: S608 - a constant of ours


_OF_A_LINE: Final = tuple(Proposal.__table__.columns[one.name] for one in fields(Line))
"""Not what became of it: its JSON was a third of what reading ten thousand rows took."""


async def links_of(
    session: AsyncSession, plan: Plan, kind: RecordKind
) -> list[tuple[UUID, RecordId, RecordId]]:
    """Give the lines that link, by answer or by default: line, time id, books id."""
    rows = await session.execute(
        _LINKS, {"link_id": plan.link_id, "plan_id": plan.plan_id, "kind": kind.value}
    )
    return [(line, RecordId(time_id), RecordId(books_id)) for line, time_id, books_id in rows]


async def customers_of(session: AsyncSession, plan: Plan) -> dict[RecordId, RecordId]:
    """
    Give the customers that are a pair, or that the plan links: time id to books id.

    By itself no line links what a person left out, as ``linked_by`` says of lines not stored yet.
    """
    link_id = LinkId(plan.link_id)
    named = {"link_id": plan.link_id, "plan_id": plan.plan_id, "kind": RecordKind.CUSTOMER.value}
    rows = await session.execute(_TAKEN_IN, named)
    linked = {RecordId(time_id): RecordId(books_id) for time_id, books_id in rows}
    return {**await paired_ids(session, link_id, RecordKind.CUSTOMER), **linked}


async def links_to(
    session: AsyncSession, plan: Plan, kind: RecordKind, books_ids: Sequence[str]
) -> list[tuple[UUID, RecordId]]:
    """Give the lines that link to one of these records, by an index: line, books id."""
    rows = await session.execute(
        _LINKED,
        {
            "link_id": plan.link_id, "plan_id": plan.plan_id, "kind": kind.value,
            "ids": list(books_ids),
        },
    )  # fmt: skip
    return [(line, RecordId(books_id)) for line, books_id in rows]


async def replace_some(session: AsyncSession, plan: Plan, lines: Sequence[Line]) -> None:
    """Put these lines in the place of the lines of the same records."""
    if not lines:
        return
    named = {"link_id": plan.link_id, "plan_id": plan.plan_id, "lines": _json(lines)}
    await session.execute(
        text(
            "DELETE FROM proposals p USING jsonb_to_recordset(CAST(:lines AS jsonb))"
            " AS n (kind text, side text, anchor_id text)"
            " WHERE p.link_id = :link_id AND p.plan_id = :plan_id AND p.kind = n.kind"
            " AND p.anchor_side = n.side AND p.anchor_id = n.anchor_id"
        ),
        named,
    )
    await session.execute(_INSERT, named)
    await settle_dormant(session, plan)


async def replace_lines(
    session: AsyncSession, plan: Plan, lines: Sequence[Line], *, old: Collection[Line] = ()
) -> None:
    """
    Put these lines in the place of all the plan's lines, in one statement each.

    Args:
        old: The lines as they are stored; those of them that stay the same are not written.

    """
    stored = {one.proposal_id: _awake(one) for one in old}
    same = {one.proposal_id for one in lines if stored.get(one.proposal_id) == _awake(one)}
    named = {"link_id": plan.link_id, "plan_id": plan.plan_id}
    await session.execute(
        text(
            "DELETE FROM proposals WHERE link_id = :link_id AND plan_id = :plan_id"
            " AND proposal_id <> ALL(CAST(:same AS uuid[]))"
        ),
        {**named, "same": list(same)},
    )
    new = [one for one in lines if one.proposal_id not in same]
    if new:
        await session.execute(_INSERT, {**named, "lines": _json(new)})
    await rest_projects(session, plan)
    await settle_dormant(session, plan)


def _awake(line: Line) -> Line:
    """Give a line as if it did not sleep; what wakes or sleeps is settled when all are stored."""
    return replace(line, dormant=False) if line.dormant else line


async def stored_lines(
    session: AsyncSession, plan: Plan, kinds: Iterable[RecordKind]
) -> list[Line]:
    """Read the plan's lines of these kinds back, as far as a new plan can use them."""
    rows = await session.execute(
        select(*_OF_A_LINE).where(
            Proposal.link_id == plan.link_id,
            Proposal.plan_id == plan.plan_id,
            Proposal.kind.in_([kind.value for kind in kinds]),
        )
    )
    return [_line(row) for row in rows]


async def open_lines(session: AsyncSession, plan: Plan, kind: RecordKind) -> Sequence[Proposal]:
    """Give the lines of a kind that are not carried out yet."""
    rows = await session.scalars(
        select(Proposal).where(
            Proposal.link_id == plan.link_id,
            Proposal.plan_id == plan.plan_id,
            Proposal.kind == kind.value,
            Proposal.dormant.is_(False),
            Proposal.outcome.is_(None),
        )
    )
    return rows.all()


async def prints_of(
    session: AsyncSession, plan: Plan, kind: RecordKind, side: Side
) -> dict[RecordId, str]:
    """Give what each record of a kind on a side said when its line was drawn, by its id."""
    rows = await session.execute(
        select(Proposal.anchor_id, Proposal.print).where(
            Proposal.link_id == plan.link_id,
            Proposal.plan_id == plan.plan_id,
            Proposal.kind == kind.value,
            Proposal.anchor_side == side.value,
        )
    )
    return {RecordId(anchor_id): said for anchor_id, said in rows}


async def find_line(
    session: AsyncSession, plan: Plan, kind: str, side: str, record_id: str
) -> Proposal | None:
    """Find the line of a record."""
    return await session.scalar(
        select(Proposal).where(
            Proposal.link_id == plan.link_id,
            Proposal.plan_id == plan.plan_id,
            Proposal.kind == kind,
            Proposal.anchor_side == side,
            Proposal.anchor_id == record_id,
        )
    )


async def read_line(
    session: AsyncSession, link_id: LinkId, proposal_id: UUID, *, lock: bool = False
) -> Proposal | None:
    """Read one line by its id; with ``lock`` nobody else changes it until the commit."""
    return await session.get(
        Proposal, (link_id, proposal_id), populate_existing=True, with_for_update=lock or None
    )


def _line(row: Row[Any]) -> Line:
    return Line(
        kind=RecordKind(row.kind),
        category=Category(row.category),
        anchor_side=Side(row.anchor_side),
        anchor_id=RecordId(row.anchor_id),
        name=row.name,
        print=row.print,
        candidates=tuple(row.candidates),
        siblings=tuple(row.siblings),
        score=row.score,
        dormant=row.dormant,
        answer=row.answer,
        partner_id=row.partner_id,
        winners=row.winners,
        answered_by=row.answered_by,
        answered_at=row.answered_at,
        lost=row.lost,
        words=row.words,
        proposal_id=row.proposal_id,
        version=row.version,
    )


def _json(lines: Sequence[Line]) -> str:
    """Write lines as one JSON text; arrays of texts are escaped one by one by the driver."""
    return json.dumps(
        [
            {
                "proposal_id": str(line.proposal_id or uuid7()), "version": line.version,
                "kind": line.kind, "category": line.category, "side": line.anchor_side,
                "anchor_id": line.anchor_id, "name": line.name, "candidates": line.candidates,
                "siblings": line.siblings, "score": line.score, "print": line.print,
                "answer": line.answer, "partner_id": line.partner_id,
                "winners": dict(line.winners), "answered_by": line.answered_by,
                "answered_at": line.answered_at.isoformat() if line.answered_at else None,
                "lost": line.lost, "words": line.words, "dormant": line.dormant,
            }
            for line in lines
        ]
    )  # fmt: skip
