"""
Keep which follow-up draft bills the difference of which changed hour, beside the ledger.

An hour stands in the ledger once, in its first draft; what followed stands here, each change in one
living follow-up only, and the database says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Index,
    Integer,
    String,
    insert,
    select,
    text,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, aliased, mapped_column

from app.canonical import LinkId
from app.database import Base, Instant
from app.invoicing.ledger.many import one_of
from app.invoicing.lines.difference import Correction, last_line
from app.invoicing.lines.extras import extra_id
from app.invoicing.store import Draft

CORRECTIONS: Final = "corrections"
"""Names, in a draft's frozen body, what it bills of which changed hour."""

BILLED: Final = "extras"
"""Names, in a draft's frozen body, which expenses and kilometres of its own hours it bills."""

LEFT_OUT: Final = "leftOutExtras"
"""Names, in a draft's frozen body, which expenses and kilometres of its own hours it leaves out."""


class CorrectionRow(Base):
    """
    Hold one difference that a follow-up draft bills, or expenses or kilometres of an hour.

    Args:
        change_id: The change of the hour; for expenses and kilometres ``extras.extra_id``, so that
            they are billed once whichever draft bills them.
        draft_id: The follow-up; ``corrected_id`` is the draft that billed the hour first, in its
            line ``corrected_line`` (0 for expenses and kilometres: they are upon no line).
        line_no: The follow-up's line; of two (the rate changed) the later; 0 where there is none.
        takes_back: The hour is gone, or another customer's: nothing of it stays billed.
        given_back_at: When such an hour was set free, since the follow-up became an invoice.

    """

    __tablename__ = "corrections"
    __table_args__ = (
        Index(
            "uq_corrections_active_change",
            "link_id",
            "change_id",
            unique=True,
            postgresql_where=text("active"),
        ),
        Index("ix_corrections_corrected", "link_id", "corrected_id"),
        Index("ix_corrections_entry", "link_id", "entry_id"),
    )

    link_id: Mapped[UUID] = mapped_column(primary_key=True)
    draft_id: Mapped[UUID] = mapped_column(primary_key=True)
    change_id: Mapped[UUID] = mapped_column(primary_key=True)
    entry_id: Mapped[str] = mapped_column(String(64))
    corrected_id: Mapped[UUID] = mapped_column()
    corrected_line: Mapped[int] = mapped_column(Integer)
    line_no: Mapped[int] = mapped_column(Integer)
    minutes: Mapped[int] = mapped_column(Integer)
    net: Mapped[int] = mapped_column(BigInteger)
    takes_back: Mapped[bool] = mapped_column(Boolean)
    active: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime] = mapped_column(Instant)
    freed_at: Mapped[datetime | None] = mapped_column(Instant)
    given_back_at: Mapped[datetime | None] = mapped_column(Instant)


def correction_to_json(
    found: Correction, draft_id: UUID, corrected_line: int, lines_before: int
) -> dict[str, Any]:
    """
    Write what a follow-up bills of one hour, for the draft's frozen body.

    Args:
        draft_id: The draft that billed it first, in its line ``corrected_line``.
        lines_before: How many lines the follow-up has before this hour's.

    """
    return {
        "lines": list(range(lines_before + 1, lines_before + 1 + len(found.lines))),
        "changeId": found.change.change_id, "entryId": found.change.entry_id,
        "draftId": str(draft_id), "correctedLine": corrected_line,
        "minutes": sum(line.minutes for line in found.lines),
        "net": sum(line.net for line in found.lines),
        "before": dict(found.before) if found.before else None,
        "now": dict(found.change.now) if found.change.now else None,
    }  # fmt: skip


def extra_to_json(
    draft_id: UUID, entry_id: str, what: str, *, lines: Sequence[int] = (), net: int = 0
) -> dict[str, Any]:
    """
    Write that an hour's expenses or kilometres are billed, for a draft's frozen body.

    Args:
        draft_id: The draft that holds the hour.
        what: Its name (``extras.Extra``).
        lines: The lines (from 1) of the draft that bills them; none where it holds the hour too.
        net: What they come to, in øre.

    """
    return {
        "lines": list(lines), "changeId": str(extra_id(entry_id, what)), "entryId": entry_id,
        "draftId": str(draft_id), "correctedLine": 0, "minutes": 0, "net": net, "before": None,
        "now": None,
    }  # fmt: skip


def is_extra(correction: Mapping[str, Any]) -> bool:
    """Say whether it bills expenses or kilometres, which are upon no line, and no time."""
    return bool(correction["correctedLine"] == 0)


def corrections_of(draft: Draft) -> Sequence[Mapping[str, Any]]:
    """Give what a follow-up bills, hour by hour; nothing for any other draft."""
    found: Sequence[Mapping[str, Any]] = draft.body.get("about", {}).get(CORRECTIONS, [])
    return found


async def take_corrections(session: AsyncSession, draft: Draft, *, now: datetime) -> None:
    """
    Write what a follow-up bills, and what any draft bills of expenses and kilometres.

    Raises:
        sqlalchemy.exc.IntegrityError: ``uq_corrections_active_change``: billed already.

    """
    own = [
        extra_to_json(draft.draft_id, entry_id, what)
        for entry_id, billed in draft.body.get("about", {}).get(BILLED, {}).items()
        for what in billed
    ]
    rows = [_row(draft, one, now) for one in (*corrections_of(draft), *own)]
    if rows:
        await session.execute(insert(CorrectionRow), rows)


def _row(draft: Draft, one: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "link_id": draft.link_id, "draft_id": draft.draft_id, "change_id": UUID(one["changeId"]),
        "entry_id": one["entryId"], "corrected_id": UUID(one["draftId"]),
        "corrected_line": one["correctedLine"], "line_no": last_line(one),
        "minutes": one["minutes"], "net": one["net"],
        "takes_back": one["now"] is None and not is_extra(one), "active": True,
        "created_at": now, "freed_at": None, "given_back_at": None,
    }  # fmt: skip


async def billed_extras(
    session: AsyncSession, link_id: LinkId, entry_ids: Iterable[str]
) -> dict[str, set[UUID]]:
    """Give which expenses and kilometres (``extras.extra_id``) living drafts bill, by hour."""
    rows = await session.execute(
        select(CorrectionRow.entry_id, CorrectionRow.change_id).where(
            CorrectionRow.link_id == link_id, CorrectionRow.active,
            CorrectionRow.corrected_line == 0, one_of(CorrectionRow.entry_id, entry_ids),
        )
    )  # fmt: skip
    found: dict[str, set[UUID]] = {}
    for entry_id, change_id in rows:
        found.setdefault(entry_id, set()).add(change_id)
    return found


async def free_corrections(session: AsyncSession, draft: Draft, *, now: datetime) -> None:
    """End what a follow-up billed that came to nothing; the rows stay as history."""
    await session.execute(
        update(CorrectionRow)
        .where(
            CorrectionRow.link_id == draft.link_id, CorrectionRow.draft_id == draft.draft_id,
            CorrectionRow.active,
        )
        .values(active=False, freed_at=now)
    )  # fmt: skip


async def follow_ups_upon(
    session: AsyncSession,
    link_id: LinkId,
    draft: Draft,
    *,
    entry_ids: Sequence[str] | None = None,
) -> list[UUID]:
    """
    Give the living follow-ups that bill a difference upon what a draft bills, the newest first.

    Upon a first draft those of any of its hours; upon a follow-up those that came after it to the
    same line, since they were reckoned upon it.

    Args:
        entry_ids: Only of these hours.

    """
    later, own = aliased(CorrectionRow), aliased(CorrectionRow)
    upon_own = (
        (own.link_id == link_id)
        & (own.draft_id == draft.draft_id)
        & (own.corrected_id == later.corrected_id)
        & (own.corrected_line == later.corrected_line)
        & (own.corrected_line > 0)
        & (own.draft_id < later.draft_id)
    )
    rows = await session.scalars(
        select(later.draft_id)
        .where(
            later.link_id == link_id, later.active, later.draft_id != draft.draft_id,
            later.corrected_line > 0,
            true() if entry_ids is None else later.entry_id.in_(entry_ids),
            (later.corrected_id == draft.draft_id) | select(own.change_id).where(upon_own).exists(),
        )
        .order_by(later.draft_id.desc())
        .distinct()
    )  # fmt: skip
    return list(rows)


async def gave_back_from(session: AsyncSession, link_id: LinkId, draft_id: UUID) -> list[UUID]:
    """Give the drafts whose hours a living follow-up set free, since it took them back whole."""
    rows = await session.scalars(
        select(CorrectionRow.corrected_id)
        .where(
            CorrectionRow.link_id == link_id, CorrectionRow.draft_id == draft_id,
            CorrectionRow.active, CorrectionRow.given_back_at.is_not(None),
        )
        .distinct()
    )  # fmt: skip
    return list(rows)


async def corrections_by_hour(
    session: AsyncSession, link_id: LinkId, entry_ids: Iterable[str]
) -> list[tuple[CorrectionRow, Draft]]:
    """Read what followed of these hours, each with its follow-up draft, the newest first."""
    followed = CorrectionRow.draft_id != CorrectionRow.corrected_id
    return await _by_hour(session, link_id, entry_ids, followed)


async def beside_by_hour(
    session: AsyncSession, link_id: LinkId, entry_ids: Iterable[str]
) -> list[tuple[CorrectionRow, Draft]]:
    """Read what is billed of these hours beside time, each with its draft, the newest first."""
    return await _by_hour(session, link_id, entry_ids, CorrectionRow.corrected_line == 0)


async def _by_hour(
    session: AsyncSession, link_id: LinkId, entry_ids: Iterable[str], which: ColumnElement[bool]
) -> list[tuple[CorrectionRow, Draft]]:
    rows = await session.execute(
        select(CorrectionRow, Draft)
        .join(
            Draft,
            (Draft.link_id == CorrectionRow.link_id) & (Draft.draft_id == CorrectionRow.draft_id),
        )
        .where(CorrectionRow.link_id == link_id, CorrectionRow.entry_id.in_(list(entry_ids)), which)
        .order_by(CorrectionRow.created_at.desc(), CorrectionRow.change_id)
    )
    return [(row, draft) for row, draft in rows]
