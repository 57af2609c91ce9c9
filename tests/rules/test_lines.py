"""Laws of the lines: every entry once, minutes summed first, totals equal to the øre."""

import os
from collections import Counter
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import ceil
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.canonical import BillingState, EntryId, Ore, RecordId, TimeEntry
from app.invoicing.lines.lines import Grouping, Lines, Style, build_lines, hours, line_net
from app.invoicing.lines.mark import ALPHABET, make_mark, marks_in, with_mark, without_mark
from app.invoicing.lines.rounding import Direction, Per, Rounding
from app.invoicing.lines.vat import PERCENT, expected_vat

MARK = "TR-7K3QF9M2"


def entry(
    number: int,
    minutes: int = 60,
    *,
    rate: int = 95_000,
    project: str | None = "prj_1",
    day: date = date(2026, 11, 20),
    overtime: str | None = None,
) -> TimeEntry:
    return TimeEntry(
        id=EntryId(f"ent_{number}"), version=1, employee_id="emp_1", employee_name="Kari",
        day=day, minutes=minutes, customer_id=RecordId("cus_1"),
        project_id=RecordId(project) if project else None, billing=BillingState.TO_INVOICE,
        hourly_rate=Ore(rate), overtime_type=overtime,
    )  # fmt: skip


ENTRIES = st.lists(
    st.builds(
        lambda number, minutes, rate, project, days, overtime: entry(
            number, minutes, rate=rate, project=project,
            day=date(2026, 1, 1) + timedelta(days=days), overtime=overtime,
        ),
        st.integers(0, 10_000), st.integers(1, 1_440), st.integers(1, 500_000),
        st.sampled_from([None, "prj_1", "prj_2"]), st.integers(0, 400),
        st.sampled_from([None, "Overtid 50 %"]),
    ),
    min_size=1, max_size=40, unique_by=lambda e: e.id,
)  # fmt: skip
GROUPINGS = st.sampled_from(Grouping)
NAMES = {RecordId("prj_1"): "Nettbutikk", RecordId("prj_2"): "Årsoppgjør"}


def built(entries: list[TimeEntry], grouping: Grouping, vat_code: str = "high") -> Lines:
    style = Style(grouping=grouping, vat_code=vat_code)
    return build_lines(entries, style=style, mark=MARK, project_names=NAMES)


@given(ENTRIES, GROUPINGS)
def test_every_entry_is_in_exactly_one_line(entries: list[TimeEntry], grouping: Grouping) -> None:
    """No hour is lost and none is billed twice."""
    lines = built(entries, grouping)

    assert Counter(e for line in lines.lines for e in line.entry_ids) == Counter(
        e.id for e in entries
    )


@given(ENTRIES, GROUPINGS, st.randoms(use_true_random=False))
def test_the_order_of_the_entries_does_not_matter(
    entries: list[TimeEntry], grouping: Grouping, random: Random
) -> None:
    """Paging and sorting of the time system change nothing."""
    mixed = list(entries)
    random.shuffle(mixed)

    assert built(mixed, grouping) == built(entries, grouping)


@given(ENTRIES, GROUPINGS)
def test_different_rates_never_share_a_line(entries: list[TimeEntry], grouping: Grouping) -> None:
    """Each line has one price, the one of all its entries."""
    rates = {e.id: e.hourly_rate for e in entries}

    for line in built(entries, grouping).lines:
        assert {rates[e] for e in line.entry_ids} == {line.unit_price}


@given(ENTRIES, GROUPINGS, st.sampled_from(sorted(PERCENT)))
def test_the_sums_are_those_of_an_independent_computation(
    entries: list[TimeEntry], grouping: Grouping, vat_code: str
) -> None:
    """Hours, line, VAT and totals are recomputed in exact fractions and agree to the øre."""
    lines = built(entries, grouping, vat_code)
    minutes = {e.id: e.minutes for e in entries}

    for line in lines.lines:
        summed = sum(minutes[e] for e in line.entry_ids)
        printed = _half_up(Fraction(summed, 60) * 100)
        assert line.minutes == summed
        assert line.quantity == Decimal(printed) / 100
        assert line.net == _half_up(Fraction(printed * line.unit_price, 100))
        assert line.vat == _half_up(Fraction(line.net * PERCENT[vat_code], 100))
    assert lines.net == sum(line.net for line in lines.lines)
    assert lines.total == lines.net + sum(line.vat for line in lines.lines)


def _half_up(value: Fraction) -> int:
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


@given(ENTRIES, GROUPINGS)
def test_rounding_drifts_less_than_one_step_a_line(
    entries: list[TimeEntry], grouping: Grouping
) -> None:
    """The printed hours of a line are within half a hundredth of the true ones."""
    for line in built(entries, grouping).lines:
        assert abs(line.quantity - Decimal(line.minutes) / 60) <= Decimal("0.005")


def test_three_times_twenty_minutes_is_one_hour() -> None:
    """Minutes are summed before they are converted: 1.00 hour, not 0.99."""
    lines = built([entry(1, 20), entry(2, 20), entry(3, 20)], Grouping.PROJECT)

    assert [line.quantity for line in lines.lines] == [Decimal("1.00")]
    assert lines.net == 95_000


@pytest.mark.parametrize("grouping", list(Grouping))
def test_no_hours_are_no_lines(grouping: Grouping) -> None:
    """And no line is made up to carry the mark."""
    nothing = built([], grouping)

    assert (nothing.lines, nothing.net) == ((), 0)


def test_the_mark_stands_in_the_first_line_only() -> None:
    """The draft can be found by its first line."""
    lines = built([entry(1), entry(2)], Grouping.ENTRY).lines

    assert [marks_in(line.text) for line in lines] == [frozenset({MARK}), frozenset()]


def test_a_persons_own_text_replaces_ours_and_keeps_the_mark() -> None:
    """What the person wrote is printed; the mark is added to the first line."""
    lines = build_lines(
        [entry(1), entry(2)],
        style=Style(grouping=Grouping.ENTRY, texts={1: "Rådgivning", 2: "Reise"}),
        mark=MARK,
        project_names=NAMES,
    )

    assert [line.text for line in lines.lines] == [with_mark("Rådgivning", MARK), "Reise"]


def test_texts_read_as_a_bookkeeper_expects() -> None:
    """An entry's line says day, person, project and comment; a project's line its period."""
    one = built([entry(1)], Grouping.ENTRY).lines[0].text
    many = built([entry(1), entry(2, day=date(2026, 11, 24))], Grouping.PROJECT).lines[0].text

    assert one == f"20.11.2026 Kari: Nettbutikk (spes. {MARK})"
    assert many == f"Nettbutikk: 20.11.2026–24.11.2026 (spes. {MARK})"


def test_overtime_never_shares_a_line_with_plain_hours() -> None:
    """Overtime of a project is a line of its own and says so."""
    lines = built([entry(1), entry(2, overtime="Overtid 50 %")], Grouping.PROJECT).lines

    assert len(lines) == 2
    assert lines[1].text.endswith("Overtid 50 %")


@pytest.mark.parametrize(
    ("minutes", "expected"), [(20, "0.33"), (45, "0.75"), (1, "0.02"), (90, "1.50"), (125, "2.08")]
)
def test_minutes_become_hours_half_up(minutes: int, expected: str) -> None:
    """Two decimals, half-up."""
    assert str(hours(minutes)) == expected


def test_half_an_ore_rounds_up() -> None:
    """0.5 øre is one øre: never a banker's rounding, never a float."""
    assert line_net(Decimal("0.50"), Ore(1)) == 1
    assert line_net(Decimal("0.05"), Ore(1250)) == 63
    assert expected_vat(Ore(2), "high") == 1


@given(st.integers(0, 2**40 - 1), st.integers(0, 2**40 - 1))
def test_marks_are_found_again_and_differ(first: int, second: int) -> None:
    """A mark written into a text is found there; different bits give different marks."""
    mark = make_mark(first)

    assert marks_in(with_mark("Timer", mark)) == {mark}
    assert (make_mark(second) == mark) == (first == second)
    assert set(mark[3:]) <= set(ALPHABET)


def test_hours_agree_with_decimal_arithmetic() -> None:
    """The conversion is the plain one for a whole day of minutes."""
    for minutes in range(1, 1441):
        exact = Decimal(minutes) / Decimal(60)
        assert hours(minutes) == exact.quantize(Decimal("0.01"), ROUND_HALF_UP)


def thousands(usual: int) -> range:
    """Give the seeds of a run: as many as usual, or as a night asks for."""
    return range(int(os.environ.get("THOUSANDS", usual)))


def a_thousand(seed: int) -> tuple[list[TimeEntry], Style]:
    """
    Draw a thousand hours and how they are billed: grouping, increment, discount, VAT code.

    Hours over midnight and on days that have 23, 25 or a 29 February belong to the day and minutes
    that Timerabbit gives; no clock is ever subtracted here.
    """
    random = Random(seed)
    days = [date(2028, 2, 29), date(2026, 3, 29), date(2026, 10, 25), date(2026, 12, 31)]
    entries = [
        entry(
            number, random.randint(1, 1440), rate=random.randint(1, 300_000),
            project=random.choice([None, "prj_1", "prj_2"]), day=random.choice(days),
            overtime=random.choice([None, "Overtid 50 %"]),
        )
        for number in range(1000)
    ]  # fmt: skip
    discount = Decimal(random.randint(0, 9999)) / 100
    rounding = random.choice(
        [None, *(Rounding(m, d, p) for m in (15, 30, 60) for d in Direction for p in Per)]
    )
    grouping = list(Grouping)[seed % len(Grouping)]
    vat_code = random.choice(sorted(PERCENT))
    return entries, Style(
        grouping=grouping, discount=discount, rounding=rounding, vat_code=vat_code
    )


@pytest.mark.parametrize("seed", thousands(20))
def test_a_thousand_random_hours_add_up_in_exact_fractions(seed: int) -> None:
    """
    Every grouping, increment and discount, recomputed independently: 20,000 hours a run, two
    million in a night (`make nightly`).
    """
    entries, style = a_thousand(seed)
    rounding, discount = style.rounding, style.discount

    lines = build_lines(entries, style=style, mark=MARK, project_names=NAMES)

    minutes = {e.id: e for e in entries}
    net = vat = 0
    for line in lines.lines:
        buckets: dict[object, int] = {}
        for one in line.entry_ids:
            own = minutes[one]
            key: object = {
                Per.ENTRY: one, Per.DAY: (own.day, own.employee_id), Per.LINE: 0,
            }[rounding.per if rounding else Per.LINE]  # fmt: skip
            buckets[key] = buckets.get(key, 0) + own.minutes
        billed = sum(_stepped(m, rounding) for m in buckets.values())
        printed = _half_up(Fraction(billed * 100, 60))
        exact = Fraction(printed * line.unit_price, 100) * (100 - Fraction(discount)) / 100
        assert (line.billed, line.net) == (billed, _half_up(exact))
        assert line.vat == _half_up(Fraction(line.net * PERCENT[line.vat_code], 100))
        net, vat = net + line.net, vat + line.vat
    assert (lines.net, lines.vat, lines.total) == (net, vat, net + vat)
    assert sorted(e for line in lines.lines for e in line.entry_ids) == sorted(minutes)


def _stepped(minutes: int, rounding: Rounding | None) -> int:
    if rounding is None:
        return minutes
    steps = Fraction(minutes, rounding.minutes)
    if rounding.direction is Direction.UP:
        return ceil(steps) * rounding.minutes
    return _half_up(steps) * rounding.minutes


def test_a_projects_own_rounding_goes_before_the_general_one() -> None:
    """Also where its own is none; an hour without project takes the general one."""
    general = Rounding(30, Direction.UP, Per.LINE)
    own = Rounding(15, Direction.NEAREST, Per.ENTRY)
    roundings = {RecordId("prj_1"): own, RecordId("prj_2"): None}
    style = Style(rounding=general, roundings=roundings)
    projects = ("prj_1", "prj_2", "prj_3", None)

    found = [style.rounding_of(entry(1, project=project)) for project in projects]

    assert found == [own, None, general, general]


def test_a_mark_is_taken_off_whole_or_half() -> None:
    assert without_mark(with_mark("Tilbygg", MARK)) == "Tilbygg"
    assert without_mark(f"Tilbygg {MARK}") == "Tilbygg"
    assert without_mark("Tilbygg (spes. )") == "Tilbygg"
