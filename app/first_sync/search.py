"""Read the plan's lines for people.

Filtered, sorted, page by page, each complete enough for a row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.first_sync.deeds import ANCHOR, DEED, SHOWN_CATEGORY
from app.first_sync.store import Plan


@dataclass(frozen=True, slots=True)
class Filter:
    """Choose lines; ``None`` does not narrow. ``q`` is part of a name, without case."""

    kind: str | None = None
    category: str | None = None
    deed: str | None = None
    answered: bool | None = None
    outcome: str | None = None
    q: str | None = None


_FROM: Final = f"FROM proposals p {ANCHOR}"

_WHERE: Final = f"""
WHERE p.link_id = :link_id AND p.plan_id = :plan_id AND NOT p.dormant
  AND (CAST(:kind AS text) IS NULL OR p.kind = :kind)
  AND (CAST(:category AS text) IS NULL OR {SHOWN_CATEGORY} = :category)
  AND (CAST(:deed AS text) IS NULL OR {DEED} = :deed)
  AND (CAST(:answered AS boolean) IS NULL OR (p.answer IS NOT NULL) = :answered)
  AND (CAST(:outcome AS text) IS NULL OR p.outcome = :outcome)
  AND (CAST(:q AS text) IS NULL OR strpos(lower(p.name), lower(:q)) > 0)
"""

_SHOWN: Final = f"""
SELECT p.*, {SHOWN_CATEGORY} AS shown_category, {DEED} AS deed, r.data AS anchor, r.ready,
       r.findings
"""

# The page is chosen first, so that only its own rows look up their candidates, each by its key.
_WITH_OTHERS: Final = """
SELECT page.*, (
  SELECT jsonb_object_agg(o.record_id, o.data)
  FROM (SELECT page.partner_id AS id
        UNION SELECT c.value ->> 'id' FROM jsonb_array_elements(page.candidates) c) wanted
  JOIN records o ON o.link_id = page.link_id AND o.kind = page.kind AND o.record_id = wanted.id
   AND o.side = CASE page.anchor_side WHEN 'time' THEN 'books' ELSE 'time' END
) AS others
FROM page ORDER BY page.name, page.proposal_id
"""

_PAGE: Final = text(f"""
WITH page AS MATERIALIZED (
  {_SHOWN} {_FROM} {_WHERE}
    AND (CAST(:after_name AS text) IS NULL
         OR (p.name, p.proposal_id) > (:after_name, CAST(:after_id AS uuid)))
  ORDER BY p.name, p.proposal_id LIMIT :limit
) {_WITH_OTHERS}
""")

_ONE: Final = text(f"""
WITH page AS MATERIALIZED (
  {_SHOWN} {_FROM} WHERE p.link_id = :link_id AND p.proposal_id = :proposal_id
) {_WITH_OTHERS}
""")

_FACETS: Final = text(f"""
SELECT {SHOWN_CATEGORY} AS category, count(*) {_FROM}
WHERE p.link_id = :link_id AND p.plan_id = :plan_id AND NOT p.dormant GROUP BY 1
""")

_IDS: Final = text(f"SELECT p.proposal_id, p.name {_FROM} {_WHERE} ORDER BY p.name LIMIT 20000")


async def page_of_lines(
    session: AsyncSession,
    plan: Plan,
    wanted: Filter,
    *,
    after: tuple[str, str] | None,
    limit: int,
) -> Sequence[Mapping[str, Any]]:
    """Read a page of lines by name, each with both records and its deed."""
    name, last = after or (None, None)
    rows = await session.execute(
        _PAGE, _named(plan, wanted) | {"after_name": name, "after_id": last, "limit": limit}
    )
    return [dict(row) for row in rows.mappings()]


async def one_line(
    session: AsyncSession, plan: Plan, proposal_id: UUID
) -> Mapping[str, Any] | None:
    """Read one line as it is shown."""
    named = {"link_id": plan.link_id, "proposal_id": proposal_id}
    row = (await session.execute(_ONE, named)).mappings().first()
    return None if row is None else dict(row)


async def facets(session: AsyncSession, plan: Plan) -> dict[str, int]:
    """Count the lines by the category a reader sees."""
    named = {"link_id": plan.link_id, "plan_id": plan.plan_id}
    rows = await session.execute(_FACETS, named)
    return {str(category): int(count) for category, count in rows}


async def ids_of(session: AsyncSession, plan: Plan, wanted: Filter) -> Sequence[tuple[UUID, str]]:
    """Give ids and names of the lines a filter hits."""
    rows = await session.execute(_IDS, _named(plan, wanted))
    return [(proposal_id, name) for proposal_id, name in rows]


def _named(plan: Plan, wanted: Filter) -> dict[str, Any]:
    return {
        "link_id": plan.link_id, "plan_id": plan.plan_id, "kind": wanted.kind,
        "category": wanted.category, "deed": wanted.deed, "answered": wanted.answered,
        "outcome": wanted.outcome,
        "q": wanted.q,
    }  # fmt: skip
