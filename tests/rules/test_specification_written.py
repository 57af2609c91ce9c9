"""The time specification says each hour and each line as they were frozen."""

import csv
import io
from typing import Any

import pytest

from app.invoicing.papers.specification import as_csv, as_print, sheet_of

MARK = "TR-7K3QF9M2"


def hour(**more: Any) -> dict[str, Any]:
    return {
        "employeeId": "emp_1", "employeeName": "Kari", "day": "2026-11-02", "minutes": 90,
        "rate": 95_000, "project": "Kai 3", "comment": "Møte\nog notat", **more,
    }  # fmt: skip


def line(*entries: str, **more: Any) -> dict[str, Any]:
    return {
        "text": "Timer", "minutes": 90, "quantity": "1.50", "unitPrice": 95_000, "net": 142_500,
        "entryIds": list(entries), **more,
    }  # fmt: skip


def body(**about: Any) -> dict[str, Any]:
    return {
        "about": {"language": "nb", "customer": "Kunde AS", **about},
        "entries": {
            "e1": hour(), "e2": hour(employeeName="=Ola", employeeId="emp_2", project=None,
                                     rate=None, overtimeType="50 %", comment=None),
        },
        "lines": [line("e1", "gone"), line("e2", discount="10", rounding=True, billed=120, net=-1)],
    }  # fmt: skip


def test_the_printed_form_groups_by_person_and_says_period_and_sums() -> None:
    """All texts are finished; a rounding and a discount are said where they are."""
    paper = as_print(sheet_of(MARK, body(), seller="Selger AS"))

    assert [value for _, value in paper["facts"]] == [
        "Selger AS", "Kunde AS", "02.11.2026–02.11.2026", "3,00", "1\N{NO-BREAK SPACE}424,99",
    ]  # fmt: skip
    assert [group["name"] for group in paper["groups"]] == ["=Ola", "Kari"]
    assert paper["groups"][1]["rows"] == [
        ["02.11.2026", "Kai 3", "Møte og notat", "90", "1,50", "950,00", "1"]
    ]
    assert paper["groups"][0]["rows"][0][1:3] == ["", "50 %"]
    assert paper["groups"][0]["sum"] == "Sum: 90 minutter, 1,50 timer"
    assert paper["lines"]["rows"][1] == [
        "2", "Timer [Avrunding: 1,50 arbeidet, 2,00 fakturert]", "1,50", "950,00", "10 %", "-0,01",
    ]  # fmt: skip


def test_signs_that_no_font_has_are_spelled_out_on_the_paper_alone() -> None:
    """A table keeps them: a spreadsheet has fonts of its own."""
    sheet = sheet_of(
        MARK,
        {"entries": {"e1": hour(comment="Bra \U0001f44d 中文", project="Łódź Жанна Ελλάς čŋđ €")},
         "lines": [line("e1", text="Møte \u6587")]},
        seller="Selger AS",
    )  # fmt: skip

    paper = as_print(sheet)

    (row,) = paper["groups"][0]["rows"]
    assert row[1:3] == ["Łódź Жанна Ελλάς čŋđ €", "Bra [U+1F44D] [U+4E2D][U+6587]"]
    assert paper["lines"]["rows"][0][1] == "Møte [U+6587]"
    assert "Bra \U0001f44d 中文" in as_csv(sheet).decode()


def test_a_word_that_fits_no_column_may_be_folded() -> None:
    """Every ten letters, in the printed form only; words that people use stay whole."""
    long, whole = "x" * 25, "Prosjektledelse"
    entries = {"e1": hour(project=long, comment=whole)}
    sheet = sheet_of(MARK, {"entries": entries, "lines": [line("e1")]}, seller="Selger AS")

    (row,) = as_print(sheet)["groups"][0]["rows"]

    assert row[1].split("\N{ZERO WIDTH SPACE}") == ["x" * 10, "x" * 10, "x" * 5]
    assert row[2] == whole
    assert "\N{ZERO WIDTH SPACE}" not in as_csv(sheet).decode()


def test_a_paper_without_hours_has_no_period() -> None:
    """A draft of expenses only has no days; nothing is made up for them."""
    paper = as_print(sheet_of(MARK, {"entries": {}, "lines": [line()]}, seller="Selger AS"))

    assert paper["facts"][2] == ["Periode", ""]
    assert paper["groups"] == []


def test_the_table_tames_what_a_spreadsheet_would_take_for_a_formula() -> None:
    """A row for each hour, each line and the sum."""
    rows = as_csv(sheet_of(MARK, body(language="en"), seller="Selger AS")).decode("utf-8-sig")
    cells = [row.split(";") for row in rows.splitlines()]

    assert [row[2] for row in cells] == ["Kind", "Hour", "Hour", "Line", "Line", "Sum"]
    assert (cells[1][3], cells[2][3]) == ("'=Ola", "Kari")


@pytest.mark.parametrize(
    ("language", "customer", "net"),
    [("nb", "Kunde", "Netto"), ("nn", "Kunde", "Netto"), ("en", "Customer", "Net")],
)
def test_the_table_names_the_customer_and_writes_amounts_as_numbers(
    language: str, customer: str, net: str
) -> None:
    """Each row says whose assignment it was; thousands have no space that makes a number a text."""
    dear = {"e1": hour(rate=123_456_789)}
    lines = [line("e1", net=-123_456_789, unitPrice=123_456_789)]
    frozen = {**body(language=language, customer="=Kunde AS"), "entries": dear, "lines": lines}
    text = as_csv(sheet_of(MARK, frozen, seller="Selger AS")).decode("utf-8-sig")

    head, *rows = csv.reader(io.StringIO(text), delimiter=";")
    named = [dict(zip(head, row, strict=True)) for row in rows]

    assert {row[customer] for row in named} == {"'=Kunde AS"}
    assert [row[net] for row in named] == ["", "-1234567,89", "-1234567,89"]
    assert "\N{NO-BREAK SPACE}" not in text
    assert text.count("1234567,89") == 4


def test_a_follow_up_shows_an_hour_as_it_was_billed_and_as_it_is() -> None:
    """What is taken off comes first, below zero; an hour that is gone has no second row."""
    corrections = [
        {"entryId": "e7", "lines": [1], "before": hour(), "now": hour(minutes=120)},
        {"entryId": "e8", "lines": [], "before": hour(day="2026-11-03"), "now": None},
        {"entryId": "e9", "lines": [1], "before": None, "now": hour(day="2026-11-04")},
    ]
    sheet = sheet_of(MARK, {**body(corrections=corrections), "entries": {}}, seller="Selger AS")

    assert [(one.entry_id, one.minutes) for one in sheet.hours] == [
        ("e7", -90), ("e7", 120), ("e8", -90), ("e9", 90),
    ]  # fmt: skip
    rows = as_print(sheet)["groups"][0]["rows"]
    assert rows[0][2] == "Fakturert før · Møte og notat"
    assert rows[2][6] == ""
