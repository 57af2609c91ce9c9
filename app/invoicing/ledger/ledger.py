"""Take hours into the ledger and set them free.

An hour is in one draft only, and the database says so.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import EntryId, LinkId
from app.invoicing.ledger.corrections import free_corrections
from app.invoicing.ledger.decided import reopen
from app.invoicing.ledger.many import one_of
from app.invoicing.store import Draft, LedgerRow

_NOBODY: Final = UUID(int=0)
_TAKE: Final = text("""
    INSERT INTO ledger (link_id, draft_id, entry_id, time_company_id, line_no, minutes, rate,
      entry_version, snapshot, active, created_at)
    SELECT d.link_id, d.draft_id, hour.key, :company, line.number,
      (hour.value->>'minutes')::integer, (hour.value->>'rate')::bigint,
      version.value::integer, hour.value, true, :now
    FROM drafts d
    CROSS JOIN LATERAL jsonb_each(d.body->'entries') AS hour
    JOIN LATERAL jsonb_each_text(d.versions) AS version ON version.key = hour.key
    JOIN LATERAL (
      SELECT numbered.number, entry.id
      FROM jsonb_array_elements(d.body->'lines') WITH ORDINALITY AS numbered (whole, number)
      CROSS JOIN LATERAL jsonb_array_elements_text(numbered.whole->'entryIds') AS entry (id)
    ) AS line ON line.id = hour.key
    WHERE d.link_id = :link AND d.draft_id = :draft
    ORDER BY hour.key
""")
"""One statement: 5,000 inserts of their own took a second, most of it ours."""


async def take_hours(
    session: AsyncSession, draft: Draft, *, time_company_id: str, now: datetime
) -> None:
    """
    Write a draft's hours into the ledger, in one order so that two drafts never wait in a circle.

    The draft is written already; its body gives each hour, its line and what it was. A follow-up
    has none: its hours stand in their first draft.

    Raises:
        sqlalchemy.exc.IntegrityError: ``uq_ledger_active_entry``: an hour is in a draft already.

    """
    await session.execute(
        _TAKE,
        {
            "link": draft.link_id, "draft": draft.draft_id, "company": time_company_id,
            "now": now,
        },
    )  # fmt: skip


async def free_hours(session: AsyncSession, draft: Draft, *, now: datetime) -> None:
    """Set a draft's hours free, and what it bills of others; a follow-up's changes open again."""
    await free_entries(session, draft, now=now)
    await free_corrections(session, draft, now=now)
    await reopen(session, draft, now=now)


async def free_entries(
    session: AsyncSession,
    draft: Draft,
    *,
    now: datetime,
    entry_ids: Iterable[str] | None = None,
) -> None:
    """Set the hours a draft holds (or some of them) free; the rows stay as history."""
    statement = update(LedgerRow).where(
        LedgerRow.link_id == draft.link_id, LedgerRow.draft_id == draft.draft_id, LedgerRow.active
    )
    if entry_ids is not None:
        statement = statement.where(one_of(LedgerRow.entry_id, entry_ids))
    await session.execute(statement.values(active=False, freed_at=now))


async def holders(
    session: AsyncSession, link_id: LinkId, entry_ids: Sequence[EntryId]
) -> dict[str, list[str]]:
    """Say which drafts of this link hold these hours: draft id to entry ids."""
    rows = await session.execute(
        select(LedgerRow.draft_id, LedgerRow.entry_id)
        .where(
            LedgerRow.link_id == link_id,
            LedgerRow.active,
            one_of(LedgerRow.entry_id, entry_ids),
        )
        .order_by(LedgerRow.draft_id, LedgerRow.entry_id)
    )
    found: dict[str, list[str]] = {}
    for draft_id, entry_id in rows:
        found.setdefault(str(draft_id), []).append(str(entry_id))
    return found


async def held_elsewhere(
    session: AsyncSession, link_id: LinkId, time_company_id: str, entry_ids: Sequence[EntryId]
) -> list[str]:
    """
    Say which hours other links of the company hold, whose rows this one may not see.

    The unique index sees them: what cannot be inserted and is not ours is theirs. Nothing stays;
    the caller's transaction must be one that is rolled back.
    """
    now = datetime.now(UTC)
    rows: list[dict[str, Any]] = [
        {
            "link_id": link_id, "draft_id": _NOBODY, "entry_id": entry_id,
            "time_company_id": time_company_id, "line_no": 0, "minutes": 0, "rate": 0,
            "entry_version": 0, "snapshot": {}, "active": True, "created_at": now, "freed_at": None,
        }
        for entry_id in entry_ids
    ]  # fmt: skip
    free = await session.scalars(
        upsert(LedgerRow).on_conflict_do_nothing().returning(LedgerRow.entry_id), rows
    )
    own = await session.scalars(
        select(LedgerRow.entry_id).where(
            LedgerRow.link_id == link_id,
            LedgerRow.active,
            LedgerRow.draft_id != _NOBODY,
            one_of(LedgerRow.entry_id, entry_ids),
        )
    )
    return sorted(set(entry_ids) - set(free) - set(own))


async def hours_of(
    session: AsyncSession, link_id: LinkId, draft_ids: Sequence[UUID]
) -> Mapping[UUID, list[LedgerRow]]:
    """Read the hours of drafts in one query: by draft, then by line, then entry."""
    rows = await session.scalars(
        select(LedgerRow)
        .where(LedgerRow.link_id == link_id, LedgerRow.draft_id.in_(draft_ids))
        .order_by(LedgerRow.line_no, LedgerRow.entry_id)
    )
    found: dict[UUID, list[LedgerRow]] = defaultdict(list)
    for row in rows:
        found[row.draft_id].append(row)
    return found
