"""Read the hours a person may choose from, each with what hinders it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import EntryId, LinkId, RecordId, RecordKind, TimeEntry
from app.invoicing.ledger.corrections import billed_extras
from app.invoicing.ledger.many import one_of
from app.invoicing.lines.extras import Billed, Extra, extras_of, split_extras
from app.invoicing.lines.wish import Wish
from app.invoicing.store import LedgerRow
from app.invoicing.unbilled.hindrances import Hindrance, Surroundings, hindrances, oslo_day
from app.links.open_systems import open_time
from app.links.pairs import Pair
from app.problems import Problem
from app.runtime import Runtime
from app.systems.ports import EntryQuery, TimeTracker


@dataclass(frozen=True, slots=True)
class Judged:
    """
    Hold an entry with what hinders it; an empty tuple means billable.

    Args:
        extras: Its expenses and kilometres that are not billed yet.

    """

    entry: TimeEntry
    hindrances: tuple[Hindrance, ...]
    draft_id: str | None
    extras: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """
    Hold what was read for a choice: the entries, judged, and the customer's pair if one is.

    Args:
        billed: What living drafts bill of the entries beside time.
        unknown: Chosen ids that the time system does not know.

    """

    judged: tuple[Judged, ...]
    surroundings: Surroundings
    billed: Billed
    unknown: tuple[EntryId, ...] = ()

    @property
    def billable(self) -> tuple[TimeEntry, ...]:
        """Give the entries nothing hinders."""
        return tuple(j.entry for j in self.judged if not j.hindrances)


def without_useless(choice: Choice, wish: Wish) -> Choice:
    """Hinder what has no minutes and nothing that the wish wants billed: no line would be of it."""
    takes, _ = split_extras(choice.billable, wish, billed=choice.billed)
    useless = {e.id for e in choice.billable if e.minutes <= 0 and e.id not in takes}
    judged = (
        replace(one, hindrances=(Hindrance.NO_MINUTES,)) if one.entry.id in useless else one
        for one in choice.judged
    )
    return replace(choice, judged=tuple(judged))


async def read_choice(
    runtime: Runtime,
    link_id: LinkId,
    query: EntryQuery,
    *,
    entry_ids: Sequence[EntryId] | None = None,
    overtime: str | None = None,
) -> Choice:
    """
    Read entries from the time system and judge each.

    Args:
        entry_ids: Only these, each that the query or the overtime type does not choose with that
            as what hinders it; without them all that are chosen.
        overtime: Only hours of this overtime type; the empty text takes plain hours only.

    Raises:
        Problem: ``billable-hours-off`` (409) where the company does not bill hours at all.

    """
    tracker = await open_time(runtime, link_id)
    settings = await tracker.settings()
    if not settings.billable_hours:
        raise Problem("billable-hours-off")
    entries, of_project = await _read(tracker, query, entry_ids)
    if overtime is not None and entry_ids is None:
        entries = tuple(e for e in entries if (e.overtime_type or "") == overtime)
    async with runtime.database.reading(link_id) as session:
        billed = await _billed(session, link_id, entries)
        extras = {entry.id: tuple(extras_of(entry, billed)) for entry in entries}
        surroundings = Surroundings(
            linked=await _linked(session, link_id),
            approval_required=settings.approval_required,
            in_draft=await in_drafts(session, link_id, [entry.id for entry in entries]),
            customer_id=query.customer_id,
            of_project=of_project,
            first_day=query.first_day or date.min,
            last_day=query.last_day or date.max,
            employee_id=query.employee_id,
            overtime=overtime,
            today=oslo_day(runtime.clock()),
            beside=frozenset(entry_id for entry_id, own in extras.items() if own),
        )
    known = {entry.id for entry in entries}
    return Choice(
        tuple(_judge(entry, surroundings, extras[entry.id]) for entry in entries),
        surroundings,
        billed,
        tuple(one for one in dict.fromkeys(entry_ids or ()) if one not in known),
    )


def _judge(entry: TimeEntry, around: Surroundings, extras: tuple[Extra, ...]) -> Judged:
    return Judged(entry, hindrances(entry, around), around.in_draft.get(entry.id), extras)


async def _billed(
    session: AsyncSession, link_id: LinkId, entries: Sequence[TimeEntry]
) -> dict[str, set[UUID]]:
    """Read which expenses and kilometres of these hours a living draft bills already."""
    ids = [entry.id for entry in entries if extras_of(entry)]
    return await billed_extras(session, link_id, ids) if ids else {}


async def _read(
    tracker: TimeTracker, query: EntryQuery, entry_ids: Sequence[EntryId] | None
) -> tuple[tuple[TimeEntry, ...], frozenset[EntryId] | None]:
    """Read the hours, and which of them are of the chosen project where both were chosen."""
    if entry_ids is None:
        return await tracker.entries(query), None
    found = await tracker.entries_by_id(tuple(dict.fromkeys(entry_ids)))
    ordered = tuple(sorted(found, key=lambda entry: (entry.day, entry.id)))
    if query.project_id is None or not ordered:
        return ordered, None
    # The period and the person are judged by themselves: here they would be taken for the project.
    of_project = replace(
        query, employee_id=None, first_day=ordered[0].day, last_day=ordered[-1].day
    )
    return ordered, frozenset(entry.id for entry in await tracker.entries(of_project))


async def _linked(session: AsyncSession, link_id: LinkId) -> frozenset[RecordId]:
    rows = await session.scalars(
        select(Pair.time_id).where(Pair.link_id == link_id, Pair.kind == RecordKind.CUSTOMER)
    )
    return frozenset(RecordId(row) for row in rows)


async def in_drafts(
    session: AsyncSession, link_id: LinkId, entry_ids: Sequence[EntryId]
) -> Mapping[EntryId, str]:
    """Say which of these entries stand in a draft of this link, and in which."""
    rows = await session.execute(
        select(LedgerRow.entry_id, LedgerRow.draft_id).where(
            LedgerRow.link_id == link_id,
            LedgerRow.active,
            one_of(LedgerRow.entry_id, entry_ids),
        )
    )
    return {EntryId(entry_id): str(draft_id) for entry_id, draft_id in rows}


async def customer_pair(session: AsyncSession, link_id: LinkId, customer: str) -> Pair:
    """
    Find a customer's pair by its id on the time side, or by the pair's own id.

    Raises:
        Problem: ``customer-not-linked`` (409).

    """
    pair = await session.scalar(
        select(Pair).where(
            Pair.link_id == link_id, Pair.kind == RecordKind.CUSTOMER, Pair.time_id == customer
        )
    )
    if pair is None:
        raise Problem("customer-not-linked", customer=customer)
    return pair


async def project_pair(session: AsyncSession, link_id: LinkId, project: str) -> Pair | None:
    """Find a project's pair by its id on the time side."""
    return await session.scalar(
        select(Pair).where(
            Pair.link_id == link_id, Pair.kind == RecordKind.PROJECT, Pair.time_id == project
        )
    )
