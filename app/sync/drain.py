"""Work through a link's due changes, a bounded bite at a time, different records side by side."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, RecordKind, Side
from app.changes.backoff import Failure
from app.database import CommitPoint, run
from app.links.change_state import pause
from app.links.lifecycle import pause_reason
from app.links.store import LinkState, hold_back, is_at_work
from app.queue import Job, defer
from app.runtime import Runtime
from app.sync.bite import Look, Work, take_bite
from app.sync.keep import keep_outcomes
from app.sync.open_both import NotLetIn, open_both
from app.sync.outcomes import Outcome
from app.sync.reconcile import reconcile
from app.sync.standing import Standing
from app.sync.take_up import take_up
from app.sync.verdicts import Again, Failed, HeldBack, Refused
from app.trail import trail_of

_log = structlog.get_logger()

_WAVES_KEPT_TOGETHER = 2
"""How many times the records that go side by side are kept in one transaction: each costs 6 round
trips, and a death between costs no more than reading those records again."""

_LOOKS_AT_ONCE = 3
"""How often a record that changes under our hands is looked at before it waits."""


async def drain_link(runtime: Runtime, link_id: LinkId) -> None:
    """
    Look at a link's due changes once, and stand behind the others again if more is due.

    A link that is not active keeps its work. A hint that comes meanwhile stays in its row. Run
    twice at once by a lost worker, the later one keeps nothing that the earlier one kept.
    """
    bite = await take_bite(runtime, link_id)
    if bite is None:
        return
    if not bite.works:
        await _finish(runtime, link_id, (), held_until=bite.held_until)
        return
    try:
        keepers = open_both(runtime, link_id, bite.opened)
    except NotLetIn as refusal:
        await _stop(runtime, link_id, Refused(refusal.side, refusal.fault.reason))
        return
    standing = Standing(runtime, link_id)
    look = Look(runtime, link_id, keepers, bite.policies, bite.projects, standing)
    *waves, last = _waves(bite.works, _WAVES_KEPT_TOGETHER * runtime.settings.drain_parallel)
    for wave in waves:
        outcomes = await _look_at(look, wave)
        if _stops(outcomes):
            await _finish(runtime, link_id, outcomes)
            return
        if not await _keep(runtime, link_id, outcomes):
            await _finish(runtime, link_id, ())  # paused or closed meanwhile: the rest waits
            return
    await _finish(runtime, link_id, await _look_at(look, last))


def _waves(works: Sequence[Work], size: int) -> Iterator[Sequence[Work]]:
    """Cut the work into what is kept together; customers are done before projects begin."""
    for kind in RecordKind:
        of_kind = [work for work in works if work.kind is kind]
        for start in range(0, len(of_kind), size):
            yield of_kind[start : start + size]


async def _look_at(look: Look, works: Sequence[Work]) -> tuple[Outcome, ...]:
    side_by_side = asyncio.Semaphore(look.runtime.settings.drain_parallel)

    async def in_turn(work: Work) -> Outcome:
        async with side_by_side:
            return await _look(look, work)

    return _blame(await asyncio.gather(*(in_turn(work) for work in works)))


async def _look(look: Look, work: Work) -> Outcome:
    """Look at one record until it holds still; a fault of ours parks it like any other failure."""
    try:
        for _ in range(_LOOKS_AT_ONCE):
            if work.pair is None:
                outcome = await take_up(look, work)
            else:
                outcome = await reconcile(look, work, work.pair)
            wrote = outcome.kept is not None and outcome.kept.written
            if wrote or not isinstance(outcome.verdict, Again):
                break  # what was written must be kept before the pair is looked at again
    except (DBAPIError, psycopg.Error, PoolTimeout):
        raise
    except Exception as error:  # noqa: BLE001 - one record must not stop its link's others
        _log.error(
            "look failed", link_id=str(look.link_id), kind=work.kind.value,
            record_id=work.dues[0].record_id, error=type(error).__name__,
            traceback=trail_of(error),
        )  # fmt: skip
        return Outcome(work, Failed(Failure("unexpected-failure")))
    return outcome


def _blame(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """Count a failure against the record where others of the same wave were answered."""
    answered = any(not isinstance(one.verdict, Failed) for one in outcomes)
    if not answered:
        return tuple(outcomes)
    return tuple(
        replace(one, verdict=replace(verdict, failure=replace(verdict.failure, shared=False)))
        if isinstance(verdict := one.verdict, Failed)
        else one
        for one in outcomes
    )


def _stops(outcomes: Sequence[Outcome]) -> bool:
    return any(isinstance(one.verdict, HeldBack | Refused) for one in outcomes)


async def _keep(runtime: Runtime, link_id: LinkId, outcomes: Sequence[Outcome]) -> bool:
    """Keep a wave; say whether the link is still to be worked for."""
    now = runtime.clock()
    async with runtime.database.transaction(CommitPoint.CHANGE_SETTLED, link_id) as session:
        settled = await keep_outcomes(session, link_id, outcomes, now=now)
        goes_on = await is_at_work(session, link_id, LinkState.ACTIVE)
    _count(runtime, outcomes, settled, now)
    return goes_on


async def _finish(
    runtime: Runtime,
    link_id: LinkId,
    outcomes: Sequence[Outcome],
    *,
    held_until: datetime | None = None,
) -> None:
    """Keep the last wave, write the link's counters and due time, and go on if more is due."""
    now = runtime.clock()
    settled: tuple[Outcome, ...] = ()
    async with runtime.database.transaction(CommitPoint.CHANGE_SETTLED, link_id) as session:
        if outcomes:
            settled = await keep_outcomes(session, link_id, outcomes, now=now)
        for verdict in {one.verdict for one in outcomes if isinstance(one.verdict, HeldBack)}:
            until = now + timedelta(seconds=verdict.seconds)
            await hold_back(session, link_id, verdict.side, until=until)
            held_until = max(until, held_until or until)
        await _count_link(session, link_id, now=now, held_until=held_until)
    _count(runtime, outcomes, settled, now)
    refused = next((one.verdict for one in outcomes if isinstance(one.verdict, Refused)), None)
    if refused is not None:
        await _stop(runtime, link_id, refused)


_COUNT_LINK = """
UPDATE link_directory SET (pending, parked, next_due) = (
  SELECT count(*) FILTER (WHERE state = 'pending'), count(*) FILTER (WHERE state = 'parked'),
         GREATEST(min(not_before) FILTER (WHERE state = 'pending'),
                  CASE WHEN count(*) FILTER (WHERE state = 'pending') > 0
                       THEN CAST(%(held_until)s AS timestamptz) END)
  FROM changes WHERE changes.link_id = %(link_id)s)
WHERE link_id = %(link_id)s RETURNING next_due
"""


async def _count_link(
    session: AsyncSession, link_id: LinkId, *, now: datetime, held_until: datetime | None
) -> None:
    """Write what waits and when it is due, in one statement; go on at once if it is due now."""
    counted = await run(session, _COUNT_LINK, {"link_id": link_id, "held_until": held_until})
    (next_due,) = await counted.fetchone() or (None,)
    if next_due is not None and next_due <= now:
        await defer(session, Job.DRAIN_LINK, link_id)


async def _stop(runtime: Runtime, link_id: LinkId, refused: Refused) -> None:
    """Pause the link for a reason a person can act on; its work waits in its rows."""
    reason = pause_reason(refused.reason, books=refused.side is Side.BOOKS)
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        detail = {"side": refused.side.value, "reason": refused.reason.value}
        await pause(session, link_id, reason=reason, detail=detail, now=runtime.clock())


def _count(
    runtime: Runtime, outcomes: Sequence[Outcome], settled: Sequence[Outcome], now: datetime
) -> None:
    metrics = runtime.metrics
    for outcome in outcomes:
        label = type(outcome.verdict).__name__.lower()
        metrics.changes.labels(label).inc(len(outcome.work.dues))
    for outcome in settled:
        for due in outcome.work.dues:
            metrics.lag_seconds.observe(max((now - due.first_seen).total_seconds(), 0.0))
