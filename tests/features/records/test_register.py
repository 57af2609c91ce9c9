"""Readiness with the business register: asked where named, never needed, repaired from."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from app.canonical import RecordId, Side
from app.records import ask_register
from app.records.billing_warnings import billing_warnings, say_warning
from app.runtime import Runtime
from app.sandbox.seeds import SeedWorld, demo
from app.settings import Settings
from app.systems.enhetsregisteret.client import Enhetsregisteret
from tests.features.conftest import Linked, Twins, asking_the_register
from tests.features.first_sync.conftest import Review
from tests.worlds import BEGIN

Work = Callable[[], Awaitable[int]]
JUDGING = {
    "customer-bankrupt": {"konkurs": True},
    "customer-in-liquidation": {"underTvangsavviklingEllerTvangsopplosning": True},
    "customer-struck-off": {"slettedato": "2026-02-01"},
    "organization-number-of-sub-unit": {"overordnetEnhet": "860001381"},
}


@pytest.fixture
def world() -> SeedWorld:
    return demo(BEGIN.date())


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return asking_the_register(settings)


@pytest.fixture
async def read(reviewing: Linked, client: httpx.AsyncClient, register: Any) -> Review:
    """A link whose sides can be read; the register is asked when the jobs run."""
    review = Review(client, reviewing)
    await review.start()
    return review


async def shown(client: httpx.AsyncClient, linked: Linked, side: str = "time") -> dict[str, Any]:
    """The findings of each record of a side, by record id and code."""
    answer = await client.get(
        f"{linked.path}/readiness", headers=linked.books, params={"side": side, "limit": "200"}
    )
    assert answer.status_code == 200, answer.text
    return {
        item["recordId"]: {finding["code"]: finding for finding in item["findings"]}
        for item in answer.json()["items"]
    }


async def fix(client: httpx.AsyncClient, linked: Linked, **body: Any) -> dict[str, Any]:
    answer = await client.post(
        f"{linked.path}/readiness/fixes", headers=linked.books, json={"side": "time", **body}
    )
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def numbered(twins: Twins) -> list[dict[str, Any]]:
    """Companies of the time side with a number of their own, in the order of their ids."""
    customers = [c for c in (await twins.time())["customers"] if c["organizationNumber"]]
    numbers = [c["organizationNumber"] for c in customers]
    return [c for c in customers if numbers.count(c["organizationNumber"]) == 1]


@pytest.mark.parametrize("code", sorted(JUDGING))
async def test_what_the_register_knows_is_a_finding_that_hinders_nothing(
    read: Review, client: httpx.AsyncClient, reviewing: Linked, twins: Twins, register: Any,
    work: Work, code: str,
) -> None:  # fmt: skip
    """Bankrupt, wound up, struck off, or a sub-unit's number: said, and the customer may pass."""
    customer = (await numbered(twins))[0]
    register.units[customer["organizationNumber"]] |= JUDGING[code]

    await work()

    finding = (await shown(client, reviewing))[customer["id"]][code]
    assert (finding["blocking"], bool(finding["text"]), bool(finding["remedy"])) == (
        False, True, True,
    )  # fmt: skip
    others = [f for found in (await shown(client, reviewing)).values() for f in found]
    assert others.count(code) == 1


async def test_a_number_that_the_register_does_not_know_is_said(
    read: Review, client: httpx.AsyncClient, reviewing: Linked, twins: Twins, register: Any,
    work: Work,
) -> None:  # fmt: skip
    """It passes modulus 11, yet nobody has it."""
    customer = (await numbered(twins))[0]
    del register.units[customer["organizationNumber"]]

    await work()

    found = await shown(client, reviewing)
    assert "organization-number-not-in-register" in found[customer["id"]]


async def test_a_missing_address_is_filled_from_the_register_where_the_record_lives(
    read: Review, client: httpx.AsyncClient, reviewing: Linked, twins: Twins, register: Any,
    work: Work,
) -> None:  # fmt: skip
    """Suggested first, written on one call, and nothing else of the record is touched."""
    await work()
    homeless = {i: f for i, f in (await shown(client, reviewing)).items() if "address-missing" in f}
    before = {c["id"]: c for c in (await twins.time())["customers"]}

    dry = await fix(client, reviewing, fix="set-address", fromRegister=True,
                    filter={"inRegister": True}, dryRun=True)  # fmt: skip
    done = await fix(client, reviewing, fix="set-address", fromRegister=True,
                     filter={"inRegister": True})  # fmt: skip

    after = {c["id"]: c for c in (await twins.time())["customers"]}
    assert all(f["address-missing"]["suggested"] for f in homeless.values())
    assert dry["matched"] == len(homeless) == 2
    assert {one["result"] for one in done["items"]} == {"fixed"}
    for record_id in homeless:
        unit = register.units[before[record_id]["organizationNumber"]]["forretningsadresse"]
        assert after[record_id]["address"]["line1"] == unit["adresse"][0]
        assert after[record_id]["address"]["postalCode"] == unit["postnummer"]
        kept = ("name", "kind", "organizationNumber", "email", "phone", "notes", "hourlyRate")
        assert {n: after[record_id][n] for n in kept} == {n: before[record_id][n] for n in kept}
    assert not [f for f in (await shown(client, reviewing)).values() if "address-missing" in f]


async def test_a_sub_units_number_gives_way_to_the_main_units(
    read: Review, client: httpx.AsyncClient, reviewing: Linked, twins: Twins, register: Any,
    work: Work,
) -> None:  # fmt: skip
    """Invoices must carry the main unit's number; the register knows it."""
    customer = (await numbered(twins))[0]
    register.units[customer["organizationNumber"]]["overordnetEnhet"] = "860001381"
    await work()

    done = await fix(client, reviewing, fix="set-organization-number", fromRegister=True,
                     recordIds=[customer["id"]])  # fmt: skip

    after = {c["id"]: c for c in (await twins.time())["customers"]}
    assert done["items"] == [{"recordId": customer["id"], "result": "fixed", "reasons": []}]
    assert after[customer["id"]]["organizationNumber"] == "860001381"


async def test_each_number_is_asked_for_once_a_day(
    read: Review, client: httpx.AsyncClient, reviewing: Linked, register: Any, work: Work,
    clock: Any,
) -> None:  # fmt: skip
    """Both sides' numbers in a handful of calls; again only when the answers are old."""
    await work()
    first = list(register.requests)
    again = await client.post(f"{reviewing.path}/readiness/register", headers=reviewing.books)
    await work()
    cached = list(register.requests)
    clock.advance(hours=25)
    tokens = await client.post(f"{reviewing.path}/readiness/register", headers=reviewing.books)
    await work()

    assert again.status_code == 202
    assert tokens.status_code in {202, 401}  # a token of yesterday is no token
    assert 1 <= len(first) <= 10
    assert cached == first


async def test_the_main_unit_that_an_answer_names_is_asked_for_once(
    read: Review, client: httpx.AsyncClient, reviewing: Linked, twins: Twins, register: Any,
    work: Work, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """No customer has its number; a job that goes on asks it too, and then nobody asks again."""
    monkeypatch.setattr(ask_register, "MOST_LOOK_UPS", 1)
    monkeypatch.setattr(Enhetsregisteret, "most_at_once", 15)
    branch = min((await numbered(twins)), key=lambda one: one["organizationNumber"])
    register.units[branch["organizationNumber"]]["overordnetEnhet"] = "974760673"

    await work()
    asked = list(register.requests)
    await client.post(f"{reviewing.path}/readiness/register", headers=reviewing.books)
    await work()

    assert asked.count("/enheter/974760673") == 1
    assert register.requests == asked


@pytest.mark.parametrize("fault", [{"kind": "status_before", "status": 503},
                                   {"kind": "html_page"}, {"kind": "lost_answer"}])  # fmt: skip
async def test_a_register_that_is_away_hinders_nothing(
    read: Review, client: httpx.AsyncClient, reviewing: Linked, twins: Twins, work: Work,
    fault: dict[str, Any],
) -> None:  # fmt: skip
    """The plan opens, no customer looks unknown, and a later asking makes up for it."""
    transport = httpx.ASGITransport(twins.register)
    async with httpx.AsyncClient(transport=transport, base_url="http://register.test") as person:
        await person.post("/_control/faults", json=fault)

    await work()

    plan = await client.get(f"{reviewing.path}/first-sync", headers=reviewing.books)
    found = await shown(client, reviewing)
    assert plan.json()["state"] == "open"
    assert not [f for f in found.values() if "organization-number-not-in-register" in f]


@pytest.mark.parametrize("odd", [{"konkurs": "ja"}, {"navn": 5}, {"overordnetEnhet": "12"}])
async def test_one_odd_unit_keeps_nobody_from_being_asked_about(
    read: Review, client: httpx.AsyncClient, reviewing: Linked, twins: Twins, register: Any,
    work: Work, runtime: Runtime, monkeypatch: pytest.MonkeyPatch, odd: dict[str, Any],
) -> None:  # fmt: skip
    """The bankrupt customer behind it is found; the odd one is not called unknown, nor asked on."""
    monkeypatch.setattr(Enhetsregisteret, "most_at_once", 5)
    first, *_, last = sorted(await numbered(twins), key=lambda one: one["organizationNumber"])
    register.units[first["organizationNumber"]] |= odd
    register.units[last["organizationNumber"]] |= {"konkurs": True}

    await work()
    asked = len(register.requests)
    await client.post(f"{reviewing.path}/readiness/register", headers=reviewing.books)
    await work()

    found = await shown(client, reviewing)
    assert "customer-bankrupt" in found[last["id"]]
    assert "organization-number-not-in-register" not in found.get(first["id"], {})
    assert len(register.requests) == asked


async def test_an_answer_that_cannot_be_read_fills_no_address(
    read: Review, client: httpx.AsyncClient, reviewing: Linked, twins: Twins, register: Any,
    work: Work,
) -> None:  # fmt: skip
    """A bulk fix from the register takes those it knows, and one whose unit is odd is not."""
    homeless = [c for c in await numbered(twins) if not (c["address"] or {}).get("line1")]
    register.units[homeless[0]["organizationNumber"]] |= {"konkurs": "ja"}
    await work()

    dry = await fix(client, reviewing, fix="set-address", fromRegister=True,
                    filter={"inRegister": True}, dryRun=True)  # fmt: skip

    assert {one["recordId"] for one in dry["items"]} == {one["id"] for one in homeless[1:]}
    assert dry["matched"] == 1


async def test_a_look_up_that_fails_each_time_keeps_no_other_from_being_asked(
    read: Review, client: httpx.AsyncClient, reviewing: Linked, twins: Twins, register: Any,
    work: Work, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The first numbers in order are the first each time; those behind them are asked about."""
    monkeypatch.setattr(Enhetsregisteret, "most_at_once", 5)
    last = max(await numbered(twins), key=lambda one: one["organizationNumber"])
    register.units[last["organizationNumber"]] |= {"konkurs": True}
    transport = httpx.ASGITransport(twins.register)
    async with httpx.AsyncClient(transport=transport, base_url="http://register.test") as person:
        fault = {"kind": "status_before", "status": 503, "times": 3}
        await person.post("/_control/faults", json=fault)

    await work()

    assert "customer-bankrupt" in (await shown(client, reviewing))[last["id"]]


async def test_invoicing_can_ask_what_speaks_against_billing_a_customer(
    read: Review, runtime: Runtime, reviewing: Linked, twins: Twins, register: Any, work: Work
) -> None:
    """The gravest first, in three languages, from what is known; a sound customer gives none."""
    bad, sound = (await numbered(twins))[:2]
    register.units[bad["organizationNumber"]] |= {"konkurs": True, "underAvvikling": True}
    await work()

    async with runtime.database.reading(reviewing.link_id) as session:
        said = await billing_warnings(session, reviewing.link_id, Side.TIME, RecordId(bad["id"]))
        none = await billing_warnings(session, reviewing.link_id, Side.TIME, RecordId(sound["id"]))
        unknown = await billing_warnings(session, reviewing.link_id, Side.TIME, RecordId("x"))

    assert said == ("customer-bankrupt", "customer-in-liquidation")
    assert (none, unknown) == ((), ())
    assert len({say_warning(said[0], language)["text"] for language in ("nb", "nn", "en")}) == 3
