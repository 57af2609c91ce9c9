"""Renew what a line is found by when a person gives it a partner, or takes that one away again."""

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, RecordKind, Side
from app.first_sync.plan.words import words_of
from app.first_sync.store import Proposal
from app.records.store import recall


async def renew_words(
    session: AsyncSession, line: Proposal, partners: Collection[str | None]
) -> None:
    """
    Let a line be found by its record, its candidates and the partner it links to.

    Args:
        partners: Who came or went. By candidates a line is found anyhow, so nothing is read then,
            which spares an answer to thousands of lines two queries each.

    """
    named = {str(one["id"]) for one in line.candidates}
    if not set(partners) - named - {None}:
        return
    link_id, side, kind = LinkId(line.link_id), Side(line.anchor_side), RecordKind(line.kind)
    wanted = named | ({line.partner_id} if line.partner_id else set())
    own = await recall(session, link_id, side, kind, [line.anchor_id])
    others = await recall(session, link_id, side.other, kind, wanted)
    line.words = words_of(*(row.record for row in (*own, *others)))
