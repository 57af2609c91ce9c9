"""Make a creating POST safe to repeat: the key remembers which resource the first call made."""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Header, Request
from sqlalchemy import LargeBinary, String, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import ColumnElement

from app.database import Base, Instant
from app.problems import Problem

LIFETIME: Final = timedelta(days=7)
LEASE: Final = timedelta(seconds=30)
FORGOTTEN_AT_ONCE: Final = 1000
"""Most keys that one call of ``forget_expired`` deletes, so that no transaction grows long."""

REPLAYED: Final = {"Idempotent-Replayed": "true"}
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")

KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Fresh random text for a new deed, the same when repeating it; kept 7 days.",
        examples=["5f0c7e0e-6f7b-4d0e-9a55-0b8a3f0e7b11"],
    ),
]
"""Declares the header in a route's signature; ``keyed_call`` reads and checks it."""


class IdempotencyKey(Base):
    """
    Hold one used key: its scope, a fingerprint of the body, and what came of it.

    Args:
        scope: SHA-256 of caller, method, path and key together; ids of the path in one spelling.
        fingerprint: SHA-256 of the canonical body.
        resource_id: The resource that the call made; ``None`` while it runs.
        lease_until: Until when a running call may be believed alive.
        fence: Rises at each take-over; a late finisher with an older fence may not commit.

    """

    __tablename__ = "idempotency_keys"

    scope: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    link_id: Mapped[UUID | None] = mapped_column()
    resource_id: Mapped[str | None] = mapped_column(String(64))
    fence: Mapped[int] = mapped_column()
    lease_until: Mapped[datetime] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)


@dataclass(frozen=True, slots=True)
class KeyedCall:
    """Hold a call that may be repeated: who, where and with which key; and what it asked."""

    scope: bytes
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Fresh:
    """Say that the call is the first (or takes over a dead one): run it, then ``finish``."""

    fence: int


@dataclass(frozen=True, slots=True)
class Repeat:
    """Say that the call was carried out before and what it made."""

    resource_id: str


class LostLease(Problem):
    """
    Say that another call took over meanwhile; whoever meets it must not commit.

    The caller hears ``idempotency-key-in-progress`` (409): the same key again shows what the other
    call made.
    """

    def __init__(self) -> None:
        super().__init__("idempotency-key-in-progress", headers={"Retry-After": "1"})


async def keyed_call(request: Request, caller: str) -> KeyedCall:
    """
    Read the key of a request; quoted and bare forms name the same key.

    Raises:
        Problem: ``idempotency-key-missing`` (400) when it is missing, double or malformed.

    """
    values = request.headers.getlist("idempotency-key")
    key = values[0].strip() if len(values) == 1 else ""
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not _KEY.fullmatch(key):
        raise Problem("idempotency-key-missing")
    scope = f"{caller}\0{request.method}\0{_one_spelling(request.url.path)}\0{key}"
    body = canonical(await request.body())
    return KeyedCall(hashlib.sha256(scope.encode()).digest(), hashlib.sha256(body).digest())


def _one_spelling(path: str) -> str:
    """Write the ids of a path in one way: in capitals they name the same link."""
    return "/".join(_id_or_word(part) for part in path.split("/"))


def _id_or_word(part: str) -> str:
    try:
        return str(UUID(part))
    except ValueError:
        return part


def canonical(body: bytes) -> bytes:
    """Give a JSON body in one form, whatever the order of its members; other bytes as they are."""
    try:
        value: Any = json.loads(body)
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, RecursionError):  # no JSON, or nested deeper than anything of ours
        return body


async def claim(
    session: AsyncSession, call: KeyedCall, *, link_id: UUID | None, now: datetime
) -> Fresh | Repeat:
    """
    Take the key for this call, or say what the first one made.

    Commit right after: the claim must be seen by others while the deed runs. A call whose process
    died is taken over after its lease.

    Raises:
        Problem: ``idempotency-key-reused`` (422) with another body,
            ``idempotency-key-in-progress`` (409) while the first call runs.

    """
    await session.execute(
        delete(IdempotencyKey).where(IdempotencyKey.scope == call.scope, *_expired(now))
    )
    made = await session.scalar(
        insert(IdempotencyKey)
        .values(
            scope=call.scope, fingerprint=call.fingerprint, link_id=link_id, resource_id=None,
            fence=1, lease_until=now + LEASE, created_at=now, expires_at=now + LIFETIME,
        )
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.fence)
    )  # fmt: skip
    if made is not None:
        return Fresh(made)
    row = await session.scalar(
        select(IdempotencyKey).where(IdempotencyKey.scope == call.scope).with_for_update()
    )
    return _judge(row, call, now)


def _expired(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Say which keys may go: past their time, and not of a call that may still be running."""
    ended = or_(IdempotencyKey.resource_id.is_not(None), IdempotencyKey.lease_until <= now)
    return IdempotencyKey.expires_at <= now, ended


def _judge(row: IdempotencyKey | None, call: KeyedCall, now: datetime) -> Fresh | Repeat:
    if row is None:
        raise Problem("idempotency-key-in-progress", headers={"Retry-After": "1"})
    if row.fingerprint != call.fingerprint:
        raise Problem("idempotency-key-reused")
    if row.resource_id is not None:
        return Repeat(row.resource_id)
    if row.lease_until > now:
        raise Problem("idempotency-key-in-progress", headers={"Retry-After": "2"})
    row.fence += 1
    row.lease_until = now + LEASE
    return Fresh(row.fence)


async def finish(session: AsyncSession, call: KeyedCall, fresh: Fresh, *, resource_id: str) -> None:
    """
    Write what the call made, in the transaction that makes it.

    Raises:
        LostLease: Another call took over; this transaction must be rolled back.

    """
    done = await session.scalar(
        update(IdempotencyKey)
        .where(IdempotencyKey.scope == call.scope, IdempotencyKey.fence == fresh.fence)
        .values(resource_id=resource_id)
        .returning(IdempotencyKey.fence)
    )
    if done is None:
        raise LostLease


async def free(session: AsyncSession, call: KeyedCall, fresh: Fresh) -> None:
    """Give the key back after a refusal that changed nothing.

    So that a corrected call may use it.
    """
    await session.execute(
        delete(IdempotencyKey).where(
            IdempotencyKey.scope == call.scope,
            IdempotencyKey.fence == fresh.fence,
            IdempotencyKey.resource_id.is_(None),
        )
    )


async def forget_expired(
    session: AsyncSession, *, now: datetime, most: int = FORGOTTEN_AT_ONCE
) -> int:
    """
    Delete keys past their seven days, at most ``most``; gives how many went.

    Call again, each time in a transaction of its own, until none go. A running call's key stays,
    and keys that others hold right now are passed over.
    """
    # A plain subquery with a limit may be run again for each row, and then limits nothing.
    going = (
        select(IdempotencyKey.scope)
        .where(*_expired(now))
        .limit(most)
        .with_for_update(skip_locked=True)
        .cte("going")
    )
    gone = await session.scalars(
        delete(IdempotencyKey)
        .where(IdempotencyKey.scope.in_(select(going.c.scope)))
        .returning(IdempotencyKey.fence)
    )
    return len(gone.all())
