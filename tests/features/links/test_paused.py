"""A paused link: nothing is written anywhere, nothing is lost, and all of it goes on afterwards."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from app.canonical import RecordId, RecordKind, Side
from app.changes.store import note
from app.database import CommitPoint
from app.queue import Job, defer
from app.runtime import Runtime
from app.sync.drain import drain_link
from app.systems.ports import ChangeNotice
from tests.conftest import SetClock
from tests.features.conftest import Linked, Twins, bearer

Work = Callable[[], Awaitable[int]]


async def writes(twins: Twins) -> list[str]:
    """Give the calls that changed something in either system; telling the link's state is none."""
    found = []
    for system in ("conta", "timerabbit"):
        seen = await twins.control(system, "GET", "/requests")
        found += [
            f"{one['method']} {one['path']}"
            for one in seen["requests"]
            if one["method"] != "GET" and "token" not in one["path"]
            and "/links/conta" not in one["path"]
        ]  # fmt: skip
    return found


async def forget(twins: Twins) -> None:
    for system in ("conta", "timerabbit"):
        await twins.control(system, "DELETE", "/requests")


async def pairs_of(client: httpx.AsyncClient, link: Linked) -> list[dict[str, Any]]:
    answer = await client.get(f"{link.path}/pairs?kind=customer&limit=200", headers=link.books)
    return [one for one in answer.json()["items"] if one["problem"] is None]


async def test_nothing_is_written_while_paused_and_all_of_it_afterwards(
    synced: Linked, client: httpx.AsyncClient, twins: Twins, work: Work, clock: SetClock,
    runtime: Runtime,
) -> None:  # fmt: skip
    """Hints, sweeps, fixes, first sync and drafts: none of them reaches a system."""
    pair, other = (await pairs_of(client, synced))[:2]
    await client.post(f"{synced.path}/pause", headers=synced.books)
    await work()
    await forget(twins)
    path = f"/companies/cmp_1/customers/{pair['timeId']}"
    await twins.control("timerabbit", "PATCH", path, {"phone": "22334455"})
    path = f"/organizations/1001/customers/{other['booksId']}"
    await twins.control("conta", "PATCH", path, {"emailAddress": "ny@kunde.no"})
    async with runtime.database.transaction(CommitPoint.PLAIN, synced.link_id) as session:
        for side, one in ((Side.TIME, pair["timeId"]), (Side.BOOKS, other["booksId"])):
            notice = ChangeNotice(RecordKind.CUSTOMER, RecordId(one))
            await note(session, synced.link_id, side, [notice], now=clock())
        for job in (Job.DRAIN_LINK, Job.SWEEP_LINK, Job.RUN_FIRST_SYNC, Job.READ_PLAN):
            await defer(session, job, synced.link_id)
    fix = {"fix": "set-kind", "side": "time", "recordKind": "customer", "kind": "company",
           "recordIds": [pair["timeId"]]}  # fmt: skip
    asked = [
        await client.post(f"{synced.path}/readiness/fixes", headers=synced.books, json=fix),
        await client.post(f"{synced.path}/sweep", headers=synced.books),
        await client.post(
            f"{synced.path}/invoice-drafts/preview", headers=synced.books,
            json={"customerId": pair["timeId"]},
        ),
        await client.post(
            f"{synced.path}/invoice-drafts", headers={**synced.books, "Idempotency-Key": "k"},
            json={"previewId": "0199f3a0-0000-7000-8000-000000000041"},
        ),
    ]  # fmt: skip
    clock.advance(hours=5)
    await work()
    while_paused = await writes(twins)

    later = await bearer(twins, "conta", "1001")
    await client.post(f"{synced.path}/resume", headers=later)
    await work()

    assert [(one.status_code, one.json()["code"]) for one in asked] == [
        (409, "link-not-active")
    ] * 4
    assert while_paused == []
    books, time = await twins.books(), await twins.time()
    told = next(one for one in books["customers"] if str(one["id"]) == pair["booksId"])
    heard = next(one for one in time["customers"] if one["id"] == other["timeId"])
    assert (told["phoneNo"], heard["email"]) == ("22334455", "ny@kunde.no")


async def test_a_drain_under_way_stops_after_the_records_in_hand(
    synced: Linked, client: httpx.AsyncClient, twins: Twins, work: Work, runtime: Runtime
) -> None:
    """A person who pauses in the middle of much work does not wait for its end."""
    runtime.settings.drain_parallel = 1
    chosen = (await pairs_of(client, synced))[:10]
    for one in chosen:
        path = f"/companies/cmp_1/customers/{one['timeId']}"
        await twins.control("timerabbit", "PATCH", path, {"phone": "22334455"})
    async with runtime.database.transaction(CommitPoint.PLAIN, synced.link_id) as session:
        notices = [ChangeNotice(RecordKind.CUSTOMER, RecordId(one["timeId"])) for one in chosen]
        await note(session, synced.link_id, Side.TIME, notices, now=runtime.clock())
    await forget(twins)
    opened = runtime.systems.books.open

    def open_and_pause(*args: Any, **kwargs: Any) -> Any:
        books = opened(*args, **kwargs)
        inner = books.update

        async def update(*more: Any) -> Any:
            await client.post(f"{synced.path}/pause", headers=synced.books)
            return await inner(*more)

        books.update = update  # type: ignore[method-assign, assignment]
        return books

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime.systems.books, "open", open_and_pause)
        await drain_link(runtime, synced.link_id)

    assert len(await writes(twins)) == 2  # one wave: what was in hand
    await client.post(f"{synced.path}/resume", headers=synced.books)
    await work()
    assert len([one for one in await writes(twins) if one.startswith("PUT")]) == 10


async def test_a_first_sync_paused_in_the_middle_goes_on_by_itself(
    reviewing: Linked, client: httpx.AsyncClient, twins: Twins, work: Work, runtime: Runtime
) -> None:
    """The run stops with the link and ends after it is resumed; nothing is made twice."""
    await client.post(f"{reviewing.path}/first-sync", headers=reviewing.books)
    await work()
    await client.post(
        f"{reviewing.path}/first-sync/answers", headers=reviewing.books,
        json={"filter": {"deed": "ask"}, "answer": "leave_out"},
    )  # fmt: skip
    confirmed = await client.post(
        f"{reviewing.path}/first-sync/confirm",
        headers={**reviewing.books, "Idempotency-Key": "c"},
    )
    run = confirmed.headers["location"]
    before = (await twins.books())["customers"]
    await client.post(f"{reviewing.path}/pause", headers=reviewing.books)
    await forget(twins)
    await work()
    while_paused = await writes(twins)

    await client.post(f"{reviewing.path}/resume", headers=reviewing.books)
    await work()

    assert while_paused == []
    assert (await client.get(run, headers=reviewing.books)).json()["state"] == "done"
    made = [
        one["name"]
        for one in (await twins.books())["customers"]
        if one["id"] not in {known["id"] for known in before}
    ]
    assert made
    assert len(made) == len(set(made))
