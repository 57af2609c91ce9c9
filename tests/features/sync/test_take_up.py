"""Records made after the first sync: linked, made once, asked about, or waiting; never doubled."""

import pytest

from app.canonical import RecordKind, Side
from tests.conftest import SetClock
from tests.features.sync.conftest import Hands


async def test_a_new_customer_is_made_on_the_other_side_once(hands: Hands) -> None:
    """No partner there: it is created, paired, and its echo changes nothing."""
    time_id = await hands.time_customer("Nyland AS")
    await hands.hint(Side.TIME, time_id)
    await hands.work()
    (pair,) = await hands.pairs()
    await hands.hint(Side.BOOKS, pair.books_id)
    await hands.hint(Side.TIME, time_id)

    await hands.work()

    organization = await hands.twins.books()
    assert [c["name"] for c in organization["customers"]] == ["Nyland AS"]
    assert len(await hands.pairs()) == 1
    assert await hands.changes() == []


async def test_a_certain_partner_is_linked_and_nothing_is_made(hands: Hands) -> None:
    """The same company on both sides becomes a pair."""
    number = "923609016"
    time_id = await hands.time_customer("Nyland AS", organizationNumber=number)
    books_id = await hands.books_customer("Nyland AS", orgNo=number)
    await hands.hint(Side.BOOKS, books_id)

    await hands.work()

    assert [(p.time_id, p.books_id) for p in await hands.pairs()] == [(time_id, books_id)]
    assert [call for call in await hands.writes() if call.startswith("POST")] == []


async def test_an_incomplete_customer_waits_with_its_finding(hands: Hands) -> None:
    """What the other side needs is named; nothing half is made there."""
    time_id = await hands.time_customer("Nyland AS", address={})
    await hands.hint(Side.TIME, time_id)

    await hands.work()

    (change,) = await hands.changes()
    assert (change.state, change.code) == ("pending", "address-missing")
    assert (await hands.twins.books())["customers"] == []


@pytest.mark.parametrize("side", Side)
async def test_who_is_archived_and_like_nobody_stays_until_it_is_in_use_again(
    hands: Hands, side: Side
) -> None:
    """Nothing is made of it on the other side, and nobody is asked; in use again, it is made."""

    async def use(record_id: str, *, active: bool) -> None:
        if side is Side.BOOKS:
            await hands.edit_books(record_id, isActive=active)
        else:
            await hands.edit_time(record_id, active=active)

    make = hands.books_customer if side is Side.BOOKS else hands.time_customer
    record_id = await make("Nyland AS")
    await use(record_id, active=False)
    await hands.hint(side, record_id)
    await hands.work()
    rested = (await hands.pairs(), await hands.changes(), await hands.writes())
    await use(record_id, active=True)
    await hands.hint(side, record_id)

    await hands.work()

    assert rested == ([], [], [])
    (pair,) = await hands.pairs()
    assert pair.record_id(side) == record_id


async def test_a_project_waits_for_its_customers_pair_and_follows_it(hands: Hands) -> None:
    """A project is never made before its customer; it follows by itself."""
    customer = await hands.time_customer("Nyland AS", address={})
    body = {"name": "Tak", "customerId": customer}
    made = await hands.twins.control("timerabbit", "POST", "/companies/cmp_1/projects", body)
    await hands.hint(Side.TIME, made["id"], kind=RecordKind.PROJECT)
    await hands.work()
    waiting = [change.code for change in await hands.changes()]
    address = {"line1": "Storgata 1", "postalCode": "0155", "city": "Oslo", "country": "NO"}
    await hands.edit_time(customer, address=address)
    await hands.hint(Side.TIME, customer)

    await hands.work()

    assert waiting == ["project-customer-not-linked"]
    organization = await hands.twins.books()
    (books_customer,), (project,) = organization["customers"], organization["projects"]
    assert (project["name"], project["customerId"]) == ("Tak", books_customer["id"])
    assert await hands.changes() == []


async def test_a_create_whose_answer_was_lost_is_found_and_not_repeated(
    hands: Hands, clock: SetClock
) -> None:
    """The POST took effect, its answer was lost: the record is found by looking."""
    time_id = await hands.time_customer("Nyland AS")
    await hands.fault("conta", kind="lost_answer", method="POST", path="/customers", times=1)
    await hands.hint(Side.TIME, time_id)
    await hands.work()
    for _ in range(4):
        clock.advance(seconds=130)
        await hands.work()

    assert [c["name"] for c in (await hands.twins.books())["customers"]] == ["Nyland AS"]
    assert len(await hands.pairs()) == 1


async def test_a_record_in_no_pair_that_vanished_needs_nothing(hands: Hands) -> None:
    """There is nothing to ask about what nobody linked."""
    time_id = await hands.time_customer("Nyland AS")
    await hands.twins.control("timerabbit", "POST", f"/companies/cmp_1/customers/{time_id}/delete")
    await hands.hint(Side.TIME, time_id)

    await hands.work()

    assert await hands.changes() == []
    assert await hands.writes() == []


@pytest.mark.parametrize("status", [400, 500])
async def test_a_customer_that_cannot_be_read_stops_no_other(
    hands: Hands, clock: SetClock, status: int
) -> None:
    """Conta lists it and does not give it: who is like it waits, everybody else is made."""
    number = "923609016"
    odd = await hands.books_customer("Nyland AS", orgNo=number)
    like, other = (
        await hands.time_customer("Nyland AS", organizationNumber=number),
        await hands.time_customer("Blåtroll Bygg AS", email="a@b.example", phone="99887766"),
    )
    await hands.fault("conta", kind="status_before", status=status, path=f"/customers/{odd}")
    await hands.hint(Side.TIME, like)
    await hands.hint(Side.TIME, other)

    for _ in range(3):
        await hands.work()
        clock.advance(minutes=6)

    names = [one["name"] for one in (await hands.twins.books())["customers"]]
    assert sorted(names) == ["Blåtroll Bygg AS", "Nyland AS"]
    assert [pair.time_id for pair in await hands.pairs()] == [other]
