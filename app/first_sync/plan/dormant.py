"""Wake and put to sleep the lines of the books side, as the lines that name them decide."""

from collections import defaultdict
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.first_sync.store import Plan

# A record of the books side counts for itself only while no line of the time side links to it or
# may still do so. What a line leaves out it takes along where it is certain, or where every line
# that names it is left out. Where another one was decided otherwise it wakes and is asked about
# ('ambiguous', which the matching gives no line of the books side), since it may be what was left
# out. It is grouped, not joined: of lines that this transaction stored there are no statistics
# yet, and a join over 5,000 of them took 21 s where this takes some 60 ms.
_OTHERWISE: Final = text("""
WITH told AS (
  SELECT p.kind, c.value ->> 'id' AS id, NULL::uuid AS line, NULL AS category,
         NULL::boolean AS dormant, NULL::boolean AS links,
         p.answer IS NULL OR (p.answer = 'leave_out' AND p.category = 'certain') AS holds,
         p.answer = 'leave_out' AS left_out
  FROM proposals p, jsonb_array_elements(p.candidates) c
  WHERE p.link_id = :link_id AND p.plan_id = :plan_id
  UNION ALL
  SELECT p.kind, p.partner_id, NULL, NULL, NULL, true, NULL, NULL FROM proposals p
  WHERE p.link_id = :link_id AND p.plan_id = :plan_id AND p.answer = 'link'
  UNION ALL
  SELECT b.kind, b.anchor_id, b.proposal_id, b.category, b.dormant, NULL, NULL, NULL
  FROM proposals b
  WHERE b.link_id = :link_id AND b.plan_id = :plan_id AND b.anchor_side = 'books'
), summed AS (
  SELECT kind, (array_agg(line) FILTER (WHERE line IS NOT NULL))[1] AS line,
         max(category) AS category, bool_or(dormant) AS dormant,
         COALESCE(bool_or(links), false) AS linked,
         COALESCE(bool_or(holds) OR bool_and(left_out), false) AS held,
         COALESCE(bool_or(left_out), false) AS doubted
  FROM told GROUP BY kind, id
), settled AS (
  SELECT line, dormant, category,
         linked OR held OR (kind = 'project' AND NOT :projects) AS sleeps,
         CASE WHEN category IN ('duplicate', 'asked_again', 'archived') THEN category
              WHEN doubted AND NOT linked AND NOT held THEN 'ambiguous'
              ELSE 'only_books' END AS becomes
  FROM summed WHERE line IS NOT NULL
)
SELECT line, sleeps, becomes FROM settled WHERE (dormant, category) <> (sleeps, becomes)
""")

_SETTLE: Final = text("""
UPDATE proposals SET dormant = :sleeps, category = :becomes, version = version + 1
WHERE link_id = :link_id AND proposal_id = ANY(CAST(:lines AS uuid[]))
""")


_REST: Final = text("""
UPDATE proposals SET dormant = NOT :projects
WHERE link_id = :link_id AND plan_id = :plan_id AND kind = 'project' AND anchor_side = 'time'
  AND dormant = :projects
""")


async def rest_projects(session: AsyncSession, plan: Plan) -> None:
    """
    Put all lines of projects to sleep where an account has no right to them, or wake them again.

    So a person's answers outlive a reading without that right. ``settle_dormant`` follows.
    """
    named = {"link_id": plan.link_id, "plan_id": plan.plan_id}
    await session.execute(_REST, {**named, "projects": _has_projects(plan)})


def _has_projects(plan: Plan) -> bool:
    return bool(plan.capabilities.get("projects"))


async def settle_dormant(session: AsyncSession, plan: Plan) -> None:
    """
    Wake the lines of records that nobody links to any more, and put the others to sleep.

    The caller holds the plan's lock, so that nobody answers in between.
    """
    named = {"link_id": plan.link_id, "plan_id": plan.plan_id, "projects": _has_projects(plan)}
    otherwise: dict[tuple[bool, str], list[UUID]] = defaultdict(list)
    for line, sleeps, becomes in await session.execute(_OTHERWISE, named):
        otherwise[sleeps, becomes].append(line)
    for (sleeps, becomes), lines in otherwise.items():
        settled = {"link_id": plan.link_id, "lines": lines, "sleeps": sleeps, "becomes": becomes}
        await session.execute(_SETTLE, settled)
