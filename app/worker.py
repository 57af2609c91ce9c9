"""Run the jobs: job to function, periodic looks, rescue of stalled jobs; nothing else."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from procrastinate import BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.exceptions import JobAborted
from procrastinate.jobs import Job as QueuedJob
from sqlalchemy import select
from uuid_utils.compat import UUID

from app.access.store import forget_ended_states
from app.bootstrap import database_answers
from app.canonical import LinkId
from app.changes.wake import wake
from app.database import CommitPoint
from app.first_sync.plan.plan import read_plan
from app.first_sync.plan.renew import take_fixes_in
from app.first_sync.reading.again import wake_first_syncs
from app.first_sync.run.carry_out import run_first_sync
from app.first_sync.undo.undo import undo_first_sync
from app.idempotency import forget_expired
from app.invoicing.drafts.complete import complete_draft
from app.invoicing.drafts.follow import follow_drafts
from app.invoicing.drafts.settle import settle_draft
from app.invoicing.drafts.wake import wake_drafts
from app.invoicing.invariants.check import ask_for_check, check_ledger
from app.invoicing.papers.erase import erase_ended
from app.invoicing.unbilled.read_hours import read_hours
from app.links.store import DirectoryEntry
from app.links.tell import tell_link
from app.queue import Job
from app.records.ask_register import ask_register
from app.runtime import Runtime
from app.sync.drain import drain_link
from app.sync.sweep import sweep_link
from app.trail import trail_of
from app.webhooks.store import forget_old

LinkJob = Callable[..., Awaitable[None]]

JOBS: Final[Mapping[Job, LinkJob]] = {
    Job.DRAIN_LINK: drain_link,
    Job.SWEEP_LINK: sweep_link,
    Job.READ_PLAN: read_plan,
    Job.TAKE_FIXES_IN: take_fixes_in,
    Job.RUN_FIRST_SYNC: run_first_sync,
    Job.UNDO_FIRST_SYNC: undo_first_sync,
    Job.SETTLE_DRAFT: settle_draft,
    Job.COMPLETE_DRAFT: complete_draft,
    Job.FOLLOW_DRAFTS: follow_drafts,
    Job.READ_HOURS: read_hours,
    Job.TELL_LINK: tell_link,
    Job.ASK_REGISTER: ask_register,
    Job.CHECK_LEDGER: check_ledger,
}
"""Each takes the runtime, the link's id and the job's further ids as keyword arguments."""

LOOKS: Final[tuple[Callable[[Runtime], Awaitable[object]], ...]] = (
    wake,
    wake_first_syncs,
    wake_drafts,
)
"""What each room looks for every few seconds: waiting work that is due."""

_log = structlog.get_logger()


POLL_SECONDS: Final = 0.05
"""A job can be passed over while a transaction leans on it, and a notice can fall between two
fetches; neither is announced again. A look that finds nothing costs 0.3 ms."""

KEEP_ENDED_HOURS: Final = 168
FORGET_AFTER_SECONDS: Final = 60
FORGET_EVERY_SECONDS: Final = 3600
"""Seconds from a worker's start to its first clearing of what has had its time, and between two:
never in the way of a start, and often enough for a worker that is restarted each day."""

_RETRIES: Final = 8
_LONGEST_WAIT: Final = timedelta(seconds=60)
_SELF_WAKING: Final = frozenset({Job.DRAIN_LINK, Job.SWEEP_LINK})
"""Their due times stand in the directory, so ``wake`` brings them back by itself."""


class Retry(BaseRetryStrategy):
    """
    Say which jobs the queue runs again.

    What a shutdown cut off goes on at once elsewhere. A drain or sweep that failed is brought back
    by its due time. Any other is tried again up to 8 times, since its room may have no other clock.
    """

    def __init__(self, job: Job) -> None:
        self._job = job

    def get_retry_decision(
        self,
        *,
        exception: BaseException,
        job: QueuedJob,
    ) -> RetryDecision | None:
        """Give when to run again, or ``None``."""
        if isinstance(exception, asyncio.CancelledError | JobAborted):
            return RetryDecision(retry_at=datetime.now(UTC))
        if self._job in _SELF_WAKING or job.attempts >= _RETRIES:
            return None
        wait = min(timedelta(seconds=2 ** min(job.attempts, 10)), _LONGEST_WAIT)
        return RetryDecision(retry_at=datetime.now(UTC) + wait)


def register(runtime: Runtime) -> None:
    """Make each job known to the queue; registering again changes nothing."""
    for job, function in JOBS.items():
        if job.value not in runtime.queue.tasks:
            runtime.queue.task(name=job.value, pass_context=True, retry=Retry(job))(
                _runner(runtime, job, function)
            )


def _runner(runtime: Runtime, job: Job, function: LinkJob) -> Callable[..., Awaitable[None]]:
    async def run(context: JobContext, *, link_id: str, **more: str) -> None:
        started = time.perf_counter()
        try:
            await function(runtime, LinkId(UUID(link_id)), **more)
        except Exception as error:  # the one broad catch: nothing a job does may stop the worker
            _log.error(
                "job failed", job=job.value, link_id=link_id, job_id=context.job.id,
                error=type(error).__name__,
                traceback=trail_of(error),
            )  # fmt: skip
            raise
        _log.info(
            "job done", job=job.value, link_id=link_id, job_id=context.job.id,
            milliseconds=round((time.perf_counter() - started) * 1000),
        )  # fmt: skip

    return run


async def run_worker(runtime: Runtime) -> None:
    """
    Work until SIGTERM or SIGINT, then take nothing new and let what runs end within the time.

    What does not end in time is given back to the queue. A database that goes away for a while
    ends nothing, and one that is away or not migrated at the start is waited for.

    Raises:
        SettingsInvalid: The database role is one that row-level security would not bind.

    """
    register(runtime)
    stop = asyncio.Event()
    with _stopped_by_signals(stop):
        if not await database_answers(runtime, stop):
            return
        async with runtime.queue.open_async():
            beside = [
                asyncio.create_task(_periodic(runtime)),
                asyncio.create_task(_forgetting(runtime)),
            ]
            while not stop.is_set():
                await _work_until(runtime, stop)
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)


async def _work_until(runtime: Runtime, stop: asyncio.Event) -> None:
    """Run the queue's worker until it ends by itself (the database went away) or is to stop."""
    settings = runtime.settings
    worker = asyncio.create_task(
        runtime.queue.run_worker_async(
            concurrency=settings.worker_concurrency,
            wait=True,
            fetch_job_polling_interval=POLL_SECONDS,
            listen_notify=True,
            delete_jobs="successful",
            shutdown_graceful_timeout=settings.shutdown_seconds,
            update_heartbeat_interval=settings.heartbeat_seconds,
            stalled_worker_timeout=settings.stalled_seconds,
            install_signal_handlers=False,
        )
    )
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({worker, stopped}, return_when=asyncio.FIRST_COMPLETED)
    worker.cancel()
    stopped.cancel()
    (ended, _) = await asyncio.gather(worker, stopped, return_exceptions=True)
    if not stop.is_set():
        _log.warning("worker ended and begins again", error=type(ended).__name__)
        await asyncio.sleep(1)


@contextmanager
def _stopped_by_signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


async def _periodic(runtime: Runtime) -> None:
    """Wake due links and rescue stalled jobs, each as often as its setting says."""
    while True:
        try:
            await wake_all(runtime)
            await rescue(runtime)
        except Exception as error:  # noqa: BLE001 - a database away for a moment must not end the looks
            runtime.metrics.forget_links()
            _log.warning("periodic look failed", error=type(error).__name__)
        await asyncio.sleep(runtime.settings.wake_seconds)


async def _forgetting(runtime: Runtime) -> None:
    """Clear what has had its time now and then, beside the looks, which must not wait for it."""
    await asyncio.sleep(FORGET_AFTER_SECONDS)
    while True:
        try:
            await forget(runtime)
        except Exception as error:  # noqa: BLE001 - the next turn goes on where this one ended
            _log.warning("forgetting failed", error=type(error).__name__)
        await asyncio.sleep(FORGET_EVERY_SECONDS)


async def wake_all(runtime: Runtime) -> None:
    """Defer the jobs of all rooms whose waiting work is due; idempotent."""
    for look in LOOKS:
        await look(runtime)


async def rescue(runtime: Runtime) -> None:
    """Give the jobs of a worker without a sign of life to the living."""
    manager = runtime.queue.job_manager
    stalled = await manager.get_stalled_jobs(
        seconds_since_heartbeat=runtime.settings.stalled_seconds
    )
    for job in stalled:
        await manager.retry_job(job)
        _log.warning("job rescued", job=job.task_name, job_id=job.id)


async def forget(runtime: Runtime) -> None:
    """
    Delete what has had its time: ended jobs, used keys, ended log-ins, old webhooks, old papers.

    Beside it each link's nightly check is asked for. All in short transactions that stand alone:
    after a death the next turn goes on.
    """
    await forget_ended(runtime)
    database, now = runtime.database, runtime.clock()
    gone = 1
    while gone:
        async with database.transaction(CommitPoint.PLAIN) as session:
            gone = await forget_expired(session, now=now)
        runtime.metrics.erased.labels("keys").inc(gone)
    async with database.transaction(CommitPoint.PLAIN) as session:
        await forget_ended_states(session, now=now)
        links = (await session.scalars(select(DirectoryEntry.link_id))).all()
    for link_id in map(LinkId, links):
        gone = 1
        while gone:
            async with database.transaction(CommitPoint.PLAIN, link_id) as session:
                gone = await forget_old(session, link_id, now=now)
            runtime.metrics.erased.labels("deliveries").inc(gone)
        await erase_ended(runtime, link_id)
        await ask_for_check(runtime, link_id)


async def forget_ended(runtime: Runtime) -> None:
    """Delete failed jobs after a week; what they were about lives in our own rows."""
    await runtime.queue.job_manager.delete_old_jobs(
        KEEP_ENDED_HOURS, include_failed=True, include_aborted=True
    )
