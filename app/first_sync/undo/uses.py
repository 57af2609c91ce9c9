"""Say what undoing a run would do to each of its lines, and what stands on one since."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, Project, RecordId, RecordKind, Side
from app.first_sync.reading.sides import Keepers
from app.first_sync.store import Run
from app.links.open_systems import open_books, open_time
from app.links.pairs import Pair
from app.records.agreement import content_print, shown_by
from app.records.pair_up import named_fields
from app.runtime import Runtime
from app.systems.ports import AccessReason, EntryQuery, Sighting, Unauthorised

_A_DAY: Final = timedelta(days=1)
_EVER: Final = date(2000, 1, 1)

# What a draft or the sync did lives in rooms beside this one; one look over all lines at once.
_UNDONE: Final = """
SELECT p.proposal_id, p.kind, p.name, p.anchor_side, p.anchor_id, p.undo,
       CASE WHEN p.undo IS NULL AND d.mark IS NOT NULL THEN jsonb_build_object('mark', d.mark)
         ELSE p.undo_facts - 'parted' END AS facts, p.undo_facts -> 'parted' AS parted,
       p.outcome_facts ->> 'createdId' AS created_id, q.pair_id, q.time_id, q.books_id,
       COALESCE(p.undo_code, CASE
         WHEN p.undo IS NOT NULL THEN NULL
         WHEN q.pair_id IS NULL THEN 'parted-already'
         WHEN d.mark IS NOT NULL THEN 'used-in-draft'
         WHEN p.outcome_facts ? 'createdId' AND EXISTS (
           SELECT FROM history h WHERE h.link_id = p.link_id AND h.pair_id = q.pair_id
             AND h.event = 'written' AND h.side <> p.anchor_side) THEN 'edited-since'
       END) AS code
FROM proposals p
LEFT JOIN pairs q ON q.link_id = p.link_id
 AND q.pair_id = CAST(p.outcome_facts ->> 'pairId' AS uuid)
LEFT JOIN LATERAL (
  SELECT mark FROM drafts
  WHERE drafts.link_id = p.link_id AND state NOT IN ('refused', 'released')
    AND CASE WHEN p.kind = 'customer'
      THEN customer_time_id = q.time_id OR customer_books_id = q.books_id
      ELSE project_books_id = q.books_id END
  ORDER BY mark LIMIT 1) d ON true
WHERE p.link_id = :link_id AND p.plan_id = :plan_id AND p.outcome = 'done'
  AND p.outcome_facts ? 'pairId'
"""

_ALL: Final = text(f"""
SELECT * FROM ({_UNDONE}) line
WHERE CAST(:after AS uuid) IS NULL OR proposal_id > CAST(:after AS uuid)
ORDER BY proposal_id LIMIT :limit
""")  # noqa: S608 - a constant of ours

_COUNTS: Final = text(f"""
SELECT kind, CASE WHEN created_id IS NULL THEN NULL WHEN anchor_side = 'time' THEN 'books'
             ELSE 'time' END AS made_in, undo, code, count(*) AS lines
FROM ({_UNDONE}) line GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
""")  # noqa: S608 - a constant of ours


PARTED: Final = "parted"
"""Stands in a line's ``undo_facts`` while its made record waits to be archived; shown to nobody."""


@dataclass(frozen=True, slots=True)
class Use:
    """Say why a record is left as it is: a problem's code, and what stands on it."""

    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parted:
    """
    Hold what was seen of a made record when its pair was parted.

    Args:
        print: What it said then (``content_print``); ``None`` where that is not known.
        since: The day from which papers count as a use.

    """

    print: str | None
    since: date

    @classmethod
    def now(cls, pair: Pair | None, seen: Sighting | None) -> "Parted":
        """Give what is seen at this moment."""
        record = seen.record if seen is not None else None
        since = _EVER if pair is None else (pair.created_at - _A_DAY).date()
        return cls(content_print(record) if record is not None else None, since)

    @classmethod
    def of(cls, kept: Mapping[str, Any] | None) -> "Parted":
        """Read what was kept; a line that was parted before anything was kept says nothing."""
        if not kept:
            return cls(None, _EVER)
        return cls(kept["print"], date.fromisoformat(kept["since"]))

    def as_json(self) -> dict[str, Any]:
        """Give what is kept in the line."""
        return {"print": self.print, "since": self.since.isoformat()}


@dataclass(frozen=True, slots=True)
class Undone:
    """
    Hold a line of a run as undoing sees it.

    Args:
        pair_id: The pair the run made, ``None`` once it is parted.
        created_id: The record the run made on the other side of the anchor, if it made one.
        undo: How far its undoing has come, ``None`` before.
        code: Why it is not undone, as far as our own rows say.
        facts: What stands on it, once that was found: papers, hours, the draft's mark.
        parted: What was seen of a made record when its pair was parted (``Parted``).

    """

    proposal_id: UUID
    kind: str
    name: str
    anchor_side: str
    anchor_id: str
    undo: str | None
    created_id: str | None
    pair_id: UUID | None
    time_id: str | None
    books_id: str | None
    code: str | None
    facts: Mapping[str, Any]
    parted: Mapping[str, Any] | None

    @property
    def made_in(self) -> Side | None:
        """Name the side on which the run made a record."""
        return Side(self.anchor_side).other if self.created_id is not None else None


async def undone_lines(
    session: AsyncSession, run: Run, *, after: UUID | None, limit: int
) -> Sequence[Undone]:
    """List what a run did, line by line, with what stands on each."""
    named = {"link_id": run.link_id, "plan_id": run.plan_id, "after": after, "limit": limit}
    return [Undone(**row) for row in (await session.execute(_ALL, named)).mappings()]


async def undone_counts(session: AsyncSession, run: Run) -> Sequence[Mapping[str, Any]]:
    """Count what a run did by kind, side of making, and what hinders."""
    named = {"link_id": run.link_id, "plan_id": run.plan_id}
    return [dict(row) for row in (await session.execute(_COUNTS, named)).mappings()]


async def edit_of(
    session: AsyncSession, link_id: LinkId, line: Undone, pair: Pair, seen: Sighting
) -> Use | None:
    """Say whether a record that the run made says something else than agreed by now."""
    record, side = seen.record, line.made_in
    if record is None or side is None:
        return None
    fields = await named_fields(session, link_id, side, record)
    agreed = {**pair.base, **shown_by(side, pair.base)}
    edited = any(agreed.get(name) != value for name, value in fields.items())
    return Use("edited-since", {"recordId": record.id}) if edited else None


async def use_of(
    runtime: Runtime, link_id: LinkId, line: Undone, projects: "ProjectLists", *, since: date
) -> Use | None:
    """
    Say what stands on a record that the run made, as its own system tells; ``None`` if nothing.

    Args:
        since: Papers are asked for from this day on.

    Raises:
        SystemFault: Its system cannot be asked now.

    """
    kind, side, made = RecordKind(line.kind), line.made_in, RecordId(line.created_id or "")
    if side is None:
        return None
    if kind is RecordKind.CUSTOMER and (count := await projects.under(side, made)):
        return Use("used-by-projects", {"count": str(count)})
    if side is Side.TIME:
        query = EntryQuery(
            customer_id=made if kind is RecordKind.CUSTOMER else None,
            project_id=made if kind is RecordKind.PROJECT else None,
        )
        entries = await (await open_time(runtime, link_id)).entries(query)
        return Use("used-in-hours", {"entries": str(len(entries))}) if entries else None
    papers = await (await open_books(runtime, link_id)).paper_ids(kind, made, since=since)
    return Use("used-in-books", {"papers": ", ".join(papers[:5])}) if papers else None


class ProjectLists:
    """
    Say how many projects in use stand under a side's customers, by one list a side.

    A customer that the run made may have projects that somebody made there by hand and that no
    pair tells of. Listed when first asked; made anew for each bite of work.
    """

    def __init__(self, keepers: Keepers) -> None:
        """Begin without a list."""
        self._keepers = keepers
        self._counts: dict[Side, asyncio.Future[Counter[RecordId | None]]] = {}

    async def under(self, side: Side, customer_id: RecordId) -> int:
        """
        Count the active projects of a customer.

        Raises:
            SystemFault: The side cannot be asked now.

        """
        if side not in self._counts:
            self._counts[side] = asyncio.ensure_future(self._count(side))
        return (await self._counts[side])[customer_id]

    async def _count(self, side: Side) -> Counter[RecordId | None]:
        counts: Counter[RecordId | None] = Counter()
        try:
            async for page in self._keepers[side].pages(RecordKind.PROJECT):
                counts.update(
                    row.record.customer_id
                    for row in page.rows
                    if isinstance(row.record, Project) and row.record.active and not row.record.gone
                )
        except Unauthorised as fault:
            if fault.reason is not AccessReason.PLAN:
                raise
        return counts
