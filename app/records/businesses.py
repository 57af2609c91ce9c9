"""Keep what the business register answered, by organization number; public facts, of no link."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ARRAY, Result, String, Text, any_, cast, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.canonical import Address
from app.database import Base, Instant
from app.systems.register import Business, Businesses

UNREAD: Final[Mapping[str, Any]] = {}
"""The facts of a number whose answer could not be read: neither a business nor none."""


class KnownBusiness(Base):
    """
    Hold one answer of the register.

    Args:
        facts: The business as JSON; ``None`` where the register knows no such number, empty where
            what it says cannot be read.
        asked_at: When it was asked; an old answer is used until a newer one comes.

    """

    __tablename__ = "businesses"

    number: Mapped[str] = mapped_column(String(9), primary_key=True)
    facts: Mapped[Mapping[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    asked_at: Mapped[datetime] = mapped_column(Instant)


_MAIN_UNIT: Final = KnownBusiness.facts["main_unit"].astext

_KEEP = text("""
INSERT INTO businesses (number, facts, asked_at)
SELECT n.number, CAST(n.facts AS jsonb), :now
FROM unnest(CAST(:numbers AS text[]), CAST(:facts AS text[])) AS n (number, facts)
ORDER BY n.number
ON CONFLICT (number) DO UPDATE SET facts = excluded.facts, asked_at = excluded.asked_at
""")


# Both are looked up by their key: an OR would walk through the answers of all links.
_FAMILIES = text("""
SELECT number, facts - 'address' FROM businesses
WHERE number = ANY(ARRAY(
  SELECT unnest(CAST(:numbers AS text[]))
  UNION
  SELECT facts ->> 'main_unit' FROM businesses WHERE number = ANY(CAST(:numbers AS text[]))
))
""")

# An older answer says more than one that cannot be read.
_KEEP_UNREAD = text("""
INSERT INTO businesses (number, facts, asked_at)
SELECT n.number, '{}', :now FROM unnest(CAST(:numbers AS text[])) AS n (number)
ORDER BY n.number
ON CONFLICT (number)
DO UPDATE SET facts = coalesce(businesses.facts, '{}'), asked_at = excluded.asked_at
""")


async def remember_businesses(
    session: AsyncSession, found: Businesses, *, unread: Sequence[str] = (), now: datetime
) -> None:
    """
    Keep answers of the register; a newer one takes the place of an older one.

    Args:
        unread: Numbers whose answer could not be read; they count as asked for all the same.

    """
    if unread:
        await session.execute(_KEEP_UNREAD, {"now": now, "numbers": list(unread)})
    await session.execute(
        _KEEP,
        {
            "now": now,
            "numbers": list(found),
            "facts": [json.dumps(asdict(one)) if one else None for one in found.values()],
        },
    )


async def recall_businesses(session: AsyncSession, numbers: Collection[str]) -> Businesses:
    """Give what was answered for these numbers; one that was never answered is not in it."""
    rows = await session.execute(
        select(KnownBusiness.number, KnownBusiness.facts).where(
            KnownBusiness.number == _any_of(numbers)
        )
    )
    return _read(rows)


async def recall_families(session: AsyncSession, numbers: Collection[str]) -> Businesses:
    """
    Give the same and the main units that those name, all without addresses, in one statement.

    A page of a hundred lines may well show four hundred numbers; for none nothing is asked.
    """
    if not numbers:
        return {}
    return _read(await session.execute(_FAMILIES, {"numbers": list(numbers)}))


async def main_units_of(session: AsyncSession, numbers: Collection[str]) -> frozenset[str]:
    """Give the numbers of the main units that these numbers' answers name."""
    rows = await session.scalars(
        select(_MAIN_UNIT).where(KnownBusiness.number == _any_of(numbers), _MAIN_UNIT.is_not(None))
    )
    return frozenset(rows)


async def fresh_numbers(
    session: AsyncSession, numbers: Collection[str], *, since: datetime
) -> frozenset[str]:
    """Give the numbers that were asked for since an instant."""
    rows = await session.scalars(
        select(KnownBusiness.number).where(
            KnownBusiness.number == _any_of(numbers), KnownBusiness.asked_at >= since
        )
    )
    return frozenset(rows)


def _read(rows: Result[Any, Any]) -> Businesses:
    return {
        number: _business(facts) if facts is not None else None
        for number, facts in rows
        if facts != UNREAD
    }


def _any_of(numbers: Collection[str]) -> Any:  # noqa: ANN401 - an SQL expression
    """Compare with one array: thousands of single parameters would take longer than the look."""
    return any_(cast(sorted(set(numbers)), ARRAY(Text)))


def _business(facts: Mapping[str, Any]) -> Business:
    address = facts.get("address")
    return Business(**{**facts, "address": Address(**address) if address else None})
