"""Keep what a wave of looks came to, in one short transaction after the writes."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.canonical import LinkId
from app.changes.backoff import Failure, RetryAt, next_attempt
from app.changes.settle import Waiting, keep_waiting, settle
from app.changes.take import Due
from app.database import run, together
from app.sync.merge import Conflict
from app.sync.outcomes import Kept, Outcome
from app.sync.store import ConflictRow, ConflictState, write_history
from app.sync.verdicts import Again, Asks, Done, Failed, HeldBack, Waits

_draw: Final = SystemRandom().random

# One text for all pairs: the driver's arrays cost three times as much (2026-11).
# Conditional on the version that was read: a drain that lost its job to another one keeps nothing.
_KEEP_PAIRS: Final = """
UPDATE pairs p SET base = k.base, problem = k.problem, version = p.version + 1,
                   updated_at = %(now)s, synced_at = CASE WHEN k.problem IS NULL THEN %(now)s
                                                       ELSE p.synced_at END
FROM jsonb_to_recordset(CAST(%(kept)s AS jsonb))
     AS k (pair_id uuid, version integer, base jsonb, problem text)
WHERE p.link_id = %(link_id)s AND p.pair_id = k.pair_id AND p.version = k.version
RETURNING p.pair_id
"""


async def keep_outcomes(
    session: AsyncSession, link_id: LinkId, outcomes: Sequence[Outcome], *, now: datetime
) -> tuple[Outcome, ...]:
    """
    Write bases, conflicts and history of a wave, and settle, postpone or park its changes.

    Gives the outcomes whose changes are settled. A pair that changed since it was read keeps
    nothing of this look, and its changes stay due.
    """
    lost = await _keep_pairs(session, link_id, outcomes, now=now)
    held = [one for one in outcomes if one.kept is None or one.kept.pair.pair_id not in lost]
    for outcome in held:
        if outcome.kept is not None and (outcome.kept.conflicts or outcome.work.conflicts):
            await _keep_conflicts(session, link_id, outcome, now=now)
    settled = tuple(one for one in held if isinstance(one.verdict, Done))
    waiting = [
        waits
        for one in held
        for due in one.work.dues
        if (waits := _waiting(one, due, now)) is not None
    ]
    async with together(session):
        await write_history(session, link_id, list(_events(held)), now=now)
        await settle(session, link_id, [due for one in settled for due in one.work.dues], now=now)
        await keep_waiting(session, link_id, waiting)
    return settled


async def _keep_pairs(
    session: AsyncSession, link_id: LinkId, outcomes: Sequence[Outcome], *, now: datetime
) -> set[UUID]:
    """Write changed bases and problems; give the pairs that had changed meanwhile."""
    changed = [one.kept for one in outcomes if one.kept is not None and one.kept.changes_pair]
    if not changed:
        return set()
    rows = await run(
        session,
        _KEEP_PAIRS,
        {
            "link_id": link_id,
            "now": now,
            "kept": json.dumps(
                [
                    {
                        "pair_id": str(kept.pair.pair_id),
                        "version": kept.pair.version,
                        "base": dict(kept.base),
                        "problem": kept.problem,
                    }
                    for kept in changed
                ]
            ),
        },
    )
    written = {pair_id for (pair_id,) in await rows.fetchall()}
    return {kept.pair.pair_id for kept in changed} - written


async def _keep_conflicts(
    session: AsyncSession, link_id: LinkId, outcome: Outcome, *, now: datetime
) -> None:
    """Open, renew and close conflicts, so that what stands in them is what both sides say."""
    kept = outcome.kept
    if kept is None:
        return
    known = {row.field: row for row in outcome.work.conflicts}
    found = {conflict.field: conflict for conflict in kept.conflicts}
    for name, conflict in found.items():
        row = known.get(name)
        if row is None:
            await session.execute(
                insert(ConflictRow).values(_new_conflict(link_id, kept, conflict, now))
            )
        elif (row.time_value, row.books_value, row.base) != (
            conflict.time,
            conflict.books,
            conflict.base,
        ) or row.state == ConflictState.DECIDED:
            await _renew(session, row, now, state=ConflictState.OPEN, **_values(conflict))
    for name, row in known.items():
        if name not in found and isinstance(outcome.verdict, Done):
            await _renew(session, row, now, state=ConflictState.CLOSED)


async def _renew(
    session: AsyncSession,
    row: ConflictRow,
    now: datetime,
    **values: Any,  # noqa: ANN401 - columns, among them any JSON value
) -> None:
    await session.execute(
        update(ConflictRow)
        .where(
            ConflictRow.link_id == row.link_id,
            ConflictRow.conflict_id == row.conflict_id,
            ConflictRow.version == row.version,
        )
        .values(version=row.version + 1, updated_at=now, **values)
    )


def _new_conflict(link_id: LinkId, kept: Kept, conflict: Conflict, now: datetime) -> dict[str, Any]:
    return {
        "link_id": link_id,
        "conflict_id": uuid7(),
        "pair_id": kept.pair.pair_id,
        "kind": kept.pair.kind,
        "field": conflict.field,
        **_values(conflict),
        "state": ConflictState.OPEN,
        "decided_value": None,
        "decided_by": None,
        "decided_at": None,
        "version": 1,
        "created_at": now,
        "updated_at": now,
    }


def _values(conflict: Conflict) -> dict[str, Any]:
    return {
        "base": conflict.base,
        "time_value": conflict.time,
        "books_value": conflict.books,
    }


def _events(outcomes: Iterable[Outcome]) -> Iterable[dict[str, Any]]:
    for outcome in outcomes:
        kept = outcome.kept
        if kept is None:
            continue
        deciders = {row.field: row.decided_by for row in outcome.work.conflicts}
        for side, fields in kept.written.items():
            yield {
                "pair_id": kept.pair.pair_id,
                "event": "written",
                "side": side.value,
                "value": list(fields),
            }
        for loss in kept.losses:
            yield {
                "pair_id": kept.pair.pair_id,
                "event": "lost",
                "side": loss.side.value,
                "field": loss.field,
                "value": loss.value,
                "winner": loss.winner,
                "by": deciders.get(loss.field) or "policy",
            }


def _waiting(outcome: Outcome, due: Due, now: datetime) -> Waiting | None:
    """Say how a change that is not settled goes on; ``None`` leaves its row as it is."""
    match outcome.verdict:
        case Failed(failure, facts):
            return _after(failure, due, facts, now)
        case Again(code):
            return _after(Failure(code), due, {}, now)
        case Waits(code, after, facts):
            return Waiting(due, code, now + after, due.attempts, facts)
        case Asks(code, facts):
            return Waiting(due, code, None, due.attempts + 1, facts)
        case HeldBack(side, seconds):
            until = now + timedelta(seconds=seconds * (1 + 0.2 * _draw()))
            return Waiting(due, "other-system-busy", until, due.attempts, {"side": side.value})
    return None


def _after(failure: Failure, due: Due, facts: Any, now: datetime) -> Waiting:  # noqa: ANN401
    attempts = due.attempts + 1
    decision = next_attempt(failure, attempts=attempts, now=now, jitter=_draw())
    until = decision.at if isinstance(decision, RetryAt) else None
    return Waiting(due, failure.code, until, attempts, facts)
