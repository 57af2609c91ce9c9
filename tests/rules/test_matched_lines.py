"""Lines in the books are known by text and sum; what nobody can know is left to a person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.canonical import Ore
from app.invoicing.ledger.matched import match_lines, net_of
from app.systems.documents import RemoteLine

Pair = tuple[str, int | None]


def remote(lines: list[Pair]) -> list[RemoteLine]:
    return [RemoteLine(text, None if net is None else Ore(net)) for text, net in lines]


def own(lines: list[tuple[str, int]]) -> dict[int, dict[str, object]]:
    return {number: {"text": text, "net": net} for number, (text, net) in enumerate(lines, 1)}


@pytest.mark.parametrize(
    ("ours", "theirs", "lines", "gone", "unclear"),
    [
        ([("A (spes. TR-7K3QF9M2)", 1), ("B", 2)], [("B", 2), ("A", 1)], {1: 1, 2: 0}, [], []),
        ([("A", 1), ("B", 2)], [("A", 1)], {1: 0}, [2], []),
        ([("A", 1), ("B", 2)], [("A", 9), ("B", 2)], {1: 0, 2: 1}, [], []),
        ([("A", -1), ("B", 2)], [("X", -1), ("B", 2)], {1: 0, 2: 1}, [], []),
        ([("A", -1), ("A", -1)], [("X", -1), ("Y", -1)], {1: 0, 2: 1}, [], []),
        ([("A", -1), ("B", -1)], [("X", -1)], {}, [], [1, 2]),
        ([("A", 1), ("A", 1)], [("A", 1)], {1: 0}, [2], []),
        ([("A", 1), ("A", 2)], [("A", 3)], {}, [], [1, 2]),
        ([("A", 1)], [("X", 9)], {1: 0}, [], []),
        ([("A", 1), ("B", 2)], [("X", 9)], {}, [], [1, 2]),
        ([("A", 1)], [("A", None)], {1: 0}, [], []),
        ([("A", 1)], [], {}, [1], []),
    ],
)
def test_lines_are_matched(
    ours: list[tuple[str, int]],
    theirs: list[Pair],
    lines: dict[int, int],
    gone: list[int],
    unclear: list[int],
) -> None:
    """Each case with which line there it is, by place from 0."""
    others = remote(theirs)

    found = match_lines(own(ours), others)

    assert found.lines == {number: others[place] for number, place in lines.items()}
    assert (sorted(found.gone), sorted(found.unclear)) == (gone, unclear)


_LINES = st.lists(st.tuples(st.sampled_from("ABC"), st.integers(-2, 2)), max_size=6)


@given(ours=_LINES, theirs=_LINES)
def test_each_line_is_matched_once_and_every_line_has_a_place(
    ours: list[tuple[str, int]], theirs: list[Pair]
) -> None:
    """Nothing there stands for two of ours; each of ours is there, gone or unclear."""
    found = match_lines(own(ours), remote(theirs))

    left = remote(theirs)
    for other in found.lines.values():
        left.remove(other)
    assert {*found.lines, *found.gone, *found.unclear} == set(own(ours))
    assert len(found.lines) + len(found.gone) + len(found.unclear) == len(ours)
    assert not (found.gone and left)


@given(ours=_LINES, order=st.randoms(use_true_random=False))
def test_the_order_there_changes_nothing(ours: list[tuple[str, int]], order: object) -> None:
    """All of our lines, in any order: each is known, with its own sum."""
    theirs: list[Pair] = list(ours)
    order.shuffle(theirs)  # type: ignore[attr-defined]

    found = match_lines(own(ours), remote(theirs))

    assert {n: net_of(line, own(ours)[n]) for n, line in found.lines.items()} == {
        number: net for number, (_, net) in enumerate(ours, 1)
    }
