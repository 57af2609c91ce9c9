"""Move the intent of a create from state to state; each step holds only if nobody was faster."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.canonical import LinkId, Record, RecordId, RecordKind, Side
from app.records.shapes import kind_of, to_json
from app.records.store import CreateIntent

# Timerabbit keeps an Idempotency-Key for 24 hours (openapi/timerabbit.yaml, 2026-11); an hour less,
# so that two clocks need not agree.
KEY_LIFETIME: Final = timedelta(hours=23)


async def find_intent(
    session: AsyncSession, link_id: LinkId, target: Side, source: Record, *, lock: bool = False
) -> CreateIntent | None:
    """Find the intent of a record; with ``lock`` nobody else moves it until the commit."""
    query = select(CreateIntent).where(
        CreateIntent.link_id == link_id,
        CreateIntent.target_side == target.value,
        CreateIntent.kind == kind_of(source).value,
        CreateIntent.source_id == source.id,
    )
    return await session.scalar(query.with_for_update() if lock else query)


async def plan_intent(
    session: AsyncSession,
    link_id: LinkId,
    target: Side,
    source: Record,
    sent: Record,
    now: datetime,
    *,
    maker: UUID | None = None,
) -> CreateIntent:
    """
    Write down that a POST is about to leave.

    Args:
        maker: Who asks for it, for ``was_made_by``.

    Raises:
        sqlalchemy.exc.IntegrityError: Someone wrote it down at this very moment.

    """
    intent = CreateIntent(
        link_id=link_id, intent_id=uuid7(), target_side=target.value, kind=kind_of(source).value,
        source_id=source.id, state="sending", key=_key(maker, 1), key_until=now + KEY_LIFETIME,
        content=to_json(sent),
        attempts=1, posts_left=1, looked=0, not_before=now, sent_at=now, result_id=None,
        marked=False, created_at=now, updated_at=now,
    )  # fmt: skip
    session.add(intent)
    await session.flush()
    return intent


def send_again(
    intent: CreateIntent,
    now: datetime,
    *,
    sent: Record | None = None,
    maker: UUID | None = None,
) -> None:
    """
    Let a locked intent leave once more.

    With ``sent`` nothing had left before, so the record goes as it is now and under a fresh key:
    a system may remember a refused body with its key.
    """
    intent.attempts += 1
    if sent is not None:
        intent.content = to_json(sent)
        intent.key = _key(maker, intent.attempts)
        intent.key_until = now + KEY_LIFETIME
        intent.created_at = now
    intent.state, intent.looked, intent.sent_at, intent.updated_at = "sending", 0, now, now


def _key(maker: UUID | None, attempt: int) -> UUID:
    """Give a key that no POST had; one that is asked for by a maker tells of it."""
    return uuid7() if maker is None else uuid5(maker, str(attempt))


async def was_made_by(
    session: AsyncSession,
    link_id: LinkId,
    target: Side,
    kind: RecordKind,
    source_id: RecordId,
    maker: UUID,
) -> bool:
    """Say whether a record's other half was made by a POST that this maker asked for."""
    intent = await session.scalar(
        select(CreateIntent).where(
            CreateIntent.link_id == link_id,
            CreateIntent.target_side == target.value,
            CreateIntent.kind == kind.value,
            CreateIntent.source_id == source_id,
            CreateIntent.state == "done",
        )
    )
    if intent is None:
        return False
    return intent.key in {_key(maker, attempt) for attempt in range(1, intent.attempts + 1)}


async def move_intent(
    session: AsyncSession, intent: CreateIntent, now: datetime, **values: object
) -> bool:
    """
    Write values to an intent if no later POST of it left meanwhile; say whether that holds.

    The count of POSTs is the fence: a slow process that comes back late changes nothing.
    """
    done = await session.scalar(
        update(CreateIntent)
        .where(
            CreateIntent.link_id == intent.link_id,
            CreateIntent.intent_id == intent.intent_id,
            CreateIntent.attempts == intent.attempts,
            CreateIntent.state.in_(("sending", "unknown")),
        )
        .values(updated_at=now, **values)
        .returning(CreateIntent.attempts)
        .execution_options(synchronize_session=False)
    )
    return done is not None


async def set_marked(session: AsyncSession, intent: CreateIntent) -> None:
    """Say that the time side's mark is written."""
    await session.execute(
        update(CreateIntent)
        .where(CreateIntent.link_id == intent.link_id, CreateIntent.intent_id == intent.intent_id)
        .values(marked=True)
    )


async def open_contents(
    session: AsyncSession, link_id: LinkId, target: Side, kind: str
) -> list[Mapping[str, Any]]:
    """Give what was sent to a side and is not known to have arrived."""
    rows = await session.scalars(
        select(CreateIntent.content).where(
            CreateIntent.link_id == link_id,
            CreateIntent.target_side == target.value,
            CreateIntent.kind == kind,
            CreateIntent.state.in_(("sending", "unknown")),
        )
    )
    return list(rows)


async def unmarked(session: AsyncSession, link_id: LinkId) -> list[CreateIntent]:
    """Give the creates whose mark is not written yet."""
    rows = await session.scalars(
        select(CreateIntent)
        .where(
            CreateIntent.link_id == link_id,
            CreateIntent.state == "done",
            CreateIntent.marked.is_(False),
        )
        .order_by(CreateIntent.intent_id)
    )
    return list(rows)
