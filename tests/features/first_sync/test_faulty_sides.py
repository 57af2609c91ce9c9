"""Sides that answer badly while they are read: the plan comes out the same, later if need be."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.runtime import Runtime
from app.sandbox.conta import listing as conta_twin
from app.systems.conta import listing
from app.systems.timerabbit import listing as time_listing
from tests.features.conftest import Linked, Twins, bearer, forget_patience
from tests.features.first_sync.conftest import Review, Work


async def plain(review: Review) -> list[tuple[Any, ...]]:
    """Give what the lines say, whatever their versions."""
    lines = await review.lines()
    return sorted(
        (one["kind"], one["side"], one["record"]["id"], one["deed"], str(one["candidates"]))
        for one in lines
    )


async def reads(twins: Twins, kind: str = "/customers/") -> list[str]:
    seen = await twins.control("conta", "GET", "/requests")
    return [one["path"] for one in seen["requests"] if kind in one["path"]]


@pytest.mark.parametrize("system", ["conta", "timerabbit"])
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "repeat_page", "path": "/customers", "times": 2},
        {"kind": "omit_hits", "path": "/customers", "times": 1},
        {"kind": "lost_answer", "path": "/customers", "method": "GET", "times": 3},
        {"kind": "broken_body", "path": "/customers", "times": 3},
        {"kind": "html_page", "path": "/customers", "times": 1},
        {"kind": "status_before", "status": 429, "retry_after": 60, "path": "/customers"},
    ],
    ids=lambda fault: fault["kind"] + str(fault.get("status", "")),
)
async def test_a_plan_read_from_a_faulty_side_is_the_same_plan(
    review: Review,
    work: Work,
    twins: Twins,
    clock: Any,
    runtime: Runtime,
    monkeypatch: Any,
    system: str,
    fault: dict[str, Any],
) -> None:
    """No record is missed, doubled or taken for gone; while the side is busy the plan says so."""
    monkeypatch.setattr(listing, "PAGE_SIZE", 7)
    monkeypatch.setattr(time_listing, "PAGE_SIZE", "7")
    before = await plain(review)
    for name in ("conta", "timerabbit"):
        await twins.control(name, "DELETE", "/requests")
    await twins.control(system, "POST", "/faults", fault)

    await review.start()
    await work()
    waiting = await review.plan()
    if waiting["state"] != "open":
        await twins.control(system, "DELETE", "/faults")
        for _ in range(3):
            clock.advance(seconds=70)
            forget_patience(runtime)
            await work()

    assert waiting["state"] == "open" or waiting["problem"]["code"] in {
        "other-system-busy", "other-system-away",
    }  # fmt: skip
    assert (await review.plan())["state"] == "open"
    assert await plain(review) == before


def after_page(monkeypatch: Any, number: int, deed: Callable[[], Awaitable[None]]) -> None:
    """Let something happen in Conta once the reader has so many pages of its lists."""
    read = 0
    walk = listing._page

    async def walking(*args: Any) -> Any:
        nonlocal read
        page = await walk(*args)
        read += 1
        if read == number:
            await deed()
        return page

    monkeypatch.setattr(listing, "_page", walking)


async def test_a_customer_deleted_while_the_list_is_paged_hides_no_other(
    review: Review, work: Work, twins: Twins, monkeypatch: Any
) -> None:
    """Rows move a place up behind the reader's back; every other record keeps its line."""
    monkeypatch.setattr(listing, "PAGE_SIZE", 7)
    before = await plain(review)
    first = min(int(one["id"]) for one in (await twins.books())["customers"])

    async def delete() -> None:
        await twins.control("conta", "POST", f"/organizations/1001/customers/{first}/delete")

    after_page(monkeypatch, 2, delete)

    await review.start()
    await work()

    assert (await review.plan())["state"] == "open"
    kept = [line for line in before if str(first) not in line[2] + line[4]]
    after = [line for line in await plain(review) if line in kept]
    assert after == kept


async def test_a_customer_made_while_the_list_is_paged_doubles_no_other(
    review: Review, work: Work, twins: Twins, monkeypatch: Any
) -> None:
    """A list in no order of ours: rows move a place down, one comes twice and keeps its line."""
    monkeypatch.setattr(listing, "PAGE_SIZE", 7)
    monkeypatch.setattr(conta_twin, "_sorted", lambda hits, _sort: hits)
    before = await plain(review)

    async def make() -> None:
        body = {
            "name": "Aaboens Nye Bakeri AS", "customerType": "ORGANIZATION",
            "customerAddressLine1": "Nygata 9", "customerAddressPostcode": "0155",
            "customerAddressCity": "Oslo", "customerAddressCountry": "Norge",
        }  # fmt: skip
        await twins.control("conta", "POST", "/organizations/1001/customers", body)
        own = twins.conta.state.twin.organizations[1001]
        *older, newest = own.customers.items()
        own.customers = dict([newest, *older])

    after_page(monkeypatch, 1, make)

    await review.start()
    await work()
    after = await plain(review)

    new = [line for line in after if line not in before]
    assert (await review.plan())["state"] == "open"
    assert [line for line in after if line in before] == before
    assert len(new) == 1
    assert len({line[:3] for line in after}) == len(after)


async def test_a_second_reading_reads_again_only_what_changed(
    reviewing: Linked, client: httpx.AsyncClient, work: Work, twins: Twins, clock: Any
) -> None:
    """Where Conta lists what changed, only that is asked for again, and it is seen."""
    clock.advance(days=3)
    reviewing.books.update(await bearer(twins, "conta", "1001"))
    review = Review(client, reviewing)
    await review.start()
    await work()
    line = await review.line(category="only_books", kind="customer")
    path = f"/organizations/1001/customers/{line['record']['id']}"
    await twins.control("conta", "PATCH", path, {"customerAddressLine1": "Nygata 7"})
    clock.advance(seconds=1)
    await twins.control("conta", "DELETE", "/requests")

    await review.start()
    await work()

    (after,) = [one for one in await review.lines() if one["id"] == line["id"]]
    assert {path.rsplit("/", 1)[1] for path in await reads(twins)} == {line["record"]["id"]}
    assert after["record"]["address"].startswith("Nygata 7")


async def test_a_second_reading_draws_lines_again_only_where_something_changed(
    review: Review, work: Work, twins: Twins, runtime: Runtime, reviewing: Linked
) -> None:
    """Nothing new: no line is written. One record changed: its line is, and no other."""

    async def written() -> dict[str, str]:
        async with runtime.database.reading(reviewing.link_id) as session:
            rows = await session.execute(
                text("SELECT anchor_id, CAST(xmin AS text) FROM proposals")
            )
            return {str(row[0]): str(row[1]) for row in rows}

    before = await written()
    await review.start()
    await work()
    same = await written()
    line = await review.line(category="only_time", kind="customer")
    path = f"/companies/cmp_1/customers/{line['record']['id']}"
    await twins.control("timerabbit", "PATCH", path, {"phone": "22 33 44 55"})

    await review.start()
    await work()

    after = await written()
    assert same == before
    assert {one for one in after if after[one] != before[one]} == {line["record"]["id"]}
