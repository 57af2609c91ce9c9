"""Find the couples that would be linked by themselves and that a fix made unlike since."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import Customer, LinkId, Record, RecordId, RecordKind, Side
from app.first_sync.plan.deeds import partner_of
from app.first_sync.store import Proposal
from app.records.decisions import refused_pairs
from app.records.judge import paired_ids
from app.records.matching import match
from app.records.store import recall


async def made_unlike(
    session: AsyncSession,
    link_id: LinkId,
    known: Collection[tuple[Side, RecordId]],
    lines: Sequence[Proposal],
) -> list[tuple[UUID, Mapping[str, str]]]:
    """
    Give the customers' lines that nobody answered and that are certain no more, with whose it is.

    Both sides are matched whole: whether a couple is certain depends on who else is there.

    Args:
        known: Records that say something else than when their lines were drawn.

    """
    kind = RecordKind.CUSTOMER
    couples = {
        (RecordId(line.anchor_id), RecordId(partner_of(line) or "")): line
        for line in lines
        if line.answer is None and partner_of(line) is not None
    }
    paired = frozenset((await paired_ids(session, link_id, kind)).items())
    fixed = {one for one in couples if any(end in known for end in zip(Side, one, strict=True))}
    if not fixed - paired:
        return []
    time, books = [
        only_customers(row.record for row in await recall(session, link_id, side, kind))
        for side in Side
    ]
    refused = await refused_pairs(session, link_id, kind)
    anew = await asyncio.to_thread(match, time, books, refused=refused, linked=paired)
    return [
        (couples[one].proposal_id, {"side": Side.TIME.value, "recordId": one[0]})
        for one in sorted(fixed - paired - {(a.time_id, a.books_id) for a in anew.certain})
    ]


def only_customers(records: Iterable[Record]) -> list[Customer]:
    """Give the customers among records."""
    return [one for one in records if isinstance(one, Customer)]
