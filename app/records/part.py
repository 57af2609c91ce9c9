"""Dissolve a pair so that nothing of it acts any more: its conflicts, its create, our mark."""

import json
from datetime import datetime
from typing import Final

from sqlalchemy import delete, or_, text
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.canonical import LinkId, RecordId, RecordKind, Side
from app.links.pairs import Pair
from app.records.judge_due import judge_later
from app.records.store import CreateIntent
from app.systems.ports import NotFound, RecordKeeper, Rejected

# Conflicts and history belong to the room above this one; what hangs on a pair ends with it.
_CLOSE_CONFLICTS: Final = text(
    "UPDATE conflicts SET state = 'closed', version = version + 1, updated_at = :now"
    " WHERE link_id = :link_id AND pair_id = :pair_id AND state <> 'closed'"
)
_WRITE: Final = text(
    "INSERT INTO history (link_id, entry_id, pair_id, event, side, field, value, winner, by, at)"
    " VALUES (:link_id, :entry_id, :pair_id, :event, NULL, NULL, CAST(:value AS jsonb),"
    " CAST(:winner AS jsonb), :by, :now)"
)
_DRAFTS: Final = text(
    "SELECT mark FROM drafts WHERE link_id = :link_id AND state NOT IN ('refused', 'released')"
    " AND (NOT :under_way OR state NOT IN ('completed')) AND CASE WHEN :kind = 'customer'"
    " THEN customer_time_id = :time_id OR customer_books_id = :books_id"
    " ELSE project_books_id = :books_id END ORDER BY mark LIMIT 1"
)
_PROJECTS: Final = text(
    "SELECT count(*) FROM pairs p JOIN records r ON r.link_id = p.link_id AND r.kind = 'project'"
    " AND ((r.side = 'time' AND r.record_id = p.time_id AND r.data ->> 'customer_id' = :time_id)"
    " OR (r.side = 'books' AND r.record_id = p.books_id AND r.data ->> 'customer_id' = :books_id))"
    " WHERE p.link_id = :link_id AND p.kind = 'project'"
)


async def part_pair(session: AsyncSession, pair: Pair, *, by: str, now: datetime) -> None:
    """
    Dissolve a pair that the caller holds; what both records say stays as it is.

    The create that made one of them is forgotten too: asked for once more, it makes a new record
    instead of waiting for an answer it already had. Why they were parted is the caller's to keep.
    """
    link_id = pair.link_id
    named = {"link_id": link_id, "pair_id": pair.pair_id, "now": now}
    await session.execute(_CLOSE_CONFLICTS, named)
    await session.execute(
        delete(CreateIntent).where(
            CreateIntent.link_id == link_id,
            CreateIntent.kind == pair.kind,
            CreateIntent.state == "done",
            or_(
                (CreateIntent.target_side == Side.BOOKS) & (CreateIntent.source_id == pair.time_id),
                (CreateIntent.target_side == Side.TIME) & (CreateIntent.source_id == pair.books_id),
            ),
        )
    )
    couple = {"time": pair.time_id, "books": pair.books_id}
    await write_event(session, pair, "parted", value=couple, by=by, now=now)
    kind = RecordKind(pair.kind)
    for side in Side:  # their projects may have no customer on the other side from now on
        await judge_later(session, LinkId(link_id), side, kind, [pair.record_id(side)])
    await session.delete(pair)
    await session.flush()


async def write_event(
    session: AsyncSession,
    pair: Pair,
    event: str,
    *,
    value: object,
    by: str,
    now: datetime,
    winner: object = None,
) -> None:
    """Write down what a person did to a pair."""
    await session.execute(
        _WRITE,
        {
            "link_id": pair.link_id, "entry_id": uuid7(), "pair_id": pair.pair_id, "event": event,
            "value": json.dumps(value), "winner": json.dumps(winner), "by": by[:300], "now": now,
        },
    )  # fmt: skip


async def draft_of(session: AsyncSession, pair: Pair, *, under_way: bool = False) -> str | None:
    """Give the mark of a draft that stands on a pair's records (only one still moving)."""
    named = {
        "link_id": pair.link_id, "kind": pair.kind, "time_id": pair.time_id,
        "books_id": pair.books_id, "under_way": under_way,
    }  # fmt: skip
    found: str | None = await session.scalar(_DRAFTS, named)
    return found


async def projects_of(session: AsyncSession, pair: Pair) -> int:
    """Count the pairs of projects below a customer's pair."""
    if pair.kind != RecordKind.CUSTOMER:
        return 0
    named = {"link_id": pair.link_id, "time_id": pair.time_id, "books_id": pair.books_id}
    return int(await session.scalar(_PROJECTS, named) or 0)


async def clear_mark(keeper: RecordKeeper, kind: RecordKind, time_id: str, mark: str) -> None:
    """
    Take our mark off a record of the time side, if it is still the one of this pair.

    A record that is gone needs nothing, and a refusal is no reason to stop.

    Raises:
        SystemFault: The time system cannot be asked now.

    """
    seen = await keeper.read(kind, RecordId(time_id))
    if seen.record is None or seen.record.gone or seen.record.mark != mark:
        return
    try:
        await keeper.update(kind, seen, {"mark": None})
    except (NotFound, Rejected):
        return


def couple_of(pair: Pair) -> tuple[LinkId, RecordKind]:
    """Give the link and the kind of a pair in our own types."""
    return LinkId(pair.link_id), RecordKind(pair.kind)
