"""A partner that a person chose is seen and found wherever its line is."""

from typing import Any

import httpx
import pytest

from tests.features.conftest import Linked
from tests.features.first_sync.conftest import Review, Work
from tests.features.first_sync.test_preview import Page
from tests.features.first_sync.test_sheet import Sheets, sheets

__all__ = ["sheets"]


@pytest.fixture
async def couple(review: Review) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two lines of which neither names the other, the first linked to the second's record."""
    line = await review.line(deed="create-in-books", kind="customer", category="only_time")
    partner = await review.line(deed="create-in-time", kind="customer", category="only_books")
    linked = await review.answer(line, "link", partnerId=partner["record"]["id"])
    return linked, partner


async def named(review: Review, word: str) -> set[str]:
    return {one["id"] for one in await review.lines(q=word)}


async def test_a_chosen_partner_is_shown_with_its_record(
    review: Review, couple: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    """In the answer and in the list; taken back it is gone, and the candidates are as before."""
    linked, partner = couple
    (listed,) = [one for one in await review.lines() if one["id"] == linked["id"]]

    back = await review.answer(linked, None)

    assert linked["partner"] == listed["partner"] == partner["record"]
    assert (back["partner"], back["partnerId"]) == (None, None)


@pytest.mark.parametrize("again", [False, True])
async def test_a_line_is_found_by_its_chosen_partner(
    review: Review, work: Work, couple: tuple[dict[str, Any], dict[str, Any]], *, again: bool
) -> None:
    """Also after a new reading; taken back, the partner's own line is found and this is not."""
    linked, partner = couple
    name = partner["record"]["name"]
    if again:
        await review.start()
        await work()

    found = await named(review, name)
    (line,) = await review.lines(q=linked["record"]["name"])
    await review.answer(line, None)

    assert found == {linked["id"]}
    assert await named(review, name) == {partner["id"]}
    assert await named(review, linked["record"]["name"]) == {linked["id"]}


async def test_the_sheet_names_a_chosen_partner(
    review: Review, sheets: Sheets, couple: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    """For the eye: what stands in that column is not read."""
    _, partner = couple
    (row,) = await sheets.rows(answered="true")

    again = await sheets.answers([row | {"Motpart (navn)": "Noen helt andre"}])

    assert (row["Motpart"], row["Motpart (navn)"]) == (
        partner["record"]["id"], partner["record"]["name"],
    )  # fmt: skip
    assert again.json()["unchanged"] == 1


async def test_the_preview_names_both_halves_of_a_link(
    review: Review,
    client: httpx.AsyncClient,
    reviewing: Linked,
    couple: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    """Certain or, where no other is left, chosen; what is created has one half."""
    linked, partner = couple
    certain = (await Page(client, reviewing).show()).json()
    lines = {(one["side"], one["record"]["id"]): one for one in await review.lines()}
    await review.bulk(
        {"filter": {"kind": "customer", "category": "certain"}, "answer": "leave_out"}
    )
    chosen = (await Page(client, reviewing).show()).json()

    for part in certain["writes"]:
        for sample in part["samples"]:
            line = lines["books" if part["writtenIn"] == "time" else "time", sample["id"]]
            half = line["partner"] or [*(one["record"] for one in line["candidates"]), None][0]
            assert sample["partner"] == (half and {"id": half["id"], "name": half["name"]})
    (part,) = [
        one for one in chosen["writes"] if (one["kind"], one["deed"]) == ("customer", "link")
    ]
    assert part["samples"] == [
        {
            **{name: linked["record"][name] for name in ("id", "name")},
            "partner": {name: partner["record"][name] for name in ("id", "name")},
        }
    ]
