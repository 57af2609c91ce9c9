"""The rule table in the documents is the one in the code."""

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from app.canonical import SYNCED_FIELDS, RecordKind, Side
from app.changes.brake import stops
from app.documents import shown_field
from app.sync.rules import RULES, Effect, Event, effect_of

PAGE = (Path(__file__).parents[2] / "docs" / "sync-rules.md").read_text(encoding="utf-8")


def _rows(cells: int) -> list[list[str]]:
    lines = [line for line in PAGE.splitlines() if re.match(r"\| (customer|project) \|", line)]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in rows if len(row) == cells]


def test_the_published_table_is_the_codes_table() -> None:
    """Each combination stands in the document once, with the effect the code has."""
    published = {
        (RecordKind(kind), Event(event), side): Effect(effect)
        for kind, event, time, books in _rows(4)
        for side, effect in ((Side.TIME, time), (Side.BOOKS, books))
    }

    assert published == RULES


def test_every_combination_has_a_rule() -> None:
    """No event on no side is left to chance."""
    for kind in RecordKind:
        for event in Event:
            for side in Side:
                assert effect_of(kind, event, side) in Effect


def test_the_published_fields_are_the_synced_ones() -> None:
    """The list of fields in the document is the one in the code."""
    published: dict[str, list[str]] = {}
    for kind, field, _ in _rows(3):
        published.setdefault(kind, []).append(field)

    assert published == {
        kind.value: [shown_field(name) for name in names] for kind, names in SYNCED_FIELDS.items()
    }


@given(changed=st.integers(0, 500), pairs=st.integers(0, 500), share=st.integers(1, 100))
def test_the_brake_needs_both_bounds(changed: int, pairs: int, share: int) -> None:
    """Neither a handful nor a small share ever stops a link."""
    stopped = stops(changed=changed, pairs=pairs, share_percent=share, least=10)

    assert stopped == (changed >= 10 and changed > pairs * share / 100)


def test_the_brake_at_its_default() -> None:
    """Twenty in a hundred go through, twenty-one do not; nine of nine go through."""
    at = {"share_percent": 20, "least": 10}

    assert not stops(changed=20, pairs=100, **at)
    assert stops(changed=21, pairs=100, **at)
    assert not stops(changed=9, pairs=9, **at)
