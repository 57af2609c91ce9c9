"""Keep webhook secrets warm for seconds, so that verifying costs no look at the database."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select

from app.canonical import LinkId, Side
from app.links.identity import webhook_secret_identity
from app.links.store import WebhookSecret
from app.runtime import Runtime
from app.systems.signatures import decode_secret
from app.vault import VaultError

CACHE_SECONDS: Final = 5.0
RELOAD_SECONDS: Final = 1.0
_MOST_CACHED: Final = 20_000
_NOBODY: Final = bytes(32)
"""Verifies for unknown links, so that these take as long as known ones; it signs nothing valid."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """Hold a side's active secrets of a link, opened; ``ids`` is empty where there are none."""

    ids: tuple[UUID, ...]
    values: tuple[bytes, ...]
    read_at: float

    def age(self) -> float:
        """Give the seconds since they were read."""
        return time.monotonic() - self.read_at


class SecretCache:
    """
    Hold one process's warm secrets.

    A cached secret never accepts anything by itself: the database function looks the very secret
    up again. A stale cache can only ask for one look too many.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._cache: OrderedDict[tuple[LinkId, Side], Secrets] = OrderedDict()

    async def secrets(self, link_id: LinkId, side: Side, *, newest: bool = False) -> Secrets:
        """
        Give the active secrets of a link's side, at most a few seconds old.

        Args:
            newest: Read again unless that happened within the last second, because a signature
                matched none of the cached ones and a secret may have been made meanwhile.

        """
        known = self._cache.get((link_id, side))
        limit = RELOAD_SECONDS if newest else CACHE_SECONDS
        if known is not None and known.age() < limit:
            return known
        fresh = await self._read(link_id, side)
        self._cache[link_id, side] = fresh
        self._cache.move_to_end((link_id, side))
        while len(self._cache) > _MOST_CACHED:
            self._cache.popitem(last=False)
        return fresh

    async def _read(self, link_id: LinkId, side: Side) -> Secrets:
        now = self._runtime.clock()
        async with self._runtime.database.reading(link_id) as session:
            rows = (
                await session.execute(
                    select(WebhookSecret.secret_id, WebhookSecret.sealed, WebhookSecret.expires_at)
                    .where(WebhookSecret.link_id == link_id, WebhookSecret.side == side.value)
                    .order_by(WebhookSecret.created_at.desc())
                )
            ).all()
        active = [row for row in rows if row.expires_at is None or row.expires_at > now]
        opened = [
            (row.secret_id, secret)
            for row in active
            if (secret := self._open(link_id, row.secret_id, row.sealed)) is not None
        ]
        values = tuple(secret for _, secret in opened) or (_NOBODY,)
        return Secrets(tuple(id_ for id_, _ in opened), values, time.monotonic())

    def _open(self, link_id: LinkId, secret_id: UUID, sealed: bytes) -> bytes | None:
        identity = webhook_secret_identity(link_id, secret_id)
        try:
            return decode_secret(self._runtime.vault.open(sealed, identity=identity).decode())
        except VaultError:
            return None
