"""Laws of text templates and billing increments."""

import contextlib
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.canonical import BillingState, EntryId, Ore, RecordId, TimeEntry
from app.invoicing.lines.lines import Edit, Grouping, Lines, Style, build_lines, line_net
from app.invoicing.lines.rounding import Direction, Per, Rounding, billed_minutes
from app.invoicing.lines.template import VARIABLES, TemplateError, check_template, fill, one_line

MARK = "TR-7K3QF9M2"


def entry(
    number: int, minutes: int = 60, *, rate: int = 95_000, comment: str | None = None,
    day: date = date(2026, 11, 20), person: str = "emp_1",
) -> TimeEntry:  # fmt: skip
    return TimeEntry(
        id=EntryId(f"ent_{number}"), version=1, employee_id=person, employee_name="Kari",
        day=day, minutes=minutes, customer_id=RecordId("cus_1"), project_id=RecordId("prj_1"),
        billing=BillingState.TO_INVOICE, hourly_rate=Ore(rate), comment=comment,
    )  # fmt: skip


def built(entries: list[TimeEntry], style: Style) -> Lines:
    names = {RecordId("prj_1"): "Nettbutikk"}
    return build_lines(entries, style=style, mark=MARK, project_names=names)


@given(st.text(max_size=60))
def test_any_template_is_refused_or_filled(template: str) -> None:
    """No template raises anything but its own error, and a filled one is one clean line."""
    with contextlib.suppress(TemplateError):
        check_template(template)

    text = fill(template, dict.fromkeys(VARIABLES, "x"))

    assert text == one_line(text)


@given(st.sampled_from(sorted(VARIABLES)), st.text(max_size=40))
def test_what_a_variable_holds_is_never_read_as_a_template(name: str, value: str) -> None:
    """A comment with braces in it is printed as it is."""
    filled = fill(f"a {{{name}}} b", {name: f"{{project}}{value}{{x"})

    assert "{project}" in filled


@pytest.mark.parametrize(
    ("template", "what", "place"),
    [("{kunde}", "{kunde}", 1), ("a {project", "{", 3), ("b}", "}", 2), ("{project.x}", None, 1)],
)
def test_a_wrong_template_names_its_place(template: str, what: str | None, place: int) -> None:
    """The person is told which piece at which character."""
    with pytest.raises(TemplateError) as caught:
        check_template(template)

    assert caught.value.place == place
    assert what is None or caught.value.what == what


def test_braces_can_be_written() -> None:
    """Two braces are one."""
    check_template("{{a}} {project}")

    assert fill("{{a}} {project}", {"project": "P"}) == "{a} P"


@pytest.mark.parametrize(
    ("language", "expected"), [("nb", "uke 47: 20.11.2026"), ("nn", "veke 47: 20.11.2026"),
                               ("en", "week 47: 2026-11-20")],
)  # fmt: skip
def test_words_and_days_are_the_languages_own(language: str, expected: str) -> None:
    """A line's words follow the customer's language."""
    style = Style(grouping=Grouping.SUM, template="{week}: {period}", language=language)

    assert built([entry(1)], style).lines[0].text == f"{expected} (spes. {MARK})"


@pytest.mark.parametrize(
    ("minutes", "rounding", "billed"),
    [
        ([20, 20, 20], None, 60),
        ([20, 20, 20], Rounding(15, Direction.UP, Per.ENTRY), 90),
        ([20, 20, 20], Rounding(15, Direction.UP, Per.LINE), 60),
        ([7, 8], Rounding(15, Direction.NEAREST, Per.ENTRY), 15),
        ([1], Rounding(60, Direction.UP, Per.LINE), 60),
        ([45], Rounding(30, Direction.NEAREST, Per.LINE), 60),
        ([44], Rounding(30, Direction.NEAREST, Per.LINE), 30),
    ],
)
def test_increments(minutes: list[int], rounding: Rounding | None, billed: int) -> None:
    """Quarter, half or whole hours, up or to the nearest, a half going up."""
    entries = [entry(n, m) for n, m in enumerate(minutes)]

    assert billed_minutes(entries, rounding) == billed


def test_a_days_increment_is_each_persons_own() -> None:
    """Two people on one day are rounded each; one person's two entries together."""
    rounding = Rounding(60, Direction.UP, Per.DAY)
    entries = [entry(1, 10), entry(2, 10), entry(3, 10, person="emp_2")]

    assert billed_minutes(entries, rounding) == 120


@given(
    st.lists(st.integers(1, 1440), min_size=1, max_size=30), st.sampled_from([15, 30, 60]),
    st.sampled_from(Per),
)  # fmt: skip
def test_rounding_up_never_loses_a_minute_and_stays_below_a_step_each(
    minutes: list[int], step: int, per: Per
) -> None:
    """What is billed is a multiple of the increment, at least what was worked."""
    entries = [entry(n, m) for n, m in enumerate(minutes)]

    billed = billed_minutes(entries, Rounding(step, Direction.UP, per))

    assert billed % step == 0
    assert sum(minutes) <= billed < sum(minutes) + step * len(minutes)


@pytest.mark.parametrize(
    ("quantity", "price", "discount", "net"),
    [("1.00", 95_000, "0", 95_000), ("0.33", 95_000, "10", 28_215), ("1.00", 1, "50", 1),
     ("2.08", 125_050, "12.5", 227_591), ("1.00", 95_000, "100", 0)],
)  # fmt: skip
def test_a_discount_is_taken_before_the_one_rounding(
    quantity: str, price: int, discount: str, net: int
) -> None:
    """Printed hours times printed price less the printed percent, half-up once."""
    assert line_net(Decimal(quantity), Ore(price), Decimal(discount)) == net


def test_an_edit_follows_its_line_though_hours_came() -> None:
    """The key of a line is its group's: a new hour in it keeps what the person wrote."""
    style = Style(grouping=Grouping.PROJECT)
    key = built([entry(1)], style).lines[0].key
    edited = Style(
        grouping=Grouping.PROJECT,
        edits={key: Edit(text="Rådgivning", vat_code="exempted", discount=Decimal(10))},
    )

    line = built([entry(1), entry(2)], edited).lines[0]

    assert (line.key, line.text) == (key, f"Rådgivning (spes. {MARK})")
    assert (line.vat_code, line.net) == ("exempted", 171_000)


def test_a_too_long_text_is_split_by_hours_never_cut() -> None:
    """Each part fits, each hour is in exactly one part, and nothing is dropped from the text."""
    entries = [entry(n, comment=f"Kommentar {n} " + "x" * 60) for n in range(40)]
    style = Style(grouping=Grouping.PROJECT, template="{project}: {comments}", split=True)

    lines = built(entries, style).lines

    assert len(lines) > 1
    assert all(len(line.text) <= 500 for line in lines)
    assert sorted(e for line in lines for e in line.entry_ids) == sorted(e.id for e in entries)
    assert len({line.key for line in lines}) == len(lines)
    assert all(f"Kommentar {n} " in " ".join(li.text for li in lines) for n in range(40))


def test_the_order_a_person_wants_is_kept() -> None:
    """Named lines come first, in that order; the mark goes with the first."""
    entries = [entry(1), entry(2), entry(3)]
    keys = [line.key for line in built(entries, Style(grouping=Grouping.ENTRY)).lines]

    lines = built(entries, Style(grouping=Grouping.ENTRY, order=[keys[2], keys[0]])).lines

    assert [line.key for line in lines] == [keys[2], keys[0], keys[1]]
    assert MARK in lines[0].text
