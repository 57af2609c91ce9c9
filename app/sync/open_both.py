"""Open both systems of a link from one look at its rows, so that a drain costs few of them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, Side
from app.links.credentials import tokens_from_bytes
from app.links.identity import credential_identity
from app.links.store import Credential, DirectoryEntry, Link
from app.links.token_keeper import LinkTokens
from app.runtime import Runtime
from app.systems.ports import AccessReason, RecordKeeper, Tokens, Unauthorised


@dataclass(frozen=True, slots=True)
class Opened:
    """Hold a link's rows: its line in the directory, itself, and its sealed credentials."""

    entry: DirectoryEntry
    link: Link
    sealed: Mapping[Side, bytes]


class NotLetIn(Exception):  # noqa: N818 - named by what it says
    """Say that a side's credential is missing, before anything was asked of it."""

    def __init__(self, side: Side, fault: Unauthorised) -> None:
        super().__init__(str(fault))
        self.side = side
        self.fault = fault


async def read_opened(session: AsyncSession, link_id: LinkId) -> Opened | None:
    """Read a link's rows in one statement; ``None`` when there is no such link."""
    rows = (
        await session.execute(
            select(DirectoryEntry, Link, Credential)
            .join(Link, Link.link_id == DirectoryEntry.link_id)
            .outerjoin(Credential, Credential.link_id == DirectoryEntry.link_id)
            .where(DirectoryEntry.link_id == link_id)
        )
    ).all()
    if not rows:
        return None
    entry, link, _ = rows[0]
    return Opened(entry, link, {Side(c.side): c.sealed for _, _, c in rows if c is not None})


def open_both(runtime: Runtime, link_id: LinkId, opened: Opened) -> Mapping[Side, RecordKeeper]:
    """
    Bind both systems to the link; nothing is called yet.

    Raises:
        NotLetIn: A credential is missing.
        VaultError: One cannot be opened.

    """

    def secret(side: Side) -> bytes:
        sealed = opened.sealed.get(side)
        if sealed is None:
            reason = AccessReason.CREDENTIAL_REFUSED
            raise NotLetIn(side, Unauthorised(f"the {side} side has no credential", reason=reason))
        return runtime.vault.open(sealed, identity=credential_identity(link_id, side))

    pace_key = str(link_id)
    tokens = _KnownTokens(LinkTokens(runtime, link_id), tokens_from_bytes(secret(Side.TIME)))
    key = secret(Side.BOOKS).decode()
    return {
        Side.TIME: runtime.systems.time.open(tokens, pace_key=pace_key),
        Side.BOOKS: runtime.systems.books.open(opened.link.books_account, key, pace_key=pace_key),
    }


class _KnownTokens:
    """Give the tokens that were just read, without a look for each of many calls at once."""

    def __init__(self, keeper: LinkTokens, tokens: Tokens) -> None:
        self._keeper = keeper
        self._tokens = tokens

    async def current(self) -> Tokens:
        """Give the tokens as they were read, or as they were renewed since."""
        return self._tokens

    async def renew(self, stale: Tokens, refresh: Callable[[str], Awaitable[Tokens]]) -> Tokens:
        """Renew as the keeper does, and remember."""
        self._tokens = await self._keeper.renew(stale, refresh)
        return self._tokens
