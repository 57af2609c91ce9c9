"""Look around a record that is in no pair: who is there, what is decided, who may fit."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import Customer, LinkId, Project, Record, RecordId, RecordKind, Side
from app.links.pairs import find_pair
from app.records.agreement import content_print
from app.records.asked import Question
from app.records.decisions import refused_pairs
from app.records.intents import open_contents
from app.records.judge import paired_ids
from app.records.look_for import says_the_same
from app.records.matching import Found, Indexes, Proposal, match_one, match_projects
from app.records.questions import find_question
from app.records.shapes import from_json, kind_of
from app.records.store import KnownRecord, recall

Pairs = frozenset[tuple[RecordId, RecordId]]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """
    Hold what counts for a record's admission, as it is remembered.

    Args:
        left_out: A person said that the record stays on its own side.
        may_be_ours: It says what a POST of unknown outcome sent, so it may be what that made.
        customer_missing: A project whose customer is in no pair.
        siblings: Records of its own side and kind that are in no pair, itself left out.
        theirs: Records of the other side.
        taken: Those of them that have a partner.
        kept_out: Those of them that a person left out.
        customers: Time id to books id of the project's customer, where it is a project.

    """

    pair_id: UUID | None
    question: Question | None
    left_out: bool
    may_be_ours: bool
    customer_missing: bool
    number_twice: bool
    siblings: Sequence[Record]
    theirs: Sequence[Record]
    taken: frozenset[RecordId]
    kept_out: frozenset[RecordId]
    refused: Pairs
    linked: Pairs
    customers: dict[RecordId, RecordId]

    def print_of(self, record_id: RecordId) -> str | None:
        """Give what a record of the other side is remembered to say."""
        return next((content_print(one) for one in self.theirs if one.id == record_id), None)


async def look_around(
    session: AsyncSession, link_id: LinkId, side: Side, record: Record
) -> Surroundings:
    """Read what is remembered around a record."""
    kind = kind_of(record)
    pair = await find_pair(session, link_id, side, kind, record.id)
    paired = await paired_ids(session, link_id, kind)
    mine, taken = _sides(paired, side)
    own = await recall(session, link_id, side, kind)
    theirs = await recall(session, link_id, side.other, kind)
    row = next((one for one in own if one.record_id == record.id), None)
    customers = await _customers(session, link_id, side, record)
    sent = await open_contents(session, link_id, side, kind.value)
    siblings = [one for one in _living(own, mine) if one.id != record.id]
    return Surroundings(
        pair_id=pair.pair_id if pair else None,
        question=await find_question(session, link_id, side, kind, record.id),
        left_out=row is not None and row.left_out,
        may_be_ours=any(says_the_same(from_json(kind, one), record) for one in sent),
        customer_missing=isinstance(record, Project)
        and record.customer_id is not None
        and not customers,
        number_twice=_number_twice(record, siblings),
        siblings=[one for one in siblings if one.id not in mine],
        theirs=_living(theirs, taken),
        taken=frozenset(taken),
        kept_out=frozenset(RecordId(row.record_id) for row in theirs if row.left_out),
        refused=await refused_pairs(session, link_id, kind),
        linked=frozenset(paired.items()),
        customers=customers,
    )


def find_partner(record: Record, side: Side, around: Surroundings, indexes: Indexes) -> Found:
    """Match a record against the other side, its own siblings competing; pure, for a thread."""
    if isinstance(record, Customer):
        return match_one(
            record,
            side,
            indexes.of(side.other, (one for one in around.theirs if isinstance(one, Customer))),
            refused=around.refused,
            taken=around.taken,
            siblings=indexes.of(
                side, (one for one in around.siblings if isinstance(one, Customer))
            ),
        )
    return _find_project(record, side, around)


def _find_project(record: Project, side: Side, around: Surroundings) -> Found:
    mine = [record, *(one for one in around.siblings if isinstance(one, Project))]
    theirs = [one for one in around.theirs if isinstance(one, Project)]
    time, books = (mine, theirs) if side is Side.TIME else (theirs, mine)
    found = match_projects(
        time, books, customers=around.customers, refused=around.refused, linked=around.linked
    )

    def is_ours(proposal: Proposal) -> bool:
        return record.id == (proposal.time_id if side is Side.TIME else proposal.books_id)

    certain = next(filter(is_ours, found.certain), None)
    return Found(certain, () if certain else tuple(filter(is_ours, found.asked)))


async def _customers(
    session: AsyncSession, link_id: LinkId, side: Side, record: Record
) -> dict[RecordId, RecordId]:
    if not isinstance(record, Project) or record.customer_id is None:
        return {}
    pair = await find_pair(session, link_id, side, RecordKind.CUSTOMER, record.customer_id)
    return {pair.record_id(Side.TIME): pair.record_id(Side.BOOKS)} if pair else {}


def _sides(
    paired: dict[RecordId, RecordId], side: Side
) -> tuple[frozenset[RecordId], frozenset[RecordId]]:
    time, books = frozenset(paired), frozenset(paired.values())
    return (time, books) if side is Side.TIME else (books, time)


def _living(rows: Sequence[KnownRecord], paired: Collection[str]) -> list[Record]:
    """
    Give what was ever read whole, or is named by its list at least, or numbered.

    A list may have told since that it says something new. What is in a pair already and was never
    read says too little to ask by.
    """
    return [
        row.record
        for row in rows
        if row.gone_at is None
        and (
            row.read_at is not None
            or (bool(row.name or row.number) and row.record_id not in paired)
        )
    ]


def _number_twice(record: Record, siblings: Sequence[Record]) -> bool:
    number = record.organization_number if isinstance(record, Customer) else None
    return bool(number) and any(
        isinstance(one, Customer) and one.organization_number == number for one in siblings
    )
