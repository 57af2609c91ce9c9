"""What became of a draft is read from the books alone; when to look again follows from it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.canonical import Ore
from app.invoicing.ledger.fate import (
    Fate,
    alike,
    fate_of_invoice,
    next_look,
    taken_out,
)
from app.systems.documents import RemoteInvoice, RemoteLine

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
SETTLE = timedelta(minutes=5)
OPEN = RemoteInvoice("9", None, None, None, (), Ore(100), Ore(125), Ore(125), "open")


def ours(*lines: tuple[str, int]) -> list[dict[str, Any]]:
    return [{"text": text, "net": net} for text, net in lines]


def theirs(*lines: tuple[str, int | None]) -> tuple[RemoteLine, ...]:
    return tuple(RemoteLine(text, None if net is None else Ore(net)) for text, net in lines)


@pytest.mark.parametrize(
    ("invoice", "fate"),
    [
        (OPEN, Fate.SENT),
        (replace(OPEN, remaining=Ore(25)), Fate.PART_PAID),
        (replace(OPEN, remaining=None), Fate.SENT),
        (replace(OPEN, total=None), Fate.SENT),
        (replace(OPEN, state="paid"), Fate.PAID),
        (replace(OPEN, state="credited"), Fate.CREDITED),
        (replace(OPEN, state="written off"), Fate.CLOSED),
    ],
)
def test_an_invoice_says_how_far_it_has_come(invoice: RemoteInvoice, fate: Fate) -> None:
    """Part of it paid is less than all of it; an unknown sum says nothing."""
    assert fate_of_invoice(invoice) is fate


def test_a_line_is_taken_out_wherever_the_others_stand() -> None:
    """The mark apart, and what is theirs alone is told too."""
    gone, strange = taken_out(
        ours(("a (spes. TR-7K3QF9M2)", 1), ("b", 2), ("c", 3)),
        theirs(("c", None), ("a", 1), ("d", 4)),
    )

    assert (set(gone), [line.text for line in strange]) == ({2}, ["d"])


def test_an_invoice_without_the_mark_is_known_by_its_lines() -> None:
    """Ours or those last seen are sure, any other is possible, but what was credited is not."""
    mine = ours(("a (spes. TR-7K3QF9M2)", 60), ("b", 40))
    edited = ours(("konsulent", 50))
    same = replace(OPEN, id="1", lines=theirs(("b", 40), ("a", 60)))
    half = replace(OPEN, id="2", net=Ore(1), lines=theirs(("a", 60), ("z", 1)))
    as_seen = replace(OPEN, id="3", net=Ore(50), lines=theirs(("konsulent", 50)))
    other = replace(OPEN, id="4", net=Ore(1), lines=theirs(("z", 1)))
    credited = replace(other, id="5", state="credited")
    empty = replace(OPEN, id="6")

    found = alike([mine, edited], [same, half, as_seen, other, credited, empty])

    assert [one.id for one in found.sure] == ["1", "3"]
    assert [one.id for one in found.possible] == ["2", "4", "6"]
    assert alike([[]], [empty]).sure == ()


@pytest.mark.parametrize(
    ("fate", "days", "watched", "wait"),
    [
        (Fate.MISSING, 0, False, SETTLE),
        (Fate.DELETED, 1, True, timedelta(hours=1)),
        (Fate.CREDITED, 1, False, None),
        (Fate.PAID, 30, False, timedelta(days=7)),
        (Fate.CLOSED, 400, False, None),
        (Fate.SENT, 59, False, timedelta(hours=6)),
        (Fate.PART_PAID, 60, False, timedelta(days=1)),
        (Fate.OPEN, 0, False, timedelta(minutes=15)),
        (Fate.EDITED, 13, False, timedelta(hours=1)),
        (Fate.OPEN, 14, False, timedelta(hours=12)),
    ],
)
def test_a_draft_is_looked_at_while_something_may_happen(
    fate: Fate, days: int, watched: bool, wait: timedelta | None
) -> None:
    """Often at first, seldom later, never once it is over."""
    again = next_look(
        fate, created_at=NOW - timedelta(days=days), now=NOW, watched=watched, settle=SETTLE
    )

    assert again == (None if wait is None else NOW + wait)
