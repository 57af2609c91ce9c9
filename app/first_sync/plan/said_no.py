"""Remember which records an answer says no to, and take that back with the answer."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, or_
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import Customer, LinkId, Project, Record, RecordId, RecordKind, Side
from app.first_sync.plan.categories import Category
from app.first_sync.plan.lines import customers_of
from app.first_sync.plan.propose import told
from app.first_sync.plan.words import words_of
from app.first_sync.store import Plan, Proposal
from app.records.asked import Refusal
from app.records.decisions import refuse
from app.records.judge import paired_ids
from app.records.matching import Proposal as Match
from app.records.matching import match, match_projects
from app.records.store import recall


@dataclass(frozen=True, slots=True)
class Given:
    """Hold who gave the answer that a line had, and when; what it refused is known by that."""

    by: str | None
    at: datetime | None


async def remember_no(
    session: AsyncSession, plan: Plan, line: Proposal, before: Given, *, now: datetime
) -> None:
    """
    Refuse what the line's new answer says no to, instead of what its former answer did.

    A reading draws a line without what was refused. Once nobody refuses it any more the line names
    it again and is asked about, so that nothing is made beside it unasked.
    """
    if line.anchor_side != Side.TIME.value:
        return
    named = [str(one["id"]) for one in line.candidates]
    freed = await session.scalars(
        delete(Refusal)
        .where(
            Refusal.link_id == line.link_id,
            Refusal.kind == line.kind,
            Refusal.time_id == line.anchor_id,
            or_(
                Refusal.books_id.in_(named),
                and_(Refusal.refused_by == before.by, Refusal.refused_at == before.at),
            ),
        )
        .returning(Refusal.books_id)
    )
    unnamed = set(freed.all()) - set(named)
    if line.answer in ("link", "create"):
        assert line.answered_by is not None  # noqa: S101 - whoever answers is named
        no = [one for one in (*named, *unnamed) if one != line.partner_id]
        await refuse(
            session, LinkId(line.link_id), Side.TIME, RecordKind(line.kind), line.anchor_id, no,
            by=line.answered_by, now=now,
        )  # fmt: skip
    elif unnamed:
        await _name_again(session, plan, line, unnamed)


async def _name_again(
    session: AsyncSession, plan: Plan, line: Proposal, ids: Collection[str]
) -> None:
    link_id, kind = LinkId(line.link_id), RecordKind(line.kind)
    paired = set((await paired_ids(session, link_id, kind)).values())
    customers = await customers_of(session, plan) if kind is RecordKind.PROJECT else {}
    own = [row.record for row in await recall(session, link_id, Side.TIME, kind, [line.anchor_id])]
    rows = await recall(session, link_id, Side.BOOKS, kind, ids)
    others = [row.record for row in rows if row.gone_at is None and row.record_id not in paired]
    found = await asyncio.to_thread(_like, own, others, customers)
    if not found:
        return
    candidates: list[Any] = [*line.candidates, *(told(one, one.books_id) for one in found)]
    line.candidates = sorted(candidates, key=lambda one: (-one["score"], one["id"]))
    line.score = line.candidates[0]["score"]
    if line.category != Category.ASKED_AGAIN:
        line.category = (Category.LIKELY if len(candidates) == 1 else Category.AMBIGUOUS).value
    line.words = f"{line.words} {words_of(*others)}"


def _like(
    own: list[Record], others: list[Record], customers: dict[RecordId, RecordId]
) -> list[Match]:
    """Match one record against some others; pure."""
    here, there = [[one for one in side if isinstance(one, Customer)] for side in (own, others)]
    found = match(here, there)
    if not here:
        projects = [[one for one in side if isinstance(one, Project)] for side in (own, others)]
        found = match_projects(projects[0], projects[1], customers=customers)
    return [*found.certain, *found.asked]
