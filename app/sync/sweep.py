"""Find what no webhook told: read both sides' lists, note what moved, wake the drain."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Final

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, RecordKind, Side
from app.changes.backoff import Failure, RetryAt, next_attempt
from app.changes.mass_change import MassChange, watch
from app.changes.settle import make_due
from app.changes.store import counts
from app.database import CommitPoint
from app.links.change_state import pause
from app.links.lifecycle import PROJECTS, pause_reason
from app.links.open_systems import open_books, open_time
from app.links.store import (
    DirectoryEntry,
    Link,
    LinkState,
    directory_entry,
    hold_back,
    is_at_work,
    read_link,
)
from app.queue import Job, defer
from app.records.ask_register import ask_if_wanted
from app.records.made import finish_creates
from app.runtime import Runtime
from app.sync.cadence import READ_EVERY, next_sweep
from app.sync.lists import Lists, sweep_list
from app.sync.refresh import list_from
from app.sync.store import SweepMark
from app.sync.verdicts import CUSTOMER_NOT_LINKED, PROJECTS_NEED_SMART
from app.systems.ports import (
    AccessReason,
    Capabilities,
    RateLimited,
    RecordKeeper,
    SystemFault,
    Unauthorised,
)

_draw: Final = SystemRandom().random

FULL_EVERY: Final = timedelta(hours=24)
"""How often lists that could be narrowed are read to the end, so that vanished records show."""


async def sweep_link(runtime: Runtime, link_id: LinkId) -> None:
    """
    Compare both sides' lists with what was last seen, note what moved, say when to sweep again.

    Refreshes what the plan allows first, so that projects begin by themselves. Each page is noted
    and remembered in one transaction: after a death the next sweep goes on with what is left. A
    side that fails ends the sweep; what was noted stays noted, and it is tried again.
    """
    started = runtime.clock()
    async with runtime.database.reading(link_id) as session:
        entry = await directory_entry(session, link_id)
        mark = await session.get(SweepMark, link_id)
        brake = await watch(session, link_id, has_swept=mark is not None)
    if entry is None or entry.state != LinkState.ACTIVE:
        return
    held = max(
        (t for t in (entry.time_not_before, entry.books_not_before) if t and t > started),
        default=None,
    )
    if held is not None:
        await _try_later(runtime, link_id, held)
        return
    sweep = _Sweep(runtime, link_id, started, mark, brake)
    for side in (Side.BOOKS, Side.TIME):
        try:
            await sweep.read_side(side)
        except SystemFault as fault:
            await _end_early(runtime, link_id, side, fault)
            return
    await sweep.tell_sources()
    await sweep.finish()


@dataclass(slots=True)
class _Sweep:
    """Hold one sweep of one link while it goes through the lists."""

    runtime: Runtime
    link_id: LinkId
    started: datetime
    mark: SweepMark | None
    brake: MassChange
    projects: bool = False
    noted: int = 0

    @property
    def is_full(self) -> bool:
        full_at = self.mark.full_at if self.mark is not None else None
        return full_at is None or self.started - full_at >= FULL_EVERY

    @property
    def since(self) -> datetime:
        """Give the instant from which changes are asked for."""
        return list_from(self.mark, now=self.started)

    @property
    def passed(self) -> timedelta:
        """Give the time since the sweep before; a whole day where there was none."""
        seen_to = self.mark.seen_to if self.mark is not None else None
        return READ_EVERY if seen_to is None else self.started - seen_to

    async def read_side(self, side: Side) -> None:
        keeper: RecordKeeper = (
            await open_books(self.runtime, self.link_id)
            if side is Side.BOOKS
            else await open_time(self.runtime, self.link_id)
        )
        able = await keeper.capabilities()
        if side is Side.BOOKS:
            await self._keep_features(able)
        for kind in RecordKind:
            if kind is RecordKind.PROJECT and not self.projects:
                continue
            narrows = kind is RecordKind.CUSTOMER and able.changed_since
            lists = Lists(
                self.runtime,
                self.link_id,
                keeper,
                side=side,
                kind=kind,
                since=self.since if narrows else None,
                brake=self.brake,
                passed=self.passed,
            )
            self.noted += await sweep_list(lists)
            if narrows and self.is_full:
                self.noted += await sweep_list(replace(lists, since=None, passed=None))

    async def _keep_features(self, able: Capabilities) -> None:
        """Remember what the plan allows; let waiting projects begin when it allows them."""
        self.projects = able.projects
        now = self.runtime.clock()
        async with self.runtime.database.transaction(CommitPoint.PLAIN, self.link_id) as session:
            link = await read_link(session, self.link_id)
            if link is None:
                return
            features = sorted(
                {*link.features} - {PROJECTS} | ({PROJECTS} if able.projects else set())
            )
            if features != sorted(link.features):
                link.features = features
                link.version += 1
                link.updated_at = now
            if able.projects:
                await make_due(session, self.link_id, [PROJECTS_NEED_SMART], now=now)

    async def tell_sources(self) -> None:
        """Write the marks and spellings that a create could not write at the time."""
        async with self.runtime.database.reading(self.link_id) as session:
            if not await is_at_work(session, self.link_id, LinkState.ACTIVE):
                return  # paused meanwhile, by a person or the brake: nothing is written
        try:
            await finish_creates(self.runtime, self.link_id)
        except SystemFault:
            return  # the next sweep tries again

    async def finish(self) -> None:
        """Say how far we came and when to come again."""
        now = self.runtime.clock()
        async with self.runtime.database.transaction(
            CommitPoint.SWEEP_NOTED, self.link_id
        ) as session:
            await make_due(session, self.link_id, [CUSTOMER_NOT_LINKED], now=now)
            waiting = await counts(session, self.link_id)
            moved = self.noted > 0 or waiting.pending > 0
            active_at = now if moved else (self.mark.active_at if self.mark else None)
            await self._keep_mark(session, active_at)
            settings = self.runtime.settings
            due = next_sweep(
                now=now,
                active_at=active_at,
                active=timedelta(seconds=settings.sweep_active_seconds),
                idle=timedelta(seconds=settings.sweep_idle_seconds),
                jitter=_draw(),
            )
            await session.execute(
                update(Link).where(Link.link_id == self.link_id).values(last_sweep_at=now)
            )
            await _set_due(session, self.link_id, sweep=due, work=waiting.next_due)
            await ask_if_wanted(self.runtime, session, self.link_id)
            if waiting.next_due is not None:
                await defer(session, Job.DRAIN_LINK, self.link_id)

    async def _keep_mark(self, session: AsyncSession, active_at: datetime | None) -> None:
        full_at = self.started if self.is_full else (self.mark.full_at if self.mark else None)
        values = {"seen_to": self.started, "full_at": full_at, "active_at": active_at}
        await session.execute(
            insert(SweepMark)
            .values(link_id=self.link_id, **values)
            .on_conflict_do_update(index_elements=["link_id"], set_=values)
        )


async def _end_early(runtime: Runtime, link_id: LinkId, side: Side, fault: SystemFault) -> None:
    """Pause where we are not let in, else come again when the side may answer."""
    now = runtime.clock()
    if isinstance(fault, Unauthorised) and fault.reason is not AccessReason.PLAN:
        async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
            reason = pause_reason(fault.reason, books=side is Side.BOOKS)
            detail = {"side": side.value, "reason": fault.reason.value}
            await pause(session, link_id, reason=reason, detail=detail, now=now)
        return
    asked = getattr(fault, "retry_after", None)
    if isinstance(fault, RateLimited):
        async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
            until = now + timedelta(seconds=fault.retry_after)
            await hold_back(session, link_id, side, until=until)
    failure = Failure("other-system-away", shared=True, retry_after=asked)
    again = next_attempt(failure, attempts=4, now=now, jitter=_draw())
    await _try_later(runtime, link_id, again.at if isinstance(again, RetryAt) else now)


async def _try_later(runtime: Runtime, link_id: LinkId, at: datetime) -> None:
    async with runtime.database.transaction(CommitPoint.SWEEP_NOTED, link_id) as session:
        due = (await counts(session, link_id)).next_due
        await _set_due(session, link_id, sweep=at, work=due)


async def _set_due(
    session: AsyncSession, link_id: LinkId, *, sweep: datetime, work: datetime | None
) -> None:
    """Write when to sweep and when to drain; a drain that is due earlier stays so."""
    earlier = func.least(DirectoryEntry.next_due, work) if work is not None else None
    values = {"next_sweep": sweep} | ({} if earlier is None else {"next_due": earlier})
    await session.execute(
        update(DirectoryEntry).where(DirectoryEntry.link_id == link_id).values(values)
    )
