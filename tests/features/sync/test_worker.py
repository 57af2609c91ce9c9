"""The worker: nothing dies with a process, nothing runs twice at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import structlog
from procrastinate.exceptions import JobAborted
from procrastinate.jobs import Job as QueuedJob
from procrastinate.jobs import Status
from prometheus_client import generate_latest
from sqlalchemy import text

from app.bootstrap import build_runtime
from app.canonical import LinkId
from app.database import CommitPoint, Database
from app.embedded import EmbeddedServer
from app.queue import Job, create_queue, defer
from app.runtime import Runtime
from app.settings import Settings, SettingsInvalid
from app.worker import (
    JOBS,
    Retry,
    _periodic,
    _runner,
    _work_until,
    register,
    rescue,
    run_worker,
    wake_all,
)
from tests.conftest import SetClock
from tests.features.conftest import Linked


async def _jobs(database: Database) -> list[tuple[str, str]]:
    async with database.reading() as session:
        rows = await session.execute(
            text("SELECT task_name, status::text FROM procrastinate_jobs ORDER BY id")
        )
        return [(name, status) for name, status in rows]


async def _die_with_a_job(runtime: Runtime, link_id: LinkId) -> None:
    """A worker fetches the job and gives no sign of life since long ago."""
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await defer(session, Job.DRAIN_LINK, link_id)
    manager = runtime.queue.job_manager
    worker = await manager.register_worker()
    assert await manager.fetch_job(queues=None, worker_id=worker) is not None
    async with runtime.database.engine.begin() as connection:
        await connection.execute(
            text("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'")
        )


@asynccontextmanager
async def _working(settings: Settings, url: str) -> AsyncIterator[asyncio.Task[None]]:
    runtime = build_runtime(settings.model_copy(update={"database_url": url}))
    working = asyncio.create_task(run_worker(runtime))
    yield working
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await runtime.close()


async def test_a_role_that_policies_do_not_bind_does_no_work(
    settings: Settings, server: EmbeddedServer, database_name: str
) -> None:
    """It is asked for when the database first answers, which may be long after the start."""
    async with _working(settings, server.url("postgres", database_name)) as working:
        with pytest.raises(SettingsInvalid, match="is a superuser"):
            await asyncio.wait_for(working, 5)


async def test_a_database_that_was_not_migrated_is_waited_for(
    settings: Settings, server: EmbeddedServer
) -> None:
    """Before its tables are there, nothing can be worked for and no owner can be told."""
    with structlog.testing.capture_logs() as lines:
        async with _working(settings, server.url("tc_service", "postgres")) as working:
            await asyncio.wait({working}, timeout=1)

            assert not working.done()
    assert {line["event"] for line in lines} == {"database not migrated"}


async def test_a_worker_tells_what_waits_over_all_links(
    linked: Linked, runtime: Runtime, clock: SetClock
) -> None:
    """Its own page has the gauges of all links, as each look leaves them."""
    clock.advance(seconds=90)

    await wake_all(runtime)

    page = generate_latest(runtime.metrics.registry).decode()
    assert "tc_oldest_due_seconds 90.0" in page
    assert 'tc_links{state="active"} 1.0' in page


async def test_a_worker_without_its_database_knows_nothing_of_the_links(settings: Settings) -> None:
    """Old figures would look like new ones."""
    away = settings.model_copy(update={"database_url": "postgresql://x@127.0.0.1:1/none"})
    runtime = build_runtime(away)
    looking = asyncio.create_task(_periodic(runtime))
    await asyncio.wait({looking}, timeout=0.5)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    await runtime.close()

    page = generate_latest(runtime.metrics.registry).decode()
    for name in ("tc_changes_pending", "tc_changes_parked", "tc_oldest_due_seconds"):
        assert f"{name} NaN" in page


async def test_a_dead_workers_job_is_taken_over(runtime: Runtime, link_id: LinkId) -> None:
    """Without a sign of life for 15 seconds the job waits for another worker."""
    async with runtime.queue.open_async():
        await _die_with_a_job(runtime, link_id)

        await rescue(runtime)

    assert await _jobs(runtime.database) == [("drain_link", "todo")]


async def test_a_dead_workers_job_yields_to_its_waiting_twin(
    runtime: Runtime, link_id: LinkId
) -> None:
    """Where an equal job waits already, the dead one ends and the twin does the work."""
    async with runtime.queue.open_async():
        await _die_with_a_job(runtime, link_id)
        async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
            await defer(session, Job.DRAIN_LINK, link_id)

        await rescue(runtime)

    assert await _jobs(runtime.database) == [("drain_link", "failed"), ("drain_link", "todo")]


async def _work_beside_a_twin(settings: Settings, url: str, link_id: LinkId, ended: str) -> None:
    """Run a job that is asked for again meanwhile, and ends by a fault or by a shutdown."""
    quick = settings.model_copy(update={"database_url": url, "shutdown_seconds": 0.1})
    runtime, stop = build_runtime(quick), asyncio.Event()
    looked: list[int] = []

    async def look(runtime: Runtime, link_id: LinkId) -> None:
        looked.append(len(looked))
        if len(looked) > 1:
            stop.set()
            return
        async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
            await defer(session, Job.READ_PLAN, link_id)
        if ended == "by a fault":
            raise RuntimeError
        stop.set()
        await asyncio.Event().wait()

    runtime.queue.task(name=Job.READ_PLAN.value, pass_context=True, retry=Retry(Job.READ_PLAN))(
        _runner(runtime, Job.READ_PLAN, look)
    )
    async with runtime.queue.open_async():
        async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
            await defer(session, Job.READ_PLAN, link_id)
        async with asyncio.timeout(10):
            await _work_until(runtime, stop)
    await runtime.close()


async def test_a_job_that_failed_yields_to_its_waiting_twin(
    settings: Settings, database_url: str, database: Database, link_id: LinkId
) -> None:
    """It cannot wait beside it; left as running, it would hold the lock as long as we live."""
    await _work_beside_a_twin(settings, database_url, link_id, "by a fault")

    assert await _jobs(database) == [("read_plan", "failed")]


async def test_a_job_cut_off_by_a_shutdown_yields_to_its_waiting_twin(
    settings: Settings, database_url: str, database: Database, link_id: LinkId
) -> None:
    """The twin can begin at once elsewhere, and waits for no rescue."""
    await _work_beside_a_twin(settings, database_url, link_id, "by a shutdown")

    assert await _jobs(database) == [("read_plan", "failed"), ("read_plan", "todo")]


async def test_a_living_workers_job_is_left_alone(runtime: Runtime, link_id: LinkId) -> None:
    """A slow job is no dead job."""
    async with runtime.queue.open_async():
        async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
            await defer(session, Job.DRAIN_LINK, link_id)
        manager = runtime.queue.job_manager
        await manager.fetch_job(queues=None, worker_id=await manager.register_worker())

        await rescue(runtime)

    assert await _jobs(runtime.database) == [("drain_link", "doing")]


async def test_a_job_behind_a_lock_is_announced_when_the_lock_falls_free(
    runtime: Runtime, database_url: str, link_id: LinkId
) -> None:
    """A drain that was asked for during another one is not left to the next poll."""
    heard = asyncio.Event()

    async def hear(**_: object) -> None:
        heard.set()

    async with create_queue(database_url).open_async() as queue:
        async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
            await defer(session, Job.DRAIN_LINK, link_id)
        manager = queue.job_manager
        job = await manager.fetch_job(queues=None, worker_id=await manager.register_worker())
        assert job is not None
        async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
            await defer(session, Job.DRAIN_LINK, link_id)
        listener = asyncio.create_task(manager.listen_for_jobs(on_notification=hear))
        await asyncio.sleep(0.2)
        heard.clear()

        await manager.finish_job_by_id_async(job.id or 0, status=Status.SUCCEEDED, delete_job=True)
        async with asyncio.timeout(2):
            await heard.wait()
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


def _queued(job: Job, attempts: int) -> QueuedJob:
    return QueuedJob(
        id=1, queue="default", lock=None, queueing_lock=None, task_name=job.value,
        attempts=attempts,
    )  # fmt: skip


def test_what_a_shutdown_cut_off_goes_on_elsewhere() -> None:
    """Every job, also one whose room would bring it back by itself."""
    for job in JOBS:
        for cut in (asyncio.CancelledError(), JobAborted()):
            retry = Retry(job).get_retry_decision(exception=cut, job=_queued(job, 50))
            assert retry is not None


def test_a_failed_drain_is_left_to_its_due_time_and_others_are_tried_again() -> None:
    """A scheduled drain would block every new one; the others have no other clock."""
    fault = RuntimeError()

    for job in JOBS:
        again = Retry(job).get_retry_decision(exception=fault, job=_queued(job, 0))
        late = Retry(job).get_retry_decision(exception=fault, job=_queued(job, 8))
        assert (again is not None) == (job not in {Job.DRAIN_LINK, Job.SWEEP_LINK})
        assert late is None


async def test_every_job_is_registered_once(runtime: Runtime) -> None:
    """A job nobody can run would wait for ever."""
    register(runtime)
    register(runtime)

    assert {job.value for job in JOBS} <= set(runtime.queue.tasks)
    assert set(Job) == set(JOBS)
