"""Everything that stands against a draft is named at once, before anything is sent."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from app.canonical import BillingState, Customer, EntryId, Ore, Project, RecordId, TimeEntry
from app.invoicing.lines.lines import Line, priced, summed
from app.invoicing.previews.objections import (
    MOST_LINES,
    Objection,
    Partners,
    VatSaid,
    not_included,
    objections,
    useless_edits,
)

MARK = "TR-7K3QF9M2"
HERE = Partners(Customer(RecordId("1"), "Kunde AS"))


def line(text: str = "Timer", quantity: str = "1.00", price: int = 95_000, **more: str) -> Line:
    made = Line(
        text=text, minutes=60, quantity=Decimal(quantity), unit_price=Ore(price), vat_code="high",
        net=Ore(0), vat=Ore(0), entry_ids=(),
    )  # fmt: skip
    return priced(replace(made, discount=Decimal(more.get("discount", "0"))))


def found(*lines: Line, partners: Partners = HERE) -> list[tuple[str, int | None]]:
    told = objections(
        (), summed(lines), mark=MARK, partners=partners, vat_said={}, today=date(2026, 11, 24)
    )
    return [(one["code"], one.get("line")) for one in told if one["blocking"]]


def test_all_faults_of_all_lines_at_once() -> None:
    """Quantity 0, negative, 10^9, discount 100, 501 characters, only tags: each with its line."""
    told = found(
        line(), line(quantity="0.00"), line(quantity="-1.00"), line(quantity="1000000000"),
        line(discount="100"), line("x" * 501), line("<b> </b>"), line(" "), line("se TR-AAAAAAAA"),
    )  # fmt: skip

    assert set(told) >= {
        ("line-zero", 2), ("line-negative", 3), ("line-too-large", 4), ("line-zero", 5),
        ("text-too-long", 6), ("text-only-tags", 7), ("text-empty", 8), ("text-holds-mark", 9),
        ("total-too-large", None),
    }  # fmt: skip
    assert not any(place == 1 for _, place in told)


def test_the_longest_text_and_its_own_mark_are_fine() -> None:
    """500 characters fit, and the draft's own mark is no foreign one."""
    assert found(line("x" * 500), line(f"Timer (spes. {MARK})")) == []


def test_too_many_lines_and_a_negative_total() -> None:
    """The whole is judged too."""
    assert ("too-many-lines", None) in found(*[line()] * (MOST_LINES + 1))
    assert ("total-negative", None) in found(line(), line(quantity="-2.00"))


def test_partners_are_judged_as_the_books_have_them() -> None:
    """Customer gone, project gone, project of another customer: each refused before sending."""
    customer = Customer(RecordId("1"), "Kunde AS")
    other = Project(RecordId("7"), "P", customer_id=RecordId("2"))

    assert found(line(), partners=Partners(None)) == [("customer-gone", None)]
    assert found(
        line(), partners=Partners(customer, None, project_wanted=True, project_linked=True)
    ) == [("project-gone", None)]
    assert found(
        line(), partners=Partners(customer, other, project_wanted=True, project_linked=True)
    ) == [("project-customer-differs", None)]


def every(*lines: Line, **more: Any) -> list[Objection]:
    facts: dict[str, Any] = {"partners": HERE, "vat_said": {}, "entries": (), **more}
    return objections(
        facts["entries"], summed(lines), mark=MARK, partners=facts["partners"],
        vat_said=facts["vat_said"], today=date(2026, 11, 24),
    )  # fmt: skip


def told(*lines: Line, **more: Any) -> list[str]:
    return [one["code"] for one in every(*lines, **more) if not one["blocking"]]


def test_what_only_needs_to_be_known_is_told_and_stops_nothing() -> None:
    """An archived customer, a project without partner or hidden; a code the books refused."""
    archived = Partners(Customer(RecordId("1"), "Kunde AS", active=False), project_wanted=True)
    hidden = Partners(
        HERE.customer, Project(RecordId("7"), "P", customer_id=None, active=False),
        project_wanted=True, project_linked=True,
    )  # fmt: skip
    at = datetime(2026, 11, 1, tzinfo=UTC)
    refused, accepted = (
        {"high": VatSaid(accepted=False, at=at)},
        {"high": VatSaid(accepted=True, at=at)},
    )

    assert told(line(), partners=archived) == [
        "customer-archived", "project-not-linked", "vat-code-untried",
    ]  # fmt: skip
    assert told(line(), partners=hidden, vat_said=accepted) == ["project-hidden"]
    assert told(line(), vat_said=refused) == ["vat-code-refused-before"]
    among_others = {"high": VatSaid(accepted=False, at=at, alone=False)}
    assert told(line(), vat_said=among_others) == ["vat-code-doubtful"]
    assert told(line(), partners=replace(hidden, customer=None), vat_said=accepted) == [
        "project-hidden"
    ]


def test_hours_near_and_past_the_month_are_named() -> None:
    """The law lets an invoice wait a month; each hour stands in one of the two lists."""
    entries = [
        TimeEntry(EntryId(str(day)), 1, "emp", "Kari", day, 60, None, None, BillingState.TO_INVOICE)
        for day in (date(2026, 10, 1), date(2026, 10, 27), date(2026, 11, 23))
    ]

    found = {
        one["code"]: one["entries"] for one in every(line(), entries=entries) if "entries" in one
    }

    assert found == {
        "past-billing-limit": ["2026-10-01"], "close-to-billing-limit": ["2026-10-27"],
    }  # fmt: skip


def test_what_is_left_out_and_edits_without_a_line_are_told() -> None:
    """Nothing that a person wrote is lost in silence."""
    lines = summed([replace(line(), key="a")])

    assert [one["entries"] for one in not_included({"e1": ["expenses"]})] == [["e1"]]
    assert list(not_included({})) == []
    assert [one["lines"] for one in useless_edits(lines, ["a", "b"], [0, 1, 2])] == [["b"], [0, 2]]
    assert list(useless_edits(lines, ["a"], [1])) == []
