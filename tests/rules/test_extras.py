"""Expenses and kilometres are billed only where a person wants them, and once."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from app.canonical import BillingState, Cost, EntryId, Ore, RecordId, TimeEntry
from app.invoicing.lines.extras import extra_id, extras_of, further_lines, split_extras, without
from app.invoicing.lines.lines import Edit
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
    assert split_extras(ALL, WISH) == ({}, {"e3": ["expenses"], "e2": ["kilometres"]})


def test_each_expense_is_a_line_and_all_kilometres_are_one() -> None:
    """With their own codes; a person's edits stand."""
    wish = replace(
        WISH, expense_vat="exempted", kilometre_rate=Ore(350),
        edits={"kilometres": Edit(text="Kjøring", vat_code="low", discount=Decimal(10))},
    )  # fmt: skip

    cost, driving = further_lines(ALL, wish, language="nb", default_vat="high")

    assert (cost.text, cost.net, cost.vat_code) == ("Parkering (02.11.2026)", 5_000, "exempted")
    assert (driving.text, driving.vat_code, driving.net) == ("Kjøring", "low", 3_938)
    assert split_extras(ALL, wish) == ({"e3": ["expenses"], "e2": ["kilometres"]}, {})


def test_kilometres_take_the_usual_code_unless_told_and_need_to_be_driven() -> None:
    """No kilometres, no line."""
    wish = replace(WISH, kilometre_rate=Ore(350))

    (driving,) = further_lines((DRIVEN,), wish, language="en", default_vat="high")

    assert (driving.text, driving.vat_code) == ("Kilometres", "high")
    assert further_lines((PLAIN,), wish, language="en", default_vat="high") == ()


def test_what_is_billed_already_is_taken_off_the_hours() -> None:
    """By a name that is always the same for an hour and what it has."""
    billed = [extra_id("e2", "kilometres"), extra_id("e3", "expenses")]

    left = without(ALL, billed)

    assert [extras_of(entry) for entry in left] == [[], [], []]
    assert [extras_of(entry) for entry in without(ALL, ())] == [["expenses"], ["kilometres"], []]
