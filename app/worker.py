"""Run the jobs: job to function, periodic looks, rescue of stalled jobs; nothing else."""

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog
from procrastinate import JobContext
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status
from uuid_utils.compat import UUID

from app.canonical import LinkId
from app.changes.wake import wake
from app.first_sync.carry_out import run_first_sync
from app.first_sync.plan import read_plan
from app.invoicing.complete import complete_draft
from app.invoicing.settle import settle_draft
from app.links.tell import tell_link
from app.queue import Job
from app.runtime import Runtime
from app.sync.drain import drain_link
from app.sync.sweep import sweep_link

LinkJob = Callable[..., Awaitable[None]]

JOBS: Final[Mapping[Job, LinkJob]] = {
    Job.DRAIN_LINK: drain_link,
    Job.SWEEP_LINK: sweep_link,
    Job.READ_PLAN: read_plan,
    Job.RUN_FIRST_SYNC: run_first_sync,
    Job.SETTLE_DRAFT: settle_draft,
    Job.COMPLETE_DRAFT: complete_draft,
    Job.TELL_LINK: tell_link,
}
"""Each takes the runtime, the link's id and the job's further ids as keyword arguments."""

_log = structlog.get_logger()


def register(runtime: Runtime) -> None:
    """Make each job known to the queue.

    Jobs carry no schedule and no retry: waiting lives in our rows.
    """
    for job, function in JOBS.items():
        runtime.queue.task(name=job.value, pass_context=True)(_runner(runtime, job, function))


def _runner(runtime: Runtime, job: Job, function: LinkJob) -> Callable[..., Awaitable[None]]:
    async def run(context: JobContext, *, link_id: str, **more: str) -> None:
        started = time.perf_counter()
        try:
            await function(runtime, LinkId(UUID(link_id)), **more)
        except Exception as error:  # the one broad catch: nothing a job does may stop the worker
            _log.error(
                "job failed", job=job.value, link_id=link_id, job_id=context.job.id,
                error=type(error).__name__, traceback=traceback.format_exc(limit=-6),
            )  # fmt: skip
            raise
        _log.info(
            "job done", job=job.value, link_id=link_id, job_id=context.job.id,
            milliseconds=round((time.perf_counter() - started) * 1000),
        )  # fmt: skip

    return run


async def run_worker(runtime: Runtime) -> None:
    """Work until SIGTERM or SIGINT.

    Then take nothing new and let what runs end within the time allowed.
    """
    register(runtime)
    settings = runtime.settings
    async with runtime.queue.open_async():
        periodic = asyncio.create_task(_periodic(runtime))
        try:
            await runtime.queue.run_worker_async(
                concurrency=settings.worker_concurrency,
                wait=True,
                fetch_job_polling_interval=settings.wake_seconds,
                listen_notify=True,
                delete_jobs="successful",
                shutdown_graceful_timeout=settings.shutdown_seconds,
                update_heartbeat_interval=settings.heartbeat_seconds,
                stalled_worker_timeout=settings.stalled_seconds,
                install_signal_handlers=True,
            )
        finally:
            periodic.cancel()
            await asyncio.gather(periodic, return_exceptions=True)


async def _periodic(runtime: Runtime) -> None:
    """Wake due links and rescue stalled jobs, each as often as its setting says."""
    while True:
        try:
            await wake(runtime)
            await rescue(runtime)
        except Exception as error:  # noqa: BLE001 - a database away for a moment must not end the looks
            _log.warning("periodic look failed", error=type(error).__name__)
        await asyncio.sleep(runtime.settings.wake_seconds)


async def rescue(runtime: Runtime) -> None:
    """
    Give the jobs of a worker without a sign of life to the living.

    Where an equal job waits already, the stalled one ends as failed: its twin does the work.
    """
    manager = runtime.queue.job_manager
    stalled = await manager.get_stalled_jobs(
        seconds_since_heartbeat=runtime.settings.stalled_seconds
    )
    for job in stalled:
        try:
            await manager.retry_job(job)
        except UniqueViolation:
            await manager.finish_job(job, status=Status.FAILED, delete_job=False)
        _log.warning("job rescued", job=job.task_name, job_id=job.id)
