"""Look for what was made or changed since the plan, so that a run makes nothing twice."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import Customer, LinkId, Record, RecordId, RecordKind, Side
from app.database import CommitPoint
from app.first_sync.plan.lines import prints_of
from app.first_sync.reading.alone import is_alone
from app.first_sync.reading.sides import Keepers, each_side
from app.first_sync.run.aside import News, take_aside
from app.first_sync.store import Plan, PlanState, Proposal, Run, going_on, plan_in, run_of
from app.records.agreement import content_print
from app.records.intents import open_contents
from app.records.judge import paired_ids
from app.records.look_for import says_the_same
from app.records.shapes import from_json
from app.records.store import KnownRecord, recall
from app.runtime import Runtime
from app.systems.ports import RecordKeeper, Row, SystemFault, Unreachable

_log = structlog.get_logger()

LONGEST_UNSEEN: Final = timedelta(minutes=15)
"""How old a look may be before the run creates on: a person types a customer in within minutes of
hearing of it, and one look in a quarter of an hour costs a run less than a hundredth of its calls
(a list of 200 a page, where 10 records a second are made)."""


_CLOCKS_APART: Final = timedelta(seconds=2)
"""How much longer ago than the last look a record may have been read that is compared with its
line: two machines' clocks differ. All that was read for the plan would cost a run half its pace."""


def must_look(run: Run, now: datetime) -> bool:
    """Say whether a run has to look at both sides before it creates on; also after any rest."""
    return run.checked_at is None or now - run.checked_at > LONGEST_UNSEEN


async def says_otherwise(session: AsyncSession, run: Run) -> bool:
    """
    Say whether we know a record of an open line to say something else than it was matched as.

    A person may ask for a fix while the run goes on: what it makes alike is not made before the
    next look, neither from the one nor from the other.
    """
    since = (run.checked_at or run.started_at) - _CLOCKS_APART
    rows = await session.execute(
        select(KnownRecord, Proposal.print)
        .join(
            Proposal,
            and_(
                Proposal.link_id == KnownRecord.link_id,
                Proposal.kind == KnownRecord.kind,
                Proposal.anchor_side == KnownRecord.side,
                Proposal.anchor_id == KnownRecord.record_id,
            ),
        )
        .where(
            KnownRecord.link_id == run.link_id,
            KnownRecord.read_at >= since,
            KnownRecord.gone_at.is_(None),
            Proposal.plan_id == run.plan_id,
            Proposal.dormant.is_(False),
            Proposal.outcome.is_(None),
            Proposal.answer.is_distinct_from("leave_out"),
        )
    )
    fresh = [row for row, drawn in rows if content_print(row.record) != drawn]
    if not fresh:
        return False
    paired = {
        (side.value, kind.value, one)
        for kind in RecordKind
        for couple in (await paired_ids(session, LinkId(run.link_id), kind)).items()
        for side, one in zip(Side, couple, strict=True)
    }
    return any((row.side, row.kind, row.record_id) not in paired for row in fresh)


async def look_again(runtime: Runtime, link_id: LinkId, keepers: Keepers) -> None:
    """
    Find what was made or changed on either side since the plan; take its possible partners aside.

    Days can pass between the reading and the confirmation, and a person may have made the very
    record that the plan would create, or given another one its name or number. Such a line is left
    to the ordinary sync, which links the two or asks. So are the newcomer itself and the lines of
    what was changed. What we know to say something else than when its line was drawn, as after a
    fix, is matched anew too: both halves of a couple are left to the sync. What could not be read
    for the plan is read once more. A look counts only if the run did not rest in it: what was found
    while it rested was set aside nowhere. Costs one list a side and kind, narrowed to what changed
    where the side can, and a read for each thin row that says something new. Done before the first
    create and again when the last look is too old.

    Raises:
        Away: A side cannot be worked with now; nothing was noted.

    """
    started = runtime.clock()
    async with runtime.database.reading(link_id) as session:
        plan = await plan_in(session, link_id, PlanState.RUNNING)
        run = await run_of(session, plan) if plan is not None else None
    if plan is None or run is None:
        return
    kinds = [RecordKind.CUSTOMER, *([RecordKind.PROJECT] if plan.capabilities["projects"] else [])]
    for kind in kinds:
        looks = {side: _Look(runtime, link_id, keepers[side], side, kind, plan) for side in Side}
        found = await each_side(lambda side, looks=looks: looks[side].news())  # type: ignore[misc]
        if not await take_aside(runtime, run, kind, found):
            return
    async with runtime.database.transaction(CommitPoint.RUN_STEP, link_id) as session:
        if await going_on(session, run) is not None:
            held = await session.get_one(Run, (run.link_id, run.run_id))
            held.checked_at = started


class _Look:
    """Look at one list of one side."""

    def __init__(
        self,
        runtime: Runtime,
        link_id: LinkId,
        keeper: RecordKeeper,
        side: Side,
        kind: RecordKind,
        plan: Plan,
    ) -> None:
        self._runtime, self._link_id, self._keeper = runtime, link_id, keeper
        self._side, self._kind, self._plan = side, kind, plan

    async def news(self) -> News:
        """
        Give what is new, what was changed, and what can be read by now, as far as it is in no pair.

        Raises:
            SystemFault: The side cannot be asked now.

        """
        async with self._runtime.database.reading(self._link_id) as session:
            known = {
                RecordId(row.record_id): row
                for row in await recall(session, self._link_id, self._side, self._kind)
                if row.gone_at is None
            }
            pairs = await paired_ids(session, self._link_id, self._kind)
            contents = await open_contents(session, self._link_id, self._side, self._kind.value)
            drawn = await prints_of(session, self._plan, self._kind, self._side)
        paired = set(pairs) if self._side is Side.TIME else set(pairs.values())
        free = {one: row for one, row in known.items() if one not in paired}
        rows = {
            record_id: Row(record_id, row.record, complete=False, fingerprint=row.fingerprint)
            for record_id, row in free.items()
            if not row.complete
        }
        news = News()
        async for page in self._keeper.pages(self._kind, changed_since=self._plan.started_at):
            news.merged.update(_merges(page.rows))
            rows.update(
                (row.id, row)
                for row in page.rows
                if row.id not in paired and _says_news(row, known.get(row.id))
            )
        whole = await self._read(list(rows.values()), known)
        sent = [from_json(self._kind, one) for one in contents]
        for row, record in zip(rows.values(), whole, strict=True):
            if record is not None and not record.gone:
                _sort_in(news, row, record, known.get(row.id), sent)
        told = {record.id for record in news.records}
        news.known.extend(
            row.record
            for one, row in free.items()
            if one not in told
            and drawn.get(one) != content_print(row.record)
            and (one in drawn or not _may_be_ours(row.record, sent))
        )
        return news

    async def _read(
        self, rows: Sequence[Row], known: dict[RecordId, KnownRecord]
    ) -> list[Record | None]:
        bite = 2 * self._runtime.settings.drain_parallel
        found: list[Record | None] = []
        for start in range(0, len(rows), bite):
            some = rows[start : start + bite]
            found += await asyncio.gather(*(self._whole(row, known.get(row.id)) for row in some))
        return found

    async def _whole(self, row: Row, before: KnownRecord | None) -> Record | None:
        """
        Read a row's record whole; one that still cannot be read counts as far as its list tells.

        Raises:
            SystemFault: The side cannot be asked now.

        """
        if row.complete:
            return row.record
        try:
            return (await self._keeper.read(self._kind, row.id)).record
        except SystemFault as fault:
            thin = isinstance(fault, Unreachable) and before is not None and not before.complete
            if not thin and not await is_alone(self._keeper, self._kind, fault):
                raise
        _log.info("a record could not be read", side=self._side.value, record_id=row.id)
        return row.record


def _merges(rows: Iterable[Row]) -> dict[RecordId, RecordId]:
    """Give the records that were merged into others, and into which."""
    return {
        row.id: row.record.merged_into
        for row in rows
        if isinstance(row.record, Customer) and row.record.merged_into is not None
    }


def _sort_in(
    news: News, row: Row, record: Record, before: KnownRecord | None, sent: Sequence[Record]
) -> None:
    """Put what a row tells where it belongs, if it is news at all."""
    if before is None:
        if not _may_be_ours(record, sent):
            news.made.append((row, record))
    elif before.fingerprint == row.fingerprint and not row.complete:
        news.read.append((row, record))
    elif content_print(before.record) != content_print(record) or not before.complete:
        news.changed.append((row, record))


def _may_be_ours(record: Record, sent: Sequence[Record]) -> bool:
    """Say whether a POST of unknown outcome may have made a record: it is that create's affair."""
    return any(says_the_same(one, record) for one in sent)


def _says_news(row: Row, before: KnownRecord | None) -> bool:
    """Say whether a row of the list tells of a record that the plan did not see like that."""
    if before is None:
        return not row.record.gone
    if not row.complete:
        return before.fingerprint != row.fingerprint
    return content_print(before.record) != content_print(row.record)
