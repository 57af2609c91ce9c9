"""An hour says all at once why it cannot be billed; days are days in Oslo."""

from calendar import monthrange
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.canonical import BillingState, EntryId, Ore, RecordId, TimeEntry
from app.invoicing.unbilled.hindrances import (
    Hindrance,
    Surroundings,
    close_to_limit,
    hindrances,
    last_in_time,
    oslo_day,
    past_limit,
)

TODAY = date(2026, 11, 24)
HOUR = TimeEntry(
    id=EntryId("ent_1"), version=1, employee_id="emp_1", employee_name="Kari",
    day=date(2026, 11, 20), minutes=60, customer_id=RecordId("cus_1"), project_id=None,
    billing=BillingState.TO_INVOICE, hourly_rate=Ore(95_000), approved=True,
)  # fmt: skip
AROUND = Surroundings(
    linked=frozenset({RecordId("cus_1")}), approval_required=True, in_draft={},
    customer_id=RecordId("cus_1"), of_project=frozenset({HOUR.id}), today=TODAY,
    first_day=date(2026, 11, 1), last_day=date(2026, 11, 30), employee_id="emp_1", overtime="",
)  # fmt: skip
DRAFTED = replace(AROUND, in_draft={HOUR.id: "draft-1"})


def test_a_whole_hour_is_billable() -> None:
    assert hindrances(HOUR, AROUND) == ()


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"customer_id": None}, {Hindrance.NO_CUSTOMER}),
        (
            {"customer_id": RecordId("cus_2")},
            {Hindrance.OTHER_CUSTOMER, Hindrance.CUSTOMER_NOT_LINKED},
        ),
        ({"id": EntryId("ent_2")}, {Hindrance.OTHER_PROJECT}),
        ({"day": date(2026, 10, 31)}, {Hindrance.OTHER_PERIOD}),
        ({"day": date(2026, 12, 1)}, {Hindrance.OTHER_PERIOD, Hindrance.FUTURE}),
        ({"employee_id": "emp_2"}, {Hindrance.OTHER_PERSON}),
        ({"overtime_type": "Overtid 50 %"}, {Hindrance.OTHER_OVERTIME}),
        ({"day": TODAY + timedelta(days=1)}, {Hindrance.FUTURE}),
        ({"billing": BillingState.NOT_BILLABLE}, {Hindrance.NOT_MARKED}),
        ({"billing": BillingState.INVOICED}, {Hindrance.INVOICED}),
        ({"approved": False}, {Hindrance.NOT_APPROVED}),
        ({"held_by": "trf_1"}, {Hindrance.HELD}),
        ({"hourly_rate": None}, {Hindrance.NO_RATE}),
        ({"hourly_rate": Ore(0)}, {Hindrance.ZERO_RATE}),
        ({"hourly_rate": Ore(-95_000)}, {Hindrance.ZERO_RATE}),
        ({"minutes": 0, "hourly_rate": None}, {Hindrance.NO_RATE, Hindrance.NO_MINUTES}),
        ({"minutes": 0, "hourly_rate": Ore(0)}, {Hindrance.ZERO_RATE, Hindrance.NO_MINUTES}),
    ],
)
def test_each_lack_has_its_name(changed: dict[str, Any], expected: set[Hindrance]) -> None:
    """Also more than one at a time, so that a person mends all in one go."""
    assert set(hindrances(replace(HOUR, **changed), AROUND)) == expected


@pytest.mark.parametrize("changed", [{"billing": BillingState.INVOICED}, {"held_by": "trf_1"}])
def test_what_our_own_draft_did_to_an_hour_is_told_as_the_draft(changed: dict[str, Any]) -> None:
    assert hindrances(replace(HOUR, **changed), DRAFTED) == (Hindrance.IN_DRAFT,)


def test_the_laws_month_is_warned_of_a_week_before() -> None:
    """Warned from 24 days on, late after the same day of the next month."""
    ages = range(20, 40)
    days = {age: TODAY - timedelta(days=age) for age in ages}

    assert [age for age in ages if close_to_limit(days[age], today=TODAY)] == list(range(24, 40))
    assert [age for age in ages if past_limit(days[age], today=TODAY)] == list(range(32, 40))


@pytest.mark.parametrize(
    ("day", "last"),
    [
        (date(2027, 1, 31), date(2027, 2, 28)),
        (date(2028, 1, 31), date(2028, 2, 29)),
        (date(2027, 1, 28), date(2027, 2, 28)),
        (date(2027, 2, 28), date(2027, 3, 28)),
        (date(2027, 3, 1), date(2027, 4, 1)),
        (date(2027, 3, 31), date(2027, 4, 30)),
        (date(2026, 12, 31), date(2027, 1, 31)),
    ],
)
def test_the_laws_month_is_one_of_the_calendar(day: date, last: date) -> None:
    """The last day in time, and the first one late."""
    assert not past_limit(day, today=last)
    assert past_limit(day, today=last + timedelta(days=1))


@given(day=st.dates(date(2000, 1, 1), date(2100, 1, 1)), wait=st.integers(0, 70))
def test_hours_are_late_after_the_same_day_of_the_next_month(day: date, wait: int) -> None:
    """Reckoned from the hour's side: that day, or the month's last where it has none."""
    year, month = divmod(day.year * 12 + day.month, 12)
    last = date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
    today = day + timedelta(days=wait)

    assert past_limit(day, today=today) == (today > last)
    assert last_in_time(day) == last


def test_a_day_begins_in_oslo() -> None:
    assert oslo_day(datetime(2026, 11, 24, 22, 59, tzinfo=UTC)) == date(2026, 11, 24)
    assert oslo_day(datetime(2026, 11, 24, 23, 1, tzinfo=UTC)) == date(2026, 11, 25)
    assert oslo_day(datetime(2026, 7, 1, 22, 1, tzinfo=UTC)) == date(2026, 7, 2)


@pytest.mark.parametrize("rate", [Ore(0), Ore(95_000)])
def test_an_hour_without_minutes_is_billable_for_what_hangs_on_it(rate: Ore) -> None:
    """At a rate of zero too; without any the time system would not hold it."""
    around = replace(AROUND, beside=frozenset({HOUR.id}))

    assert hindrances(replace(HOUR, minutes=0, hourly_rate=rate), around) == ()
    assert hindrances(replace(HOUR, minutes=0, hourly_rate=None), around) == (Hindrance.NO_RATE,)
    assert hindrances(replace(HOUR, hourly_rate=Ore(0)), around) == (Hindrance.ZERO_RATE,)
