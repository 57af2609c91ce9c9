"""Expenses and kilometres are billed only where a person wants them, and once."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from app.canonical import BillingState, Cost, EntryId, Ore, RecordId, TimeEntry
from app.invoicing.lines.extras import (
    Extra,
    driven_at,
    expense_ore,
    extra_id,
    extra_names,
    extras_of,
    further_lines,
    hours_beside,
    kinds,
    split_extras,
    worthless,
)
from app.invoicing.lines.lines import Edit
from app.invoicing.lines.shapes import line_to_json
from app.invoicing.lines.wish import Wish
from app.systems.shapes import EntryQuery

DAY = date(2026, 11, 2)
PLAIN = TimeEntry(
    EntryId("e1"), 1, "emp", "Kari", DAY, 60, RecordId("c"), None, BillingState.TO_INVOICE
)
DRIVEN = replace(PLAIN, id=EntryId("e2"), kilometers=Decimal("12.5"))
SPENT = replace(PLAIN, id=EntryId("e3"), costs=(Cost("Parkering", Ore(5_000)),))
ALL = (SPENT, DRIVEN, PLAIN)
WISH = Wish(EntryQuery(customer_id=RecordId("c")))


def test_nothing_is_billed_that_nobody_wished_for() -> None:
    """Without a code and a rate there are no further lines."""
    assert further_lines(ALL, WISH, language="nb", default_vat="high") == ()
    takes, leaves = split_extras(ALL, WISH)
    assert (takes, kinds(leaves)) == ({}, {"e3": ["expenses"], "e2": ["kilometres"]})


def test_each_expense_is_a_line_and_all_kilometres_are_one() -> None:
    """With their own codes; a person's edits stand."""
    wish = replace(
        WISH, expense_vat="exempted", kilometre_rate=Ore(350),
        edits={"kilometres": Edit(text="Kjøring", vat_code="low", discount=Decimal(10))},
    )  # fmt: skip

    cost, driving = further_lines(ALL, wish, language="nb", default_vat="high")

    assert (cost.text, cost.net, cost.vat_code) == ("Parkering (02.11.2026)", 5_000, "exempted")
    assert (driving.text, driving.vat_code, driving.net) == ("Kjøring", "low", 3_938)
    takes, leaves = split_extras(ALL, wish)
    assert (kinds(takes), leaves) == ({"e3": ["expenses"], "e2": ["kilometres"]}, {})


def test_a_line_says_of_which_hours_it_bills_expenses_and_kilometres() -> None:
    """Known by its key, as it was frozen; a line of time, and one of nobody's hour, says none."""
    odd = replace(SPENT, id=EntryId("cost-e-9"))
    wish = replace(WISH, expense_vat="exempted", kilometre_rate=Ore(350))
    lines = further_lines((*ALL, odd), wish, language="nb", default_vat="high")
    billed = extra_names(split_extras((*ALL, odd), wish)[0])
    alone = {"key": "kilometres-e2", "entryIds": ["e2"]}
    time = {"key": "0a1b2c3d4e5f", "entryIds": ["e1"]}

    found = [hours_beside(line_to_json(line), billed) for line in lines]

    assert found == [["cost-e-9"], ["e3"], ["e2"]]
    assert (hours_beside(alone, {}), hours_beside(time, billed)) == (["e2"], [])
    assert hours_beside({"key": "cost-e7-0", "entryIds": []}, billed) == []


def test_kilometres_take_the_usual_code_unless_told_and_need_to_be_driven() -> None:
    """No kilometres, no line."""
    wish = replace(WISH, kilometre_rate=Ore(350))

    (driving,) = further_lines((DRIVEN,), wish, language="en", default_vat="high")

    assert (driving.text, driving.vat_code) == ("Kilometres", "high")
    assert further_lines((PLAIN,), wish, language="en", default_vat="high") == ()


@pytest.mark.parametrize(("language", "word"), [("nb", "Utlegg"), ("en", "Expense")])
@pytest.mark.parametrize("text", ["", " \n"])
def test_an_expense_without_a_text_is_called_what_it_is(
    language: str, word: str, text: str
) -> None:
    spent = replace(SPENT, costs=(Cost(text, Ore(5_000)),))
    wish = replace(WISH, expense_vat="exempted")

    (cost,) = further_lines((spent,), wish, language=language, default_vat="high")

    assert cost.text == f"{word} (02.11.2026)"


def what(*costs: tuple[str, int], billed: tuple[str, ...] = ()) -> list[str]:
    """Give the texts of an hour's expenses that are still to be billed."""
    hour = replace(PLAIN, costs=tuple(Cost(text, Ore(amount)) for text, amount in costs))
    taken = {"e1": {extra_id("e1", one) for one in billed}}
    return [one.cost.description for one in extras_of(hour, taken) if one.cost]


PARKING, TOLL = ("Parkering", 5_000), ("Bom", 3_000)
PARKED, PARKED_AGAIN = "expenses/5000/0/Parkering", "expenses/5000/1/Parkering"


def test_each_expense_is_billed_once_by_what_it_is() -> None:
    """One that came later is billed by itself; two alike are two; one of no kroner is none."""
    assert what(PARKING, TOLL) == ["Parkering", "Bom"]
    assert what(PARKING, TOLL, billed=(PARKED,)) == ["Bom"]
    assert what(TOLL, PARKING, billed=(PARKED,)) == ["Bom"]
    assert what(PARKING, PARKING, billed=(PARKED,)) == ["Parkering"]
    assert what(PARKING, PARKING, billed=(PARKED, PARKED_AGAIN)) == []
    assert what(("Gratis", 0)) == []
    assert worthless([replace(PLAIN, costs=(Cost("Gratis", Ore(0)),)), SPENT]) == ["e1"]


def test_an_expense_that_changed_after_it_was_billed_is_not_billed_again() -> None:
    """90 instead of 120 kroner may be the same parking: a person mends that in the books."""
    assert what(("Parkering", 9_000), billed=(PARKED,)) == []
    assert what(PARKING, TOLL, billed=("expenses",)) == [], "all of them, under one name"


def test_kilometres_are_billed_once_beside_expenses() -> None:
    """By a name that is always the same for an hour."""
    both = replace(SPENT, kilometers=Decimal(10))
    driven = {"e3": {extra_id("e3", "kilometres")}}

    assert extra_names({"e3": extras_of(both)}) == {"e3": [PARKED, "kilometres"]}
    assert [one.kind for one in extras_of(both, driven)] == ["expenses"]
    assert extras_of(DRIVEN) == [Extra("kilometres")]


def test_an_expenses_name_says_what_it_came_to() -> None:
    """Also one with a stroke in its text; that of kilometres, or of all expenses at once, not."""
    assert expense_ore("expenses/-5000/0/Bom/ferje") == -5_000
    assert [expense_ore(one) for one in ("kilometres", "expenses")] == [None, None]


def test_a_draft_says_how_far_each_hour_was_driven_and_at_what_rate() -> None:
    wish = replace(WISH, kilometre_rate=Ore(350))
    takes, _ = split_extras(ALL, wish)

    assert driven_at(ALL, takes, Ore(350)) == {"e2": {"driven": "12.50", "rate": 350}}
    assert driven_at(ALL, {}, None) == {}
