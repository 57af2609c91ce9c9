"""Settle, postpone or park changes that were taken; none that was hinted at meanwhile is lost."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId
from app.changes.take import Due
from app.database import run


@dataclass(frozen=True, slots=True)
class Waiting:
    """Say how a taken change goes on: due again at ``until``, or parked when that is ``None``."""

    due: Due
    code: str
    until: datetime | None
    attempts: int
    facts: Mapping[str, Any] = field(default_factory=dict)


# Both lock their rows in one order before they write, as webhooks do: else two that meet could wait
# for each other in a circle.
_SETTLE = """
WITH done AS (
  SELECT * FROM unnest(CAST(%(sides)s AS text[]), CAST(%(kinds)s AS text[]),
                       CAST(%(ids)s AS text[]),
                       CAST(%(counters)s AS integer[])) AS d (side, kind, record_id, counter)
), held AS MATERIALIZED (
  SELECT 1 FROM changes c JOIN done d USING (side, kind, record_id)
  WHERE c.link_id = %(link_id)s ORDER BY side, kind, record_id FOR UPDATE OF c
), settled AS (
  DELETE FROM changes c USING done d
  WHERE c.link_id = %(link_id)s AND c.side = d.side AND c.kind = d.kind
    AND c.record_id = d.record_id AND c.counter = d.counter AND (SELECT count(*) FROM held) > 0
)
UPDATE changes c SET attempts = 0, code = NULL, facts = '{}', not_before = %(now)s FROM done d
WHERE c.link_id = %(link_id)s AND c.side = d.side AND c.kind = d.kind
  AND c.record_id = d.record_id AND c.counter <> d.counter
"""


async def settle(
    session: AsyncSession, link_id: LinkId, done: Iterable[Due], *, now: datetime
) -> None:
    """Delete changes that are done; one that was hinted at meanwhile stays and is due at once."""
    items = tuple(done)
    if items:
        await run(session, _SETTLE, {"link_id": link_id, "now": now, **_arrays(items)})


_WAIT = """
WITH waits AS (
  SELECT * FROM unnest(CAST(%(sides)s AS text[]), CAST(%(kinds)s AS text[]),
                       CAST(%(ids)s AS text[]),
                       CAST(%(counters)s AS integer[]), CAST(%(untils)s AS timestamptz[]),
                       CAST(%(attempts)s AS integer[]), CAST(%(codes)s AS text[]),
                       CAST(%(facts)s AS text[]))
    AS w (side, kind, record_id, counter, until, attempts, code, facts)
), held AS MATERIALIZED (
  SELECT 1 FROM changes c JOIN waits w USING (side, kind, record_id)
  WHERE c.link_id = %(link_id)s ORDER BY side, kind, record_id FOR UPDATE OF c
)
UPDATE changes c SET
  state = CASE WHEN w.until IS NULL THEN 'parked' ELSE 'pending' END,
  not_before = COALESCE(w.until, c.not_before),
  attempts = w.attempts, code = w.code, facts = CAST(w.facts AS jsonb)
FROM waits w
WHERE c.link_id = %(link_id)s AND c.side = w.side AND c.kind = w.kind
  AND c.record_id = w.record_id AND c.counter = w.counter AND (SELECT count(*) FROM held) > 0
"""


async def keep_waiting(session: AsyncSession, link_id: LinkId, waiting: Iterable[Waiting]) -> None:
    """Postpone or park taken changes; one that was hinted at meanwhile stays due as it is."""
    items = tuple(waiting)
    if not items:
        return
    await run(
        session,
        _WAIT,
        {
            "link_id": link_id,
            **_arrays([item.due for item in items]),
            "untils": [item.until for item in items],
            "attempts": [item.attempts for item in items],
            "codes": [item.code for item in items],
            "facts": [json.dumps(dict(item.facts)) for item in items],
        },
    )


async def make_due(
    session: AsyncSession, link_id: LinkId, codes: Sequence[str], *, now: datetime
) -> int:
    """
    Make waiting changes with these codes due now, because what hindered them may be gone.

    Gives how many; the caller defers ``Job.DRAIN_LINK`` when there are some.
    """
    rows = await session.execute(
        text(
            "UPDATE changes SET not_before = :now WHERE link_id = :link_id AND state = 'pending'"
            " AND code = ANY(CAST(:codes AS text[])) AND not_before > :now RETURNING 1"
        ),
        {"link_id": link_id, "now": now, "codes": list(codes)},
    )
    return len(rows.all())


def _arrays(items: Sequence[Due]) -> dict[str, list[Any]]:
    return {
        "sides": [item.side.value for item in items],
        "kinds": [item.kind.value for item in items],
        "ids": [item.record_id for item in items],
        "counters": [item.counter for item in items],
    }
