"""Go from one company to another and back: each couple finds its own link, pairs and ledger."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.runtime import Runtime
from tests.conftest import SetClock
from tests.features.conftest import Linked, Twins, bearer
from tests.features.links.conftest import KEYS, Person, shown
from tests.features.links.test_relink import stores

Work = Callable[[], Awaitable[int]]


@pytest.fixture
def go(kari: Person, work: Work) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Start, log in at a company and put the key, as a person would; gives the joined link."""
    starts = iter(range(100))

    async def link(company: str, **more: Any) -> dict[str, Any]:
        started = await kari.start(key=f"go-{next(starts)}", **more)
        brought: dict[str, Any] = await kari.log_in(started, company)
        brought |= {"confirmDifferentNumbers": True}
        answer = await kari.hand_over(started, brought)
        assert answer.status_code == 200, answer.text
        joined: dict[str, Any] = answer.json()
        path = f"/v1/links/{joined['id']}"
        kept = await kari.client.put(
            f"{path}/conta-key", headers=kari.headers, json={"key": KEYS["1001"]}
        )
        assert kept.status_code == 200, kept.text
        await work()
        found: dict[str, Any] = (await kari.client.get(path, headers=kari.headers)).json()
        return found

    return link


async def close(kari: Person, link: dict[str, Any], work: Work) -> None:
    answer = await kari.client.delete(f"/v1/links/{link['id']}", headers=kari.headers)
    assert answer.json()["state"] == "closed"
    await work()


async def states(kari: Person) -> dict[str, list[str]]:
    items = (await kari.client.get("/v1/links?limit=200", headers=kari.headers)).json()["items"]
    found: dict[str, list[str]] = {}
    for item in items:
        found.setdefault(str(item["timerabbit"]["accountId"]), []).append(item["state"])
    return found


@pytest.mark.parametrize("another", [False, True])
async def test_a_company_left_for_another_is_gone_back_to(
    synced: Linked, kari: Person, twins: Twins, work: Work, clock: SetClock,
    go: Callable[..., Awaitable[dict[str, Any]]], another: bool,
) -> None:  # fmt: skip
    """From A to B and back to A: A's link works again with its pairs; nothing is doubled."""
    before = await stores(twins)
    pairs = (await kari.client.get(f"{synced.path}/status", headers=kari.headers)).json()["pairs"]
    await close(kari, {"id": synced.link_id}, work)
    there = await go("cmp_2", anotherCompany=True)
    await close(kari, there, work)

    back = await go("cmp_1", anotherCompany=another)
    clock.advance(hours=5)
    await work()

    assert (back["id"], back["state"]) == (str(synced.link_id), "active")
    assert there["id"] != back["id"]
    kari.headers = await bearer(twins, "conta", "1001")
    status = (await kari.client.get(f"{synced.path}/status", headers=kari.headers)).json()
    assert status["pairs"] == pairs > 0
    assert await stores(twins) == before
    subscriptions = (await twins.time())["subscriptions"]
    assert [one["url"].rpartition("/")[2] for one in subscriptions] == [back["id"]]
    assert (await twins.time("cmp_2"))["subscriptions"] == []


async def test_coming_and_going_leaves_no_links_behind(
    linked: Linked, kari: Person, work: Work, go: Callable[..., Awaitable[dict[str, Any]]]
) -> None:
    """However often the company changes: a link for each couple, and one start at most unused."""
    link = {"id": str(linked.link_id)}
    for company in ("cmp_2", "cmp_1", "cmp_2", "cmp_1"):
        await close(kari, link, work)
        link = await go(company, anotherCompany=True)

    found = await states(kari)

    assert len(found["cmp_1"]) == len(found["cmp_2"]) == 1
    assert found["cmp_2"] == ["closed"]
    assert found.get("None", []) in ([], ["closed"])
    assert link["id"] == str(linked.link_id)


async def test_a_key_put_before_the_log_in_goes_along(
    linked: Linked, kari: Person, work: Work, runtime: Runtime
) -> None:
    """The organization is the same, so its key is not asked for twice; one copy is left."""
    await close(kari, {"id": linked.link_id}, work)
    started = await kari.start(key="again", anotherCompany=True)
    new = f"/v1/links/{started.json()['link']['id']}"
    await kari.client.put(f"{new}/conta-key", headers=kari.headers, json={"key": KEYS["1001"]})

    answer = await kari.hand_over(started, await kari.log_in(started))
    tested = await kari.client.post(f"{linked.path}/conta-key/test", headers=kari.headers)

    assert answer.json()["conta"]["hasKey"] is True
    assert tested.json()["usable"] is True
    assert (await kari.read(started))["conta"]["hasKey"] is False
    async with runtime.database.reading(linked.link_id) as session:
        sides = await session.scalars(text("SELECT side FROM credentials ORDER BY side"))
    assert list(sides) == ["books", "time"]


async def test_another_company_than_the_reopened_one_is_told_how(
    linked: Linked, kari: Person, client: httpx.AsyncClient, work: Work, twins: Twins
) -> None:
    """A reopened couple keeps its company; the remedy that is told leads on."""
    await close(kari, {"id": linked.link_id}, work)
    started = await kari.start(key="again")
    refused = await kari.hand_over(started, await kari.log_in(started, "cmp_2"))

    again = await kari.start(key="other", anotherCompany=True)
    brought: dict[str, Any] = await kari.log_in(again, "cmp_2")
    joined = await kari.hand_over(again, brought | {"confirmDifferentNumbers": True})

    assert (refused.status_code, refused.json()["code"]) == (409, "another-company-linked")
    assert "anotherCompany" in refused.json()["remedy"]["text"]
    assert joined.json()["timerabbit"]["accountId"] == "cmp_2"
    assert (await shown(client, linked))["state"] == "closed"
    assert (await twins.time())["subscriptions"] == []


async def test_a_company_linked_elsewhere_meanwhile_is_not_taken(
    linked: Linked, kari: Person, nils: Person, client: httpx.AsyncClient, work: Work
) -> None:
    """The other organization keeps it: both of ours stand as they stood."""
    await close(kari, {"id": linked.link_id}, work)
    theirs = await nils.start(key="theirs")
    brought: dict[str, Any] = await nils.log_in(theirs)
    await nils.hand_over(theirs, brought | {"confirmDifferentNumbers": True})
    started = await kari.start(key="again", anotherCompany=True)

    answer = await kari.hand_over(started, await kari.log_in(started))

    assert (answer.status_code, answer.json()["code"]) == (409, "account-already-linked")
    assert (await kari.read(started))["state"] == "connecting"
    assert (await shown(client, linked))["state"] == "closed"
