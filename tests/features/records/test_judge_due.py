"""A record that changes is judged again by itself, with what hangs on it and nothing else."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import text

from app.canonical import LinkId, RecordKind, Side
from app.database import CommitPoint
from app.links.pairs import Pair
from app.records.decisions import leave_out
from app.records.judge_due import judge_due, judge_later
from app.records.pair_up import pair_up
from app.records.part import part_pair
from app.records.store import mark_unlisted_gone
from app.runtime import Runtime

Work = Callable[[], Awaitable[int]]


async def rows(runtime: Runtime, link_id: LinkId) -> dict[tuple[str, str], Any]:
    """Each record's findings' codes, readiness and the transaction that wrote it last."""
    async with runtime.database.reading(link_id) as session:
        found = await session.execute(
            text(
                "SELECT side, record_id, ready, xmin::text AS written,"
                " ARRAY(SELECT jsonb_array_elements(findings) ->> 'code') AS codes FROM records"
            )
        )
        return {(row.side, row.record_id): row for row in found}


async def test_only_the_record_that_changed_is_judged(
    hands: Any, runtime: Runtime, twins: Any
) -> None:
    """Its own row is written, no other; asking again finds nothing to do."""
    link_id = hands.linked.link_id
    first = await hands.in_time("Alfa AS", organizationNumber="860001381")
    for number in range(5):
        await hands.in_time(f"Nr {number} AS")
    await judge_due(runtime, link_id)
    before = await rows(runtime, link_id)
    path = f"/companies/cmp_1/customers/{first.id}"
    await twins.control("timerabbit", "PATCH", path, {"kind": "unset"})
    await hands.read(Side.TIME, first.id)

    judged = await judge_due(runtime, link_id)

    after = await rows(runtime, link_id)
    written = {key for key, row in after.items() if row.written != before[key].written}
    assert judged == 1
    assert written == {("time", first.id)}
    assert after["time", first.id].codes[0] == "kind-not-set"
    assert await judge_due(runtime, link_id) == 0


async def test_a_number_taken_and_given_back_is_said_of_both_customers(
    hands: Any, runtime: Runtime, twins: Any
) -> None:
    """The other holder of a number changes too, when it is shared and when it no longer is."""
    link_id, twice = hands.linked.link_id, "organization-number-twice"
    one = await hands.in_time("Alfa AS", organizationNumber="860001381")
    two = await hands.in_time("Beta AS", organizationNumber="860001543")
    await judge_due(runtime, link_id)
    path = f"/companies/cmp_1/customers/{two.id}"

    seen = []
    for number in ("860001381", "860001543"):
        await twins.control("timerabbit", "PATCH", path, {"organizationNumber": number})
        await hands.read(Side.TIME, two.id)
        await judge_due(runtime, link_id)
        found = await rows(runtime, link_id)
        seen.append([twice in found["time", one_id].codes for one_id in (one.id, two.id)])

    assert seen == [[True, True], [False, False]]


async def test_a_project_follows_its_customer(hands: Any, runtime: Runtime, twins: Any) -> None:
    """Left out, ready, linked, parted: each changes what its project lacks, at once."""
    link_id, lacks = hands.linked.link_id, "project-customer-not-ready"
    customer = await hands.in_time("Alfa AS", organizationNumber="860001381")
    made = await twins.control(
        "timerabbit", "POST", "/companies/cmp_1/projects",
        {"name": "Bygg", "customerId": customer.id},
    )  # fmt: skip
    await hands.read(Side.TIME, str(made["id"]), RecordKind.PROJECT)
    await judge_due(runtime, link_id)
    seen = [lacks in (await rows(runtime, link_id))["time", made["id"]].codes]

    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await leave_out(session, link_id, Side.TIME, RecordKind.CUSTOMER, [customer.id])
    await judge_due(runtime, link_id)
    seen.append(lacks in (await rows(runtime, link_id))["time", made["id"]].codes)
    books = await hands.in_books("Alfa AS", orgNo="860001381")
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        pair, _ = await pair_up(
            session, link_id, time=customer, books=books, origin="linked", now=runtime.clock()
        )
    await judge_due(runtime, link_id)
    seen.append(lacks in (await rows(runtime, link_id))["time", made["id"]].codes)
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        held = await session.get(Pair, (link_id, pair.pair_id))
        assert held is not None
        await part_pair(session, held, by="kari", now=runtime.clock())
    await judge_due(runtime, link_id)
    seen.append(lacks in (await rows(runtime, link_id))["time", made["id"]].codes)

    assert seen == [False, True, False, True]


async def test_readiness_is_right_when_it_is_looked_at(
    hands: Any, runtime: Runtime, twins: Any, client: httpx.AsyncClient
) -> None:
    """Whoever remembered a record need not judge it: the page does."""
    customer = await hands.in_time("Alfa AS", kind="unset")
    path = f"/companies/cmp_1/customers/{customer.id}"
    await twins.control("timerabbit", "PATCH", path, {"kind": "company"})
    shown = []
    for _ in range(2):
        answer = await client.get(f"{hands.linked.path}/readiness", headers=hands.linked.books)
        shown.append([f["code"] for item in answer.json()["items"] for f in item["findings"]])
        await hands.read(Side.TIME, customer.id)

    assert ["kind-not-set" in codes for codes in shown] == [True, False]


async def test_a_record_that_is_gone_is_not_judged_for_ever(
    hands: Any, runtime: Runtime, twins: Any
) -> None:
    """It is due once, says nothing, and frees the number it held."""
    link_id, twice = hands.linked.link_id, "organization-number-twice"
    one = await hands.in_time("Alfa AS", organizationNumber="860001381")
    two = await hands.in_time("Beta AS", organizationNumber="860001381")
    await judge_due(runtime, link_id)
    await twins.control("timerabbit", "POST", f"/companies/cmp_1/customers/{two.id}/delete")
    await hands.read(Side.TIME, two.id)

    await judge_due(runtime, link_id)

    assert twice not in (await rows(runtime, link_id))["time", one.id].codes
    assert await judge_due(runtime, link_id) == 0
    await hands.read(Side.TIME, two.id)  # the same tombstone again says nothing new
    assert await judge_due(runtime, link_id) == 0


async def test_a_record_that_no_list_names_any_more_frees_its_number(
    hands: Any, runtime: Runtime
) -> None:
    """A side that deletes without a trace is noticed by its list; the other holder is free."""
    link_id, twice = hands.linked.link_id, "organization-number-twice"
    one = await hands.in_books("Alfa AS", orgNo="860001381")
    await hands.in_books("Beta AS", orgNo="860001381")
    await judge_due(runtime, link_id)
    now = runtime.clock()
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await session.execute(
            text("UPDATE records SET listed_at = :later WHERE record_id = :id"),
            {"later": now + timedelta(hours=2), "id": one.id},
        )
        await mark_unlisted_gone(
            session, link_id, Side.BOOKS, RecordKind.CUSTOMER,
            since=now + timedelta(hours=1), now=now,
        )  # fmt: skip

    await judge_due(runtime, link_id)

    assert twice not in (await rows(runtime, link_id))["books", one.id].codes


async def test_many_may_judge_at_once_while_records_are_read(
    hands: Any, runtime: Runtime, twins: Any
) -> None:
    """Nobody waits in a circle, and nothing is left due."""
    link_id = hands.linked.link_id
    records = [await hands.in_time(f"Nr {number} AS") for number in range(12)]
    records += [await hands.in_books(f"Nr {number} AS") for number in range(12)]

    async def touch(start: int) -> None:
        for record in records[start::3]:
            side = Side.TIME if str(record.id).startswith("cus") else Side.BOOKS
            async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
                await judge_later(session, link_id, side, RecordKind.CUSTOMER, [record.id])

    await asyncio.gather(*(touch(n) for n in range(3)), *(judge_due(runtime, link_id)
                                                          for _ in range(6)))  # fmt: skip
    await judge_due(runtime, link_id)

    assert await judge_due(runtime, link_id) == 0
