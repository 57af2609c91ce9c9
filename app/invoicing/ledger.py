"""Take hours into the ledger and set them free.

An hour is in one draft only, and the database says so.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import EntryId, LinkId
from app.invoicing.store import Draft, LedgerRow

_NOBODY: Final = UUID(int=0)


async def take_hours(
    session: AsyncSession, draft: Draft, *, time_company_id: str, now: datetime
) -> None:
    """
    Write a draft's hours into the ledger, in one order so that two drafts never wait in a circle.

    Raises:
        sqlalchemy.exc.IntegrityError: ``uq_ledger_active_entry``: an hour is in a draft already.

    """
    rows = [
        {
            "link_id": draft.link_id, "draft_id": draft.draft_id, "entry_id": entry_id,
            "time_company_id": time_company_id, "line_no": number,
            "minutes": draft.body["minutes"][entry_id], "rate": line["unitPrice"],
            "entry_version": draft.versions[entry_id], "active": True,
            "snapshot": draft.body.get("entries", {}).get(entry_id, {}),
            "created_at": now, "freed_at": None,
        }
        for number, line in enumerate(draft.body["lines"], 1)
        for entry_id in line["entryIds"]
    ]  # fmt: skip
    if rows:  # a follow-up bills differences, and its hours stand in their first draft
        await session.execute(insert(LedgerRow), sorted(rows, key=lambda row: row["entry_id"]))


async def free_hours(
    session: AsyncSession,
    draft: Draft,
    *,
    now: datetime,
    entry_ids: Iterable[str] | None = None,
) -> None:
    """Set a draft's hours (or some of them) free; the rows stay as history."""
    statement = update(LedgerRow).where(
        LedgerRow.link_id == draft.link_id, LedgerRow.draft_id == draft.draft_id, LedgerRow.active
    )
    if entry_ids is not None:
        statement = statement.where(LedgerRow.entry_id.in_(list(entry_ids)))
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
            LedgerRow.entry_id.in_(list(entry_ids)),
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
            LedgerRow.entry_id.in_(list(entry_ids)),
        )
    )
    return sorted(set(entry_ids) - set(free) - set(own))


async def hours_of(session: AsyncSession, link_id: LinkId, draft_id: Any) -> Sequence[LedgerRow]:  # noqa: ANN401 - a UUID of either library
    """Read a draft's hours, by line, then entry."""
    rows = await session.scalars(
        select(LedgerRow)
        .where(LedgerRow.link_id == link_id, LedgerRow.draft_id == draft_id)
        .order_by(LedgerRow.line_no, LedgerRow.entry_id)
    )
    return rows.all()
