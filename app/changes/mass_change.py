"""Stop a link in the very transaction that notes too much, so that none of it is carried out."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId
from app.changes.brake import stops
from app.links.change_state import pause
from app.links.lifecycle import PauseReason
from app.links.pairs import Pair
from app.links.store import lock_link, read_link

DEFAULT_SHARE_PERCENT = 20
DEFAULT_LEAST = 10


@dataclass(slots=True)
class MassChange:
    """
    Count the changed pairs of one reading of lists, and pause the link once they are too many.

    What was noted before the bound is passed may be under way already; nothing after it leaves
    before a person resumes the link. Reading goes on, so that the person sees the whole number.

    Args:
        pairs: All pairs of the link; ``None`` where there is nothing to compare with yet.

    """

    link_id: LinkId
    pairs: int | None
    share_percent: int
    least: int
    changed: set[UUID] = field(default_factory=set)
    stopped: bool = False

    async def add(
        self, session: AsyncSession, pair_ids: Collection[UUID], *, now: datetime
    ) -> None:
        """Count pairs in the transaction that notes them."""
        if self.pairs is None or not pair_ids:
            return
        self.changed.update(pair_ids)
        detail = {"changed": len(self.changed), "pairs": self.pairs}
        if self.stopped:
            link = await lock_link(session, self.link_id)
            if link is not None and link.pause_reason == PauseReason.MASS_CHANGE_STOPPED:
                link.pause_detail = detail
                await session.flush()
        elif stops(
            changed=len(self.changed), pairs=self.pairs,
            share_percent=self.share_percent, least=self.least,
        ):  # fmt: skip
            self.stopped = True
            reason = PauseReason.MASS_CHANGE_STOPPED
            await pause(session, self.link_id, reason=reason, detail=detail, now=now)


async def watch(session: AsyncSession, link_id: LinkId, *, has_swept: bool) -> MassChange:
    """
    Begin to count.

    Before the first sweep nothing is counted: what the first sync left to be merged is no mass
    change.
    """
    link = await read_link(session, link_id)
    settings: Mapping[str, Any] = link.settings if link is not None else {}
    pairs = None
    if has_swept:
        pairs = await session.scalar(
            select(func.count()).select_from(Pair).where(Pair.link_id == link_id)
        )
    return MassChange(
        link_id,
        pairs,
        share_percent=settings.get("brake_share_percent", DEFAULT_SHARE_PERCENT),
        least=settings.get("brake_least", DEFAULT_LEAST),
    )
