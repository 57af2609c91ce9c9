"""Open both systems of a link from one look at its rows, so that a drain costs few of them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, Side
from app.database import run
from app.links.credentials import open_sealed, tokens_from_bytes
from app.links.token_keeper import LinkTokens
from app.runtime import Runtime
from app.systems.ports import AccessReason, RecordKeeper, Tokens, Unauthorised


@dataclass(frozen=True, slots=True)
class Opened:
    """
    Hold what a drain needs of a link's rows.

    Args:
        not_before: A system asked for patience until then; ``None`` where none did.
        sealed: The credentials, sealed, by side.

    """

    state: str
    not_before: datetime | None
    settings: Mapping[str, Any]
    features: Sequence[str]
    books_account: str
    sealed: Mapping[Side, bytes]


class NotLetIn(Exception):  # noqa: N818 - named by what it says
    """Say that a side's credential is missing or unreadable, before anything was asked of it."""

    def __init__(self, side: Side, fault: Unauthorised) -> None:
        super().__init__(str(fault))
        self.side = side
        self.fault = fault


_OPENED: Final = """
SELECT d.state, GREATEST(d.time_not_before, d.books_not_before), l.settings, l.features,
       l.books_account, c.side, c.sealed
FROM link_directory d JOIN links l USING (link_id) LEFT JOIN credentials c USING (link_id)
WHERE d.link_id = %(link_id)s
"""


async def read_opened(session: AsyncSession, link_id: LinkId) -> Opened | None:
    """Read a link's rows in one statement; ``None`` when there is no such link."""
    rows = await (await run(session, _OPENED, {"link_id": link_id})).fetchall()
    if not rows:
        return None
    state, not_before, settings, features, books_account, _, _ = rows[0]
    sealed = {Side(side): secret for *_, side, secret in rows if side is not None}
    return Opened(state, not_before, settings, features, books_account, sealed)


def open_both(runtime: Runtime, link_id: LinkId, opened: Opened) -> Mapping[Side, RecordKeeper]:
    """
    Bind both systems to the link; nothing is called yet.

    Raises:
        NotLetIn: A credential is missing, or our key ring cannot open it.

    """

    def secret(side: Side) -> bytes:
        sealed = opened.sealed.get(side)
        if sealed is None:
            reason = AccessReason.CREDENTIAL_MISSING
            raise NotLetIn(side, Unauthorised(f"the {side} side has no credential", reason=reason))
        try:
            return open_sealed(runtime.vault, link_id, side, sealed)
        except Unauthorised as fault:
            raise NotLetIn(side, fault) from fault

    pace_key = str(link_id)
    tokens = _KnownTokens(LinkTokens(runtime, link_id), tokens_from_bytes(secret(Side.TIME)))
    key = secret(Side.BOOKS).decode()
    return {
        Side.TIME: runtime.systems.time.open(tokens, pace_key=pace_key),
        Side.BOOKS: runtime.systems.books.open(opened.books_account, key, pace_key=pace_key),
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
