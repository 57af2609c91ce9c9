"""Create a record on the other side exactly once, whatever dies on the way."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.exc import IntegrityError

from app.canonical import Customer, LinkId, Record, RecordId, RecordKind, Side
from app.database import CommitPoint
from app.links.open_systems import open_side
from app.links.pairs import find_pair
from app.records.intents import find_intent, move_intent, plan_intent, send_again
from app.records.look_for import look_for
from app.records.made import finish_create, keep_made, known_ids
from app.records.shapes import from_json, kind_of
from app.records.store import CreateIntent
from app.runtime import Runtime
from app.systems.ports import RecordKeeper, Rejected, SystemFault, Unreachable

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Created:
    """Say that the record stands on the other side and in a pair; ``record`` is the one made."""

    record: Record
    pair_id: UUID


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Say that a POST's outcome is not known yet; call again from ``not_before`` on."""

    not_before: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """Say that nothing was made and that the same call will not help; ``code`` is a problem's."""

    code: str
    facts: dict[str, Any]


Outcome = Created | Unsettled | Refused


@dataclass(frozen=True, slots=True)
class _Order:
    """Hold what is to be made: ``sent`` is the source in the target's terms."""

    runtime: Runtime
    link_id: LinkId
    target: Side
    source: Record
    sent: Record
    maker: UUID | None

    @property
    def kind(self) -> RecordKind:
        return kind_of(self.source)


async def create_on_other_side(
    runtime: Runtime,
    link_id: LinkId,
    *,
    target: Side,
    kind: RecordKind,
    source: Record,
    customer_id_on_target: RecordId | None = None,
    maker: UUID | None = None,
) -> Outcome:
    """
    Make a record on the other side, pair it, and tell the time side its mark.

    Safe to call again after any death and from two processes at once. The intent is committed
    before the POST leaves. Whoever finds it ``sending`` does not POST: a system with idempotent
    creates is asked again with the same key; any other is looked through, at the times of
    ``intent_settle_seconds``, for an unknown record that says what was sent. Nothing found at all
    of them: one new POST, later ones only when a person asks. Two found: a person decides.

    The base of the new pair is what was sent; what the target makes of it is noted beside it, so
    that the next look writes nothing (``agreement.base_after_create`` says why).

    Args:
        source: The record as it was just read on its own side.
        customer_id_on_target: For a project: its customer's other half.
        maker: Who asks, where it must be told later who made it (``was_made_by``).

    Raises:
        SystemFault: The target refused access, asked for patience or cannot be reached; nothing is
            lost, call again.

    """
    order = _Order(
        runtime, link_id, target, source,
        _in_terms_of(target, source, customer_id_on_target), maker,
    )  # fmt: skip
    step = await _claim(order, kind)
    if isinstance(step, Created):
        await finish_create(runtime, link_id, target, source)
        return step
    keeper = await open_side(runtime, link_id, target)
    if step.may_send:
        return await _send(order, keeper, step.intent)
    return await _settle(order, keeper, step.intent)


def _in_terms_of(target: Side, source: Record, customer_id: RecordId | None) -> Record:
    mark = str(source.id) if target is Side.TIME else None
    if isinstance(source, Customer):
        return replace(source, id=RecordId(""), number=None, mark=mark, merged_into=None)
    return replace(
        source, id=RecordId(""), number=None, mark=mark, parent_id=None, customer_id=customer_id
    )


@dataclass(frozen=True, slots=True)
class _Step:
    """Hold the intent as it stands; ``may_send`` only for the one who claimed it this very time."""

    intent: CreateIntent
    may_send: bool


async def _claim(order: _Order, kind: RecordKind) -> Created | _Step:
    """Write the intent down, or find out how far an earlier call came."""
    link_id, now = order.link_id, order.runtime.clock()
    try:
        async with order.runtime.database.transaction(
            CommitPoint.CREATE_INTENT, link_id
        ) as session:
            pair = await find_pair(session, link_id, order.target.other, kind, order.source.id)
            if pair is not None:
                made = replace(order.sent, id=pair.record_id(order.target))
                return Created(made, pair.pair_id)
            intent = await find_intent(session, link_id, order.target, order.source, lock=True)
            if intent is None:
                intent = await plan_intent(
                    session, link_id, order.target, source=order.source, sent=order.sent, now=now,
                    maker=order.maker,
                )  # fmt: skip
                return _Step(intent, may_send=True)
            if intent.state != "planned":
                return _Step(intent, may_send=False)
            send_again(intent, now, sent=order.sent, maker=order.maker)
            return _Step(intent, may_send=True)
    except IntegrityError:
        # Another process wrote the same intent at this very moment; what it does is its affair.
        return await _claim(order, kind)


async def _send(order: _Order, keeper: RecordKeeper, intent: CreateIntent) -> Outcome:
    """POST once; the intent of this very attempt is committed."""
    sent = from_json(order.kind, intent.content)
    try:
        made = await keeper.create(order.kind, sent, key=str(intent.key))
    except Rejected as fault:
        await _move(order, intent, state="planned")
        return Refused("other-system-refused", _facts(order, fault))
    except Unreachable as fault:
        if not fault.effect_possible:
            await _move(order, intent, state="planned")
            raise
        if (await keeper.capabilities()).idempotent_create:
            raise
        await _move(order, intent, state="unknown", not_before=_look_at(order, 0))
        return await _look(order, keeper, await _again(order))
    except SystemFault:
        await _move(order, intent, state="planned")
        raise
    return await _keep(order, intent, made)


async def _settle(order: _Order, keeper: RecordKeeper, intent: CreateIntent) -> Outcome:
    """Find out what became of an earlier POST."""
    now = order.runtime.clock()
    if (await keeper.capabilities()).idempotent_create and now < intent.key_until:
        return await _send(order, keeper, intent)
    return await _look(order, keeper, intent)


async def _look(order: _Order, keeper: RecordKeeper, intent: CreateIntent) -> Outcome:
    """Look for the record at its times; after the last look one new POST may leave."""
    now = order.runtime.clock()
    if now < intent.not_before:
        return Unsettled(intent.not_before)
    async with order.runtime.database.reading(order.link_id) as session:
        known = await known_ids(session, order.link_id, order.target, order.kind, intent.created_at)
    found = await look_for(
        keeper, from_json(order.kind, intent.content), is_known=known.__contains__
    )
    if len(found) == 1:
        return await _keep(order, intent, found[0])
    if found:
        return Refused("create-doubled", {"candidates": [record.id for record in found]})
    return await _found_nothing(order, keeper, intent)


async def _found_nothing(order: _Order, keeper: RecordKeeper, intent: CreateIntent) -> Outcome:
    looks = order.runtime.settings.intent_settle_seconds
    looked = intent.looked + 1
    if looked < len(looks):
        not_before = _look_at(order, looked)
        await _move(order, intent, state="unknown", looked=looked, not_before=not_before)
        return Unsettled(not_before)
    if intent.posts_left <= 0:
        # A person who asks again allows one more look and one more POST.
        await _move(order, intent, state="unknown", looked=len(looks) - 1, posts_left=1)
        return Refused("create-outcome-unknown", {"attempts": intent.attempts})
    now, link_id = order.runtime.clock(), order.link_id
    async with order.runtime.database.transaction(CommitPoint.CREATE_INTENT, link_id) as session:
        held = await find_intent(session, link_id, order.target, order.source, lock=True)
        if held is None or held.attempts != intent.attempts or held.state == "done":
            return Unsettled(now)
        held.posts_left -= 1
        send_again(held, now)
    return await _send(order, keeper, held)


async def _keep(order: _Order, intent: CreateIntent, made: Record) -> Outcome:
    """Commit id, pair and base together, then tell the source."""
    now, link_id = order.runtime.clock(), order.link_id
    values = {"state": "done", "result_id": made.id, "marked": order.target is Side.TIME}
    created: Created | None = None
    try:
        async with order.runtime.database.transaction(CommitPoint.CREATE_DONE, link_id) as session:
            if await move_intent(session, intent, now, **values):
                pair = await keep_made(session, intent, order.source, made, now)
                created = Created(made, pair.pair_id)
    except IntegrityError:
        return await _faster(order, made)
    if created is None:
        return await _faster(order, made)
    await finish_create(order.runtime, link_id, order.target, order.source)
    return created


async def _faster(order: _Order, made: Record) -> Outcome:
    """Say what stands where somebody else paired one of the records, or POSTed later than we."""
    async with order.runtime.database.reading(order.link_id) as session:
        pair = await find_pair(
            session, order.link_id, order.target.other, order.kind, order.source.id
        )
    if pair is not None and pair.record_id(order.target) == made.id:
        return Created(made, pair.pair_id)
    _log.warning(
        "a record was made that is in no pair",
        link_id=str(order.link_id), side=order.target.value, record_id=made.id,
    )  # fmt: skip
    if pair is not None:
        return Refused("create-doubled", {"candidates": [pair.record_id(order.target), made.id]})
    return Unsettled(order.runtime.clock())


async def _move(order: _Order, intent: CreateIntent, **values: object) -> None:
    async with order.runtime.database.transaction(
        CommitPoint.CREATE_INTENT, order.link_id
    ) as session:
        await move_intent(session, intent, order.runtime.clock(), **values)


async def _again(order: _Order) -> CreateIntent:
    async with order.runtime.database.reading(order.link_id) as session:
        intent = await find_intent(session, order.link_id, order.target, order.source)
    assert intent is not None  # noqa: S101 - intents are never deleted
    return intent


def _look_at(order: _Order, looked: int) -> datetime:
    """Say when the next look is due; the times of the setting count from the unknown outcome."""
    times = order.runtime.settings.intent_settle_seconds
    wait = times[looked] - (times[looked - 1] if looked else 0.0)
    return order.runtime.clock() + timedelta(seconds=wait)


def _facts(order: _Order, fault: Rejected) -> dict[str, Any]:
    return {
        "side": order.target.value,
        "reasons": [
            {"code": reason.code, "field": reason.about, "text": dict(reason.text)}
            for reason in fault.reasons
        ],
        "existingId": fault.existing_id,
    }
