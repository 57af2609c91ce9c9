"""What a person needs to judge whether two records are the same stands in the line."""

from app.records.matching import Fact, describe
from tests.features.first_sync.conftest import Review


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
