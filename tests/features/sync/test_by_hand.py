"""People pair, part and re-point records after the first sync; nothing is lost or made by it."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from app.canonical import Side
from tests.conftest import SetClock
from tests.features.sync.conftest import Hands


@dataclass
class Person:
    """Speak to the pairs as a front end does."""

    hands: Hands
    client: httpx.AsyncClient

    @property
    def url(self) -> str:
        return f"{self.hands.linked.path}/pairs"

    def headers(self, pair: dict[str, Any] | None = None) -> dict[str, str]:
        version = {"If-Match": f'"{pair["version"]}"'} if pair else {}
        return {**self.hands.linked.books, **version}

    async def pair(self, time_id: str, books_id: str, **more: Any) -> httpx.Response:
        body = {"kind": "customer", "timeId": time_id, "booksId": books_id, **more}
        return await self.client.post(self.url, headers=self.headers(), json=body)

    async def part(self, pair: dict[str, Any], **params: str) -> httpx.Response:
        path = f"{self.url}/{pair['id']}"
        return await self.client.delete(path, headers=self.headers(pair), params=params)

    async def repoint(self, pair: dict[str, Any], side: str, record_id: str) -> httpx.Response:
        body = {"side": side, "recordId": record_id}
        path = f"{self.url}/{pair['id']}/partner"
        return await self.client.post(path, headers=self.headers(pair), json=body)

    async def pairs(self) -> set[tuple[str, str]]:
        return {(pair.time_id, pair.books_id) for pair in await self.hands.pairs()}

    async def everyone(self) -> tuple[int, int]:
        time, books = await self.hands.twins.time(), await self.hands.twins.books()
        return len(time["customers"]), len(books["customers"])


@pytest.fixture
def person(hands: Hands, client: httpx.AsyncClient) -> Person:
    return Person(hands, client)


async def test_two_records_paired_by_hand_become_equal(person: Person, hands: Hands) -> None:
    """The chosen side's value is written to the other; our mark stands on the time side."""
    time_id = await hands.time_customer("Bakken AS", email="ny@bakken.example")
    books_id = await hands.books_customer("Noe Helt Annet")

    made = await person.pair(time_id, books_id, winners={"email": "time", "name": "books"})
    again = await person.pair(time_id, books_id)
    await hands.work()

    time, books = await hands.in_time(time_id), await hands.in_books(books_id)
    assert (made.status_code, made.json()["origin"]) == (201, "by-hand")
    assert made.headers["location"] == f"{person.url}/{made.json()['id']}"
    assert again.json()["id"] == made.json()["id"]
    assert (time["name"], books["emailAddress"]) == ("Noe Helt Annet", "ny@bakken.example")
    assert time["externalRefs"]["conta"] == books_id


@pytest.mark.parametrize("drained", [False, True])
async def test_a_pair_whose_name_is_in_conflict_has_a_name(
    person: Person, hands: Hands, drained: bool
) -> None:
    """Nobody knows a pair by two ids: until a person decides, one side's name stands for it."""
    time_id = await hands.time_customer("Bakken AS")
    books_id = await hands.books_customer("Noe Helt Annet")
    made = (await person.pair(time_id, books_id)).json()
    if drained:
        await hands.work()

    listed = await person.client.get(person.url, headers=person.headers())
    alone = await person.client.get(f"{person.url}/{made['id']}", headers=person.headers())

    assert made["name"] == "Bakken AS"
    assert [one["name"] for one in listed.json()["items"]] == ["Bakken AS"]
    assert alone.json()["pair"] == listed.json()["items"][0]
    assert "name" not in alone.json()["base"]


async def test_a_record_is_in_one_pair_only(person: Person, hands: Hands) -> None:
    """Neither half of a pair can be paired with another; a stranger's id is named."""
    time_id, books_id = await hands.paired()
    other = await hands.books_customer("Annen AS")

    taken = await person.pair(time_id, other)
    missing = await person.pair("cus_none", other)

    assert (taken.status_code, taken.json()["code"]) == (409, "record-already-paired")
    assert (missing.status_code, missing.json()["code"]) == (409, "record-missing")
    assert await person.pairs() == {(time_id, books_id)}


@pytest.mark.parametrize("then", ["leave-out", "look-again"])
async def test_parted_records_are_not_brought_together_again(
    person: Person, hands: Hands, then: str
) -> None:
    """The no is remembered through later changes; left out they stay alone, else each is made."""
    time_id, books_id = await hands.time_customer(), await hands.books_customer()
    pair = (await person.pair(time_id, books_id)).json()
    before = await person.everyone()

    parted = await person.part(pair, then=then)
    await hands.edit_time(time_id, phone="22000009")
    await hands.edit_books(books_id, phoneNo="22000008")
    await hands.hint(Side.TIME, time_id)
    await hands.hint(Side.BOOKS, books_id)
    await hands.work()

    made = 0 if then == "leave-out" else 1
    assert parted.status_code == 204
    assert (time_id, books_id) not in await person.pairs()
    assert await person.everyone() == (before[0] + made, before[1] + made)
    mark = (await hands.in_time(time_id))["externalRefs"].get("conta")
    assert mark != books_id


async def test_a_parted_pair_can_be_paired_again(person: Person, hands: Hands) -> None:
    """A person may change their mind: the no is taken back by the same hand."""
    time_id, books_id = await hands.time_customer(), await hands.books_customer()
    pair = (await person.pair(time_id, books_id)).json()
    await person.part(pair)

    again = await person.pair(time_id, books_id)
    await hands.edit_time(time_id, phone="22000009")
    await hands.hint(Side.TIME, time_id)
    await hands.work()

    assert again.status_code == 201
    assert (await hands.in_books(books_id))["phoneNo"] == "22000009"


async def test_one_half_is_pointed_to_another_record(person: Person, hands: Hands) -> None:
    """The old half stays as it is and alone; the new one follows from now on."""
    time_id, wrong = await hands.time_customer(), await hands.books_customer("Feil AS")
    right = await hands.books_customer("Bakken AS")
    pair = (await person.pair(time_id, wrong, winners={"name": "time"})).json()
    await hands.work()
    now = (await person.client.get(f"{person.url}/{pair['id']}", headers=person.headers())).json()
    stale = await person.repoint(pair | {"version": 99}, "books", right)

    moved = await person.repoint(now["pair"], "books", right)
    await hands.edit_time(time_id, phone="22000007")
    await hands.hint(Side.TIME, time_id)
    await hands.hint(Side.BOOKS, wrong)
    await hands.work()

    assert (stale.status_code, moved.status_code) == (412, 200)
    assert await person.pairs() == {(time_id, right)}
    assert (await hands.in_books(right))["phoneNo"] == "22000007"
    assert (await hands.in_books(wrong))["phoneNo"] == "22000000"
    assert (await hands.in_time(time_id))["externalRefs"]["conta"] == right


async def test_a_customer_is_parted_after_its_projects(person: Person, hands: Hands) -> None:
    """Project pairs below it hinder; a project is paired inside paired customers only."""
    time_id, books_id = await hands.time_customer(), await hands.books_customer()
    customer = (await person.pair(time_id, books_id)).json()
    stranger = await hands.books_customer("Annen AS")
    own, theirs, foreign = await _projects(hands, time_id, books_id, stranger)

    wrong = await person.pair(own, foreign, kind="project")
    right = await person.pair(own, theirs, kind="project")
    hindered = await person.part(customer)
    await person.part(right.json())
    parted = await person.part(customer)

    assert (wrong.status_code, wrong.json()["code"]) == (409, "customers-not-paired")
    assert (hindered.status_code, hindered.json()["code"]) == (409, "pair-has-projects")
    assert parted.status_code == 204


async def _projects(
    hands: Hands, time_id: str, books_id: str, stranger: str
) -> tuple[str, str, str]:
    time = {"name": "Tak", "customerId": time_id}
    own = await hands.twins.control("timerabbit", "POST", "/companies/cmp_1/projects", time)
    made = [
        await hands.twins.control(
            "conta", "POST", "/organizations/1001/projects",
            {"name": "Tak", "customerId": int(customer)},
        )
        for customer in (books_id, stranger)
    ]  # fmt: skip
    return str(own["id"]), str(made[0]["id"]), str(made[1]["id"])


async def test_a_created_record_can_be_created_anew_after_parting(
    person: Person, hands: Hands, clock: SetClock
) -> None:
    """
    The create that made it is forgotten with the pair, so a new one is no repetition.

    Both halves say the same, so the second of them may be what the first one's POST made: it
    waits until that is settled, and is then made too.
    """
    time_id = await hands.time_customer()
    await hands.hint(Side.TIME, time_id)
    await hands.work()
    listed = (await person.client.get(person.url, headers=person.headers())).json()["items"]

    await person.part(listed[0], then="look-again")
    await hands.work()
    clock.advance(seconds=31)
    await hands.work()

    time, books = await person.everyone()
    assert (listed[0]["origin"], time, books) == ("created", 2, 2)
    assert len(await person.pairs()) == 2
