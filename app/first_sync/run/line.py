"""Carry out one line of a confirmed plan: link two records, create one, or leave it out."""

from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import Project, Record, RecordId, RecordKind, Side
from app.changes.store import note
from app.database import CommitPoint
from app.first_sync.plan.deeds import Deed, deed_of, partner_of, rests
from app.first_sync.plan.lines import find_line, links_to, read_line
from app.first_sync.run.read_unchanged import guard, is_matched, read_unchanged
from app.first_sync.run.step import DONE, RECORD_GONE, Outcome, Step, later
from app.first_sync.store import OutcomeState, PlanState, plan_in
from app.links.pairs import find_pair, partner_id
from app.records.create import Created, Refused, Unsettled, create_on_other_side
from app.records.decisions import leave_out
from app.records.intents import was_made_by
from app.records.made import write_mark
from app.records.pair_up import pair_up
from app.records.questions import SAME_RECORD, is_asked_about
from app.records.store import KnownRecord, recall
from app.systems.ports import (
    ChangeNotice,
)


async def carry_out_line(step: Step) -> None:
    """
    Do what the line says and commit its outcome; once done it is never done again.

    Raises:
        Away: A side cannot be worked with now; the line stays as it was.

    """
    partner = partner_of(step.line)
    async with step.runtime.database.reading(step.link_id) as session:
        row = (await recall(session, step.link_id, step.side, step.kind, [step.anchor_id]))[0]
        pair = await find_pair(session, step.link_id, step.side, step.kind, step.anchor_id)
        others = await recall(
            session, step.link_id, step.side.other, step.kind, [partner] if partner else []
        )
    left_out = any(one.left_out for one in (row, *others))
    match deed_of(step.line, ready=row.ready, left_out=left_out):
        case Deed.LINK:
            await _link(step)
        case Deed.CREATE_IN_BOOKS | Deed.CREATE_IN_TIME:
            made = await _create(step)
            if made is not None:
                await _keep(step, made)
        case Deed.LEAVE_OUT:
            await _leave_out(step)
        case Deed.WAIT | Deed.ASK if pair is not None:
            await _keep(step, DONE)  # the ordinary sync was faster
        case Deed.WAIT:
            await _keep(step, _not_ready(row))
        case Deed.ASK:
            await _keep(step, later("answers-missing"))


async def _link(step: Step) -> None:
    """Pair two records that still say what the person saw; differences are left to the sync."""
    partner = RecordId(partner_of(step.line) or "")
    ids = {step.side: step.anchor_id, step.side.other: partner}
    async with step.runtime.database.reading(step.link_id) as session:
        pair = await find_pair(session, step.link_id, step.side, step.kind, step.anchor_id)
    if pair is not None:
        same = pair.record_id(step.side.other) == partner
        await _keep(step, DONE if same else later("record-already-paired"))
        return
    records = {side: await read_unchanged(step, side, one) for side, one in ids.items()}
    changed = [one for one in records.values() if isinstance(one, Outcome)]
    if changed:
        await _keep(step, changed[0])
        return
    time, books = records[Side.TIME], records[Side.BOOKS]
    assert not isinstance(time, Outcome)  # noqa: S101 - the two lines above
    assert not isinstance(books, Outcome)  # noqa: S101 - the same
    if not await _of_linked_customers(step, time, books):
        await _keep(step, later("project-customer-not-linked"))
        return
    work = write_mark(step.keepers[Side.TIME], step.kind, time.id, str(books.id))
    if await guard(Side.TIME, work) is False:
        await _keep(step, later(RECORD_GONE, side=Side.TIME.value, recordId=time.id))
        return
    try:
        async with step.runtime.database.transaction(CommitPoint.RUN_STEP, step.link_id) as session:
            await _pair(session, step, time, books)
    except IntegrityError:
        await _keep(step, later("record-already-paired"))


async def _of_linked_customers(step: Step, time: Record, books: Record) -> bool:
    """Say whether two projects belong to customers that are a pair; customers always do."""
    if not isinstance(time, Project) or not isinstance(books, Project):
        return True
    if time.customer_id is None or books.customer_id is None:
        return time.customer_id == books.customer_id
    async with step.runtime.database.reading(step.link_id) as session:
        found = await partner_id(
            session, step.link_id, Side.TIME, RecordKind.CUSTOMER, time.customer_id
        )
    return found == books.customer_id


async def _pair(session: AsyncSession, step: Step, time: Record, books: Record) -> None:
    now = step.runtime.clock()
    pair, differs = await pair_up(
        session, step.link_id, time=time, books=books, now=now,
        origin="answered" if step.line.answer else "matched",
        winners={name: Side(side) for name, side in step.line.winners.items()},
    )  # fmt: skip
    if differs:
        await note(session, step.link_id, Side.TIME, [ChangeNotice(step.kind, time.id)], now=now)
    done = Outcome(OutcomeState.DONE, facts={"pairId": str(pair.pair_id)})
    await _write_outcome(session, step, done)


async def _create(step: Step) -> Outcome | None:
    """
    Make the record on the other side, unless it changed or its customer is not there yet.

    Gives ``None`` where a fix made it say what it was not matched as: first the run looks again.
    """
    async with step.runtime.database.reading(step.link_id) as session:
        pair = await find_pair(session, step.link_id, step.side, step.kind, step.anchor_id)
        asked = await is_asked_about(session, step.link_id, step.side, step.kind, step.anchor_id)
    if pair is not None:
        # Made by a step that died before it could say so, or by the ordinary sync.
        return await _made(step, pair.pair_id, pair.record_id(step.side.other))
    if asked:
        return later(SAME_RECORD)
    source = await read_unchanged(step, step.side, step.anchor_id)
    if isinstance(source, Outcome):
        return source
    if not await is_matched(step, source):
        return None
    customer_id: RecordId | None = None
    if isinstance(source, Project) and source.customer_id is not None:
        customer_id = await _customer_there(step, source.customer_id)
        if customer_id is None:
            return later("project-customer-not-linked", customerId=source.customer_id)
    made = await guard(
        step.side.other,
        create_on_other_side(
            step.runtime, step.link_id, target=step.side.other, kind=step.kind,
            source=source, customer_id_on_target=customer_id, maker=step.line.proposal_id,
        ),
    )  # fmt: skip
    return await _told(step, made)


async def _made(step: Step, pair_id: UUID, record_id: RecordId) -> Outcome:
    """Say what a line made, so that it can be undone; what the sync made is not the line's."""
    async with step.runtime.database.reading(step.link_id) as session:
        ours = await was_made_by(
            session, step.link_id, step.side.other, step.kind, step.anchor_id,
            maker=step.line.proposal_id,
        )  # fmt: skip
    facts = {"pairId": str(pair_id), "createdId": record_id}
    return Outcome(OutcomeState.DONE, facts=facts) if ours else DONE


async def _told(step: Step, made: Created | Unsettled | Refused | None) -> Outcome:
    match made:
        case Created(record, pair_id):
            return await _made(step, pair_id, record.id)
        case Unsettled(not_before):
            return Outcome(OutcomeState.WAITING, "create-not-settled", {}, not_before)
        case Refused(code, facts):
            return Outcome(OutcomeState.REFUSED, code, facts)
        case None:
            return later("projects-need-smart")


async def _leave_out(step: Step) -> None:
    """Remember that the record stays where it is, and what it was proposed with too."""
    if rests(step.line):
        # Nobody said so: in use again, it is taken up as any other.
        await _keep(step, Outcome(OutcomeState.LEFT_OUT))
        return
    async with step.runtime.database.transaction(CommitPoint.RUN_STEP, step.link_id) as session:
        await leave_out(session, step.link_id, step.side, step.kind, [step.anchor_id])
        free = await _held_by_nobody(session, step)
        await leave_out(session, step.link_id, step.side.other, step.kind, free)
        await _write_outcome(session, step, Outcome(OutcomeState.LEFT_OUT))


async def _held_by_nobody(session: AsyncSession, step: Step) -> list[str]:
    """Give the candidates of a line that is left out which nobody links and whose lines sleep."""
    candidates = [str(one["id"]) for one in step.line.candidates]
    plan = await plan_in(session, step.link_id, PlanState.RUNNING, PlanState.PAUSED)
    if not candidates or plan is None:
        return []
    links = await links_to(session, plan, step.kind, candidates)
    held = {books_id for line, books_id in links if line != step.line.proposal_id}
    free = [one for one in candidates if one not in held]
    own = [
        await find_line(session, plan, step.kind.value, step.side.other.value, one) for one in free
    ]
    return [one for one, line in zip(free, own, strict=True) if line is None or line.dormant]


def _not_ready(row: KnownRecord) -> Outcome:
    hinders = [one for one in row.findings if one["blocking"]]
    code = str(hinders[0]["code"]) if hinders else "record-not-ready"
    return Outcome(OutcomeState.LATER, code, {"findings": hinders})


async def _customer_there(step: Step, customer_id: RecordId) -> RecordId | None:
    async with step.runtime.database.reading(step.link_id) as session:
        return await partner_id(session, step.link_id, step.side, RecordKind.CUSTOMER, customer_id)


async def _keep(step: Step, outcome: Outcome) -> None:
    async with step.runtime.database.transaction(CommitPoint.RUN_STEP, step.link_id) as session:
        await _write_outcome(session, step, outcome)


async def _write_outcome(session: AsyncSession, step: Step, outcome: Outcome) -> None:
    line = await read_line(session, step.link_id, step.line.proposal_id, lock=True)
    if line is None or line.outcome not in (None, OutcomeState.WAITING):
        return  # another worker was faster; what it did is what undoing must know
    line.outcome, line.outcome_code = outcome.state.value, outcome.code
    line.outcome_facts, line.not_before = dict(outcome.facts), outcome.not_before
    line.version += 1
