"""Read the plan's lines for people.

Filtered, searched, sorted, page by page, each complete enough for a row; and count them.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.first_sync.deeds import ANCHOR, DEED, SHOWN_CATEGORY
from app.first_sync.store import Plan
from app.first_sync.words import sought


@dataclass(frozen=True, slots=True)
class Filter:
    """Choose lines; ``None`` does not narrow. ``q`` are words that a line's records hold."""

    kind: str | None = None
    category: str | None = None
    deed: str | None = None
    rule: str | None = None
    answered: bool | None = None
    outcome: str | None = None
    q: str | None = None


class Sort(StrEnum):
    """Name an order of lines; neither changes when a line is answered, so pages stay whole."""

    NAME = "name"
    YIELD = "yield"


MOST_LINES: Final = 20_000
"""Lines one filter may hit for an answer or a file; more than any plan we know of."""

RULE: Final = "p.candidates -> 0 ->> 'rule'"

_FROM: Final = f"FROM proposals p {ANCHOR}"

_WHERE: Final = f"""
WHERE p.link_id = :link_id AND p.plan_id = :plan_id AND NOT p.dormant
  AND (CAST(:kind AS text) IS NULL OR p.kind = :kind)
  AND (CAST(:category AS text) IS NULL OR {SHOWN_CATEGORY} = :category)
  AND (CAST(:deed AS text) IS NULL OR {DEED} = :deed)
  AND (CAST(:rule AS text) IS NULL OR {RULE} = :rule)
  AND (CAST(:answered AS boolean) IS NULL OR (p.answer IS NOT NULL) = :answered)
  AND (CAST(:outcome AS text) IS NULL OR p.outcome = :outcome)
  AND p.words LIKE ALL (CAST(:words AS text[]))
"""

# What must be answered comes first, doubles before all else; among equals the likeliest, so that
# a person says yes quickly and meets the hard ones warm.
_RANK: Final = """
CASE p.category WHEN 'duplicate' THEN 0 WHEN 'likely' THEN 1 WHEN 'ambiguous' THEN 2
                WHEN 'certain' THEN 3 ELSE 4 END
"""
_SORTED: Final[Mapping[Sort, Sequence[str]]] = {
    Sort.NAME: ("p.name", "p.proposal_id"),
    Sort.YIELD: (_RANK, "-p.score", "p.name", "p.proposal_id"),
}
_TYPES: Final[Mapping[Sort, Sequence[str]]] = {
    Sort.NAME: ("text", "uuid"),
    Sort.YIELD: ("integer", "integer", "text", "uuid"),
}

# A fresh plan has no statistics yet, and the planner then joins ten thousand lines key by key.
_AT_ONCE: Final = text("SELECT set_config('enable_nestloop', :nested, true)")

_SHOWN: Final = f"""
SELECT p.*, {SHOWN_CATEGORY} AS shown_category, {DEED} AS deed, r.data AS anchor, r.ready,
       r.findings
"""

# Only the page's own lines look up their candidates, each by its key.
_OTHERS: Final = """
(SELECT jsonb_object_agg(o.record_id, o.data)
 FROM (SELECT p.partner_id AS id
       UNION SELECT c.value ->> 'id' FROM jsonb_array_elements(p.candidates) c) wanted
 JOIN records o ON o.link_id = p.link_id AND o.kind = p.kind AND o.record_id = wanted.id
  AND o.side = CASE p.anchor_side WHEN 'time' THEN 'books' ELSE 'time' END) AS others
"""


def _places_of(sort: Sort) -> str:
    keys = ", ".join(_SORTED[sort])
    after = ", ".join(f"CAST(:after_{n} AS {kind})" for n, kind in enumerate(_TYPES[sort]))
    return f"""
SELECT p.proposal_id, jsonb_build_array({keys}) AS place {_FROM} {_WHERE}
  AND (CAST(:goes_on AS boolean) IS FALSE OR ({keys}) > ({after}))
ORDER BY {keys} LIMIT :limit
"""


_PLACES: Final = {sort: text(_places_of(sort)) for sort in Sort}

_THESE: Final = text(f"""
{_SHOWN}, {_OTHERS} {_FROM}
WHERE p.link_id = :link_id AND p.proposal_id = ANY(CAST(:ids AS uuid[]))
""")

_GROUPS: Final = text(f"""
SELECT p.kind, {SHOWN_CATEGORY} AS category, {DEED} AS deed, {RULE} AS rule, p.outcome,
       CASE WHEN p.answer IS NULL THEN 'no' ELSE 'yes' END AS answered, count(*)
{_FROM} {_WHERE} GROUP BY 1, 2, 3, 4, 5, 6
""")

_IDS: Final = text(
    f"SELECT p.proposal_id, p.name {_FROM} {_WHERE}"
    f" ORDER BY p.name, p.proposal_id LIMIT {MOST_LINES}"
)


@dataclass(frozen=True, slots=True)
class Facets:
    """Count lines by each property a list can be narrowed by."""

    total: int
    counts: Mapping[str, Mapping[str, int]]


async def page_of_lines(
    session: AsyncSession,
    plan: Plan,
    wanted: Filter,
    *,
    after: Sequence[str | int] | None,
    limit: int,
    sort: Sort = Sort.NAME,
) -> Sequence[Mapping[str, Any]]:
    """
    Read a page of lines, each with both records and its deed.

    Args:
        after: The ``place`` of the last line of the page before.

    """
    place = after if after is not None else [None] * len(_SORTED[sort])
    places = {f"after_{n}": value for n, value in enumerate(place)}
    more = {"goes_on": after is not None, "limit": limit}
    await at_once(session)
    found = (await session.execute(_PLACES[sort], _named(plan, wanted) | places | more)).all()
    await at_once(session, over=True)
    rows = await _these(session, plan, [proposal_id for proposal_id, _ in found])
    return [rows[proposal_id] | {"place": place} for proposal_id, place in found]


async def one_line(
    session: AsyncSession, plan: Plan, proposal_id: UUID
) -> Mapping[str, Any] | None:
    """Read one line as it is shown."""
    return (await _these(session, plan, [proposal_id])).get(proposal_id)


async def _these(
    session: AsyncSession, plan: Plan, ids: Sequence[UUID]
) -> dict[UUID, dict[str, Any]]:
    rows = await session.execute(_THESE, {"link_id": plan.link_id, "ids": list(ids)})
    return {row["proposal_id"]: dict(row) for row in rows.mappings()}


async def at_once(session: AsyncSession, *, over: bool = False) -> None:
    """Let statements until ``over`` join whole plans at once: some 20 ms instead of 200."""
    await session.execute(_AT_ONCE, {"nested": "on" if over else "off"})


async def facets(session: AsyncSession, plan: Plan, wanted: Filter) -> Facets:
    """Count the lines a filter hits, by kind, category, deed, rule, outcome and answered."""
    await at_once(session)
    rows = (await session.execute(_GROUPS, _named(plan, wanted))).mappings().all()
    await at_once(session, over=True)
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    total = 0
    for row in rows:
        total += row["count"]
        for name in ("kind", "category", "deed", "rule", "outcome", "answered"):
            if row[name] is not None:
                counts[name][row[name]] += row["count"]
    return Facets(total, counts)


async def ids_of(session: AsyncSession, plan: Plan, wanted: Filter) -> Sequence[tuple[UUID, str]]:
    """Give ids and names of the lines a filter hits."""
    await at_once(session)
    rows = (await session.execute(_IDS, _named(plan, wanted))).all()
    await at_once(session, over=True)
    return [(proposal_id, name) for proposal_id, name in rows]


def _named(plan: Plan, wanted: Filter) -> dict[str, Any]:
    narrowed = {name: value for name, value in asdict(wanted).items() if name != "q"}
    words = sought(wanted.q or "")
    return {"link_id": plan.link_id, "plan_id": plan.plan_id, "words": words, **narrowed}
