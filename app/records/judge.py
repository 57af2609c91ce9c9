"""Judge which records may be created on the other side, and keep what they lack beside them."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import Customer, LinkId, Project, Record, RecordId, RecordKind, Side
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
from app.systems.ports import Capabilities

UNREADABLE: Final = "record-unreadable"


@dataclass(frozen=True, slots=True)
class Judged:
    """Hold what a record lacks; ``ready`` when nothing of it hinders."""

    side: Side
    kind: RecordKind
    record_id: RecordId
    gaps: tuple[Gap, ...]

    @property
    def ready(self) -> bool:
        """Say whether the record may be created on the other side."""
        return is_ready(self.gaps)


def judge_side(
    side: Side,
    rows: Sequence[KnownRecord],
    *,
    others: Capabilities,
    paired: Collection[RecordId] = frozenset(),
) -> list[Judged]:
    """
    Judge all records of a side; pure.

    Args:
        rows: Customers and projects of the side; what is gone is passed over.
        others: What the other side demands.
        paired: Customers of this side that exist on the other one already.

    """
    living = [row for row in rows if row.gone_at is None]
    numbers = Counter(_number(row.record) for row in living)
    judged = [
        Judged(side, RecordKind.CUSTOMER, RecordId(row.record_id), _gaps(row, others, numbers))
        for row in living
        if row.kind == RecordKind.CUSTOMER
    ]
    left_out = {row.record_id for row in living if row.left_out}
    able = {one.record_id for one in judged if one.ready and one.record_id not in left_out}
    able.update(paired)
    return judged + [
        Judged(side, RecordKind.PROJECT, RecordId(row.record_id), _project(row, others, able))
        for row in living
        if row.kind == RecordKind.PROJECT
    ]


def judge_one(
    record: Record, *, others: Capabilities, customer_ready: bool = True, number_twice: bool = False
) -> tuple[Gap, ...]:
    """Say what one record lacks."""
    limits = others.text_limits
    if isinstance(record, Customer):
        return customer_gaps(
            record,
            required=others.required,
            limits=limits.get(RecordKind.CUSTOMER, {}),
            number_twice=number_twice,
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


_KEEP: Final = text("""
UPDATE records r SET findings = CAST(n.findings AS jsonb), ready = n.ready
FROM unnest(CAST(:sides AS text[]), CAST(:kinds AS text[]), CAST(:ids AS text[]),
            CAST(:findings AS text[]), CAST(:readies AS boolean[]))
     AS n (side, kind, id, findings, ready)
WHERE r.link_id = :link_id AND r.side = n.side AND r.kind = n.kind AND r.record_id = n.id
  AND (r.ready <> n.ready OR r.findings <> CAST(n.findings AS jsonb))
""")


async def keep_judged(session: AsyncSession, link_id: LinkId, judged: Iterable[Judged]) -> None:
    """Store what records lack; rows that say so already are not written."""
    items = list(judged)
    if not items:
        return
    await session.execute(
        _KEEP,
        {
            "link_id": link_id,
            "sides": [one.side.value for one in items],
            "kinds": [one.kind.value for one in items],
            "ids": [one.record_id for one in items],
            "findings": [json.dumps([finding_json(gap) for gap in one.gaps]) for one in items],
            "readies": [one.ready for one in items],
        },
    )


def finding_json(gap: Gap) -> dict[str, Any]:
    """Write a gap as it is stored."""
    return {
        "code": gap.code,
        "field": gap.field,
        "blocking": gap.blocking,
        "fix": gap.fix.value if gap.fix else None,
        "limit": gap.limit,
    }


def say_finding(finding: Mapping[str, Any], language: str) -> dict[str, str]:
    """Give a stored finding's text and remedy in nb, nn or en."""
    if finding["code"] not in gap_texts():
        kind = catalogue()[finding["code"]]
        return {"text": say(kind.title, language, {}), "remedy": say(kind.remedy, language, {})}
    fix = FixKind(finding["fix"]) if finding["fix"] else None
    gap = Gap(
        finding["code"], finding["field"], blocking=finding["blocking"], fix=fix,
        limit=finding["limit"],
    )  # fmt: skip
    return say_gap(gap, language)


def _gaps(row: KnownRecord, others: Capabilities, numbers: Mapping[str, int]) -> tuple[Gap, ...]:
    if not row.complete:
        return (Gap(UNREADABLE, "name", blocking=True, fix=FixKind.LEAVE_OUT),)
    number = _number(row.record)
    return judge_one(row.record, others=others, number_twice=number != "" and numbers[number] > 1)


def _project(row: KnownRecord, others: Capabilities, able: Collection[RecordId]) -> tuple[Gap, ...]:
    if not row.complete:
        return (Gap(UNREADABLE, "name", blocking=True, fix=FixKind.LEAVE_OUT),)
    record = row.record
    customer_id = record.customer_id if isinstance(record, Project) else None
    return judge_one(record, others=others, customer_ready=customer_id in able)


def _number(record: Record) -> str:
    """Give an organization number that counts for finding doubles; persons and blanks do not."""
    number = record.organization_number if isinstance(record, Customer) else None
    return (number or "") if valid_organization_number(number) else ""
