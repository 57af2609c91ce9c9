"""Choose the records a fix is for: all with a finding that it closes, narrowed as told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, RecordKind, Side
from app.records.businesses import UNREAD, KnownBusiness
from app.records.readiness import FixKind
from app.records.store import KnownRecord

MOST_AT_ONCE: Final = 100
"""Records of one call."""


@dataclass(frozen=True, slots=True)
class Filter:
    """
    Narrow which records are fixed.

    Args:
        finding: Only records with this finding.
        has_organization_number: Only records with, or without, an organization number.
        in_register: Only records whose number the business register knows.

    """

    finding: str | None = None
    has_organization_number: bool | None = None
    in_register: bool = False


EVERY: Final = Filter()


@dataclass(frozen=True, slots=True)
class Chosen:
    """Hold how many records a filter hits and those of this call; ``after`` if some are left."""

    matched: int
    ids: Sequence[str]
    after: str | None


async def choose(
    session: AsyncSession,
    link_id: LinkId,
    side: Side,
    kind: RecordKind,
    fix: FixKind,
    told: Filter,
    *,
    after: str | None,
) -> Chosen:
    """Choose by id upwards; records that were left out by a person are passed over."""
    wanted = {"fix": fix.value} | ({"code": told.finding} if told.finding else {})
    if fix is FixKind.LEAVE_OUT and told.finding:
        del wanted["fix"]  # anything may be left out, whatever else could be done about it
    where: list[ColumnElement[bool]] = [
        KnownRecord.link_id == link_id,
        KnownRecord.side == side.value,
        KnownRecord.kind == kind.value,
        KnownRecord.gone_at.is_(None),
        ~KnownRecord.left_out,
        KnownRecord.findings.contains([wanted]),
    ]
    if told.has_organization_number is not None:
        has = func.coalesce(KnownRecord.number, "") != ""
        where.append(has if told.has_organization_number else ~has)
    if told.in_register:
        known = select(KnownBusiness.number).where(
            KnownBusiness.number == KnownRecord.number,
            KnownBusiness.facts.is_not(None),
            KnownBusiness.facts != UNREAD,
        )
        where.append(known.exists())
    matched = await session.scalar(select(func.count()).select_from(KnownRecord).where(*where))
    rest = [*where, KnownRecord.record_id > after] if after is not None else where
    rows = await session.scalars(
        select(KnownRecord.record_id)
        .where(*rest)
        .order_by(KnownRecord.record_id)
        .limit(MOST_AT_ONCE + 1)
    )
    ids = rows.all()
    more = len(ids) > MOST_AT_ONCE
    return Chosen(matched or 0, ids[:MOST_AT_ONCE], ids[MOST_AT_ONCE - 1] if more else None)
