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
from app.invoicing.invariants.kept import LedgerCheck
from app.invoicing.needs import DraftProblem, needs_person
from app.invoicing.store import Draft
from app.links.store import DirectoryEntry, Link, LinkState
from app.operating.sealed import Sealed, count_sealed
from app.runtime import Runtime

LATE: Final = timedelta(minutes=5)
"""Work that should have begun this long ago means no worker, or one that is stuck."""

MOST_LINKS: Final = 50
"""How many links in need are told one by one."""

UNNAMED: Final = "not-named"
"""Stands, among the violations of a link, for those beyond the ones that a check names."""

_AT_ONCE: Final = 500
_PROBLEM: Final = func.coalesce(Draft.problem, "")


@dataclass(frozen=True, slots=True)
class LinkInNeed:
    """
    Tell of a link that does not go on by itself; no name, key or text of a customer.

    Args:
        drafts: How many wait for a person, or for Conta to show them, by their problem.
        violations: What the last check of its ledger found broken, by code.
        checked_at: When that was; ``None`` where it was not checked yet.

    """

    link_id: LinkId
    state: str
    pause_reason: str | None
    pending: int
    parked: Mapping[str, int]
    drafts: Mapping[str, int]
    late: timedelta
    violations: Mapping[str, int] = field(default_factory=dict)
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LedgerChecks:
    """
    Tell of the last checks of the ledgers of all links that are not closed.

    Args:
        violations: How many they found.
        oldest: When the link was checked whose check is longest ago; ``None`` where none was.
        unchecked: Links that were not checked yet.

    """

    violations: int = 0
    oldest: datetime | None = None
    unchecked: int = 0


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
        ledger: What the last checks of the ledgers found.

    """

    at: datetime
    migrated: bool
    workers: int = 0
    jobs: Mapping[str, int] | None = None
    links: Mapping[str, int] | None = None
    in_need: Sequence[LinkInNeed] = ()
    more: int = 0
    sealed: Sealed = field(default_factory=Sealed)
    ledger: LedgerChecks = field(default_factory=LedgerChecks)

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
    judged: list[LinkInNeed] = []
    checks: list[LedgerChecks] = []
    for start in range(0, len(open_entries), _AT_ONCE):
        some = await _judge(runtime, open_entries[start : start + _AT_ONCE], now)
        checks.append(_together([_of_link(one) for one in some]))
        judged += [one for one in some if _is_in_need(one)]
    found = sorted(judged, key=lambda one: (one.late, sum(one.parked.values())), reverse=True)
    closed = [LinkId(one.link_id) for one in entries if one.state == LinkState.CLOSED]
    still_open = [LinkId(entry.link_id) for entry in open_entries]
    sealed = await count_sealed(runtime.database, still_open, closed, now=now)
    return Overview(
        now, migrated=True, workers=workers, jobs=counted,
        links=dict(Counter(entry.state for entry in entries)), in_need=found[:MOST_LINKS],
        more=max(len(found) - MOST_LINKS, 0), sealed=sealed, ledger=_together(checks),
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
    """Tell how each of these links stands."""
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
        checks = {one.link_id: one for one in await session.scalars(select(LedgerCheck))}
    return [
        LinkInNeed(
            link_id=LinkId(entry.link_id),
            state=entry.state,
            pause_reason=paused.get(entry.link_id),
            pending=entry.pending,
            parked=parked.get(entry.link_id, {}),
            drafts=drafts.get(entry.link_id, {}),
            late=_lateness(entry, now),
            violations=_violations(checks.get(entry.link_id)),
            checked_at=checks[entry.link_id].checked_at if entry.link_id in checks else None,
        )
        for entry in entries
    ]


def _is_in_need(one: LinkInNeed) -> bool:
    reasons = (one.pause_reason, one.parked, one.drafts, one.violations)
    return any(reasons) or one.late > LATE


def _violations(kept: LedgerCheck | None) -> Mapping[str, int]:
    if kept is None:
        return {}
    return {**kept.violations, **({UNNAMED: kept.more} if kept.more else {})}


def _of_link(one: LinkInNeed) -> LedgerChecks:
    unchecked = int(one.checked_at is None)
    return LedgerChecks(sum(one.violations.values()), one.checked_at, unchecked)


def _together(checks: Sequence[LedgerChecks]) -> LedgerChecks:
    return LedgerChecks(
        sum(one.violations for one in checks),
        min((one.oldest for one in checks if one.oldest is not None), default=None),
        sum(one.unchecked for one in checks),
    )


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
