"""Take up a record that is in no pair: link it, make its other half, ask, or let it wait."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from app.canonical import Project, Record, RecordId, RecordKind, Side
from app.changes.settle import make_due
from app.changes.store import note
from app.database import CommitPoint
from app.links.pairs import partner_id
from app.problems import catalogue
from app.records.admit import Ask, Create, Linked, Wait, admit
from app.records.create import Created, Refused, Unsettled, create_on_other_side
from app.records.questions import SAME_RECORD
from app.sync.bite import Look, Work
from app.sync.outcomes import Outcome
from app.sync.refresh import refresh
from app.sync.verdicts import (
    CHANGED,
    CUSTOMER_NOT_LINKED,
    PROJECTS_NEED_SMART,
    Again,
    Asks,
    Done,
    Verdict,
    Waits,
    judge,
)
from app.systems.ports import ChangeNotice, SystemFault

NOT_READY: Final = "record-not-ready"
LEFT_OUT: Final = "left-out"
CREATE_NOT_SETTLED: Final = "create-not-settled"
_LOOK_AGAIN: Final = timedelta(seconds=30)


async def take_up(look: Look, work: Work) -> Outcome:
    """
    Look at a record that is in no pair, by the rules of the first sync.

    Certain partner: they are linked. None: its other half is made, once whatever dies meanwhile.
    Doubtful: a person is asked. Not ready, or a project whose customer is in no pair: it waits.
    """
    due = work.dues[0]
    if work.kind is RecordKind.PROJECT and not look.projects:
        return Outcome(work, Waits(PROJECTS_NEED_SMART))
    try:
        seen = await look.keepers[due.side].read(work.kind, due.record_id)
    except SystemFault as fault:
        return Outcome(work, judge(fault, due.side))
    if seen.record is None or seen.record.gone:
        return Outcome(work, Done())
    try:
        verdict = await _admit(look, due.side, work.kind, seen.record)
    except SystemFault as fault:
        return Outcome(work, judge(fault, due.side.other))
    return Outcome(work, verdict)


async def _admit(look: Look, side: Side, kind: RecordKind, record: Record) -> Verdict:
    await refresh(look, side.other, kind)
    others = await look.able(side.other)
    verdict = await admit(
        look.runtime, look.link_id, side, kind, record, others=others, indexes=look.indexes
    )
    match verdict:
        case Linked():
            await _wake_waiting(look, side, kind, record.id, again=True)
            return Done()
        case Ask(question_id, facts):
            return Asks(SAME_RECORD, {**facts, "questionId": str(question_id)})
        case Wait(code, facts):
            return _waits(record, code, facts)
        case Create():
            return await _create(look, side, kind, record)


def _waits(record: Record, code: str, facts: Mapping[str, Any]) -> Verdict:
    """Say how a record that was not admitted goes on; readiness findings share one code."""
    if code == LEFT_OUT:
        return Done()
    if code == CHANGED:
        return Again(code)
    if code == CREATE_NOT_SETTLED:
        return Waits(code, after=_LOOK_AGAIN, facts=facts)
    if code == CUSTOMER_NOT_LINKED and isinstance(record, Project):
        return Waits(code, facts={**facts, "customerId": record.customer_id})
    if code in catalogue():
        return Waits(code, facts=facts)
    return Waits(NOT_READY, facts={**facts, "finding": code})


async def _create(look: Look, side: Side, kind: RecordKind, record: Record) -> Verdict:
    customer_id: RecordId | None = None
    if isinstance(record, Project) and record.customer_id is not None:
        async with look.runtime.database.reading(look.link_id) as session:
            customer_id = await partner_id(
                session, look.link_id, side, RecordKind.CUSTOMER, record.customer_id
            )
        if customer_id is None:
            facts = {"side": side.value, "customerId": record.customer_id}
            return Waits(CUSTOMER_NOT_LINKED, facts=facts)
    made = await create_on_other_side(
        look.runtime,
        look.link_id,
        target=side.other,
        kind=kind,
        source=record,
        customer_id_on_target=customer_id,
    )
    match made:
        case Created():
            await _wake_waiting(look, side, kind, record.id, again=False)
            return Done()
        case Unsettled(not_before):
            after = not_before - look.runtime.clock()
            return Waits(CREATE_NOT_SETTLED, after=after)
        case Refused(code, facts):
            return Asks(code, facts)


async def _wake_waiting(
    look: Look, side: Side, kind: RecordKind, record_id: RecordId, *, again: bool
) -> None:
    """Look at a new pair's differences, and at projects that waited for their customer's pair."""
    if not again and kind is RecordKind.PROJECT:
        return
    now = look.runtime.clock()
    async with look.runtime.database.transaction(CommitPoint.PLAIN, look.link_id) as session:
        if again:
            await note(session, look.link_id, side, [ChangeNotice(kind, record_id)], now=now)
        if kind is RecordKind.CUSTOMER:
            await make_due(session, look.link_id, [CUSTOMER_NOT_LINKED], now=now)
