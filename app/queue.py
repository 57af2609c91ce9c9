"""Defer jobs on Procrastinate inside the caller's transaction; say which jobs there are."""

import json
from datetime import datetime
from enum import StrEnum
from typing import Any

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Job as QueuedJob
from procrastinate.jobs import Status
from procrastinate.manager import JobManager
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId
from app.database import libpq_url


class Job(StrEnum):
    """
    Name the jobs; each value is the task's name in the queue. Arguments hold ids only.

    ``DRAIN_LINK`` is coarse: it takes a bite of a link's due changes. What a worker does of itself
    every few seconds is no job.
    """

    DRAIN_LINK = "drain_link"
    SWEEP_LINK = "sweep_link"
    READ_PLAN = "read_plan"
    TAKE_FIXES_IN = "take_fixes_in"
    RUN_FIRST_SYNC = "run_first_sync"
    UNDO_FIRST_SYNC = "undo_first_sync"
    SETTLE_DRAFT = "settle_draft"
    COMPLETE_DRAFT = "complete_draft"
    FOLLOW_DRAFTS = "follow_drafts"
    READ_HOURS = "read_hours"
    TELL_LINK = "tell_link"
    ASK_REGISTER = "ask_register"
    CHECK_LEDGER = "check_ledger"


class _Jobs(JobManager):
    async def retry_job(
        self,
        job: QueuedJob,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """
        Let a job run again, unless an equal one waits: then it ends as failed, and its twin works.

        The two cannot wait side by side. Left as it is, the job would count as running and keep
        its lock from its twin, for as long as its worker lives.
        """
        try:
            await super().retry_job(job, retry_at, priority, queue, lock)
        except UniqueViolation:
            await self.finish_job(job, status=Status.FAILED, delete_job=False)


def create_queue(url: str, *, pool: int = 8) -> App:
    """Build the queue on the service's database; nothing is connected yet."""
    queue = App(
        connector=PsycopgConnector(
            conninfo=libpq_url(url),
            min_size=1,
            max_size=pool,
            kwargs={"options": "-c timezone=UTC"},
        )
    )
    queue.job_manager = _Jobs(queue.connector)
    return queue


def link_lock(job: Job, link_id: LinkId, *parts: str) -> str:
    """Name what a job waits for once: the job, its link and, where given, what within the link."""
    return ":".join((job.value, str(link_id), *parts))


async def defer(session: AsyncSession, job: Job, link_id: LinkId, **more: str) -> None:
    """
    Defer a job for a link in this very transaction, unless an equal one waits already.

    No wake-up is lost: a waiting job is locked against being fetched until this transaction ends
    (the database function ``defer_once``, see docs/architecture.md). Two jobs of one link
    and kind never run at once.

    Args:
        more: Further ids that the job takes; they are part of what makes jobs equal.

    """
    lock = link_lock(job, link_id, *more.values())
    await session.execute(
        text("SELECT defer_once(:job, :lock, :lock, CAST(:args AS jsonb))"),
        {"job": job.value, "lock": lock, "args": json.dumps(arguments(link_id, **more))},
    )


def arguments(link_id: LinkId, **more: str) -> dict[str, Any]:
    """Give a job's arguments as the queue stores them."""
    return {"link_id": str(link_id), **more}
