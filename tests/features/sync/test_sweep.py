"""Sweeping: with webhooks off every difference is found, and a mass change stops."""

import pytest

from app.canonical import RecordKind, Side
from app.database import CommitPoint
from app.links.change_state import resume
from app.links.store import read_link
from app.queue import Job, defer
from app.runtime import Runtime
from app.settings import Settings
from tests.conftest import SetClock
from tests.features.sync.conftest import ADDRESS, Hands


@pytest.fixture(params=[True, False], ids=["modified-filter", "no-filter"])
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """With and without Conta's `modifiedFromDate`."""
    return settings.model_copy(update={"conta_modified_filter": request.param})


async def _sweep(hands: Hands, clock: SetClock, **passed: float) -> None:
    clock.advance(**(passed or {"hours": 4}))
    await hands.work()


async def test_an_edit_no_webhook_told_is_found_on_either_side(
    hands: Hands, clock: SetClock
) -> None:
    """Name, e-mail and archive state are found within one sweep."""
    one, other = await hands.paired("Bakken AS"), await hands.paired("Lia AS")
    await _sweep(hands, clock)
    await hands.edit_time(one[0], name="Bakken Norge AS")
    await hands.edit_books(other[1], emailAddress="ny@lia.no", isActive=False)

    await _sweep(hands, clock)

    assert (await hands.in_books(one[1]))["name"] == "Bakken Norge AS"
    time = await hands.in_time(other[0])
    assert (time["email"], time["active"]) == ("ny@lia.no", False)


async def test_an_address_that_no_list_shows_is_found_within_a_day(
    hands: Hands, clock: SetClock
) -> None:
    """Conta's lists are thin; the record itself is read in time."""
    time_id, books_id = await hands.paired()
    await _sweep(hands, clock)
    await hands.edit_books(books_id, customerAddressLine1="Lillegata 2")

    for _ in range(7):
        await _sweep(hands, clock)

    assert (await hands.in_time(time_id))["address"]["line1"] == "Lillegata 2"


async def test_a_record_made_without_a_webhook_is_taken_up(hands: Hands, clock: SetClock) -> None:
    """What is new on one side stands on the other after one sweep."""
    await hands.time_customer("Nyland AS")

    await _sweep(hands, clock)

    assert [c["name"] for c in (await hands.twins.books())["customers"]] == ["Nyland AS"]


async def test_a_vanished_record_is_found(hands: Hands, clock: SetClock) -> None:
    """A record that no full list names any more is a question within a day."""
    _, books_id = await hands.paired()
    await _sweep(hands, clock)
    path = f"/organizations/1001/customers/{books_id}/delete"
    await hands.twins.control("conta", "POST", path)

    await _sweep(hands, clock, hours=25)

    assert [change.code for change in await hands.changes()] == ["record-gone"]


async def test_a_sweep_of_what_is_in_step_writes_and_notes_nothing(
    hands: Hands, clock: SetClock
) -> None:
    """After our own writes the next sweep finds nothing to do."""
    time_id, _ = await hands.paired()
    await hands.edit_time(time_id, phone="22000001")
    await hands.hint(Side.TIME, time_id)
    await hands.work()
    await _sweep(hands, clock)
    await hands.forget_calls()

    await _sweep(hands, clock)

    assert await hands.writes() == []
    assert await hands.changes() == []


async def test_a_projects_customer_is_swept_too(hands: Hands, clock: SetClock) -> None:
    """Projects are compared whole: a move to another customer is found."""
    first, second = await hands.paired("Bakken AS"), await hands.paired("Lia AS")
    made = await hands.twins.control(
        "timerabbit", "POST", "/companies/cmp_1/projects", {"name": "Tak", "customerId": first[0]}
    )
    other = await hands.twins.control(
        "conta", "POST", "/organizations/1001/projects",
        {"name": "Tak", "customerId": int(first[1])},
    )  # fmt: skip
    await hands.pair(made["id"], str(other["id"]), RecordKind.PROJECT)
    await _sweep(hands, clock)
    await hands.edit_books(str(other["id"]), "projects", customerId=int(second[1]))

    await _sweep(hands, clock)

    (change,) = await hands.changes()  # the time side locks the customer while the link is active
    assert (change.state, change.code) == ("parked", "project-customer-locked")


async def test_a_mass_change_stops_the_link_and_goes_on_when_resumed(
    hands: Hands, clock: SetClock, runtime: Runtime
) -> None:
    """Twelve of twelve archived at once is not carried out before a person said so."""
    pairs = [await hands.paired(f"Kunde {number} AS") for number in range(12)]
    await _sweep(hands, clock)
    for time_id, _ in pairs:
        await hands.edit_time(time_id, active=False)
    await _sweep(hands, clock)
    stopped = await hands.rows("SELECT state, pause_reason FROM links")
    kept = [(await hands.in_books(books_id))["isActive"] for _, books_id in pairs]

    async with runtime.database.transaction(CommitPoint.PLAIN, hands.linked.link_id) as session:
        await resume(session, hands.linked.link_id, now=clock())
    await hands.work()

    assert stopped == [("paused", "mass-change-stopped")]
    assert kept == [True] * 12
    after = [(await hands.in_books(books_id))["isActive"] for _, books_id in pairs]
    assert after == [False] * 12


async def _twelve(hands: Hands, clock: SetClock) -> list[tuple[str, str]]:
    pairs = [await hands.paired(f"Kunde {number} AS") for number in range(12)]
    await _sweep(hands, clock)
    return pairs


async def test_what_a_person_let_go_on_is_not_stopped_again(
    hands: Hands, clock: SetClock, runtime: Runtime
) -> None:
    """
    Phones, which Conta's list does not show: read once more, they are no news.

    Without the filter records are read by turns, so that no sweep finds many of them.
    """
    pairs = await _twelve(hands, clock)
    for _, books_id in pairs:
        await hands.edit_books(books_id, phoneNo="22000009")
    for _ in range(7):  # within a day
        await _sweep(hands, clock)
    stopped = await hands.rows("SELECT pause_reason, pause_detail->>'changed' FROM links")

    async with runtime.database.transaction(CommitPoint.PLAIN, hands.linked.link_id) as session:
        await resume(session, hands.linked.link_id, now=clock())
        await defer(session, Job.SWEEP_LINK, hands.linked.link_id)
    for _ in range(7):
        await _sweep(hands, clock)

    filters = runtime.settings.conta_modified_filter
    assert stopped == [("mass-change-stopped", "12") if filters else (None, None)]
    assert await hands.rows("SELECT state FROM links") == [("active",)]
    phones = {(await hands.in_time(time_id))["phone"] for time_id, _ in pairs}
    assert phones == {"22000009"}


async def test_the_brake_holds_when_the_sweep_does_not_come_to_its_end(
    hands: Hands, clock: SetClock
) -> None:
    """What one side's list told is stopped there and then, though the other side is away."""
    pairs = await _twelve(hands, clock)
    for _, books_id in pairs:
        await hands.edit_books(books_id, isActive=False)
    await hands.fault("timerabbit", kind="status_before", status=503, path="/customers", times=4)

    await _sweep(hands, clock)
    await hands.twins.control("timerabbit", "DELETE", "/faults")
    await _sweep(hands, clock)

    assert await hands.rows("SELECT pause_reason FROM links") == [("mass-change-stopped",)]
    assert {(await hands.in_time(time_id))["active"] for time_id, _ in pairs} == {True}


async def test_a_drain_that_looks_at_a_list_brakes_too(hands: Hands, clock: SetClock) -> None:
    """A new customer makes the drain read Conta's list; what it finds there is counted as well."""
    pairs = await _twelve(hands, clock)
    for _, books_id in pairs:
        await hands.edit_books(books_id, isActive=False)
    await hands.hint(Side.TIME, await hands.time_customer("Nyland AS"))

    await hands.work()

    assert await hands.rows("SELECT pause_reason FROM links") == [("mass-change-stopped",)]
    assert {(await hands.in_time(time_id))["active"] for time_id, _ in pairs} == {True}


async def test_more_than_fifty_phones_changed_at_once_are_all_found(
    hands: Hands, clock: SetClock
) -> None:
    """An import in Conta changes what no list shows; every one is found, none is forgotten."""
    pairs = [await hands.paired(f"Kunde {number} AS") for number in range(60)]
    await _sweep(hands, clock)
    async with hands.runtime.database.transaction(
        CommitPoint.PLAIN, hands.linked.link_id
    ) as session:
        link = await read_link(session, hands.linked.link_id)
        assert link is not None
        link.settings = {"brake_least": 1000}
    for _, books_id in pairs:
        await hands.edit_books(books_id, phoneNo="22000009")

    for _ in range(7):
        await _sweep(hands, clock)

    company = await hands.twins.time()
    assert {one["phone"] for one in company["customers"]} == {"22000009"}


async def test_changes_that_webhooks_told_do_not_trip_the_brake(
    hands: Hands, clock: SetClock
) -> None:
    """What is in step already is no change of this sweep."""
    pairs = [await hands.paired(f"Kunde {number} AS") for number in range(12)]
    await _sweep(hands, clock)
    for time_id, _ in pairs:
        await hands.edit_time(time_id, phone="22000009", address={**ADDRESS, "line1": "Vei 9"})
    await hands.hint(Side.TIME, *(time_id for time_id, _ in pairs))
    await hands.work()

    await _sweep(hands, clock)

    assert await hands.rows("SELECT state FROM links") == [("active",)]


@pytest.mark.parametrize("fault", ["omit_hits", "stale_list", "html_page", "broken_body"])
async def test_a_list_that_lies_loses_nobody(hands: Hands, clock: SetClock, fault: str) -> None:
    """Left-out hits, an old list, an error page with 200: nobody is gone or lost."""
    time_id, books_id = await hands.paired()
    await _sweep(hands, clock)
    new = await hands.time_customer("Nyland AS")
    await hands.hint(Side.TIME, new)
    await hands.work()
    await hands.edit_books(books_id, emailAddress="ny@bakken.no")
    # For a stale list it is how old the list is; any other fault would answer that much later.
    age = {"seconds": 3600} if fault == "stale_list" else {}
    await hands.fault("conta", kind=fault, path="/customers", method="GET", times=2, **age)

    await _sweep(hands, clock, hours=25)
    gone = [change.code for change in await hands.changes() if change.code == "record-gone"]
    await hands.twins.control("conta", "DELETE", "/faults")
    await _sweep(hands, clock)

    assert gone == []
    assert (await hands.in_time(time_id))["email"] == "ny@bakken.no"
    assert len((await hands.twins.books())["customers"]) == 2
    assert len(await hands.pairs()) == 2
    assert [change.code for change in await hands.changes()] == []


async def test_a_refused_key_pauses_the_link(hands: Hands, clock: SetClock) -> None:
    """A sweep that is not let in tells it once, as a drain does."""
    await hands.twins.control("conta", "DELETE", "/keys/conta-demo-key")

    await _sweep(hands, clock)

    assert await hands.rows("SELECT pause_reason FROM links") == [("key-refused",)]


async def test_a_side_that_is_away_is_swept_again_soon(hands: Hands, clock: SetClock) -> None:
    """A failed sweep comes again within minutes, not at its next period."""
    await hands.fault("conta", kind="status_before", status=503, times=3)

    await _sweep(hands, clock)

    ((next_sweep,),) = await hands.rows("SELECT next_sweep FROM link_directory")
    assert 60 <= (next_sweep - clock()).total_seconds() <= 300
