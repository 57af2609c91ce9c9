"""The same customer made by people on both sides within minutes: one pair, never a third copy."""

import pytest

from app.canonical import RecordKind, Side
from app.settings import Settings
from tests.conftest import SetClock
from tests.features.sync.conftest import Hands

NUMBER = "923609016"


@pytest.fixture(params=[True, False], ids=["modified-filter", "no-filter"])
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """With and without Conta's `modifiedFromDate`."""
    return settings.model_copy(update={"conta_modified_filter": request.param})


async def _made_on_both(hands: Hands) -> tuple[str, str]:
    time_id = await hands.time_customer("Nyland AS", organizationNumber=NUMBER)
    books_id = await hands.books_customer("Nyland AS", orgNo=NUMBER, phoneNo="22999999")
    return time_id, books_id


async def _only_pair(hands: Hands, time_id: str, books_id: str) -> None:
    organization, company = await hands.twins.books(), await hands.twins.time()
    assert [str(one["id"]) for one in organization["customers"]] == [books_id]
    assert [one["id"] for one in company["customers"] if not one.get("deletedAt")] == [time_id]
    assert [(p.time_id, p.books_id) for p in await hands.pairs()] == [(time_id, books_id)]
    assert [call for call in await hands.writes() if call.startswith("POST")] == []


@pytest.mark.parametrize("heard", [(Side.TIME,), (Side.BOOKS,), (Side.TIME, Side.BOOKS)])
async def test_a_hint_finds_the_twin_that_no_sweep_has_seen(
    hands: Hands, heard: tuple[Side, ...]
) -> None:
    """Whichever side is heard first, the other side is looked at as it is now."""
    time_id, books_id = await _made_on_both(hands)
    for side in heard:
        await hands.hint(side, time_id if side is Side.TIME else books_id)

    await hands.work()

    await _only_pair(hands, time_id, books_id)


async def test_a_sweep_finds_both(hands: Hands, clock: SetClock) -> None:
    """Without any webhook the next sweep links the two."""
    time_id, books_id = await _made_on_both(hands)
    clock.advance(hours=4)

    await hands.work()

    await _only_pair(hands, time_id, books_id)


async def test_a_project_made_on_both_sides_is_one(hands: Hands) -> None:
    """The same holds for a project of a linked customer."""
    time_id, books_id = await hands.paired()
    made = await hands.twins.control(
        "timerabbit", "POST", "/companies/cmp_1/projects", {"name": "Tak", "customerId": time_id}
    )
    other = await hands.twins.control(
        "conta", "POST", "/organizations/1001/projects",
        {"name": "Tak", "customerId": int(books_id)},
    )  # fmt: skip
    await hands.hint(Side.TIME, made["id"], kind=RecordKind.PROJECT)

    await hands.work()

    assert [str(p["id"]) for p in (await hands.twins.books())["projects"]] == [str(other["id"])]
    assert len(await hands.pairs()) == 2
