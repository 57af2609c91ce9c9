"""Judge which records may be created on the other side, and keep what they lack beside them."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import Customer, LinkId, Record, RecordId, RecordKind, Side
from app.documents import shown_field
from app.links.pairs import Pair
from app.problems import catalogue, say
from app.records.readiness import (
    FixKind,
    Gap,
    customer_gaps,
    gap_texts,
    is_ready,
    project_gaps,
    say_gap,
    valid_organization_number,
)
from app.records.store import KnownRecord
from app.systems.ports import Capabilities, Demands
from app.systems.register import Businesses

UNREADABLE: Final = "record-unreadable"
_UNREAD: Final = (Gap(UNREADABLE, "name", blocking=True, fix=FixKind.LEAVE_OUT),)

Demanding = Demands | Capabilities
"""What says which fields and lengths the other side demands."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Hold what a record lacks; ``ready`` when nothing of it hinders."""

    side: Side
    kind: RecordKind
    record_id: RecordId
    gaps: tuple[Gap, ...]
    revision: int | None = None
    """Of the row that was judged; ``None`` leaves the row due to be judged again."""

    @property
    def ready(self) -> bool:
        """Say whether the record may be created on the other side."""
        return is_ready(self.gaps)


def judge_side(
    rows: Sequence[KnownRecord],
    *,
    others: Demanding,
    taken_in: Collection[RecordId] = frozenset(),
    kept_out: Collection[RecordId] = frozenset(),
    businesses: Businesses = MappingProxyType({}),
) -> list[Judged]:
    """
    Judge all records of a side; pure.

    Args:
        rows: Customers and projects of the side; what is gone is passed over.
        others: What the other side demands.
        taken_in: Customers of this side that are on the other one already, or will be by a link.
        kept_out: Customers that stay on this side, beside those that were left out before.
        businesses: What the business register answered.

    """
    living = [row for row in rows if row.gone_at is None]
    numbers = Counter(row.number for row in living)
    customers = [row for row in living if row.kind == RecordKind.CUSTOMER]
    judged = [judge_customer(row, others, numbers, businesses) for row in customers]
    left_out = {row.record_id for row in living if row.left_out} | set(kept_out)
    able = {one.record_id for one in judged if one.ready and one.record_id not in left_out}
    able.update(taken_in)
    projects = [row for row in living if row.kind == RecordKind.PROJECT]
    return judged + [judge_project(row, others, able) for row in projects]


def judge_customer(
    row: KnownRecord, others: Demanding, numbers: Mapping[str | None, int], businesses: Businesses
) -> Judged:
    """Judge a customer; ``numbers`` counts its side's organization numbers."""
    twice = valid_organization_number(row.number) and numbers.get(row.number, 0) > 1
    gaps = _UNREAD if not row.complete else judge_one(
        row.record, others=others, number_twice=twice, businesses=businesses
    )  # fmt: skip
    return Judged(Side(row.side), RecordKind.CUSTOMER, RecordId(row.record_id), gaps, row.revision)


def judge_project(row: KnownRecord, others: Demanding, able: Collection[RecordId]) -> Judged:
    """Judge a project; ``able`` are the customers that are linked or may be created."""
    gaps = _UNREAD if not row.complete else judge_one(
        row.record, others=others, customer_ready=row.customer_id in able
    )  # fmt: skip
    return Judged(Side(row.side), RecordKind.PROJECT, RecordId(row.record_id), gaps, row.revision)


def judge_one(
    record: Record,
    *,
    others: Demanding,
    customer_ready: bool = True,
    number_twice: bool = False,
    businesses: Businesses = MappingProxyType({}),
) -> tuple[Gap, ...]:
    """Say what one record lacks."""
    limits = others.text_limits
    if isinstance(record, Customer):
        return customer_gaps(
            record,
            required=others.required,
            limits=limits.get(RecordKind.CUSTOMER, {}),
            number_twice=number_twice,
            businesses=businesses,
        )
    return project_gaps(
        record, limits=limits.get(RecordKind.PROJECT, {}), customer_ready=customer_ready
    )


async def paired_ids(
    session: AsyncSession, link_id: LinkId, kind: RecordKind
) -> dict[RecordId, RecordId]:
    """Give the pairs of a kind, time id to books id."""
    rows = await session.execute(
        select(Pair.time_id, Pair.books_id).where(Pair.link_id == link_id, Pair.kind == kind.value)
    )
    return {RecordId(time_id): RecordId(books_id) for time_id, books_id in rows}


# In the order in which pairs and pages are written, so that nobody waits in a circle.
HOLD: Final = text("""
SELECT 1 FROM records r
JOIN jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (side text, kind text, id text)
  ON r.side = n.side AND r.kind = n.kind AND r.record_id = n.id
WHERE r.link_id = :link_id
ORDER BY r.kind, r.side DESC, r.record_id
FOR NO KEY UPDATE OF r
""")
"""Holds records given as JSON rows of ``side``, ``kind`` and ``id``."""

_KEEP: Final = text("""
UPDATE records r SET findings = n.findings, ready = n.ready,
       judged_revision = COALESCE(n.revision, r.judged_revision)
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
     AS n (side text, kind text, id text, findings jsonb, ready boolean, revision integer)
WHERE r.link_id = :link_id AND r.side = n.side AND r.kind = n.kind AND r.record_id = n.id
  AND (r.ready <> n.ready OR r.findings <> n.findings
       OR r.judged_revision <> COALESCE(n.revision, r.judged_revision))
""")


async def keep_judged(session: AsyncSession, link_id: LinkId, judged: Iterable[Judged]) -> None:
    """Store what records lack; rows that say so already are not written."""
    items = list(judged)
    if not items:
        return
    rows = json.dumps(
        [
            {
                "side": one.side, "kind": one.kind, "id": one.record_id, "ready": one.ready,
                "findings": [finding_json(gap) for gap in one.gaps], "revision": one.revision,
            }
            for one in items
        ]
    )  # fmt: skip
    await session.execute(HOLD, {"link_id": link_id, "rows": rows})
    await session.execute(_KEEP, {"link_id": link_id, "rows": rows})


def finding_json(gap: Gap) -> dict[str, Any]:
    """Write a gap as it is stored."""
    return {
        "code": gap.code,
        "field": gap.field,
        "blocking": gap.blocking,
        "fix": gap.fix.value if gap.fix else None,
        "limit": gap.limit,
        "suggested": gap.suggested,
    }


def say_finding(finding: Mapping[str, Any], language: str) -> dict[str, str]:
    """Give a stored finding's text and remedy in nb, nn or en."""
    if finding["code"] not in gap_texts():
        kind = catalogue()[finding["code"]]
        return {"text": say(kind.title, language, {}), "remedy": say(kind.remedy, language, {})}
    fix = FixKind(finding["fix"]) if finding["fix"] else None
    gap = Gap(
        finding["code"], finding["field"], blocking=finding["blocking"], fix=fix,
        limit=finding["limit"], suggested=finding.get("suggested"),
    )  # fmt: skip
    return say_gap(gap, language)


def finding_shown(finding: Mapping[str, Any], language: str, *, paired: bool) -> dict[str, Any]:
    """
    Show a stored finding to callers, with its text and remedy.

    Args:
        paired: The record is in a pair, and is left out by parting that only.

    """
    field = shown_field(finding["field"])
    fix = None if paired and finding["fix"] == FixKind.LEAVE_OUT else finding["fix"]
    return {**finding, "field": field, "fix": fix, **say_finding(finding, language)}
