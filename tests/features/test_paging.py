"""Pages: every row once, in order, whatever the limit; the last page has no next."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.paging import Asked
from app.problems import Problem

KEY = b"k" * 32


@given(st.integers(0, 30), st.integers(1, 12))
def test_walking_the_pages_shows_each_row_once(count: int, limit: int) -> None:
    """The cursor of a page leads to the row after its last."""
    rows = [f"row {number:02}" for number in range(count)]
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = Asked(limit, cursor).of("rows", key=KEY)
        begun = [row for row in rows if page.after is None or row > page.after[0]]
        shown, cursor = page.cut(begun[: page.row_limit], lambda row: [row])
        seen += shown
        if cursor is None:
            break
        assert len(shown) == limit
    assert seen == rows


def test_a_page_ordered_by_ids_begins_after_one() -> None:
    """The position of such a list is the id itself."""
    first, second = uuid4(), uuid4()
    _, cursor = Asked(1).of("ids", key=KEY).cut([first, second], lambda row: [str(row)])

    after: UUID | None = Asked(1, cursor).of("ids", key=KEY).after_id

    assert after == first
    assert Asked(1).of("ids", key=KEY).after_id is None


def test_a_page_of_another_list_is_refused() -> None:
    """A cursor is bound to its link and filter."""
    _, cursor = Asked(1).of("pairs|a", key=KEY).cut([1, 2], lambda row: [row])

    with pytest.raises(Problem, match="invalid-cursor"):
        Asked(1, cursor).of("pairs|b", key=KEY)
