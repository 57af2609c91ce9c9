"""Ask the business register about a link's customers, gently, and let findings follow."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, RecordKind, Side
from app.database import CommitPoint
from app.queue import Job, defer
from app.records.businesses import fresh_numbers, main_units_of, remember_businesses
from app.records.judge_due import judge_due, judge_later
from app.records.readiness import valid_organization_number
from app.records.store import KnownRecord
from app.runtime import Runtime
from app.systems.ports import RateLimited, SystemFault
from app.systems.register import Businesses

MOST_LOOK_UPS: Final = 20
"""Look-ups of one job, so that no link keeps a worker; the rest follows in the next job."""

MOST_FAILURES: Final = 2
"""Look-ups that may fail before the register counts as away."""

_log = structlog.get_logger()


async def ask_register(runtime: Runtime, link_id: LinkId) -> None:
    """
    Ask about each number of the link that was not asked for lately; the job `Job.ASK_REGISTER`.

    Both sides' numbers, and the main units that the answers name: whether two numbers are one
    firm's, and whether a branch's firm is bankrupt, is seen by those.

    Each answer is kept before the next is asked for, so a death loses one look-up. One that fails
    is passed over, for the numbers in it would stop all others each time; a register that fails
    twice or asks for patience ends the job with a line in the log: the next sweep asks again.
    """
    register = runtime.systems.register
    if register is None:
        return
    async with runtime.database.reading(link_id) as session:
        numbers = await _unasked(runtime, session, link_id)
    size = register.most_at_once
    portions = [numbers[start : start + size] for start in range(0, len(numbers), size)]
    failures = 0
    for portion in portions[:MOST_LOOK_UPS]:
        try:
            found = await register.look_up(portion)
        except SystemFault as fault:
            failures += 1
            _log.warning("business register away", link_id=str(link_id), error=str(fault))
            if failures == MOST_FAILURES or isinstance(fault, RateLimited):
                return
            continue
        await _keep(runtime, link_id, portion, found)
        await judge_due(runtime, link_id)
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        # Main units come to be known by answers; what was tried here waits for the next asking.
        named = not set(numbers).issuperset(await _unasked(runtime, session, link_id))
        if named or len(portions) > MOST_LOOK_UPS:
            await defer(session, Job.ASK_REGISTER, link_id)


async def ask_if_wanted(runtime: Runtime, session: AsyncSession, link_id: LinkId) -> None:
    """Let the register be asked soon, in the caller's transaction; nothing where none is named."""
    if runtime.systems.register is not None:
        await defer(session, Job.ASK_REGISTER, link_id)


async def _keep(
    runtime: Runtime, link_id: LinkId, portion: Sequence[str], found: Businesses
) -> None:
    """Keep a look-up; what could not be read is not asked for again before its day is over."""
    unread = [number for number in portion if number not in found]
    if unread:
        _log.warning("business register not understood", link_id=str(link_id), count=len(unread))
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await remember_businesses(session, found, unread=unread, now=runtime.clock())
        await _judge_theirs(session, link_id, portion)


async def _unasked(runtime: Runtime, session: AsyncSession, link_id: LinkId) -> Sequence[str]:
    found = await session.scalars(
        select(KnownRecord.number)
        .distinct()
        .where(
            KnownRecord.link_id == link_id,
            KnownRecord.kind == RecordKind.CUSTOMER.value,
            KnownRecord.gone_at.is_(None),
            KnownRecord.number.is_not(None),
        )
    )
    numbers = {one for one in found if one and len(one) == 9 and valid_organization_number(one)}
    numbers |= await main_units_of(session, numbers)
    lately = runtime.clock() - timedelta(hours=runtime.settings.enhetsregisteret_cache_hours)
    return sorted(numbers - await fresh_numbers(session, numbers, since=lately))


async def _judge_theirs(session: AsyncSession, link_id: LinkId, numbers: Sequence[str]) -> None:
    """Let the customers with these numbers be judged anew."""
    for side in Side:
        ids = await session.scalars(
            select(KnownRecord.record_id).where(
                KnownRecord.link_id == link_id,
                KnownRecord.side == side.value,
                KnownRecord.number.in_(numbers),
            )
        )
        await judge_later(session, link_id, side, RecordKind.CUSTOMER, ids.all())
