"""Look for records made since the plan, so that a run creates nothing that stands there already."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import Customer, LinkId, Project, Record, RecordId, RecordKind, Side
from app.changes.store import note
from app.database import CommitPoint
from app.first_sync.deeds import partner_of
from app.first_sync.lines import links_of
from app.first_sync.sides import Keepers, each_side
from app.first_sync.store import OutcomeState, Plan, PlanState, Proposal, plan_in, run_of
from app.records.decisions import refused_pairs
from app.records.intents import open_contents
from app.records.judge import paired_ids
from app.records.look_for import says_the_same
from app.records.matching import match, match_projects
from app.records.shapes import from_json
from app.records.store import fingerprints, recall, remember, remember_rows
from app.runtime import Runtime
from app.systems.ports import ChangeNotice, RecordKeeper, Row

News = Mapping[Side, Sequence[Record]]


@dataclass(frozen=True, slots=True)
class _Found:
    """Hold what a side made since the plan: its rows as listed, and the records read whole."""

    rows: Sequence[Row]
    records: Sequence[Record]


async def look_again(runtime: Runtime, link_id: LinkId, keepers: Keepers) -> None:
    """
    Find what was made on either side since the plan; take aside what it may be the partner of.

    Days can pass between the reading and the confirmation, and a person may have made the very
    record that the plan would create. Such a line is left to the ordinary sync, which links the
    two or asks; so is the newcomer itself. Costs one list a side and kind, narrowed to what
    changed where the side can. Done once a run, and again when a run that rested goes on.

    Raises:
        Away: A side cannot be worked with now; nothing was noted.

    """
    async with runtime.database.reading(link_id) as session:
        plan = await plan_in(session, link_id, PlanState.RUNNING)
        run = await run_of(session, plan) if plan is not None else None
    if plan is None or run is None or run.checked_at is not None:
        return
    kinds = [RecordKind.CUSTOMER, *([RecordKind.PROJECT] if plan.capabilities["projects"] else [])]
    for kind in kinds:
        found = await each_side(
            lambda side, kind=kind: _newcomers(  # type: ignore[misc]
                runtime, link_id, keepers[side], side, kind, plan.started_at
            )
        )
        await _take_aside(runtime, link_id, kind, found)
    async with runtime.database.transaction(CommitPoint.RUN_STEP, link_id) as session:
        held = await run_of(session, plan)
        if held is not None:
            held.checked_at = runtime.clock()


async def _newcomers(
    runtime: Runtime,
    link_id: LinkId,
    keeper: RecordKeeper,
    side: Side,
    kind: RecordKind,
    since: datetime,
) -> _Found:
    async with runtime.database.reading(link_id) as session:
        known = await fingerprints(session, link_id, side, kind)
        paired = await paired_ids(session, link_id, kind)
        sent = [from_json(kind, c) for c in await open_contents(session, link_id, side, kind.value)]
    ours = set(paired) if side is Side.TIME else set(paired.values())
    rows: dict[RecordId, Row] = {}
    async for page in keeper.pages(kind, changed_since=since):
        rows.update(
            (row.id, row)
            for row in page.rows
            if row.id not in known and row.id not in ours and not row.record.gone
        )
    kept: dict[RecordId, Record] = {}
    for row in rows.values():
        whole = row.record if row.complete else (await keeper.read(kind, row.id)).record
        # What a POST of ours of unknown outcome may have made is that create's affair.
        if whole is not None and not any(says_the_same(one, whole) for one in sent):
            kept[row.id] = whole
    return _Found([row for row in rows.values() if row.id in kept], list(kept.values()))


async def _take_aside(
    runtime: Runtime, link_id: LinkId, kind: RecordKind, found: Mapping[Side, _Found]
) -> None:
    """Remember the newcomers of a kind and set their possible lines aside, in one commit."""
    news = {side: one.records for side, one in found.items()}
    if not any(news.values()):
        return
    async with runtime.database.transaction(CommitPoint.RUN_STEP, link_id) as session:
        plan = await plan_in(session, link_id, PlanState.RUNNING, lock=True)
        if plan is None:
            return
        aside = await _may_be_partners(session, link_id, plan, kind, news)
        await session.execute(
            update(Proposal)
            .where(
                Proposal.link_id == link_id,
                Proposal.proposal_id.in_(aside),
                Proposal.outcome.is_(None),
            )
            .values(
                outcome=OutcomeState.LATER.value,
                outcome_code="partner-made-since",
                version=Proposal.version + 1,
            )
        )
        now = runtime.clock()
        for side, one in found.items():
            await remember_rows(session, link_id, side, kind, one.rows, now=now)
            await remember(session, link_id, side, kind, one.records, now=now)
            notices = [ChangeNotice(kind, record.id) for record in one.records]
            await note(session, link_id, side, notices, now=now)


async def _may_be_partners(
    session: AsyncSession, link_id: LinkId, plan: Plan, kind: RecordKind, news: News
) -> list[object]:
    """Give the lines that would create a record which may be one of the newcomers."""
    lines = await _open_lines(session, plan, kind)
    refused = await refused_pairs(session, link_id, kind)
    customers = await paired_ids(session, link_id, RecordKind.CUSTOMER)
    linked = await links_of(session, plan, RecordKind.CUSTOMER)
    customers |= {time_id: books_id for _, time_id, books_id in linked}
    aside: list[object] = []
    for side in Side:
        anchors = {RecordId(one.anchor_id): one for one in lines if one.anchor_side == side}
        rows = await recall(session, link_id, side, kind, anchors)
        here, there = [row.record for row in rows], news[side.other]
        time, books = (here, there) if side is Side.TIME else (there, here)
        couples = await asyncio.to_thread(_couples, kind, time, books, refused, customers)
        ids = {couple[0 if side is Side.TIME else 1] for couple in couples}
        aside += [anchors[one].proposal_id for one in ids]
    return aside


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
            [one for one in time if isinstance(one, Customer)],
            [one for one in books if isinstance(one, Customer)],
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


async def _open_lines(session: AsyncSession, plan: Plan, kind: RecordKind) -> list[Proposal]:
    """Give the lines not carried out yet that link to nobody."""
    rows = await session.scalars(
        select(Proposal).where(
            Proposal.link_id == plan.link_id,
            Proposal.plan_id == plan.plan_id,
            Proposal.kind == kind.value,
            Proposal.dormant.is_(False),
            Proposal.outcome.is_(None),
        )
    )
    return [one for one in rows if partner_of(one) is None and one.answer != "leave_out"]
