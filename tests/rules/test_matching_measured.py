"""The matching keeps what was measured: the floors hold on one small labelled draw."""

import pytest

from bench.matching.measure import measured, tables_of


@pytest.fixture(scope="module")
def figures() -> dict[str, float]:
    found: dict[str, float] = measured(tables_of(800, 2004))
    return found


def test_no_certain_pair_of_a_small_draw_is_wrong(figures: dict[str, float]) -> None:
    """Nothing different is linked; a change of rules that costs precision fails here first."""
    assert figures["false_links"] == 0


@pytest.mark.parametrize(
    ("figure", "floor"),
    [
        ("recall", 0.80),
        ("coverage", 0.975),
        ("asked_of_doubtful", 0.95),
        ("duplicates_found", 0.85),
        ("duplicates_precise", 0.90),
        ("invalid_found", 1.0),
        ("invalid_precise", 1.0),
    ],
)
def test_a_small_draw_stays_above_each_floor(
    figures: dict[str, float], figure: str, floor: float
) -> None:
    """What must be found is found, in a draw that no rule was written with."""
    assert figures[figure] >= floor


def test_a_person_is_not_asked_too_often(figures: dict[str, float]) -> None:
    """At most 20 questions for 100 customers."""
    assert figures["questions_per_100"] <= 20
