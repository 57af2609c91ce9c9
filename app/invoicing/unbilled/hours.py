"""
Keep what each unbilled hour is worth: ids, day, minutes and amounts, no names and no texts.

The time system owns the hours; these rows only answer «how much lies on the table» at once, and
are read again from the beginning whenever they are missing.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Date, Index, Integer, Numeric, String, delete, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.canonical import BillingState, LinkId, Ore, TimeEntry
from app.database import Base, Instant
from app.invoicing.lines.extras import costs_by_id, extras_of
from app.invoicing.lines.lines import hours, line_net

_AT_ONCE: Final = 1000


class HourRow(Base):
    """
    Hold one hour that is marked to be billed; amounts in øre.

    Args:
        amount: ``None`` without a rate.
        expenses: The sum of ``costs``, which has each expense by ``extras.extra_id``, so that one
            that is billed already can be left out; both ``None`` where there is none.
        kilometres: ``None`` where there are none.

    """

    __tablename__ = "hours"
    __table_args__ = (Index("ix_hours_day", "link_id", "day"),)

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    entry_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
    customer_id: Mapped[str | None] = mapped_column(String(64))
    project_id: Mapped[str | None] = mapped_column(String(64))
    day: Mapped[date] = mapped_column(Date)
    minutes: Mapped[int] = mapped_column(Integer)
    amount: Mapped[int | None] = mapped_column(BigInteger)
    approved: Mapped[bool] = mapped_column(Boolean)
    held: Mapped[bool] = mapped_column(Boolean)
    expenses: Mapped[int | None] = mapped_column(BigInteger)
    kilometres: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    costs: Mapped[Mapping[str, Ore] | None] = mapped_column(JSONB(none_as_null=True))


class HoursMark(Base):
    """Hold until when a link's hours were read, and whether approval was required then."""

    __tablename__ = "hours_marks"

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(Instant)
    approval_required: Mapped[bool] = mapped_column(Boolean)


async def read_mark(session: AsyncSession, link_id: LinkId) -> HoursMark | None:
    """Read until when a link's hours were read; ``None`` when never."""
    return await session.scalar(select(HoursMark).where(HoursMark.link_id == link_id))


async def keep_hours(session: AsyncSession, link_id: LinkId, entries: Sequence[TimeEntry]) -> None:
    """Keep the hours to be billed as they are now, and forget those that are none any more."""
    open_ones = [e for e in entries if _is_open(e)]
    over = [entry.id for entry in entries if not _is_open(entry)]
    for start in range(0, len(over), _AT_ONCE):
        await session.execute(
            delete(HourRow).where(
                HourRow.link_id == link_id, HourRow.entry_id.in_(over[start : start + _AT_ONCE])
            )
        )
    for start in range(0, len(open_ones), _AT_ONCE):
        statement = insert(HourRow)
        fresh = {
            name: statement.excluded[name]
            for name in (
                "version", "customer_id", "project_id", "day", "minutes", "amount", "approved",
                "held", "expenses", "kilometres", "costs",
            )
        }  # fmt: skip
        await session.execute(
            statement.on_conflict_do_update(index_elements=["link_id", "entry_id"], set_=fresh),
            [_row(link_id, entry) for entry in open_ones[start : start + _AT_ONCE]],
        )


async def keep_mark(
    session: AsyncSession, link_id: LinkId, *, seen_at: datetime, approval_required: bool
) -> None:
    """Say that everything up to an instant was read."""
    values = {"seen_at": seen_at, "approval_required": approval_required}
    await session.execute(
        insert(HoursMark)
        .values(link_id=link_id, **values)
        .on_conflict_do_update(index_elements=["link_id"], set_=values)
    )


def _is_open(entry: TimeEntry) -> bool:
    worth = entry.minutes > 0 or bool(extras_of(entry))
    return not entry.gone and entry.billing is BillingState.TO_INVOICE and worth


def _row(link_id: LinkId, entry: TimeEntry) -> dict[str, object]:
    rate, costs = entry.hourly_rate, costs_by_id(entry)
    return {
        "link_id": link_id, "entry_id": entry.id, "version": entry.version,
        "customer_id": entry.customer_id, "project_id": entry.project_id, "day": entry.day,
        "minutes": entry.minutes,
        "amount": None if rate is None else line_net(hours(entry.minutes), rate),
        "approved": bool(entry.approved), "held": entry.held_by is not None,
        "expenses": sum(costs.values()) if costs else None, "costs": costs or None,
        "kilometres": entry.kilometers or None,
    }  # fmt: skip
