"""Make a pair of two records that were read whole, with the base its sync starts from."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import Customer, LinkId, Record, RecordKind, Side
from app.links.pairs import Pair, find_pair, make_pair
from app.records.agreement import fields_of, start_base
from app.records.judge_due import judge_later
from app.records.shapes import kind_of
from app.records.store import remember


async def named_fields(
    session: AsyncSession, link_id: LinkId, side: Side, record: Record
) -> dict[str, Any]:
    """Give a record's synced fields; a project's customer is named by its pair, as both can say."""
    if isinstance(record, Customer) or record.customer_id is None:
        return fields_of(record, customer_pair=None)
    pair = await find_pair(session, link_id, side, RecordKind.CUSTOMER, record.customer_id)
    # A customer that is in no pair differs from every customer of the other side.
    name = str(pair.pair_id) if pair else f"{side.value}:{record.customer_id}"
    return fields_of(record, customer_pair=name)


async def pair_up(
    session: AsyncSession,
    link_id: LinkId,
    *,
    time: Record,
    books: Record,
    origin: str,
    now: datetime,
    winners: Mapping[str, Side] | None = None,
) -> tuple[Pair, bool]:
    """
    Say that two records are the same thing; say too whether anything is left to be made equal.

    Both are remembered as they were read. Where something is left, the caller notes a change, so
    that the ordinary sync writes it.

    Raises:
        sqlalchemy.exc.IntegrityError: One of them is in a pair already.

    """
    kind = kind_of(time)
    time_fields = await named_fields(session, link_id, Side.TIME, time)
    books_fields = await named_fields(session, link_id, Side.BOOKS, books)
    pair = await make_pair(
        session, link_id, kind,
        time_id=time.id, books_id=books.id, origin=origin, now=now,
        base=start_base(time_fields, books_fields, winners=winners),
    )  # fmt: skip
    await remember(session, link_id, Side.TIME, kind, [time], now=now)
    await remember(session, link_id, Side.BOOKS, kind, [books], now=now)
    if kind is RecordKind.CUSTOMER:
        # Their projects may exist on the other side from now on.
        await judge_later(session, link_id, Side.TIME, kind, [time.id])
        await judge_later(session, link_id, Side.BOOKS, kind, [books.id])
    return pair, time_fields != books_fields
