"""Read the plan's lines for people.

Filtered, searched, sorted, page by page, each complete enough for a row; and count them.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.first_sync.plan.deeds import ANCHOR, DEED, HINDERED, SHOWN_CATEGORY, UNPAIRED
from app.first_sync.plan.words import sought
from app.first_sync.store import Plan, PlanState
from app.problems import Problem
from app.records.businesses import recall_families
from app.records.register_facts import numbers_in


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
"""Lines one filter may hit for an answer or a file; one that hits more is refused, never cut."""

RULE: Final = "p.candidates -> 0 ->> 'rule'"

_FROM: Final = f"FROM proposals p {HINDERED}"

_OPEN: Final = "WHERE p.link_id = :link_id AND p.plan_id = :plan_id AND NOT p.dormant"

_NARROWED: Final[Mapping[str, str]] = {
    "kind": "p.kind = :kind",
    "category": f"{SHOWN_CATEGORY} = :category",
    "deed": f"{DEED} = :deed",
    "rule": f"{RULE} = :rule",
    "answered": "(p.answer IS NOT NULL) = :answered",
    "outcome": "p.outcome = :outcome",
    "words": "p.words LIKE ALL (CAST(:words AS text[]))",
    "unpaired": UNPAIRED,
}
_BY_RECORD: Final = frozenset({"category", "deed"})
"""What only a line's record can tell; without these a list need not look at any."""

# What must be answered comes first, doubles before all else; among equals the likeliest, so that
# a person says yes quickly and meets the hard ones warm.
_RANK: Final = """
CASE p.category WHEN 'duplicate' THEN 0 WHEN 'asked_again' THEN 1 WHEN 'likely' THEN 1
                WHEN 'ambiguous' THEN 2 WHEN 'certain' THEN 3 ELSE 4 END
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

_IN_ORDER: Final = text("SELECT set_config('enable_sort', :sorted, true)")

_SHOWN: Final = f"""
SELECT p.*, {SHOWN_CATEGORY} AS shown_category, {DEED} AS deed, r.data AS anchor, r.ready,
       r.findings
"""

# Only the page's own lines look up their records, each by its key: a join would read them all.
_BY_KEY: Final = """
(SELECT jsonb_object_agg(found.id, found.data) FROM (
   SELECT wanted.id, (SELECT o.data FROM records o
                      WHERE o.link_id = p.link_id AND o.kind = p.kind AND o.side = {side}
                        AND o.record_id = wanted.id) AS data
   FROM ({ids}) wanted OFFSET 0) found
 WHERE found.data IS NOT NULL)
"""
_OTHERS: Final = _BY_KEY.format(
    side="CASE p.anchor_side WHEN 'time' THEN 'books' ELSE 'time' END",
    ids="SELECT p.partner_id AS id WHERE p.partner_id IS NOT NULL"
    " UNION SELECT c.value ->> 'id' FROM jsonb_array_elements(p.candidates) c",
)
# Of a suspected double nothing else in the line says who it is.
_DOUBLES: Final = _BY_KEY.format(
    side="p.anchor_side",
    ids="SELECT DISTINCT s.value ->> 'id' AS id FROM jsonb_array_elements(p.siblings) s",
)


@cache
def _where(narrowed: frozenset[str]) -> str:
    return " AND ".join([_OPEN, *(_NARROWED[name] for name in sorted(narrowed))])


@cache
def _places(sort: Sort, narrowed: frozenset[str], *, goes_on: bool) -> TextClause:
    """Write the statement of a page; one without filters only walks along an index."""
    keys = ", ".join(_SORTED[sort])
    after = ", ".join(f"CAST(:after_{n} AS {kind})" for n, kind in enumerate(_TYPES[sort]))
    source = _FROM if narrowed & _BY_RECORD else "FROM proposals p"
    return text(
        f"SELECT p.proposal_id, jsonb_build_array({keys}) AS place {source} {_where(narrowed)}"
        + (f" AND ({keys}) > ({after})" if goes_on else "")
        + f" ORDER BY {keys} LIMIT :limit"
    )


_THESE: Final = text(f"""
{_SHOWN}, {_OTHERS} AS others, {_DOUBLES} AS doubles FROM proposals p {ANCHOR}
WHERE p.link_id = :link_id AND p.proposal_id = ANY(CAST(:ids AS uuid[]))
""")


@cache
def _groups(narrowed: frozenset[str]) -> TextClause:
    return text(f"""
SELECT p.kind, {SHOWN_CATEGORY} AS category, {DEED} AS deed, {RULE} AS rule, p.outcome,
       CASE WHEN p.answer IS NULL THEN 'no' ELSE 'yes' END AS answered, count(*)
{_FROM} {_where(narrowed)} GROUP BY 1, 2, 3, 4, 5, 6
""")


@cache
def _ids(narrowed: frozenset[str]) -> TextClause:
    return text(
        f"SELECT p.proposal_id, p.name {_FROM} {_where(narrowed)}"
        " ORDER BY p.name, p.proposal_id LIMIT :limit"
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
    Read a page of lines, each with all its records and its deed.

    Args:
        after: The ``place`` of the last line of the page before.

    """
    narrowed, named = _chosen(plan, wanted)
    named |= {f"after_{n}": value for n, value in enumerate(after or ())} | {"limit": limit}
    statement = _places(sort, narrowed, goes_on=after is not None)
    in_order = sort is Sort.NAME and not narrowed & _BY_RECORD
    await (along_index(session) if in_order else at_once(session))
    found = (await session.execute(statement, named)).all()
    await (along_index(session, over=True) if in_order else at_once(session, over=True))
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
    lines = [dict(row) for row in rows.mappings()]
    # What was answered so far; nobody waits for the register itself.
    businesses = await recall_families(session, {n for line in lines for n in _numbers(line)})
    return {line["proposal_id"]: line | {"businesses": businesses} for line in lines}


def _numbers(line: Mapping[str, Any]) -> Collection[str]:
    """Give the organization numbers of all records that a line shows."""
    others, doubles = line["others"] or {}, line["doubles"] or {}
    return numbers_in([line["anchor"], *others.values(), *doubles.values()])


async def at_once(session: AsyncSession, *, over: bool = False) -> None:
    """Let statements until ``over`` join whole plans at once: some 20 ms instead of 200."""
    await session.execute(_AT_ONCE, {"nested": "on" if over else "off"})


async def along_index(session: AsyncSession, *, over: bool = False) -> None:
    """Let statements until ``over`` walk an index in its order instead of sorting a whole plan."""
    await session.execute(_IN_ORDER, {"sorted": "on" if over else "off"})


async def facets(session: AsyncSession, plan: Plan, wanted: Filter) -> Facets:
    """Count the lines a filter hits, by kind, category, deed, rule, outcome and answered."""
    narrowed, named = _chosen(plan, wanted)
    await at_once(session)
    rows = (await session.execute(_groups(narrowed), named)).mappings().all()
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
    """
    Give ids and names of the lines a filter hits.

    Raises:
        Problem: ``too-many-lines-chosen``.

    """
    narrowed, named = _chosen(plan, wanted)
    await at_once(session)
    rows = (await session.execute(_ids(narrowed), named | {"limit": MOST_LINES + 1})).all()
    await at_once(session, over=True)
    if len(rows) > MOST_LINES:
        raise Problem("too-many-lines-chosen", most=MOST_LINES)
    return [(proposal_id, name) for proposal_id, name in rows]


def _chosen(plan: Plan, wanted: Filter) -> tuple[frozenset[str], dict[str, Any]]:
    """Say what a filter narrows by, and give the statement's parameters."""
    values = {name: value for name, value in asdict(wanted).items() if value is not None}
    words = sought(values.pop("q", ""))
    values |= {"words": words} if words else {}
    # What the sync paired since is counted no more; once confirmed, each line has an outcome.
    before = plan.state in (PlanState.READING, PlanState.MATCHING, PlanState.OPEN)
    chosen = frozenset(values) | ({"unpaired"} if before else set())
    return chosen, {"link_id": plan.link_id, "plan_id": plan.plan_id, **values}
