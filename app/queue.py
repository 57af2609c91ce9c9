"""Defer jobs on Procrastinate inside the caller's transaction; say which jobs there are."""

import json
from enum import StrEnum
from typing import Any

from procrastinate import App, PsycopgConnector
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
    RUN_FIRST_SYNC = "run_first_sync"
    UNDO_FIRST_SYNC = "undo_first_sync"
    SETTLE_DRAFT = "settle_draft"
    COMPLETE_DRAFT = "complete_draft"
    FOLLOW_DRAFTS = "follow_drafts"
    READ_HOURS = "read_hours"
    TELL_LINK = "tell_link"
    ASK_REGISTER = "ask_register"


def create_queue(url: str, *, pool: int = 8) -> App:
    """Build the queue on the service's database; nothing is connected yet."""
    return App(
        connector=PsycopgConnector(
            conninfo=libpq_url(url),
            min_size=1,
            max_size=pool,
            kwargs={"options": "-c timezone=UTC"},
        )
    )


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
