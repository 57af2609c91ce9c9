"""From an hour to the lines of its expenses and kilometres, and from such a line to its hours."""

from typing import Any

import pytest

from app.invoicing.ledger.beside import line_beside
from app.invoicing.ledger.corrections import CorrectionRow
from app.invoicing.lines.extras import extra_id
from app.invoicing.store import Draft
from tests.features.invoicing.bookkeeper import Bookkeeper
from tests.features.invoicing.test_drafts import previewed
from tests.features.invoicing.test_preview import change
from tests.features.invoicing.test_protocol import ids_of

EVERYTHING = {"expenseVatCode": "exempted", "kilometres": {"rateOre": 500}}


@pytest.fixture
async def hours(kari: Bookkeeper) -> list[str]:
    """Give an hour with two expenses and ten kilometres, and one with five kilometres."""
    first, second = ids_of(await previewed(kari.client, kari.link, grouping="entry"))[:2]
    costs = [{"description": what, "amount": "120"} for what in ("Parkering", "Bom")]
    await change(kari.twins, first, costs=costs, kilometers="10")
    await change(kari.twins, second, kilometers="5")
    return [first, second]


async def billed(kari: Bookkeeper, hour: str) -> list[tuple[Any, ...]]:
    """Give the lines that bill its expenses and kilometres, as the ledger says them."""
    found = (await kari.hour(hour))["expenses"]
    told = ("what", "line", "text", "netOre", "kilometres", "place")
    return sorted(tuple(one[name] for name in told) for one in found)


async def test_the_ledger_goes_from_an_hour_to_the_lines_beside_its_own(
    kari: Bookkeeper, hours: list[str]
) -> None:
    """By its place in the draft, whatever a person wrote there; kilometres share a line."""
    first, second = hours
    plain = await previewed(kari.client, kari.link, grouping="entry", **EVERYTHING)
    key = next(one["key"] for one in plain["lines"] if one["text"].startswith("Bom"))
    preview = await previewed(
        kari.client, kari.link, basedOn=plain["previewId"], order=[key],
        edits=[{"line": key, "text": "Bompenger", "discountPercent": "50"}],
    )  # fmt: skip

    draft = await kari.send(preview)

    number = len(draft["lines"])
    day = next(one["text"] for one in draft["lines"] if one["text"].startswith("Parkering"))
    assert await billed(kari, first) == [
        ("expenses", 1, draft["lines"][0]["text"], 6_000, None, "in-draft"),
        ("expenses", number - 1, day, 12_000, None, "in-draft"),
        ("kilometres", number, "Kilometer", None, "10.00", "in-draft"),
    ]
    assert await billed(kari, second) == [
        ("kilometres", number, "Kilometer", None, "5.00", "in-draft")
    ]
    shown = {n: one["expensesOf"] for n, one in enumerate(draft["lines"], 1) if one["expensesOf"]}
    assert shown == {1: [first], number - 1: [first], number: sorted(hours)}
    assert [one["expensesOf"] for one in preview["lines"]] == [
        one["expensesOf"] for one in draft["lines"]
    ]
    assert len(ids_of(draft)) == len(set(ids_of(draft))) == len(draft["entries"])


async def test_a_draft_of_what_was_left_out_is_told_and_its_end_too(
    kari: Bookkeeper, hours: list[str]
) -> None:
    """Each line is one hour's; what was released is history, what bills it again is new."""
    first, _ = hours
    held = await kari.bill(grouping="entry")
    assert await billed(kari, first) == []
    preview = (await kari.post(f"invoice-drafts/{held['id']}/left-out", **EVERYTHING)).json()
    beside = await kari.send(preview)
    standing = (await kari.hour(first))["expenses"]

    await kari.in_conta(beside, "delete")
    freed = await kari.release(beside)

    assert freed.is_success, freed.text
    assert {one["draftId"] for one in standing} == {beside["id"]}
    lines = [(one["line"], one["netOre"], one["kilometres"]) for one in standing]
    own = [(n, line) for n, line in enumerate(beside["lines"], 1) if line["expensesOf"] == [first]]
    assert sorted(lines, key=str) == [
        (n, line["netOre"], "10.00" if line["text"] == "Kilometer" else None) for n, line in own
    ]
    after = (await kari.hour(first))["expenses"]
    assert [one["place"] for one in after] == ["free"] * 3
    assert all(one["until"] for one in after)
    assert not any(one["until"] for one in standing)
    assert (await kari.hour(first))["place"] == "in-draft"


def test_a_draft_whose_texts_were_erased_says_what_and_no_line() -> None:
    erased = Draft(body={"lines": [], "about": {}})
    rows = [
        CorrectionRow(entry_id="ent_1", change_id=extra_id("ent_1", what), line_no=line)
        for what, line in (("kilometres", 0), ("expenses/12000/0/Bom", 2))
    ]

    found = [line_beside(row, erased) for row in rows]

    assert found == [
        ("kilometres", None, "", None, None), ("expenses", None, "", None, None)
    ]  # fmt: skip
