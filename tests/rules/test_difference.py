"""Laws of follow-ups: what was billed and what followed is what the line would be today."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.canonical import EntryId, Ore, TimeEntry
from app.invoicing.lines.difference import Changed, agreed_base, corrections, stays, worth
from app.invoicing.lines.lines import Grouping, Line, Style, build_lines, line_net
from app.invoicing.lines.rounding import Direction, Per, Rounding, Worked, billed_minutes
from app.invoicing.lines.shapes import line_to_json
from app.invoicing.lines.snapshot import freeze_entry
from tests.rules.test_lines import MARK, entry

ROUNDINGS = st.none() | st.builds(
    Rounding, st.sampled_from([15, 30, 60]), st.sampled_from(Direction), st.sampled_from(Per)
)


def one_line(
    entries: list[TimeEntry], rounding: Rounding | None = None, discount: str = "0"
) -> Line:
    style = Style(grouping=Grouping.SUM, rounding=rounding, discount=Decimal(discount))
    (line,) = build_lines(entries, style=style, mark=MARK, project_names={}).lines
    return line


def frozen(entries: list[TimeEntry]) -> dict[str, Mapping[str, Any]]:
    return {one.id: freeze_entry(one, project="Nettbutikk") for one in entries}


HOURS = st.lists(
    st.tuples(st.integers(1, 600), st.integers(0, 2), st.integers(0, 600) | st.none()),
    min_size=1, max_size=8,
)  # fmt: skip


@given(HOURS, ROUNDINGS, st.sampled_from(["0", "10", "33.33"]))
def test_billed_and_followed_is_the_line_of_today(
    drawn: list[tuple[int, int, int | None]], rounding: Rounding | None, discount: str
) -> None:
    """Edited, deleted or left alone, at any rounding: hours and billed minutes add up exactly."""
    first = date(2026, 11, 2)
    before = [
        entry(number, minutes, day=first + timedelta(days=day))
        for number, (minutes, day, _) in enumerate(drawn)
    ]
    after = [
        None if now is None else replace(old, minutes=now)
        for old, (_, _, now) in zip(before, drawn, strict=True)
    ]
    line = one_line(before, rounding, discount)
    changes = [
        Changed(str(number), old.id, None if new is None else freeze_entry(new))
        for number, (old, new) in enumerate(zip(before, after, strict=True))
    ]

    found = corrections(line_to_json(line), frozen(before), changes, language="nb")

    pieces = [piece for one in found for piece in one.lines]
    today = [one for one in after if one is not None]
    assert line.billed + sum(p.billed for p in pieces) == billed_minutes(today, rounding)
    timed = any(one.minutes for one in today)
    whole = one_line(today, rounding, discount) if timed else None
    quantity = whole.quantity if whole else Decimal(0)
    assert line.quantity + sum(p.quantity for p in pieces) == quantity
    assert {p.discount for p in pieces} <= {Decimal(discount)}
    assert all(p.net == line_net(p.quantity, p.unit_price, p.discount) for p in pieces)


def test_a_new_rate_takes_the_old_off_and_puts_the_new_on() -> None:
    """Two lines, since different rates never share one; the discount holds for both."""
    old = entry(1, 90)
    line = one_line([old, entry(2, 30)], discount="10")
    new = freeze_entry(replace(old, hourly_rate=Ore(120_000)))

    (one,) = corrections(
        line_to_json(line), frozen([old, entry(2, 30)]), [Changed("c", old.id, new)], language="nb"
    )

    off, on = one.lines
    assert (off.quantity, off.unit_price, off.net) == (Decimal("-1.50"), 95_000, -128_250)
    assert (on.quantity, on.unit_price, on.net) == (Decimal("1.50"), 120_000, 162_000)
    assert off.text == "Korreksjon 20.11.2026 Kari: Nettbutikk"


def test_increments_may_swallow_a_difference() -> None:
    """Ten minutes more of a started hour cost nothing: no line, and nothing doubled later."""
    old = entry(1, 40)
    rounding = Rounding(60, Direction.UP, Per.LINE)
    line = line_to_json(one_line([old], rounding))
    longer = Changed("c", old.id, freeze_entry(replace(old, minutes=50)))

    (one,) = corrections(line, frozen([old]), [longer], language="en")

    assert one.lines == ()
    assert one.before == freeze_entry(old, project="Nettbutikk")


def test_an_hour_without_a_rate_takes_only_the_old_off() -> None:
    """A rate that was taken away leaves nothing to bill of the hour."""
    old = entry(1, 60)
    bare = freeze_entry(replace(old, hourly_rate=None))

    (one,) = corrections(
        line_to_json(one_line([old])), frozen([old]), [Changed("c", old.id, bare)], language="nn"
    )

    assert [(p.quantity, p.net) for p in one.lines] == [(Decimal("-1.00"), -95_000)]


def test_an_hour_that_did_not_count_comes_on_whole() -> None:
    """It was followed up as gone and is back: the whole of it is the difference."""
    kept, back = entry(1, 60), entry(2, 30)

    (one,) = corrections(
        line_to_json(one_line([kept])), frozen([kept]),
        [Changed("c", back.id, freeze_entry(back))], language="nb",
    )  # fmt: skip

    assert one.before is None
    assert [(p.quantity, p.net) for p in one.lines] == [(Decimal("0.50"), 47_500)]


@pytest.mark.parametrize(
    ("hour", "expected"),
    [
        (None, False), ({}, False), ({"customerId": "cus_1"}, True),
        ({"customerId": "cus_2"}, False), ({"minutes": 1}, True),
    ],
)  # fmt: skip
def test_an_hour_stays_with_its_customer_or_does_not(
    hour: dict[str, Any] | None, expected: bool
) -> None:
    """Gone and moved away come to the same for the customer who was billed."""
    assert stays(hour, "cus_1") is expected


def at(minutes: int | None, rate: int = 60_00, customer: str = "cus_1") -> dict[str, Any]:
    """An hour of as many minutes, at a krone a minute; gone without."""
    if minutes is None:
        return {}
    return {"minutes": minutes, "rate": rate, "customerId": customer}


@pytest.mark.parametrize(
    ("states", "now", "expected"),
    [
        ([at(60)], at(90), at(60)),
        ([at(120), at(60)], at(120), at(120)),
        ([at(120), at(60)], at(90), at(90)),
        ([at(120), at(60)], at(50), at(60)),
        ([at(120), at(60)], at(130), at(120)),
        ([at(60), at(90)], at(100), at(90)),
        ([at(60), at(90)], at(50), at(60)),
        ([at(120), at(None)], at(90), at(90)),
        ([at(120), at(None)], None, {}),
        ([at(120), at(60)], None, at(120)),
        ([at(60), at(90)], None, at(60)),
        ([at(120), at(60)], at(60, customer="cus_2"), at(120)),
        ([at(120), at(60), at(None)], None, {}),
        ([at(120), at(120, customer="cus_2")], at(30), at(30)),
        ([at(120), at(60)], at(30, rate=120_00), at(30, rate=120_00)),
        ([at(120), at(60)], at(70, rate=180_00), at(120)),
    ],
)  # fmt: skip
def test_what_a_changed_hour_is_compared_with(
    states: list[dict[str, Any]], now: dict[str, Any] | None, expected: dict[str, Any]
) -> None:
    """As last billed; what was left since agrees to all between; beyond it the nearer counts."""
    assert agreed_base(states, now, "cus_1") == expected


def test_a_snapshot_without_a_rate_is_worth_nothing() -> None:
    """It was billed at no price, so that all it is now is the difference."""
    assert worth({"minutes": 60, "rate": None}, "cus_1") == 0


@pytest.mark.parametrize(("per", "cut"), [(Per.ENTRY, True), (Per.DAY, True), (Per.LINE, False)])
def test_splitting_long_texts_never_bills_more(per: Per, cut: bool) -> None:
    """Twelve times ten minutes by the started hour are two hours, however long the texts are."""
    many = [
        replace(entry(n, 10, day=date(2026, 11, 2 + n // 6)), comment=f"{n} ord " * 20)
        for n in range(12)
    ]
    rounding = Rounding(60, Direction.UP, per)
    style = Style(grouping=Grouping.SUM, template="{comments}", split=True, rounding=rounding)

    lines = build_lines(many, style=style, mark=MARK, project_names={}).lines

    assert sum(line.billed for line in lines) == billed_minutes(many, rounding)
    assert (len(lines) > 1) is cut
    assert sorted(e for line in lines for e in line.entry_ids) == sorted(e.id for e in many)


def test_a_snapshot_is_rounded_as_its_hour() -> None:
    """What is left of an hour is enough to round it by day and person."""
    hour = entry(1, 50)
    left = Worked(EntryId("ent_1"), hour.day, hour.employee_id, 50)
    rounding = Rounding(15, Direction.NEAREST, Per.DAY)
    assert billed_minutes([hour], rounding) == billed_minutes([left], rounding) == 45
