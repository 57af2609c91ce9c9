"""Our own readiness fix makes a record like another: the run makes neither beside the other."""

import httpx
import pytest

from tests.features.conftest import Linked
from tests.features.first_sync.conftest import Review, Work
from tests.features.first_sync.test_run import Judge, judge

__all__ = ["judge"]


async def fix(client: httpx.AsyncClient, linked: Linked, body: dict[str, object]) -> None:
    got = await client.post(f"{linked.path}/readiness/fixes", headers=linked.books, json=body)
    assert got.status_code == 200, got.text
    assert {one["result"] for one in got.json()["items"]} == {"fixed"}


@pytest.mark.parametrize("named", [True, False])
async def test_what_a_fix_makes_like_another_is_not_made_beside_it(
    judge: Judge,
    review: Review,
    work: Work,
    client: httpx.AsyncClient,
    reviewing: Linked,
    *,
    named: bool,
) -> None:
    """It gets the number (and name) of a customer in Conta: the sync links the two, or asks."""
    time = await review.line(category="only_time", kind="customer", deed="create-in-books")
    books = next(
        one
        for one in await review.lines(category="only_books", kind="customer", deed="create-in-time")
        if one["record"]["organizationNumber"]
    )
    theirs = books["record"]
    told = {"side": "time", "recordIds": [time["record"]["id"]]}
    number = {"fix": "set-organization-number", "organizationNumber": theirs["organizationNumber"]}
    await fix(client, reviewing, {**told, **number})
    if named:
        await fix(client, reviewing, {**told, "fix": "set-name", "name": theirs["name"]})
    await review.answer_all()
    await review.confirm()

    await work()

    names, after = await judge.names(), {one["id"]: one for one in await review.lines()}
    name = theirs["name"] if named else time["record"]["name"]
    codes = {after[one["id"]]["outcomeCode"] for one in (time, books)}
    assert codes == {"partner-made-since"}
    assert names["books", "customer"][name] == int(named)
    assert names["time", "customer"][theirs["name"]] == int(named)
