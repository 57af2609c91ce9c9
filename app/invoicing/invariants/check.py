"""Check a link's ledger, once a night or when an operator asks, and keep what was found."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.dialects.postgresql import insert

from app.canonical import LinkId
from app.database import CommitPoint
from app.invoicing.invariants.kept import LedgerCheck
from app.invoicing.invariants.read_suspects import read_suspects
from app.invoicing.invariants.violations import Violation, name_violations
from app.links.store import LinkState, directory_entry
from app.queue import Job, defer
from app.runtime import Runtime

_OSLO: Final = ZoneInfo("Europe/Oslo")
_BEGINS: Final = 2
"""The hour in Oslo from which a night's check is due."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Checked:
    """
    Hold what a check of one link found.

    Args:
        more: Suspects beyond those that were read, of whatever kind.

    """

    link_id: LinkId
    at: datetime
    violations: tuple[Violation, ...]
    more: int = 0

    @property
    def counts(self) -> Mapping[str, int]:
        """Count what was named, by code."""
        return Counter(one.code.value for one in self.violations)


async def check_link(runtime: Runtime, link_id: LinkId) -> Checked:
    """Check a link's ledger from what is stored; no other system is asked, nothing is changed."""
    now = runtime.clock()
    suspects, more = await read_suspects(runtime, link_id, now=now)
    return Checked(link_id, now, tuple(name_violations(suspects)), more)


async def check_and_keep(runtime: Runtime, link_id: LinkId) -> Checked:
    """Check a link's ledger and keep how many violations there are, for the operator's status."""
    checked = await check_link(runtime, link_id)
    values = {"checked_at": checked.at, "violations": dict(checked.counts), "more": checked.more}
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await session.execute(
            insert(LedgerCheck)
            .values(link_id=link_id, **values)
            .on_conflict_do_update(index_elements=["link_id"], set_=values)
        )
    return checked


async def check_ledger(runtime: Runtime, link_id: LinkId) -> None:
    """Check a link's ledger, unless this night's check is done (job ``CHECK_LEDGER``)."""
    async with runtime.database.reading(link_id) as session:
        kept = await session.get(LedgerCheck, link_id)
    if kept is not None and not is_due(kept.checked_at, now=runtime.clock()):
        return
    checked = await check_and_keep(runtime, link_id)
    for code, count in checked.counts.items():
        runtime.metrics.violations.labels(code).inc(count)
        _log.error("ledger invariant broken", link_id=str(link_id), code=code, count=count)


async def ask_for_check(runtime: Runtime, link_id: LinkId) -> None:
    """Ask for the night's check where it is due and the link is not closed; safe to repeat."""
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        entry = await directory_entry(session, link_id)
        if entry is None or entry.state == LinkState.CLOSED:
            return
        kept = await session.get(LedgerCheck, link_id)
        if kept is None or is_due(kept.checked_at, now=runtime.clock()):
            await defer(session, Job.CHECK_LEDGER, link_id)


def is_due(checked_at: datetime, *, now: datetime) -> bool:
    """Say whether no check was made since the last night began, by the clock of Oslo."""
    there = now.astimezone(_OSLO)
    night = there.replace(hour=_BEGINS, minute=0, second=0, microsecond=0)
    if night > there:
        night = (there - timedelta(days=1)).replace(hour=_BEGINS, minute=0, second=0, microsecond=0)
    return checked_at < night
