"""Count the values that a confirmed plan will write into records that exist, and will ask about."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import Customer, LinkId, RecordKind
from app.first_sync.plan.deeds import ANCHOR, DEED, UNPAIRED
from app.first_sync.plan.search import at_once
from app.first_sync.store import PARTNER, Plan
from app.links.store import read_link
from app.records.agreement import fields_of
from app.records.expected import Expected, expected_changes, policies_of
from app.records.fields import FieldMap
from app.records.shapes import from_json

_SAMPLES: Final = 5
_SAME: Final = "the pair of their customers"

_COUPLES: Final = text(f"""
SELECT p.kind, p.winners, t.record_id AS id, t.name, t.data AS time_data,
       b.record_id AS partner_id, b.name AS partner_name, b.data AS books_data
FROM (
  SELECT p.link_id, p.kind, p.name, p.winners,
         CASE p.anchor_side WHEN 'time' THEN p.anchor_id ELSE {PARTNER} END AS time_id,
         CASE p.anchor_side WHEN 'time' THEN {PARTNER} ELSE p.anchor_id END AS books_id
  FROM proposals p {ANCHOR}
  WHERE p.link_id = :link_id AND p.plan_id = :plan_id AND NOT p.dormant AND {UNPAIRED}
    AND ({DEED}) = 'link'
) p
JOIN records t ON t.link_id = p.link_id AND t.kind = p.kind AND t.side = 'time'
              AND t.record_id = p.time_id AND t.complete
JOIN records b ON b.link_id = p.link_id AND b.kind = p.kind AND b.side = 'books'
              AND b.record_id = p.books_id AND b.complete
ORDER BY t.name, t.record_id
""")  # noqa: S608 - constants of ours


@dataclass(slots=True)
class Values:
    """Hold how many values of a field are written on a side, or asked about, and of whom."""

    kind: str
    expected: Expected
    count: int = 0
    samples: list[Mapping[str, Any]] = field(default_factory=list)


async def values_of(session: AsyncSession, plan: Plan) -> Sequence[Values]:
    """Count what linking changes by kind, field and side, as both records are remembered."""
    link_id = LinkId(plan.link_id)
    link = await read_link(session, link_id)
    policies = policies_of(link.settings if link is not None else {})
    await at_once(session)
    rows = await session.execute(_COUPLES, {"link_id": link_id, "plan_id": plan.plan_id})
    await at_once(session, over=True)
    return await asyncio.to_thread(_counted, [dict(row) for row in rows.mappings()], policies)


def _counted(couples: Sequence[Mapping[str, Any]], policies: Mapping[str, str]) -> Sequence[Values]:
    found: dict[tuple[str, Expected], Values] = {}
    for one in couples:
        time, books = (_fields(one["kind"], one[of]) for of in ("time_data", "books_data"))
        for expected in expected_changes(time, books, winners=one["winners"], policies=policies):
            values = found.setdefault((one["kind"], expected), Values(one["kind"], expected))
            values.count += 1
            if len(values.samples) < _SAMPLES:
                partner = {"id": one["partner_id"], "name": one["partner_name"]}
                values.samples.append({"id": one["id"], "name": one["name"], "partner": partner})
    return [found[key] for key in sorted(found, key=str)]


def _fields(kind: str, data: Mapping[str, Any]) -> FieldMap:
    """Give what a record says; projects are linked inside customers that are a pair."""
    record = from_json(RecordKind(kind), data)
    return fields_of(record, customer_pair=None if isinstance(record, Customer) else _SAME)
