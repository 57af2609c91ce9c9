"""Deferring once: no job twice in the line, no wake-up lost."""

import asyncio

import psycopg
from sqlalchemy import text

from app.canonical import LinkId
from app.database import CommitPoint, Database, libpq_url
from app.queue import Job, create_queue, defer


async def _jobs(database: Database) -> list[tuple[str, str]]:
    async with database.reading() as session:
        rows = await session.execute(
            text("SELECT task_name, status::text FROM procrastinate_jobs ORDER BY id")
        )
        return [(name, status) for name, status in rows]


async def test_a_second_wake_up_finds_the_first_waiting(
    database: Database, link_id: LinkId
) -> None:
    """A thousand hints make one job."""
    for _ in range(3):
        async with database.transaction(CommitPoint.PLAIN, link_id) as session:
            await defer(session, Job.DRAIN_LINK, link_id)

    assert await _jobs(database) == [("drain_link", "todo")]


async def test_a_rolled_back_transaction_defers_nothing(
    database: Database, link_id: LinkId
) -> None:
    """The job and the rows it is about are committed together or not at all."""
    async with database.reading(link_id) as session:
        await defer(session, Job.DRAIN_LINK, link_id)

    assert await _jobs(database) == []


async def test_a_running_job_does_not_hide_a_new_wake_up(
    database: Database, database_url: str, link_id: LinkId
) -> None:
    """While one runs, one more may wait."""
    async with database.transaction(CommitPoint.PLAIN, link_id) as session:
        await defer(session, Job.DRAIN_LINK, link_id)
    async with create_queue(database_url).open_async() as queue:
        worker = await queue.job_manager.register_worker()
        assert await queue.job_manager.fetch_job(queues=None, worker_id=worker) is not None

        async with database.transaction(CommitPoint.PLAIN, link_id) as session:
            await defer(session, Job.DRAIN_LINK, link_id)

    assert await _jobs(database) == [("drain_link", "doing"), ("drain_link", "todo")]


async def test_a_waiting_job_found_is_not_fetched_before_we_commit(
    database: Database, database_url: str, link_id: LinkId
) -> None:
    """A job that a transaction leans on starts only when that transaction's rows can be seen."""
    async with database.transaction(CommitPoint.PLAIN, link_id) as session:
        await defer(session, Job.DRAIN_LINK, link_id)
    async with create_queue(database_url).open_async() as queue:
        worker = await queue.job_manager.register_worker()
        async with database.transaction(CommitPoint.PLAIN, link_id) as session:
            await defer(session, Job.DRAIN_LINK, link_id)
            early = await queue.job_manager.fetch_job(queues=None, worker_id=worker)
        late = await queue.job_manager.fetch_job(queues=None, worker_id=worker)

    assert early is None
    assert late is not None


async def test_many_wake_ups_at_once_make_one_job(database_url: str, link_id: LinkId) -> None:
    """Twenty connections that defer at the same moment end with one waiting job and no error."""
    statement = "SELECT defer_once('drain_link', %s, %s, '{}')"

    async def wake() -> None:
        async with await psycopg.AsyncConnection.connect(libpq_url(database_url)) as connection:
            await connection.execute(statement, (str(link_id), str(link_id)))

    await asyncio.gather(*(wake() for _ in range(20)))

    async with await psycopg.AsyncConnection.connect(libpq_url(database_url)) as connection:
        count = await (
            await connection.execute("SELECT count(*) FROM procrastinate_jobs")
        ).fetchone()
    assert count == (1,)
