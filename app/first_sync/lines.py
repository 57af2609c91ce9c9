"""Store a plan's lines in one go, and keep each record's fate in one line only."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.canonical import LinkId, RecordId, RecordKind, Side
from app.first_sync.propose import Line
from app.first_sync.store import Category, Plan, Proposal

_INSERT: Final = text("""
INSERT INTO proposals (link_id, proposal_id, plan_id, kind, category, anchor_side, anchor_id, name,
                       candidates, siblings, score, print, answer, partner_id, winners,
                       answered_by, answered_at, dormant, version, outcome, outcome_code,
                       outcome_facts, not_before, words, undo, undo_code, undo_facts)
SELECT :link_id, n.proposal_id, :plan_id, n.kind, n.category, n.side, n.anchor_id, n.name,
       CAST(n.candidates AS jsonb), CAST(n.siblings AS jsonb), n.score, n.print, n.answer,
       n.partner_id, CAST(n.winners AS jsonb), n.answered_by,
       n.answered_at, n.dormant, n.version, NULL, NULL, '{}', NULL, n.words, NULL, NULL, '{}'
FROM unnest(CAST(:ids AS uuid[]), CAST(:kinds AS text[]), CAST(:categories AS text[]),
            CAST(:sides AS text[]), CAST(:anchors AS text[]), CAST(:names AS text[]),
            CAST(:candidates AS text[]), CAST(:siblings AS text[]), CAST(:scores AS integer[]),
            CAST(:prints AS text[]), CAST(:answers AS text[]), CAST(:partners AS text[]),
            CAST(:winners AS text[]), CAST(:answerers AS text[]), CAST(:dormants AS boolean[]),
            CAST(:versions AS integer[]), CAST(:instants AS timestamptz[]),
            CAST(:words AS text[]))
     AS n (proposal_id, kind, category, side, anchor_id, name, candidates, siblings, score, print,
           answer, partner_id, winners, answered_by, dormant, version, answered_at, words)
""")

# A record of the books side counts for itself only while no line of the time side links to it or
# may still do so. One statement for all lines: hashed, 5,000 lines in some 20 ms.
_SETTLE_DORMANT: Final = text("""
WITH held AS (
  SELECT p.kind, p.partner_id AS id FROM proposals p
  WHERE p.link_id = :link_id AND p.plan_id = :plan_id AND p.answer = 'link'
  UNION
  SELECT p.kind, c.value ->> 'id' FROM proposals p, jsonb_array_elements(p.candidates) c
  WHERE p.link_id = :link_id AND p.plan_id = :plan_id
    AND (p.answer IS NULL OR p.answer = 'leave_out')
)
UPDATE proposals b SET dormant = NOT b.dormant, version = b.version + 1
WHERE b.link_id = :link_id AND b.plan_id = :plan_id AND b.anchor_side = 'books'
  AND b.dormant <> ((b.kind, b.anchor_id) IN (SELECT kind, id FROM held))
""")


_LINKS: Final = text("""
SELECT proposal_id, anchor_id, partner FROM (
  SELECT p.proposal_id, p.anchor_id,
         CASE WHEN p.answer IS NOT NULL THEN p.partner_id
              WHEN p.category = 'certain' THEN p.candidates -> 0 ->> 'id' END AS partner
  FROM proposals p
  WHERE p.link_id = :link_id AND p.plan_id = :plan_id AND p.kind = :kind
    AND p.anchor_side = 'time'
) line WHERE partner IS NOT NULL
""")


async def links_of(
    session: AsyncSession, plan: Plan, kind: RecordKind
) -> list[tuple[UUID, RecordId, RecordId]]:
    """Give the lines that link, by answer or by default: line, time id, books id."""
    rows = await session.execute(
        _LINKS, {"link_id": plan.link_id, "plan_id": plan.plan_id, "kind": kind.value}
    )
    return [(line, RecordId(time_id), RecordId(books_id)) for line, time_id, books_id in rows]


async def replace_some(session: AsyncSession, plan: Plan, lines: Sequence[Line]) -> None:
    """Put these lines in the place of the lines of the same records."""
    if not lines:
        return
    arrays = _arrays(lines)
    await session.execute(
        text(
            "DELETE FROM proposals p USING unnest(CAST(:kinds AS text[]), CAST(:sides AS text[]),"
            " CAST(:anchors AS text[])) AS n (kind, side, anchor_id)"
            " WHERE p.link_id = :link_id AND p.plan_id = :plan_id AND p.kind = n.kind"
            " AND p.anchor_side = n.side AND p.anchor_id = n.anchor_id"
        ),
        {
            "link_id": plan.link_id,
            "plan_id": plan.plan_id,
            **{name: arrays[name] for name in ("kinds", "sides", "anchors")},
        },
    )
    named = {"link_id": plan.link_id, "plan_id": plan.plan_id}
    await session.execute(_INSERT, named | arrays)
    await settle_dormant(session, plan)


async def replace_lines(
    session: AsyncSession, plan: Plan, lines: Sequence[Line], *, kinds: Sequence[RecordKind]
) -> None:
    """Put these lines in the place of the plan's lines of these kinds, in one statement each."""
    await session.execute(
        text(
            "DELETE FROM proposals WHERE link_id = :link_id AND plan_id = :plan_id"
            " AND kind = ANY(CAST(:kinds AS text[]))"
        ),
        {"link_id": plan.link_id, "plan_id": plan.plan_id, "kinds": [k.value for k in kinds]},
    )
    if lines:
        named = {"link_id": plan.link_id, "plan_id": plan.plan_id}
        await session.execute(_INSERT, named | _arrays(lines))
    await settle_dormant(session, plan)


async def settle_dormant(session: AsyncSession, plan: Plan) -> None:
    """Wake the lines of records that nobody links to any more, and put the others to sleep."""
    await session.execute(_SETTLE_DORMANT, {"link_id": plan.link_id, "plan_id": plan.plan_id})


async def stored_lines(
    session: AsyncSession, plan: Plan, kinds: Iterable[RecordKind]
) -> list[Line]:
    """Read the plan's lines of these kinds back, as far as a new plan can use them."""
    rows = await session.scalars(
        select(Proposal).where(
            Proposal.link_id == plan.link_id,
            Proposal.plan_id == plan.plan_id,
            Proposal.kind.in_([kind.value for kind in kinds]),
        )
    )
    return [_line(row) for row in rows]


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


async def read_line(session: AsyncSession, link_id: LinkId, proposal_id: UUID) -> Proposal | None:
    """Read one line by its id."""
    return await session.get(Proposal, (link_id, proposal_id), populate_existing=True)


def _line(row: Proposal) -> Line:
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
        words=row.words,
        proposal_id=row.proposal_id,
        version=row.version,
    )


def _arrays(lines: Sequence[Line]) -> dict[str, list[Any]]:
    return {
        "ids": [line.proposal_id or uuid7() for line in lines],
        "versions": [line.version for line in lines],
        "kinds": [line.kind.value for line in lines],
        "categories": [line.category.value for line in lines],
        "sides": [line.anchor_side.value for line in lines],
        "anchors": [line.anchor_id for line in lines],
        "names": [line.name for line in lines],
        "candidates": [json.dumps(line.candidates) for line in lines],
        "siblings": [json.dumps(line.siblings) for line in lines],
        "scores": [line.score for line in lines],
        "prints": [line.print for line in lines],
        "answers": [line.answer for line in lines],
        "partners": [line.partner_id for line in lines],
        "winners": [json.dumps(dict(line.winners)) for line in lines],
        "answerers": [line.answered_by for line in lines],
        "instants": [line.answered_at for line in lines],
        "words": [line.words for line in lines],
        "dormants": [line.dormant for line in lines],
    }
