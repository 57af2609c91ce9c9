"""A line that is asked again says what was answered before, by whom and when."""

from typing import Any

import httpx
import pytest

from tests.conftest import SetClock
from tests.features.conftest import Linked
from tests.features.first_sync.conftest import Work
from tests.features.first_sync.test_read_again import ALONE, THEIRS, edit, read_again
from tests.features.first_sync.test_run import Judge, judge

__all__ = ["judge"]


async def link(judge: Judge) -> tuple[dict[str, Any], dict[str, Any]]:
    """Link two lines that do not name each other; give the answered one and its partner's."""
    time, books = await judge.review.line(**ALONE), await judge.review.line(**THEIRS)
    return await judge.review.answer(time, "link", partnerId=books["record"]["id"]), books


@pytest.mark.parametrize("answer", ["create", "link"])
async def test_an_answer_that_is_lost_is_shown_with_its_giver(
    judge: Judge, work: Work, clock: SetClock, answer: str
) -> None:
    """Also after another reading, and beside the answer that follows it."""
    line = await judge.review.line(**ALONE)
    partner = (await judge.review.line(**THEIRS))["record"]["id"] if answer == "link" else None
    more = {"partnerId": partner} if partner else {}
    answered = await judge.review.answer(line, answer, **more)
    clock.advance(minutes=3)
    await edit(judge, line["record"]["id"])

    again = (await read_again(judge, work))[line["record"]["id"]]
    twice = (await read_again(judge, work))[line["record"]["id"]]
    after = await judge.review.answer(twice, "leave_out")

    assert answered["before"] is None
    assert again["before"] == {
        "answer": answer, "partnerId": partner, "answeredBy": "kari@1001",
        "answeredAt": answered["answeredAt"],
    }  # fmt: skip
    assert again["answer"] is None
    assert twice["before"] == after["before"] == again["before"]


async def test_the_other_half_of_a_lost_link_says_it_too(judge: Judge, work: Work) -> None:
    """The one who stood in the answer is gone; the partner names it and who chose it."""
    linked, books = await link(judge)
    own = linked["record"]["id"]
    await judge.twins.control("timerabbit", "POST", f"/companies/cmp_1/customers/{own}/delete")

    freed = (await read_again(judge, work))[books["record"]["id"]]

    assert (freed["category"], freed["answer"]) == ("asked_again", None)
    assert freed["before"] == {
        "answer": "link", "partnerId": own, "answeredBy": "kari@1001",
        "answeredAt": linked["answeredAt"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("nb", "valgt av en person før noe ble endret"),
        ("nn", "vald av ein person før noko vart endra"),
        ("en", "chosen by a person before something changed"),
    ],
)
async def test_whom_a_person_chose_before_is_told_in_words(
    judge: Judge,
    work: Work,
    client: httpx.AsyncClient,
    reviewing: Linked,
    language: str,
    words: str,
) -> None:
    """The candidate stands there for no likeness: its reason is the choice."""
    linked, _ = await link(judge)
    await edit(judge, linked["record"]["id"])
    await read_again(judge, work)

    got = await client.get(
        f"{reviewing.path}/first-sync/proposals",
        headers={**reviewing.books, "Accept-Language": language},
        params={"category": "asked_again"},
    )

    (line,) = got.json()["items"]
    assert [one["reasons"] for one in line["candidates"]] == [words]
