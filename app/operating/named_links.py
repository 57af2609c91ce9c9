"""Give the links that an operator's command is about: the one that was named, or all."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select

from app.canonical import LinkId
from app.database import is_migrated
from app.database_faults import NOT_MIGRATED
from app.links.store import DirectoryEntry, LinkState, directory_entry
from app.runtime import Runtime


async def named_links(
    runtime: Runtime, link_id: LinkId | None, *of_all: ColumnElement[bool], refusal: type[Exception]
) -> Sequence[LinkId]:
    """
    Give one link, a closed one too, or all that are not closed, in their order.

    Args:
        of_all: What the links must be where none is named.
        refusal: Raised with a sentence where there is no such link, or no tables.

    """
    if not await is_migrated(runtime.database):
        raise refusal(NOT_MIGRATED)
    async with runtime.database.reading() as session:
        if link_id is not None:
            if await directory_entry(session, link_id) is None:
                raise refusal(f"no link {link_id}; status names those that need someone")
            return [link_id]
        found = await session.scalars(
            select(DirectoryEntry.link_id)
            .where(*of_all, DirectoryEntry.state != LinkState.CLOSED)
            .order_by(DirectoryEntry.link_id)
        )
        return [LinkId(one) for one in found]
