"""Let a caller reach only the links of their accounts.

An unknown id and a foreign one look alike.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.caller import Caller, Scope
from app.access.require import require
from app.canonical import LinkId, Side
from app.links.store import DirectoryEntry, LinkState
from app.problems import Problem
from app.runtime import Running


@dataclass(frozen=True, slots=True)
class Reached:
    """Hold a link that its caller may reach, and where it stands."""

    caller: Caller
    link_id: LinkId
    state: LinkState

    def require_active(self) -> None:
        """
        Refuse where the link does not work now.

        Raises:
            Problem: ``link-not-active`` (409).

        """
        if self.state is not LinkState.ACTIVE:
            raise Problem("link-not-active", state=self.state.value)

    def require_open(self) -> None:
        """
        Refuse where the link is closed.

        Raises:
            Problem: ``link-closed`` (409).

        """
        if self.state is LinkState.CLOSED:
            raise Problem("link-closed")

    def require_at_work(self) -> None:
        """
        Refuse where nothing may be written to the systems: the link is paused, or not connected.

        Raises:
            Problem: ``link-not-active`` (409).

        """
        if self.state not in (LinkState.ACTIVE, LinkState.REVIEWING):
            raise Problem("link-not-active", state=self.state.value)


LinkPath = Annotated[
    str,
    Path(
        description="The link's id.",
        examples=["0199f3a0-0000-7000-8000-000000000001"],
        max_length=64,
    ),
]


def reach(scope: Scope) -> Callable[..., Awaitable[Reached]]:
    """Give the dependency for routes below ``/v1/links/{link_id}`` that ask for a scope."""

    async def reached(
        link_id: LinkPath, runtime: Running, caller: Annotated[Caller, Depends(require(scope))]
    ) -> Reached:
        try:
            wanted = LinkId(UUID(link_id))
        except ValueError:
            raise Problem("not-found") from None
        async with runtime.database.reading() as session:
            entry = await session.get(DirectoryEntry, wanted)
        if entry is None or not caller.sees(
            time_account=entry.time_account, books_account=entry.books_account
        ):
            raise Problem("not-found")
        return Reached(caller, wanted, LinkState(entry.state))

    return reached


async def links_of(session: AsyncSession, caller: Caller) -> Sequence[DirectoryEntry]:
    """Read the directory's lines of a caller's accounts, the newest first."""
    own = DirectoryEntry.time_account if caller.side is Side.TIME else DirectoryEntry.books_account
    rows = await session.scalars(
        select(DirectoryEntry)
        .where(own.in_(caller.accounts))
        .order_by(DirectoryEntry.link_id.desc())
    )
    return rows.all()
