"""Unlink and link the same couple again: everything goes on where it was, nothing is made twice."""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.runtime import Runtime
from tests.conftest import SetClock
from tests.features.conftest import Linked, Twins, bearer, connect, first_sync

Work = Callable[[], Awaitable[int]]


async def stores(twins: Twins) -> dict[str, Counter[str]]:
    """Count the living records of both systems by name, as their own stores have them."""
    books, time = await twins.books(), await twins.time()
    return {
        f"{system} {kind}": Counter(
            str(one["name"]).strip() for one in own[kind] if not one.get("deletedAt")
        )
        for system, own in (("books", books), ("time", time))
        for kind in ("customers", "projects")
    }


async def again(client: httpx.AsyncClient, twins: Twins) -> Linked:
    return await connect(client, twins, organization="1001", company="cmp_1", key="conta-demo-key")


async def pairs_in_step(client: httpx.AsyncClient, link: Linked) -> list[dict[str, Any]]:
    answer = await client.get(f"{link.path}/pairs?kind=customer&limit=200", headers=link.books)
    return [one for one in answer.json()["items"] if one["problem"] is None]


async def test_a_couple_linked_again_makes_nothing_twice(
    synced: Linked, client: httpx.AsyncClient, twins: Twins, work: Work, clock: SetClock
) -> None:
    """Days apart, edits on both sides meanwhile: they meet, and no store holds one record more."""
    first, second = (await pairs_in_step(client, synced))[:2]
    before = await stores(twins)
    closed = await client.delete(synced.path, headers=synced.books)
    await work()
    await twins.control(
        "timerabbit", "PATCH", f"/companies/cmp_1/customers/{first['timeId']}",
        {"phone": "22334455"},
    )  # fmt: skip
    await twins.control(
        "conta", "PATCH", f"/organizations/1001/customers/{second['booksId']}",
        {"emailAddress": "ny@kunde.no"},
    )  # fmt: skip
    clock.advance(days=3)
    await work()

    back = await again(client, twins)
    await work()
    clock.advance(hours=5)
    await work()

    assert closed.json()["state"] == "closed"
    assert back.link_id == synced.link_id
    back.books = await bearer(twins, "conta", "1001")
    assert (await client.get(back.path, headers=back.books)).json()["state"] == "active"
    assert await stores(twins) == before
    books, time = await twins.books(), await twins.time()
    told = next(one for one in books["customers"] if str(one["id"]) == first["booksId"])
    heard = next(one for one in time["customers"] if one["id"] == second["timeId"])
    assert (told["phoneNo"], heard["email"]) == ("22334455", "ny@kunde.no")


async def test_a_review_left_by_unlinking_is_taken_up_again(
    reviewing: Linked, client: httpx.AsyncClient, twins: Twins, work: Work
) -> None:
    """Before anything was confirmed the couple comes back to its review, not to work."""
    await client.post(f"{reviewing.path}/first-sync", headers=reviewing.books)
    await work()
    before = await stores(twins)
    await client.delete(reviewing.path, headers=reviewing.books)
    await work()

    back = await again(client, twins)
    await work()
    state = (await client.get(back.path, headers=back.books)).json()["state"]
    unchanged = await stores(twins)
    await first_sync(client, back, work)
    after = await stores(twins)

    assert (state, unchanged) == ("reviewing", before)
    assert all(after[kind] >= before[kind] for kind in before)
    assert sum(after["books customers"].values()) > sum(before["books customers"].values())


async def test_a_first_sync_left_in_the_middle_is_not_done_twice(
    reviewing: Linked, client: httpx.AsyncClient, twins: Twins, work: Work, runtime: Runtime
) -> None:
    """Unlinked while a confirmed run was under way: linked again it ends, each record once."""
    runtime.settings.drain_bite = 5
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
    created = runtime.systems.books.open

    def open_and_close(*args: Any, **kwargs: Any) -> Any:
        books = created(*args, **kwargs)
        inner = books.create

        async def create(*more: Any, **named: Any) -> Any:
            made = await inner(*more, **named)
            await client.delete(reviewing.path, headers=reviewing.books)
            return made

        books.create = create  # type: ignore[method-assign]
        return books

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime.systems.books, "open", open_and_close)
        await work()
    run = confirmed.headers["location"]
    half = (await client.get(run, headers=reviewing.books)).json()["state"]

    back = await again(client, twins)
    await work()

    ended = (await client.get(run, headers=back.books)).json()["state"]
    assert (half, ended) == ("running", "done")
    async with runtime.database.reading(back.link_id) as session:
        pairs = (await session.execute(text("SELECT kind, time_id, books_id FROM pairs"))).all()
    time = await twins.time()
    for kind in ("customer", "project"):
        held = [(row.time_id, row.books_id) for row in pairs if row.kind == kind]
        assert len({one for one, _ in held}) == len({one for _, one in held}) == len(held)
        marked = [
            one["externalRefs"]["conta"]
            for one in time[f"{kind}s"]
            if (one.get("externalRefs") or {}).get("conta")
        ]
        assert len(marked) == len(set(marked))
