"""Set the lines of a run aside that what was made or changed since the plan speaks against."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, Project, Record, RecordId, RecordKind, Side
from app.changes.store import note
from app.database import CommitPoint
from app.first_sync.plan.deeds import partner_of
from app.first_sync.plan.lines import customers_of, open_lines, prints_of
from app.first_sync.run.unlike import made_unlike, only_customers
from app.first_sync.store import OutcomeState, Plan, Proposal, Run, going_on
from app.links.pairs import find_pair
from app.links.store import LinkState, read_link
from app.records.agreement import content_print
from app.records.decisions import refused_pairs
from app.records.fixed import take_in_fixes
from app.records.matching import match, match_projects
from app.records.store import recall, remember, remember_rows
from app.runtime import Runtime
from app.systems.ports import ChangeNotice, Row

MERGED_FROM: Final = "mergedFrom"
"""Names in a line's facts the record with a partner that was merged into its own."""

_Seen = tuple[Row, Record]
"""A row as it was listed, and the record as far as it could be read."""


@dataclass(frozen=True, slots=True)
class News:
    """
    Hold what a side has that the plan did not see.

    Args:
        made: Records that are new.
        changed: Records in no pair that say something else by now.
        read: Records that could not be read for the plan; their list says what it said.
        known: Records that say something else than when their lines were drawn, as we know, or
            that no line was drawn for: a fix that a person asked us for wrote it, or the ordinary
            sync saw it.
        merged: Records that live on as others since the plan, and as which.

    """

    made: list[_Seen] = field(default_factory=list)
    changed: list[_Seen] = field(default_factory=list)
    read: list[_Seen] = field(default_factory=list)
    known: list[Record] = field(default_factory=list)
    merged: dict[RecordId, RecordId] = field(default_factory=dict)

    @property
    def records(self) -> list[Record]:
        """Give all that we did not know."""
        return [record for _, record in (*self.made, *self.changed, *self.read)]

    @property
    def unmatched(self) -> list[Record]:
        """Give all that the lines were not matched with as it is now."""
        return [*self.records, *self.known]


async def take_aside(
    runtime: Runtime, run: Run, kind: RecordKind, found: Mapping[Side, News]
) -> bool:
    """
    Remember the news of a kind and set the lines it touches aside, in one commit.

    Says whether that was done: a run that rested meanwhile, however shortly, has to look once more.
    """
    if not any(news.unmatched or news.merged for news in found.values()):
        return True
    link_id = LinkId(run.link_id)
    async with runtime.database.transaction(CommitPoint.RUN_STEP, link_id) as session:
        plan = await going_on(session, run)
        if plan is None:
            return False
        lines = await open_lines(session, plan, kind)
        for side, news in found.items():
            changed = [record for _, record in news.changed]
            changed += await _otherwise(session, plan, kind, side, news)
            await _set_changed_aside(session, link_id, side, changed, lines)
        if kind is RecordKind.CUSTOMER:
            known = {(side, one.id) for side, news in found.items() for one in news.known}
            for line, facts in await made_unlike(session, link_id, known, lines):
                await _set_aside(session, link_id, [line], code="changed-since-plan", facts=facts)
        for side, news in found.items():
            await _set_merged_aside(session, plan, side, news, lines)
        partners = await _may_be_partners(session, plan, kind, found, lines)
        await _set_aside(session, link_id, partners, code="partner-made-since", facts={})
        now = runtime.clock()
        for side, news in found.items():
            rows = [row for row, _ in (*news.made, *news.changed)]
            whole = [
                record
                for row, record in (*news.made, *news.changed, *news.read)
                if record is not row.record
            ]
            await remember_rows(session, link_id, side, kind, rows, now=now)
            await remember(session, link_id, side, kind, whole, now=now)
            notices = [ChangeNotice(kind, record.id) for record in news.records]
            await note(session, link_id, side, notices, now=now)
    return True


async def _otherwise(
    session: AsyncSession, plan: Plan, kind: RecordKind, side: Side, news: News
) -> list[Record]:
    """
    Give what we know to say something else than the person saw.

    Under the first review it may be what a fix of theirs made it say, upon what they saw, or what
    could be read by now: the lines say so from here on, as they were matched with it.
    """
    drawn = await prints_of(session, plan, kind, side)
    link_id = LinkId(plan.link_id)
    rows = await recall(session, link_id, side, kind, [one.id for one in news.known])
    upon = {RecordId(row.record_id): row.fixed_from for row in rows}
    prints = {
        record.id: content_print(record)
        for record in (*(record for _, record in news.read), *news.known)
    }
    new = {one: said for one, said in prints.items() if drawn.get(one, said) != said}
    link = await read_link(session, link_id)
    if link is None or link.state != LinkState.REVIEWING:
        return [one for one in news.unmatched if one.id in new]
    others = {one for one in new if one in upon and upon[one] != drawn.get(one)}
    for record_id, said in new.items():
        if record_id in others:
            continue
        await session.execute(
            update(Proposal)
            .where(
                Proposal.link_id == plan.link_id,
                Proposal.plan_id == plan.plan_id,
                Proposal.kind == kind.value,
                Proposal.anchor_side == side.value,
                Proposal.anchor_id == record_id,
            )
            .values(print=said)
            .execution_options(synchronize_session=False)
        )
    await take_in_fixes(session, link_id, (row for row in rows if row.record_id not in others))
    return [one for one in news.known if one.id in others]


async def _set_changed_aside(
    session: AsyncSession,
    link_id: LinkId,
    side: Side,
    changed: Sequence[Record],
    lines: Sequence[Proposal],
) -> None:
    """Leave what stands on changed records to the sync, since a person saw something else."""
    for record in changed:
        theirs = [
            line.proposal_id
            for line in lines
            if line.answer != "leave_out"
            and record.id == (line.anchor_id if line.anchor_side == side else partner_of(line))
        ]
        facts = {"side": side.value, "recordId": record.id}
        await _set_aside(session, link_id, theirs, code="changed-since-plan", facts=facts)


async def _set_merged_aside(
    session: AsyncSession, plan: Plan, side: Side, news: News, lines: Sequence[Proposal]
) -> None:
    """
    Create nothing of a record that one with a partner was merged into: it has a partner so.

    The line of the merged one says itself that its record is gone when the run comes to it.
    """
    link_id = LinkId(plan.link_id)
    for gone, into in news.merged.items():
        linked = any(
            gone == (line.anchor_id if line.anchor_side == side else partner_of(line))
            for line in lines
            if partner_of(line) is not None
        )
        pair = await find_pair(session, link_id, side, RecordKind.CUSTOMER, gone)
        theirs = [
            line.proposal_id
            for line in lines
            if (line.anchor_side, line.anchor_id) == (side, into)
            and partner_of(line) is None
            and line.answer != "leave_out"
        ]
        if linked or pair is not None:
            facts = {MERGED_FROM: gone}
            await _set_aside(session, link_id, theirs, code="partner-made-since", facts=facts)


async def _set_aside(
    session: AsyncSession,
    link_id: LinkId,
    ids: Sequence[UUID],
    *,
    code: str,
    facts: Mapping[str, str],
) -> None:
    if not ids:
        return
    await session.execute(
        update(Proposal)
        .where(
            Proposal.link_id == link_id,
            Proposal.proposal_id.in_(ids),
            Proposal.outcome.is_(None),
        )
        .values(
            outcome=OutcomeState.LATER.value,
            outcome_code=code,
            outcome_facts=dict(facts),
            version=Proposal.version + 1,
        )
        .execution_options(synchronize_session=False)
    )


async def _may_be_partners(
    session: AsyncSession,
    plan: Plan,
    kind: RecordKind,
    found: Mapping[Side, News],
    lines: Sequence[Proposal],
) -> list[UUID]:
    """Give the lines that would create one half of a couple that one of the news may make."""
    link_id = LinkId(plan.link_id)
    alone = [one for one in lines if partner_of(one) is None and one.answer != "leave_out"]
    refused = await refused_pairs(session, link_id, kind)
    customers = await customers_of(session, plan)
    own = {(Side(one.anchor_side), RecordId(one.anchor_id)): one.proposal_id for one in alone}
    aside: set[UUID] = set()
    for side in Side:
        rows = await recall(session, link_id, side, kind, [one for at, one in own if at is side])
        here, there = [row.record for row in rows], found[side.other].unmatched
        time, books = (here, there) if side is Side.TIME else (there, here)
        couples = await asyncio.to_thread(_couples, kind, time, books, refused, customers)
        ends = {end for couple in couples for end in zip(Side, couple, strict=True)}
        aside |= {own[end] for end in ends if end in own}
    return sorted(aside)


def _couples(
    kind: RecordKind,
    time: Iterable[Record],
    books: Iterable[Record],
    refused: frozenset[tuple[RecordId, RecordId]],
    customers: Mapping[RecordId, RecordId],
) -> set[tuple[RecordId, RecordId]]:
    """Match lines against newcomers; a doubt counts as much as a certainty. Pure."""
    if kind is RecordKind.CUSTOMER:
        found = match(
            only_customers(time),
            only_customers(books),
            refused=refused,
        )
    else:
        found = match_projects(
            [one for one in time if isinstance(one, Project)],
            [one for one in books if isinstance(one, Project)],
            customers=customers,
            refused=refused,
        )
    return {(one.time_id, one.books_id) for one in (*found.certain, *found.asked)}
