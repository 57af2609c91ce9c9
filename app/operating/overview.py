"""Read how everything stands: the database, the workers, the queue and the links in need."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from app.canonical import LinkId
from app.changes.store import Change, ChangeState
from app.database import is_migrated
from app.database_faults import is_outdated
from app.invoicing.needs import DraftProblem, needs_person
from app.invoicing.store import Draft
from app.links.store import DirectoryEntry, Link, LinkState
from app.operating.sealed import Sealed, count_sealed
from app.runtime import Runtime

LATE: Final = timedelta(minutes=5)
"""Work that should have begun this long ago means no worker, or one that is stuck."""

MOST_LINKS: Final = 50
"""How many links in need are told one by one."""

_AT_ONCE: Final = 500
_PROBLEM: Final = func.coalesce(Draft.problem, "")


@dataclass(frozen=True, slots=True)
class LinkInNeed:
    """
    Tell of a link that does not go on by itself; no name, key or text of a customer.

    Args:
        drafts: How many wait for a person, or for Conta to show them, by their problem.

    """

    link_id: LinkId
    state: str
    pause_reason: str | None
    pending: int
    parked: Mapping[str, int]
    drafts: Mapping[str, int]
    late: timedelta


@dataclass(frozen=True, slots=True)
class Overview:
    """
    Tell how everything stands at one moment.

    Args:
        migrated: The database has the tables that this release reads; else nothing is told of it.
        workers: Workers that gave a sign of life lately.
        jobs: The queue's jobs by status (``todo``, ``doing``, ``failed``).
        links: Links by state.
        in_need: At most ``MOST_LINKS`` that need someone, the latest first.
        more: How many beyond them.
        sealed: How many secrets are sealed with which key.

    """

    at: datetime
    migrated: bool
    workers: int = 0
    jobs: Mapping[str, int] | None = None
    links: Mapping[str, int] | None = None
    in_need: Sequence[LinkInNeed] = ()
    more: int = 0
    sealed: Sealed = field(default_factory=Sealed)

    @property
    def is_well(self) -> bool:
        """Say whether nobody is needed."""
        return self.migrated and self.workers > 0 and not self.in_need


async def read_overview(runtime: Runtime) -> Overview:
    """Read how everything stands; links' own rows in transactions bound to many links at once."""
    now = runtime.clock()
    if await is_migrated(runtime.database):
        try:
            return await _read(runtime, now)
        except DBAPIError as err:
            if not is_outdated(err):
                raise
    return Overview(now, migrated=False)


async def _read(runtime: Runtime, now: datetime) -> Overview:
    async with runtime.database.reading() as session:
        workers = await _workers(session, runtime.settings.stalled_seconds)
        jobs = await session.execute(
            text("SELECT status::text, count(*) FROM procrastinate_jobs GROUP BY status")
        )
        counted: dict[str, int] = dict(jobs.all())
        entries = (await session.scalars(select(DirectoryEntry))).all()
    open_entries = [entry for entry in entries if entry.state != LinkState.CLOSED]
    found: list[LinkInNeed] = []
    for start in range(0, len(open_entries), _AT_ONCE):
        found += await _judge(runtime, open_entries[start : start + _AT_ONCE], now)
    found.sort(key=lambda one: (one.late, sum(one.parked.values())), reverse=True)
    closed = [LinkId(one.link_id) for one in entries if one.state == LinkState.CLOSED]
    still_open = [LinkId(entry.link_id) for entry in open_entries]
    sealed = await count_sealed(runtime.database, still_open, closed, now=now)
    return Overview(
        now, migrated=True, workers=workers, jobs=counted,
        links=dict(Counter(entry.state for entry in entries)), in_need=found[:MOST_LINKS],
        more=max(len(found) - MOST_LINKS, 0), sealed=sealed,
    )  # fmt: skip


async def _workers(session: AsyncSession, stalled_seconds: float) -> int:
    # The queue's signs of life are told by the database's clock, so it judges them as well.
    alive = await session.scalar(
        text(
            "SELECT count(*) FROM procrastinate_workers"
            " WHERE last_heartbeat > now() - make_interval(secs => :stalled)"
        ),
        {"stalled": stalled_seconds},
    )
    return alive or 0


async def _judge(
    runtime: Runtime, entries: Sequence[DirectoryEntry], now: datetime
) -> list[LinkInNeed]:
    """Give those of these links that need someone."""
    async with runtime.database.reading(*(LinkId(entry.link_id) for entry in entries)) as session:
        reasons = await session.execute(
            select(Link.link_id, Link.pause_reason).where(Link.pause_reason.is_not(None))
        )
        paused = dict(reasons.all())
        parked = await _grouped(
            session, Change.link_id, func.coalesce(Change.code, "unexpected-failure"),
            Change.state == ChangeState.PARKED,
        )  # fmt: skip
        asking = needs_person() | (Draft.problem == DraftProblem.UNCONFIRMED)
        drafts = await _grouped(session, Draft.link_id, _PROBLEM, asking)
    found = [
        LinkInNeed(
            link_id=LinkId(entry.link_id),
            state=entry.state,
            pause_reason=paused.get(entry.link_id),
            pending=entry.pending,
            parked=parked.get(entry.link_id, {}),
            drafts=drafts.get(entry.link_id, {}),
            late=_lateness(entry, now),
        )
        for entry in entries
    ]
    return [one for one in found if one.pause_reason or one.parked or one.drafts or one.late > LATE]


async def _grouped(
    session: AsyncSession,
    link: InstrumentedAttribute[UUID],
    what: ColumnElement[str] | InstrumentedAttribute[str],
    which: ColumnElement[bool],
) -> dict[UUID, dict[str, int]]:
    rows = await session.execute(select(link, what, func.count()).where(which).group_by(link, what))
    found: dict[UUID, dict[str, int]] = {}
    for link_id, name, count in rows:
        found.setdefault(link_id, {})[name] = count
    return found


def _lateness(entry: DirectoryEntry, now: datetime) -> timedelta:
    due = [moment for moment in (entry.next_due, entry.next_draft) if moment is not None]
    if entry.state != LinkState.ACTIVE or not due:
        return timedelta(0)
    return max(now - min(due), timedelta(0))
