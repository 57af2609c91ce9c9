"""What a person needs to judge whether two records are the same stands in the line."""

from typing import Any

from app.first_sync.sheet.files import read_sheet, write_csv
from app.first_sync.sheet.sheet import headings, row_of
from app.records.matching import Fact, describe
from tests.features.first_sync.conftest import Review
from tests.features.first_sync.test_sheet import Sheets, sheets

__all__ = ["sheets"]


async def test_why_two_may_be_the_same_is_told_in_codes_and_in_words(review: Review) -> None:
    """Of candidates and of doubles: the words say just those codes, in their order."""
    lines = await review.lines()

    likened = [one for line in lines for one in (*line["candidates"], *line["siblings"])]
    doubles = [line for line in lines if line["siblings"]]
    assert likened
    assert doubles
    assert all(one["facts"] for one in likened)
    assert [one["reasons"] for one in likened] == [
        describe(map(Fact, one["facts"])) for one in likened
    ]


async def test_a_suspected_double_is_shown_with_its_record(review: Review) -> None:
    """On either side: the same as in the double's own line."""
    lines = await review.lines(category="duplicate")

    records = {(one["side"], one["record"]["id"]): one["record"] for one in await review.lines()}
    assert lines
    for line in lines:
        for one in line["siblings"]:
            assert one["record"] == records[line["side"], one["id"]]


async def test_doubles_are_told_apart_in_the_sheet(review: Review, sheets: Sheets) -> None:
    """By name, number, address and mail, and why they may be one."""
    (line, *_) = await review.lines(category="duplicate", kind="customer")
    rows = {row["Linje"]: row for row in await sheets.rows(category="duplicate")}

    told = rows[line["id"]]["Kandidater"].split(" | ")

    assert told == [f"dublett av {in_a_cell(one)}" for one in line["siblings"]]


async def test_candidates_are_told_apart_in_the_sheet(review: Review, sheets: Sheets) -> None:
    """As doubles are; a project has a number and no mail."""
    lines = {one["id"]: one for one in await review.lines() if one["candidates"]}

    rows = {row["Linje"]: row for row in await sheets.rows()}

    assert {one["kind"] for one in lines.values()} == {"customer", "project"}
    for own, line in lines.items():
        told = rows[own]["Kandidater"].split(" | ")
        assert told[: len(line["candidates"])] == [in_a_cell(one) for one in line["candidates"]]


def test_a_cell_of_many_doubles_comes_back() -> None:
    """A cell that is too long would refuse the whole sheet; what finds no room is counted."""
    doubles = [
        {"id": f"cus_{n}", "score": 1, "rule": "name-only", "facts": ["name-same"]}
        for n in range(100)
    ]
    names = {
        one["id"]: {
            "id": one["id"], "name": "Navn " * 20, "customer_id": None, "active": True,
            "number": None,
        }
        for one in doubles
    }  # fmt: skip
    line = {
        "proposal_id": "x", "version": 1, "kind": "project", "anchor_side": "time",
        "anchor": {"name": "Navn"}, "deed": "ask", "findings": [], "candidates": [],
        "siblings": doubles, "others": None, "doubles": names, "businesses": {}, "answer": None,
        "winners": {}, "partner_id": None, "answered_by": None, "answered_at": None,
    }  # fmt: skip

    rows = [headings("en"), row_of(line, "en")]
    (read,) = read_sheet(b"".join(write_csv(rows)))

    *told, more = read.cells["candidates"].split(" | ")
    assert told[0].startswith("double of cus_0: Navn")
    assert more == f"… (+{100 - len(told)})"
    assert 10 < len(told) < 100


def in_a_cell(one: dict[str, Any]) -> str:
    """Write a candidate as the sheet names it."""
    record = one["record"]
    told = [record.get(name) for name in ("name", "organizationNumber", "number", "address")]
    says = ", ".join(filter(None, [*told, record.get("email")]))
    return f"{one['id']}: {says} ({one['reasons']})"
