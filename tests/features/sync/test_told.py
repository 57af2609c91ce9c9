"""What hinders work is told where people look: in the banner and the inbox, in three languages."""

from typing import Any

import httpx
import pytest

from app.canonical import RecordKind, Side
from tests.conftest import SetClock
from tests.features.sync.conftest import Hands

LANGUAGES = ["nb", "nn", "en"]


async def ask(
    client: httpx.AsyncClient, hands: Hands, what: str, language: str = "nb"
) -> dict[str, Any]:
    answer = await client.get(
        f"{hands.linked.path}/{what}",
        headers={**hands.linked.books, "Accept-Language": language},
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize(("system", "side"), [("conta", "books"), ("timerabbit", "time")])
async def test_a_system_that_is_away_is_told_and_the_work_waits(
    hands: Hands, client: httpx.AsyncClient, clock: SetClock, system: str, side: str
) -> None:
    """Status and inbox say which system is away, in each language; back again, all is in step."""
    time_id, books_id = await hands.paired()
    await hands.edit_time(time_id, phone="22000001")
    await hands.fault(system, kind="reset_before", path="/customers")
    await hands.hint(Side.TIME, time_id)
    await hands.work()

    status = {one: await ask(client, hands, "status", one) for one in LANGUAGES}
    inbox = {one: (await ask(client, hands, "changes", one))["items"] for one in LANGUAGES}
    await hands.twins.control(system, "DELETE", "/faults")
    clock.advance(seconds=301)
    await hands.work()

    for language in LANGUAGES:
        (waiting,), (change,) = status[language]["waiting"], inbox[language]
        assert (waiting["count"], waiting["why"]["code"]) == (1, "other-system-away")
        assert waiting["why"]["facts"] == {"side": side}
        assert system in waiting["why"]["title"].lower()
        assert change["why"] == waiting["why"]
        assert "–" not in waiting["why"]["detail"]
    assert len({status[one]["waiting"][0]["why"]["title"] for one in LANGUAGES}) == 3
    assert (await hands.in_books(books_id))["phoneNo"] == "22000001"
    after = await ask(client, hands, "status")
    assert (after["inStep"], after["waiting"]) == (True, [])


async def test_projects_that_wait_for_smart_are_told_and_go_on_by_themselves(
    hands: Hands, client: httpx.AsyncClient, clock: SetClock
) -> None:
    """The plan lacks projects: they wait and say so; it gains them: they are made."""
    time_id, books_id = await hands.paired()
    await hands.twins.control("conta", "POST", "/organizations/1001/plan", {"features": []})
    clock.advance(hours=5)
    await hands.work()
    made = await hands.twins.control(
        "timerabbit", "POST", "/companies/cmp_1/projects", {"name": "Tak", "customerId": time_id}
    )
    await hands.hint(Side.TIME, made["id"], kind=RecordKind.PROJECT)
    await hands.work()
    hands.linked.books = hands.linked.time = await _fresh(hands)
    status = {one: await ask(client, hands, "status", one) for one in LANGUAGES}
    await hands.twins.control(
        "conta", "POST", "/organizations/1001/plan", {"features": ["ALLOW_PROJECT"]}
    )
    clock.advance(hours=5)

    await hands.work()

    titles = {one: status[one]["waiting"][0]["why"]["title"] for one in LANGUAGES}
    assert titles == {
        "nb": "Prosjekter krever Smart", "nn": "Prosjekt krev Smart", "en": "Projects need Smart",
    }  # fmt: skip
    projects = (await hands.twins.books())["projects"]
    assert [(one["name"], str(one["customerId"])) for one in projects] == [("Tak", books_id)]
    assert await hands.changes() == []


async def _fresh(hands: Hands) -> dict[str, str]:
    """Give a token that has not ended when hours have passed."""
    return {"Authorization": f"Bearer {await hands.twins.token('conta', '1001')}"}


async def test_the_brake_is_told_with_its_figures_and_let_go_by_one_call(
    hands: Hands, client: httpx.AsyncClient, clock: SetClock
) -> None:
    """The banner says how many of how many; `resume` is the one call that carries them out."""
    pairs = [await hands.paired(f"Kunde {number} AS") for number in range(12)]
    clock.advance(hours=4)
    await hands.work()
    for time_id, _ in pairs:
        await hands.edit_time(time_id, active=False)
    clock.advance(hours=4)
    await hands.work()
    hands.linked.books = await _fresh(hands)
    told = {one: await ask(client, hands, "status", one) for one in LANGUAGES}

    resumed = await client.post(f"{hands.linked.path}/resume", headers=hands.linked.books)
    await hands.work()

    assert told["en"]["text"] == "The link is paused: many records changed at once. Its work waits."
    assert {told[one]["pause"]["code"] for one in LANGUAGES} == {"mass-change-stopped"}
    for language in LANGUAGES:
        assert "12" in told[language]["pause"]["detail"]
        assert told[language]["pause"]["facts"] == {"changed": 12, "pairs": 12}
    assert resumed.json()["state"] == "active"
    assert not any([(await hands.in_books(books_id))["isActive"] for _, books_id in pairs])


async def test_a_refused_key_is_told_in_the_banner(hands: Hands, client: httpx.AsyncClient) -> None:
    """Who can mend it and how stands beside the reason."""
    time_id, _ = await hands.paired()
    await hands.twins.control("conta", "DELETE", "/keys/conta-demo-key")
    await hands.hint(Side.TIME, time_id)
    await hands.work()

    told = await ask(client, hands, "status")

    assert told["text"] == (
        "Koblingen er satt på pause: Conta godtar ikke nøkkelen. Arbeidet venter."
    )
    assert (told["pause"]["code"], told["pause"]["fixableBy"]) == ("key-refused", "books")
    assert told["inStep"] is False


async def test_records_that_lack_something_are_for_a_person(
    hands: Hands, client: httpx.AsyncClient
) -> None:
    """They are not being brought in step: the banner says so, and where to see what they lack."""
    for name in ("Alfa AS", "Beta AS"):
        await hands.hint(Side.TIME, await hands.time_customer(name, kind=None))
    await hands.work()
    told = {one: await ask(client, hands, "status", one) for one in LANGUAGES}

    texts = {one: told[one]["text"] for one in LANGUAGES}

    assert texts == {
        "nb": "2 poster mangler noe.", "nn": "2 postar manglar noko.",
        "en": "2 records lack something.",
    }  # fmt: skip
    (need,) = told["nb"]["needs"]
    assert (need["count"], need["why"]["code"]) == (2, "kind-not-set")
    assert need["why"]["fixableBy"] == "administrator"
    assert told["nb"]["inStep"] is False


async def test_one_that_lacks_something_counts_among_what_needs_a_person(
    hands: Hands, client: httpx.AsyncClient
) -> None:
    """Alone it has a sentence of its own; beside a parked change it is one thing more."""
    _, books_id = await hands.paired()
    await hands.hint(Side.TIME, await hands.time_customer("Alfa AS", kind=None))
    await hands.work()
    alone = await ask(client, hands, "status")
    path = f"/organizations/1001/customers/{books_id}/delete"
    await hands.twins.control("conta", "POST", path)
    await hands.hint(Side.BOOKS, books_id)
    await hands.work()

    both = await ask(client, hands, "status")

    assert alone["text"] == "Én post mangler noe."
    assert both["text"] == "2 saker trenger deg."
    assert sum(need["count"] for need in both["needs"]) == 2


async def test_why_a_pair_is_not_in_step_is_said_with_its_facts(
    hands: Hands, client: httpx.AsyncClient
) -> None:
    """The record is named by id and name, while the change waits and once it is ignored."""
    _, books_id = await hands.paired()
    await hands.twins.control("conta", "POST", f"/organizations/1001/customers/{books_id}/delete")
    await hands.hint(Side.BOOKS, books_id)
    await hands.work()
    (pair,) = (await ask(client, hands, "pairs"))["items"]
    (change,) = (await ask(client, hands, "changes"))["items"]

    why = (await ask(client, hands, f"pairs/{pair['id']}"))["why"]
    ignored = await client.post(
        f"{hands.linked.path}/changes/{change['id']}/ignore", headers=hands.linked.books
    )
    after = (await ask(client, hands, f"pairs/{pair['id']}"))["why"]

    assert ignored.status_code in (200, 204), ignored.text
    assert why["code"] == after["code"] == "record-gone"
    assert f"Posten {books_id} («Bakken AS»)" in why["detail"]
    assert "–" not in after["detail"]
    assert "Bakken AS" in after["detail"]
