"""A sheet is judged by how all its rows leave the plan, whatever order a person sorted them in."""

from typing import Any

import httpx
import pytest

from tests.features.first_sync.conftest import Review
from tests.features.first_sync.test_one_partner import same_line
from tests.features.first_sync.test_sheet import Sheets, sheets

__all__ = ["sheets"]

Line = dict[str, Any]
Told = tuple[Line, str, str]
EITHER = pytest.mark.parametrize("turned", [False, True])


async def upload(sheets: Sheets, *told: Told, turned: bool = False) -> httpx.Response:
    """Hand in rows of a line, its answer and its partner, in this order or the other."""
    rows = [
        {"Linje": line["id"], "Versjon": str(line["version"]), "Svar": answer, "Motpart": partner}
        for line, answer, partner in told
    ]
    return await sheets.answers(rows[::-1] if turned else rows)


async def two_certain(review: Review) -> tuple[tuple[Line, str], tuple[Line, str]]:
    """Give two lines that link by themselves, each with its partner."""
    one, other = (await review.lines(category="certain", kind="customer"))[:2]
    return (one, one["candidates"][0]["id"]), (other, other["candidates"][0]["id"])


@EITHER
@pytest.mark.parametrize("otherwise", ["utelat", "opprett"])
async def test_a_partner_that_another_row_gives_up_is_linked(
    review: Review, sheets: Sheets, otherwise: str, *, turned: bool
) -> None:
    """Left out or created by itself, the other line has no partner any more."""
    (one, _), (other, partner) = await two_certain(review)

    got = await upload(sheets, (one, "koble", partner), (other, otherwise, ""), turned=turned)

    assert (got.status_code, got.json().get("answered")) == (200, 2)
    assert (await same_line(review, one))["partnerId"] == partner


@EITHER
async def test_two_lines_change_their_partners(
    review: Review, sheets: Sheets, *, turned: bool
) -> None:
    """And back again; the plan can be confirmed either time."""
    (one, first), (other, second) = await two_certain(review)

    got = await upload(sheets, (one, "koble", second), (other, "koble", first), turned=turned)
    swapped = [await same_line(review, line) for line in (one, other)]
    back = await upload(
        sheets, (swapped[0], "koble", first), (swapped[1], "koble", second), turned=turned
    )

    assert (got.status_code, back.status_code) == (200, 200)
    assert [line["partnerId"] for line in swapped] == [second, first]
    after = [await same_line(review, line) for line in (one, other)]
    assert [line["partnerId"] for line in after] == [first, second]


@EITHER
async def test_an_answer_taken_back_makes_room_for_a_link(
    review: Review, sheets: Sheets, *, turned: bool
) -> None:
    """The partner's own line was answered; the same sheet takes that back."""
    time = await review.line(category="only_time", kind="customer")
    books = await review.line(category="only_books", kind="customer")
    answered = await review.answer(books, "leave_out")
    partner = books["record"]["id"]

    got = await upload(
        sheets, (time, "koble", partner), (answered, "fjern svar", ""), turned=turned
    )

    assert (got.status_code, got.json().get("answered")) == (200, 2)
    assert (await same_line(review, time))["partnerId"] == partner


@EITHER
async def test_two_rows_that_end_with_one_partner_are_refused(
    review: Review, sheets: Sheets, *, turned: bool
) -> None:
    """One row is named, and nothing is taken; so it is with a partner that a line keeps."""
    (one, _), (other, partner) = await two_certain(review)
    alone = await review.line(category="only_time", kind="customer")

    both = await upload(
        sheets, (one, "koble", partner), (alone, "koble", partner), (other, "utelat", ""),
        turned=turned,
    )  # fmt: skip
    kept = await upload(sheets, (one, "koble", partner), (other, "koble", partner), turned=turned)

    for got in (both, kept):
        assert [error["code"] for error in got.json()["errors"]] == ["partner-taken"]
    assert await review.lines(answered="true") == []


@EITHER
async def test_a_default_that_another_row_links_elsewhere_is_refused(
    review: Review, sheets: Sheets, *, turned: bool
) -> None:
    """Taking an answer back would link by itself whom the sheet gives to another line."""
    (one, _), (other, partner) = await two_certain(review)
    freed = await review.answer(other, "create")

    got = await upload(sheets, (one, "koble", partner), (freed, "fjern svar", ""), turned=turned)

    assert [error["code"] for error in got.json()["errors"]] == ["partner-taken"]
