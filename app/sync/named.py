"""Show pairs by a name that a person knows, also where the two sides agree on none."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, Side
from app.links.pairs import Pair
from app.records.store import KnownRecord
from app.sync.answers import PairAnswer, pair_answer


async def show_pairs(
    session: AsyncSession, link_id: LinkId, pairs: Sequence[Pair]
) -> list[PairAnswer]:
    """Show pairs, each with its name."""
    names = await name_pairs(session, link_id, pairs)
    return [pair_answer(pair, names[pair.pair_id]) for pair in pairs]


async def name_pairs(
    session: AsyncSession, link_id: LinkId, pairs: Sequence[Pair]
) -> Mapping[UUID, str]:
    """
    Give each pair's name by pair id: the one both sides agreed on, else the time side's.

    The books side's stands where the time side has none; where neither is known it is empty.
    """
    names = {pair.pair_id: str(pair.base.get("name") or "") for pair in pairs}
    nameless = [pair for pair in pairs if not names[pair.pair_id]]
    if not nameless:
        return names
    known = KnownRecord
    halves = [
        and_(
            known.side == side.value,
            known.kind == pair.kind,
            known.record_id == pair.record_id(side),
        )
        for pair in nameless
        for side in Side
    ]
    rows = await session.execute(
        select(known.side, known.kind, known.record_id, known.name).where(
            known.link_id == link_id, or_(*halves)
        )
    )
    said = {(side, kind, record_id): name for side, kind, record_id, name in rows}
    for pair in nameless:
        own = (said.get((side.value, pair.kind, pair.record_id(side)), "") for side in Side)
        names[pair.pair_id] = next((name for name in own if name), "")
    return names
