"""A record is created on the other side once, whatever dies or is lost on the way."""

import asyncio
from typing import Any

import pytest

from app.canonical import Record, RecordKind, Side
from app.database import CommitPoint
from app.records.create import Created, Refused, Unsettled, create_on_other_side
from app.systems.ports import RateLimited, Unreachable
from tests.conftest import SetClock
from tests.features.records.conftest import Hands


async def create(hands: Hands, source: Record, target: Side = Side.BOOKS) -> Any:
    return await create_on_other_side(
        hands.runtime, hands.linked.link_id,
        target=target, kind=RecordKind.CUSTOMER, source=source,
    )  # fmt: skip


async def test_a_record_is_made_paired_and_marked(hands: Hands) -> None:
    """The record stands on the other side, in a pair, and the time side carries its id."""
    source = await hands.in_time()

    made = await create(hands, source)

    assert isinstance(made, Created)
    (pair,) = await hands.pairs()
    marked = await hands.read(Side.TIME, source.id)
    assert (pair.time_id, pair.books_id, pair.origin) == (source.id, made.record.id, "created")
    assert marked.mark == made.record.id


async def test_a_record_made_in_the_time_system_carries_the_mark_at_once(hands: Hands) -> None:
    """There the mark goes with the create itself, so no second call can be lost."""
    source = await hands.in_books()

    made = await create(hands, source, Side.TIME)

    assert isinstance(made, Created)
    assert (await hands.read(Side.TIME, made.record.id)).mark == source.id
    assert (await hands.intent()).marked


async def test_asking_again_makes_nothing_more(hands: Hands) -> None:
    """A second call gives the pair that is there."""
    source = await hands.in_time()
    first = await create(hands, source)

    second = await create(hands, source)

    assert second.pair_id == first.pair_id
    assert await hands.names("conta") == ["Bakken AS"]


async def test_two_at_once_make_one(hands: Hands) -> None:
    """Two processes that create the same record at one moment end with one record and one pair."""
    source = await hands.in_time()

    first, second = await asyncio.gather(create(hands, source), create(hands, source))

    done = [one for one in (first, second) if isinstance(one, Created)]
    assert await hands.names("conta") == ["Bakken AS"]
    assert len(await hands.pairs()) == 1
    assert {one.pair_id for one in done} == {(await hands.pairs())[0].pair_id}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("point", [CommitPoint.CREATE_INTENT, CommitPoint.CREATE_DONE])
@pytest.mark.parametrize("target", [Side.BOOKS, Side.TIME])
async def test_a_death_makes_no_second_record(
    hands: Hands, clock: SetClock, *, target: Side, point: CommitPoint, when: str
) -> None:
    """Whoever dies around a commit and comes back finds what was made, or makes it then."""
    source = await (hands.in_time() if target is Side.BOOKS else hands.in_books())

    def die(at: CommitPoint, side: str) -> None:
        if (at, side) == (point, when):
            raise SystemExit

    hands.runtime.database._hook = die
    with pytest.raises(SystemExit):
        await create(hands, source, target)
    hands.runtime.database._hook = lambda *_: None

    made = await create(hands, source, target)
    for _ in range(3):
        if isinstance(made, Created):
            break
        clock.advance(seconds=130)
        made = await create(hands, source, target)

    assert isinstance(made, Created)
    assert await hands.names("conta") == await hands.names("timerabbit") == ["Bakken AS"]
    assert len(await hands.pairs()) == 1


async def test_a_lost_answer_is_found_by_looking(hands: Hands) -> None:
    """Conta made it and the answer was lost: the record is found in the list, at once."""
    source = await hands.in_time()
    await hands.fault("conta", kind="lost_answer", method="POST", path="/customers", times=1)

    made = await create(hands, source)

    assert isinstance(made, Created)
    assert await hands.names("conta") == ["Bakken AS"]


async def test_a_lost_answer_is_repeated_with_the_same_key(hands: Hands) -> None:
    """Timerabbit gives its first answer again when asked with the same key."""
    source = await hands.in_books()
    await hands.fault("timerabbit", kind="lost_answer", method="POST", path="/customers", times=1)
    with pytest.raises(Unreachable):
        await create(hands, source, Side.TIME)

    made = await create(hands, source, Side.TIME)

    assert isinstance(made, Created)
    assert await hands.names("timerabbit") == ["Bakken AS"]


async def test_nothing_found_three_times_sends_once_more(hands: Hands, clock: SetClock) -> None:
    """The looks come at 0, 30 and 120 seconds; only then one new POST leaves."""
    source = await hands.in_time()
    await hands.fault("conta", kind="reset_before", method="POST", path="/customers", times=1)
    first = await create(hands, source)
    early = await create(hands, source)
    clock.advance(seconds=30)
    second = await create(hands, source)
    nothing_yet = await hands.names("conta")
    clock.advance(seconds=90)

    made = await create(hands, source)

    assert isinstance(first, Unsettled)
    assert early == first
    assert isinstance(second, Unsettled)
    assert nothing_yet == []
    assert isinstance(made, Created)
    assert (await hands.intent()).attempts == 2


async def test_a_second_unknown_outcome_asks_a_person(hands: Hands, clock: SetClock) -> None:
    """After one new POST that came to nothing either, a person decides; none leaves by itself."""
    source = await hands.in_time()
    await hands.fault("conta", kind="reset_before", method="POST", path="/customers", times=2)
    outcomes_seen = []
    for _ in range(8):
        outcomes_seen.append(await create(hands, source))
        if isinstance(outcomes_seen[-1], Refused):
            break
        clock.advance(seconds=120)

    asked = outcomes_seen[-1]

    assert isinstance(asked, Refused)
    assert asked.code == "create-outcome-unknown"
    assert (await hands.intent()).attempts == 2
    assert isinstance(await create(hands, source), Created)


async def test_two_that_fit_ask_a_person(hands: Hands, clock: SetClock) -> None:
    """Where two unknown records say what was sent, none is taken."""
    source = await hands.in_time()
    await hands.fault("conta", kind="lost_answer", method="POST", path="/customers", times=1)
    await hands.fault("conta", kind="stale_list", path="/customers", seconds=60, times=1)
    assert isinstance(await create(hands, source), Unsettled)
    clock.advance(seconds=61)
    body = (await hands.twins.books())["customers"][0]
    twin = {k: v for k, v in body.items() if k != "id"}
    await hands.twins.control("conta", "POST", "/organizations/1001/customers", twin)

    asked = await create(hands, source)

    assert isinstance(asked, Refused)
    assert (asked.code, len(asked.facts["candidates"])) == ("create-doubled", 2)
    assert await hands.pairs() == []


async def test_a_record_known_before_is_never_taken(hands: Hands, clock: SetClock) -> None:
    """An equal record that was there before the POST is another customer, not what it made."""
    await hands.in_books()
    clock.advance(seconds=1)
    source = await hands.in_time()
    await hands.fault("conta", kind="reset_before", method="POST", path="/customers", times=1)

    outcome = await create(hands, source)

    assert isinstance(outcome, Unsettled)


async def test_a_refusal_makes_nothing_and_may_be_tried_again(hands: Hands) -> None:
    """What the target refuses is named; once it is corrected the same call makes it."""
    source = await hands.in_time("Uten adresse AS", address={"line1": None})
    refused = await create(hands, source)
    path = f"/companies/cmp_1/customers/{source.id}"
    address = {"line1": "Storgata 1", "postalCode": "0155", "city": "Oslo", "country": "NO"}
    await hands.twins.control("timerabbit", "PATCH", path, {"address": address})

    made = await create(hands, await hands.read(Side.TIME, source.id))

    assert isinstance(refused, Refused)
    assert refused.code == "other-system-refused"
    assert {reason["field"] for reason in refused.facts["reasons"]} >= {"address.line1"}
    assert isinstance(made, Created)


async def test_patience_asked_for_is_no_unknown_outcome(hands: Hands) -> None:
    """After a 429 nothing was made, so the next call sends at once."""
    source = await hands.in_time()
    await hands.fault(
        "conta", kind="status_before", status=429, retry_after=0, method="POST",
        path="/customers", times=1,
    )  # fmt: skip
    with pytest.raises(RateLimited):
        await create(hands, source)

    made = await create(hands, source)

    assert isinstance(made, Created)


async def test_a_mark_that_could_not_be_written_is_written_later(hands: Hands) -> None:
    """A time system that is away after the create costs the mark only until the next call."""
    source = await hands.in_time()
    path = f"/customers/{source.id}"
    await hands.fault("timerabbit", kind="status_before", status=503, path=path, times=3)

    made = await create(hands, source)
    unmarked = (await hands.intent()).marked
    await create(hands, source)

    assert isinstance(made, Created)
    assert not unmarked
    assert (await hands.read(Side.TIME, source.id)).mark == made.record.id


async def test_the_base_notes_what_the_target_makes_of_a_value(hands: Hands) -> None:
    """What was sent is agreed; how the target spells it is noted under one name everywhere."""
    source = await hands.in_time(organizationNumber="860001381")
    made = await create(hands, source)

    (pair,) = await hands.pairs()

    assert isinstance(made, Created)
    assert (pair.base["name"], pair.base["organization_number"]) == ("Bakken AS", "860001381")
    assert pair.base["active"] is True
