"""
Erase what drafts were billed by, once its time is over, a bounded bite at a time.

A draft's time counts from the last thing that happened to it, so that an invoice sent or paid in a
later year keeps its papers that much longer. The ledger is restricted, not deleted: which draft an
hour was in, its minutes and øre stay; names and texts go.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId
from app.database import CommitPoint
from app.invoicing.papers.retention import kept_from
from app.invoicing.previews.preview import KEPT
from app.invoicing.store import Preview
from app.invoicing.unbilled.hindrances import oslo_day
from app.runtime import Runtime

ERASED_AT_ONCE: Final = 100
"""Most drafts of one transaction: one may hold 5,000 hours."""

_OSLO: Final = ZoneInfo("Europe/Oslo")
_log = structlog.get_logger(__name__)

# Papers of a draft go only with it: one that still lives has them, however old the paper is.
_OVER: Final = text("""
  SELECT draft_id FROM drafts
  WHERE link_id = :link AND updated_at < :before AND created_at < :before
    AND NOT jsonb_exists(body, 'erasedAt')
    AND NOT EXISTS (SELECT FROM specifications s WHERE s.link_id = drafts.link_id
                    AND s.draft_id = drafts.draft_id AND s.keep_until >= :today)
  ORDER BY draft_id LIMIT :most FOR UPDATE SKIP LOCKED
""")
_STATEMENTS: Final[Mapping[str, str]] = {
    "papers": "DELETE FROM specifications WHERE link_id = :link AND draft_id = ANY(:ids)",
    "hours": (
        "UPDATE ledger SET snapshot = '{}' WHERE link_id = :link AND draft_id = ANY(:ids)"
        " AND snapshot <> '{}'"
    ),
    "changes": "DELETE FROM entry_changes WHERE link_id = :link AND draft_id = ANY(:ids)",
    "drafts": (
        "UPDATE drafts SET body = jsonb_build_object('customerId', body->'customerId',"
        " 'projectId', body->'projectId', 'lines', '[]'::jsonb, 'minutes', '{}'::jsonb,"
        " 'about', '{}'::jsonb, 'erasedAt', CAST(:now AS text)), facts = '{}',"
        " invoice = CASE jsonb_typeof(invoice) WHEN 'object' THEN"
        " invoice - 'differs' - 'theirs' - 'candidates' ELSE invoice END, requested_by = '',"
        " next_look = NULL, not_before = NULL WHERE link_id = :link AND draft_id = ANY(:ids)"
    ),
}
"""What goes of the drafts, in this order."""


async def erase_ended(runtime: Runtime, link_id: LinkId) -> None:
    """
    Erase all of a link that has had its time, in short transactions; safe to repeat and to die in.

    Each bite says in the log and in ``tc_erased_total`` how much of what went.
    """
    now = runtime.clock()
    gone = {"drafts": 1}
    while gone.get("drafts"):
        async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
            gone = await _erase_some(session, link_id, now, runtime.settings.papers_kept_years)
        _tell(runtime, link_id, gone)
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        previews = await session.scalars(
            delete(Preview)
            .where(Preview.link_id == link_id, Preview.expires_at < now - KEPT)
            .returning(Preview.preview_id)
        )
        count = len(previews.all())
    _tell(runtime, link_id, {"previews": count})


async def _erase_some(
    session: AsyncSession, link_id: LinkId, now: datetime, years: int
) -> dict[str, int]:
    today = oslo_day(now)
    ids: Sequence[UUID] = (
        await session.scalars(
            _OVER,
            {
                "link": link_id, "before": _midnight(kept_from(today, years=years)),
                "today": today, "most": ERASED_AT_ONCE,
            },
        )
    ).all()  # fmt: skip
    if not ids:
        return {}
    values: dict[str, Any] = {"link": link_id, "ids": list(ids), "now": now.isoformat()}
    gone: dict[str, int] = {}
    for what, statement in _STATEMENTS.items():
        done = await session.execute(text(f"{statement} RETURNING 1"), values)
        gone[what] = len(done.all())
    return gone


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=_OSLO).astimezone(UTC)


def _tell(runtime: Runtime, link_id: LinkId, gone: Mapping[str, int]) -> None:
    for what, count in gone.items():
        if count:
            runtime.metrics.erased.labels(what).inc(count)
            _log.info("erased after its time", link_id=str(link_id), kind=what, count=count)
