"""A line of two numbers says what the business register knows of both, once it was asked."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from app.runtime import Runtime
from app.sandbox.faults import Fault, FaultKind
from app.sandbox.seeds import SeedWorld, size
from app.settings import Settings
from tests.features.conftest import Linked, Twins, asking_the_register
from tests.features.first_sync.conftest import Review, Work
from tests.features.first_sync.test_sheet import Sheets, sheets
from tests.worlds import BEGIN

__all__ = ["sheets"]

TIME, BOOKS, MAIN, NEW = "860001381", "860001403", "860001411", "860001438"
SUB = "organization-number-of-sub-unit"
UNKNOWN = "organization-number-not-in-register"
SOUND: Mapping[str, Any] = {}
Units = Mapping[str, Mapping[str, Any]]


@pytest.fixture
def world() -> SeedWorld:
    return size(0, 1, today=BEGIN.date())


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return asking_the_register(settings)


@pytest.fixture
async def review(
    reviewing: Linked, client: httpx.AsyncClient, twins: Twins, register: Any
) -> Review:
    """One name and street with another number on each side; nothing is read yet."""
    await in_time(twins, TIME)
    await twins.control(
        "conta", "POST", "/organizations/1001/customers",
        {
            "name": "Bakken AS", "customerType": "ORGANIZATION", "orgNo": BOOKS,
            "customerAddressLine1": "Storgata 1", "customerAddressPostcode": "0155",
            "customerAddressCity": "Oslo", "customerAddressCountry": "Norge",
        },
    )  # fmt: skip
    return Review(client, reviewing)


async def in_time(twins: Twins, number: str | None, name: str = "Bakken AS") -> str:
    address = {"line1": "Storgata 1", "postalCode": "0155", "city": "Oslo", "country": "NO"}
    body = {"name": name, "kind": "company", "organizationNumber": number, "address": address}
    made = await twins.control("timerabbit", "POST", "/companies/cmp_1/customers", body)
    return str(made["id"])


def fill(register: Any, units: Units) -> None:
    register.units |= {
        number: {"organisasjonsnummer": number, "navn": "BAKKEN AS", **more}
        for number, more in units.items()
    }


def under(number: str) -> Mapping[str, Any]:
    return {"overordnetEnhet": number}


def codes(facts: list[dict[str, str]]) -> list[str]:
    return [fact["code"] for fact in facts]


@pytest.mark.parametrize(
    ("units", "own", "others"),
    [
        ({TIME: SOUND, BOOKS: under(TIME)}, [], ["sub-unit-of-record"]),
        ({TIME: under(BOOKS), BOOKS: SOUND}, [SUB], ["main-unit-of-record"]),
        (
            {TIME: under(MAIN), BOOKS: under(MAIN), MAIN: {"konkurs": True}},
            ["main-unit-bankrupt", SUB],
            ["sub-units-of-one-main-unit", "main-unit-bankrupt"],
        ),
        ({TIME: {"slettedato": "2026-02-01"}, BOOKS: SOUND}, ["customer-struck-off"], []),
        ({TIME: {"410": True}, BOOKS: SOUND}, ["customer-struck-off"], []),
        (
            {TIME: SOUND, BOOKS: {"konkurs": True, "underAvvikling": True}},
            [],
            ["different-businesses", "customer-bankrupt", "customer-in-liquidation"],
        ),
        (
            {TIME: SOUND, BOOKS: under(MAIN), MAIN: SOUND},
            [],
            ["different-businesses", SUB],
        ),
        ({TIME: SOUND}, [], [UNKNOWN]),
    ],
)
async def test_a_line_says_what_the_register_knows_of_both_numbers(
    review: Review, register: Any, work: Work, units: Units, own: list[str], others: list[str]
) -> None:
    """Of the record by itself, of the candidate beside it; the question stays a person's."""
    fill(register, units)

    await review.start()
    await work()

    line = await review.line(kind="customer", q=TIME)
    assert (line["deed"], line["side"]) == ("ask", "time")
    (candidate,) = line["candidates"]
    assert "organization-number-different" in candidate["facts"]
    assert codes(line["registerFacts"]) == own
    assert codes(candidate["registerFacts"]) == others
    assert all(fact["text"] for fact in (*line["registerFacts"], *candidate["registerFacts"]))
    assert line["partnerRegisterFacts"] == []


async def test_facts_are_said_in_the_callers_language_and_beside_the_chosen_partner(
    review: Review, register: Any, work: Work, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """As codes they are the same in each."""
    fill(register, {TIME: SOUND, BOOKS: under(TIME)})
    await review.start()
    await work()

    line = await review.line(kind="customer", q=TIME)
    answered = await review.answer(line, "link", partnerId=line["candidates"][0]["id"])
    said = set()
    for language in ("nb", "nn", "en"):
        got = await client.get(
            f"{reviewing.path}/first-sync/proposals",
            headers={**reviewing.books, "Accept-Language": language},
            params={"q": TIME},
        )
        (fact,) = got.json()["items"][0]["candidates"][0]["registerFacts"]
        assert fact["code"] == "sub-unit-of-record"
        said.add(fact["text"])

    assert answered["partnerRegisterFacts"] == answered["candidates"][0]["registerFacts"]
    assert len(said) == 3
    assert all(TIME in text and BOOKS in text for text in said)


async def test_a_suspected_double_is_told_apart_by_the_register(
    review: Review, register: Any, work: Work, twins: Twins
) -> None:
    """Inside a side too: the branch stands there beside its firm, without a number of its own."""
    await in_time(twins, None)
    fill(register, {TIME: {"konkurs": True}, BOOKS: SOUND})
    await review.start()
    await work()

    lines = await review.lines(kind="customer")

    told = [codes(one["registerFacts"]) for line in lines for one in line["siblings"]]
    assert sorted(told) == [[], ["customer-bankrupt"]]


async def test_the_sheet_says_it_too(
    review: Review, register: Any, work: Work, sheets: Sheets
) -> None:
    """Of the candidate with why it may be the one, of the record with what it lacks, once."""
    fill(register, {TIME: under(MAIN), BOOKS: under(MAIN), MAIN: {"konkurs": True}})
    await review.start()
    await work()

    line = await review.line(kind="customer", q=TIME)
    (row,) = await sheets.rows(q=TIME)

    (candidate,) = line["candidates"]
    for fact in candidate["registerFacts"]:
        assert row["Kandidater"].count(fact["text"]) == 1
    for fact in line["registerFacts"]:
        assert row["Mangler"].count(fact["text"]) == 1


async def test_without_an_answer_nothing_is_said_and_nobody_waits(
    review: Review, register: Any, work: Work
) -> None:
    """The register is away: the page comes, and later says what it then knows."""
    fill(register, {TIME: SOUND, BOOKS: under(TIME)})
    register.board.add(Fault(kind=FaultKind.STATUS_BEFORE))
    await review.start()
    await work()
    register.board.clear()

    asked = len(register.requests)
    line = await review.line(kind="customer", q=TIME)

    assert line["registerFacts"] == line["candidates"][0]["registerFacts"] == []
    assert len(register.requests) == asked
    await review.start()
    await work()
    line = await review.line(kind="customer", q=TIME)
    assert codes(line["candidates"][0]["registerFacts"]) == ["sub-unit-of-record"]


async def test_a_page_asks_the_database_once_more_and_the_register_never(
    review: Review, register: Any, work: Work, runtime: Runtime, twins: Twins
) -> None:
    """However many lines and numbers there are on it."""
    await in_time(twins, MAIN, "Lia AS")
    fill(register, dict.fromkeys((TIME, BOOKS, MAIN), SOUND))
    await review.start()
    await work()
    asked, seen = len(register.requests), list[str]()
    engine = runtime.database.engine.sync_engine

    def note(_c: object, _k: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    lines = await review.lines()
    event.remove(engine, "before_cursor_execute", note)

    assert len(lines) == 2
    assert len([one for one in seen if "businesses" in one]) == 1
    assert len(register.requests) == asked


async def test_a_number_that_a_fix_wrote_is_asked_for(
    review: Review, register: Any, work: Work, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """The main unit's number in the place of the branch's: the next look says what it is."""
    fill(register, {TIME: SOUND, BOOKS: SOUND, NEW: under(BOOKS)})
    await review.start()
    await work()
    line = await review.line(kind="customer", q=TIME)
    fixed = await client.post(
        f"{reviewing.path}/readiness/fixes",
        headers=reviewing.books,
        json={
            "fix": "set-organization-number",
            "side": "time",
            "organizationNumber": NEW,
            "recordIds": [line["record"]["id"]],
        },
    )
    assert fixed.json()["items"][0]["result"] == "fixed", fixed.text

    await review.lines()
    await work()

    line = await review.line(kind="customer", q=NEW)
    assert line["deed"] == "ask"
    assert codes(line["candidates"][0]["registerFacts"]) == ["main-unit-of-record"]


async def test_a_main_unit_that_fails_is_not_asked_for_again_and_again(
    review: Review, register: Any, work: Work
) -> None:
    """The job that follows tries once; the rest is for the next reading, and the plan is open."""
    fill(register, {TIME: under(MAIN), BOOKS: SOUND, MAIN: {"konkurs": True}})
    register.board.add(Fault(kind=FaultKind.STATUS_BEFORE, path="api/enheter", skip=1))

    await review.start()
    await work()

    line = await review.line(kind="customer", q=TIME)
    assert codes(line["registerFacts"]) == [SUB]
    register.board.clear()
    await review.start()
    await work()
    line = await review.line(kind="customer", q=TIME)
    assert codes(line["registerFacts"]) == ["main-unit-bankrupt", SUB]
