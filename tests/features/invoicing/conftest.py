"""Give the invoicing tests a link in step without the seconds a whole first sync takes."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from uuid_utils.compat import uuid7

from app.canonical import LinkId, RecordKind
from app.database import CommitPoint
from app.invoicing.drafts.complete import complete_draft
from app.invoicing.drafts.follow import follow_drafts
from app.invoicing.drafts.settle import settle_draft
from app.invoicing.drafts.wake import wake_drafts
from app.invoicing.unbilled.read_hours import read_hours
from app.links.pairs import Pair
from app.queue import Job
from app.runtime import Runtime
from tests.features.invoicing.bookkeeper import Bookkeeper, Work
from tests.worlds import Keeper

JOBS: dict[Job, Callable[..., Awaitable[None]]] = {
    Job.SETTLE_DRAFT: settle_draft,
    Job.COMPLETE_DRAFT: complete_draft,
    Job.FOLLOW_DRAFTS: follow_drafts,
    Job.READ_HOURS: read_hours,
}


@pytest.fixture
def work(runtime: Runtime) -> Work:
    """Run the drafts' own jobs until none is due; sweeps and drains have tests of their own."""

    async def run() -> int:
        for done in range(200):
            await wake_drafts(runtime)
            async with runtime.database.engine.begin() as connection:
                row = (
                    await connection.execute(
                        text(
                            "DELETE FROM procrastinate_jobs WHERE id = (SELECT id FROM"
                            " procrastinate_jobs WHERE status = 'todo' AND task_name = ANY(:names)"
                            " ORDER BY id LIMIT 1) RETURNING task_name, args"
                        ),
                        {"names": [job.value for job in JOBS]},
                    )
                ).first()
            if row is None:
                return done
            arguments = dict(row.args)
            link_id = LinkId(UUID(arguments.pop("link_id")))
            await JOBS[Job(row.task_name)](runtime, link_id, **arguments)
        raise AssertionError("jobs do not come to rest")

    return run


@pytest.fixture
async def synced(linked: Any, runtime: Runtime, twins: Any, keeper: Keeper) -> Any:
    """An active link whose customers and projects with equal names are pairs."""

    async def make() -> dict[str, str]:
        return await _pair_equal_names(linked.link_id, runtime, twins)

    linked.more["customers"] = await keeper.make("synced", make)
    return linked


async def _pair_equal_names(link_id: LinkId, runtime: Runtime, twins: Any) -> dict[str, str]:
    time, books = await twins.time(), await twins.books()
    customers = {c["name"]: str(c["id"]) for c in books["customers"]}
    projects = {(p["name"], str(p.get("customerId"))): str(p["id"]) for p in books["projects"]}
    now = runtime.clock()

    def pair(kind: RecordKind, time_id: str, books_id: str, name: str) -> Pair:
        return Pair(
            link_id=link_id, pair_id=uuid7(), kind=kind, time_id=time_id,
            books_id=books_id, base={"name": name}, origin="matched", problem=None, version=1,
            created_at=now, updated_at=now, synced_at=now,
        )  # fmt: skip

    found = {c["id"]: customers[c["name"]] for c in time["customers"] if c["name"] in customers}
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        taken: set[str] = set()
        for customer in time["customers"]:
            partner = found.get(customer["id"])
            if partner is not None and partner not in taken:
                taken.add(partner)
                session.add(pair(RecordKind.CUSTOMER, customer["id"], partner, customer["name"]))
        for project in time["projects"]:
            partner = projects.get((project["name"], str(found.get(project["customerId"]))))
            if partner is not None and partner not in taken:
                taken.add(partner)
                session.add(pair(RecordKind.PROJECT, project["id"], partner, project["name"]))
    return found


@pytest.fixture
def kari(client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any) -> Bookkeeper:
    """A person who bills the hours of the link that is in step."""
    return Bookkeeper(client, synced, twins, work, clock)
