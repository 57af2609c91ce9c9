"""Renew a link's OAuth tokens once for all who meet them stale, in any number of processes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, Side
from app.database import CommitPoint
from app.links.credentials import (
    keep_credential,
    open_sealed,
    tokens_as_bytes,
    tokens_from_bytes,
)
from app.links.store import Credential
from app.runtime import Runtime
from app.systems.ports import AccessReason, Tokens, Unauthorised, Unreachable

_BEYOND_TWO_TRIES: Final = timedelta(seconds=30)
_LOOK_AGAIN_SECONDS: Final = 0.2
_MOST_LOOKS: Final = 250


class LinkTokens:
    """
    Be the ``TokenKeeper`` of one link.

    Who renews holds a short lease in the credential's row, never a transaction: the others look
    again until the newer tokens are there.
    """

    def __init__(self, runtime: Runtime, link_id: LinkId) -> None:
        self._runtime = runtime
        self._link_id = link_id

    async def current(self) -> Tokens:
        """Give the tokens as stored now."""
        async with self._runtime.database.reading(self._link_id) as session:
            row = await session.get(Credential, (self._link_id, Side.TIME.value))
        if row is None:
            raise _lost()
        return self._open(row.sealed)

    async def renew(self, stale: Tokens, refresh: Callable[[str], Awaitable[Tokens]]) -> Tokens:
        """Replace stale tokens, once for all who ask at the same time."""
        for _ in range(_MOST_LOOKS):
            held, lease = await self._take_lease(stale)
            if held.access != stale.access:
                return held
            if lease is not None:
                return await self._refresh(held, lease, refresh)
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        raise Unreachable("another process renews the access and does not end")

    async def _take_lease(self, stale: Tokens) -> tuple[Tokens, datetime | None]:
        now = self._runtime.clock()
        async with self._locked() as (row, _):
            held = self._open(row.sealed)
            free = row.lease_until is None or row.lease_until <= now
            lease = now + self._lease if free and held.access == stale.access else None
            row.lease_until = lease or row.lease_until
        return held, lease

    @property
    def _lease(self) -> timedelta:
        """Outlive the two tries of a renewal, each of which may take a call's whole deadline."""
        return timedelta(seconds=2 * self._runtime.settings.outgoing_timeout_seconds) + (
            _BEYOND_TWO_TRIES
        )

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[tuple[Credential, AsyncSession]]:
        async with self._runtime.database.transaction(CommitPoint.PLAIN, self._link_id) as session:
            row = await session.scalar(
                select(Credential)
                .where(Credential.link_id == self._link_id, Credential.side == Side.TIME.value)
                .with_for_update()
            )
            if row is None:
                raise _lost()
            yield row, session

    async def _refresh(
        self, held: Tokens, lease: datetime, refresh: Callable[[str], Awaitable[Tokens]]
    ) -> Tokens:
        if held.refresh is None:
            await self._end_lease(lease)
            raise _lost()
        try:
            fresh = await self._twice(held.refresh, refresh)
        except BaseException:
            await self._end_lease(lease)
            raise
        async with self._locked() as (row, session):
            if row.lease_until != lease:  # someone else took over, or a person logged in anew
                return self._open(row.sealed)
            await keep_credential(
                session, self._runtime.vault, self._link_id, Side.TIME,
                tokens_as_bytes(fresh), now=self._runtime.clock(),
            )  # fmt: skip
        return fresh

    async def _twice(self, token: str, refresh: Callable[[str], Awaitable[Tokens]]) -> Tokens:
        """
        Try again once when the answer was lost.

        With rotating tokens the second try is refused if the first one took effect; then only a
        new log-in helps, and a loop would not.
        """
        try:
            return await refresh(token)
        except Unreachable as lost:
            if not lost.effect_possible:
                raise
            return await refresh(token)

    async def _end_lease(self, lease: datetime) -> None:
        async with self._runtime.database.transaction(CommitPoint.PLAIN, self._link_id) as session:
            await session.execute(
                update(Credential)
                .where(
                    Credential.link_id == self._link_id,
                    Credential.side == Side.TIME.value,
                    Credential.lease_until == lease,
                )
                .values(lease_until=None)
            )

    def _open(self, sealed: bytes) -> Tokens:
        return tokens_from_bytes(open_sealed(self._runtime.vault, self._link_id, Side.TIME, sealed))


def _lost() -> Unauthorised:
    return Unauthorised(
        "the link has no log-in at the time system", reason=AccessReason.CREDENTIAL_REFUSED
    )
