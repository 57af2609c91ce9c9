"""A subproject is billed by the increments of the nearest project above it that has its own."""

from typing import Any

from app.canonical import Project, RecordId, RecordKind, Side
from app.database import CommitPoint
from app.invoicing.previews.inherited import nearest
from app.records.store import remember
from app.runtime import Runtime
from tests.features.invoicing.bookkeeper import Bookkeeper
from tests.features.invoicing.test_drafts import busiest, previewed
from tests.features.invoicing.test_preview import change
from tests.features.invoicing.test_protocol import ids_of

HOUR = {"minutes": 60, "direction": "up", "per": "entry"}


async def choose(kari: Bookkeeper, project: str, rounding: dict[str, Any] | None) -> None:
    answer = await kari.client.put(
        f"{kari.link.path}/billing-choices/project:{project}", headers=kari.link.books,
        json={"rounding": rounding},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text


async def test_a_subproject_takes_the_nearest_increments_above_it(
    kari: Bookkeeper, twins: Any
) -> None:
    """Two levels down; one with its own, and be they none, keeps them."""
    customer = await busiest(kari.client, kari.link)
    hours = ids_of(await previewed(kari.client, kari.link, customerId=customer))
    stored = {one["id"]: one for one in (await twins.time())["entries"]}
    hour = next(one for one in hours if stored[one]["projectId"])
    top = stored[hour]["projectId"]
    projects = twins.timerabbit.state.twin.companies["cmp_1"].projects
    for name, parent in (("prj_mid", top), ("prj_low", "prj_mid")):
        projects[name] = {**projects[top], "id": name, "name": name, "parentProjectId": parent}
    await change(twins, hour, projectId="prj_low", minutes=61)

    async def billed() -> int:
        preview = await previewed(
            kari.client, kari.link, customerId=customer, entryIds=[hour], grouping="entry"
        )
        minutes: int = preview["lines"][0]["billedMinutes"]
        return minutes

    before = await billed()
    await choose(kari, top, HOUR)
    inherited = await billed()
    await choose(kari, "prj_mid", None)
    ended = await billed()
    await choose(kari, "prj_low", {**HOUR, "minutes": 15})
    own = await billed()

    assert (before, inherited, ended, own) == (61, 120, 61, 75)


async def test_who_is_above_is_taken_as_last_seen(
    kari: Bookkeeper, twins: Any, runtime: Runtime
) -> None:
    """A project that was read before is not asked of Timerabbit again."""
    customer = await busiest(kari.client, kari.link)
    hours = ids_of(await previewed(kari.client, kari.link, customerId=customer))
    stored = {one["id"]: one for one in (await twins.time())["entries"]}
    hour = next(one for one in hours if stored[one]["projectId"])
    low = Project(
        RecordId(stored[hour]["projectId"]), name="Del", customer_id=RecordId(customer),
        parent_id=RecordId("prj_above"),
    )  # fmt: skip
    async with runtime.database.transaction(CommitPoint.PLAIN, kari.link.link_id) as session:
        await remember(
            session, kari.link.link_id, Side.TIME, RecordKind.PROJECT, [low], now=runtime.clock()
        )
    await change(twins, hour, minutes=61)
    await choose(kari, "prj_above", HOUR)

    preview = await previewed(
        kari.client, kari.link, customerId=customer, entryIds=[hour], grouping="entry"
    )

    assert preview["lines"][0]["billedMinutes"] == 120


def test_the_nearest_above_is_taken_and_a_circle_ends() -> None:
    low, mid, top = RecordId("low"), RecordId("mid"), RecordId("top")
    parents = {low: mid, mid: top, top: None}

    assert nearest(low, parents, {top, mid}) == mid
    assert nearest(low, parents, {top}) == top
    assert nearest(low, parents, {low}) is None
    assert nearest(low, {low: mid, mid: low}, {top}) is None
