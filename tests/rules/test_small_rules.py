"""Rules too small for a file of their own: each branch is met once, without any I/O."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.canonical import (
    Address,
    BillingState,
    Customer,
    CustomerKind,
    EntryId,
    Ore,
    Project,
    RecordId,
    RecordKind,
    Side,
    TimeEntry,
)
from app.first_sync.reading.again import Away, problem_of
from app.invoicing.lines.snapshot import differences, freeze_entry, held_otherwise, still_billable
from app.invoicing.papers.retention import kept_from, kept_until
from app.invoicing.unbilled.hindrances import Hindrance, Surroundings, hindrances
from app.links.lifecycle import (
    MENDED_BY_ACCESS,
    PauseReason,
    after_login,
    may_become,
    may_take_over,
    pause_reason,
    told_status,
)
from app.links.states import LinkState
from app.problems import catalogue
from app.records.fields import customer_changes, project_changes
from app.records.shapes import from_json, to_json, tombstone
from app.records.shown import reasons_shown, record_shown
from app.sync.verdicts import Again, Asks, Failed, HeldBack, Refused, Waits, judge, refused_fields
from app.systems.ports import (
    AccessReason,
    HeldEntry,
    NotFound,
    RateLimited,
    Reason,
    Rejected,
    SystemFault,
    Unauthorised,
    Unreachable,
)

HOUR = TimeEntry(
    id=EntryId("ent_1"), version=1, employee_id="emp_1", employee_name="Kari",
    day=date(2026, 11, 20), minutes=60, customer_id=RecordId("cus_1"), project_id=None,
    billing=BillingState.TO_INVOICE, hourly_rate=Ore(95_000),
)  # fmt: skip


def test_a_deleted_hour_says_only_that() -> None:
    around = Surroundings(linked=frozenset(), approval_required=True, in_draft={})

    assert hindrances(replace(HOUR, gone=True), around) == (Hindrance.DELETED,)


def test_a_billed_hour_is_watched_for_money_and_documentation() -> None:
    """An approval changes nothing; minutes do; an hour that is gone says only that."""
    frozen = freeze_entry(HOUR)
    holds = frozenset({"trf_1"})

    assert differences(frozen, replace(HOUR, version=2, approved=True)) == ()
    assert differences(frozen, replace(HOUR, minutes=90)) == ("minutes",)
    assert differences(frozen, None) == ("deleted",)
    assert still_billable(frozen, replace(HOUR, gone=True), holds=holds) == ("deleted",)
    assert still_billable(frozen, replace(HOUR, held_by="trf_1"), holds=holds) == ()
    taken = replace(HOUR, held_by="trf_2", billing=BillingState.NOT_BILLABLE)
    assert still_billable(frozen, taken, holds=holds) == ("billing", "held")


@pytest.mark.parametrize(
    ("minutes", "rate", "what"),
    [
        (HOUR.minutes, HOUR.hourly_rate, ()),
        (HOUR.minutes, Ore(130000), ("rate",)),
        (HOUR.minutes + 1, Ore(0), ("minutes", "rate")),
        (None, None, ()),
    ],
)
def test_what_is_not_said_of_a_reserved_hour_is_no_difference(
    minutes: int | None, rate: Ore | None, what: tuple[str, ...]
) -> None:
    assert held_otherwise(freeze_entry(HOUR), HeldEntry(HOUR.id, minutes, rate)) == what


@pytest.mark.parametrize(
    ("reason", "books", "expected"),
    [
        (AccessReason.SUBSCRIPTION_ENDED, False, PauseReason.TRIAL_ENDED),
        (AccessReason.ORGANIZATION_BLOCKED, True, PauseReason.ORGANIZATION_BLOCKED),
        (AccessReason.CREDENTIAL_UNREADABLE, True, PauseReason.KEY_UNREADABLE),
        (AccessReason.CREDENTIAL_UNREADABLE, False, PauseReason.LOGIN_UNREADABLE),
        (AccessReason.CREDENTIAL_MISSING, True, PauseReason.KEY_MISSING),
        (AccessReason.CREDENTIAL_MISSING, False, PauseReason.LOGIN_LOST),
        (AccessReason.CREDENTIAL_REFUSED, True, PauseReason.KEY_REFUSED),
        (AccessReason.CREDENTIAL_REFUSED, False, PauseReason.LOGIN_LOST),
    ],
)
def test_a_pause_says_what_a_person_can_act_on(
    reason: AccessReason, books: bool, expected: PauseReason
) -> None:
    assert pause_reason(reason, books=books) is expected


def test_a_link_goes_only_where_it_may() -> None:
    assert may_become(LinkState.PAUSED, LinkState.ACTIVE)
    assert not may_become(LinkState.CLOSED, LinkState.ACTIVE)
    assert after_login(was="active", has_pairs=True) is LinkState.ACTIVE
    assert after_login(was=None, has_pairs=True) is LinkState.REVIEWING
    assert after_login(was="reviewing", has_pairs=True) is LinkState.REVIEWING
    assert {told_status(state) for state in LinkState} == {"first_sync", "active", "paused"}


def test_a_persons_pause_takes_over_what_would_end_by_itself() -> None:
    """The brake and a person's own pause wait for a person anyway."""
    taken = {held for held in PauseReason if may_take_over(PauseReason.PERSON_ASKED, held)}

    assert taken == set(MENDED_BY_ACCESS)
    assert not may_take_over(PauseReason.KEY_REFUSED, PauseReason.LOGIN_LOST)
    assert not may_take_over(PauseReason.PERSON_ASKED, None)


def test_changed_fields_become_what_the_ports_take() -> None:
    """Kinds, addresses and days come back from JSON; a customer's id is the target side's."""
    address = {"line1": "Storgata 1", "postal_code": "0155", "city": "Oslo"}

    assert customer_changes({"kind": "company", "address": address}) == {
        "kind": CustomerKind.COMPANY,
        "address": Address(line1="Storgata 1", postal_code="0155", city="Oslo"),
    }
    assert customer_changes({"kind": None, "phone": "1"}) == {"kind": None, "phone": "1"}
    assert project_changes({"customer": "x", "start": "2026-11-24"}, customer_id="7") == {
        "customer_id": "7",
        "start": date(2026, 11, 24),
    }
    assert project_changes({"end": None}, customer_id=None) == {"end": None}


@pytest.mark.parametrize(
    "record",
    [
        Customer(RecordId("1"), "Blåtroll AS", kind=CustomerKind.COMPANY),
        Customer(RecordId("2"), "Uten type"),
        Project(RecordId("3"), "Tilbygg", start=date(2026, 11, 1), end=date(2026, 12, 1)),
        Project(RecordId("4"), "Uten dager"),
    ],
)
def test_a_record_comes_back_from_json_as_it_was(record: Customer | Project) -> None:
    kind = RecordKind.CUSTOMER if isinstance(record, Customer) else RecordKind.PROJECT

    assert from_json(kind, to_json(record)) == record
    assert tombstone(kind, record.id).gone
    shown = record_shown(to_json(record))
    assert shown is not None
    assert shown["id"] == record.id


def test_nothing_is_shown_of_a_record_that_is_not_there() -> None:
    assert record_shown(None) is None


def test_a_candidate_is_shown_with_its_reasons_in_words() -> None:
    one = {"id": 7, "score": 0.9, "rule": "number", "facts": ["organization-number-same"]}

    shown = reasons_shown(one, "en")

    assert (shown["id"], shown["reasons"]) == ("7", "same organization number")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (RateLimited("slow down", retry_after=3), HeldBack(Side.BOOKS, 3)),
        (
            Unauthorised("no", reason=AccessReason.CREDENTIAL_REFUSED),
            Refused(Side.BOOKS, AccessReason.CREDENTIAL_REFUSED),
        ),
    ],
)
def test_a_fault_of_a_system_holds_its_work(fault: SystemFault, expected: object) -> None:
    assert judge(fault, Side.BOOKS) == expected


def test_a_fault_of_a_record_is_told_apart_from_one_of_its_system() -> None:
    about = (Reason("TooLong", "address.line1"), Reason("Unknown", "customer_id"))
    refusal = Rejected("no", reasons=about)

    assert isinstance(judge(Unauthorised("no", reason=AccessReason.PLAN), Side.BOOKS), Waits)
    assert isinstance(judge(Rejected("stale", stale=True), Side.TIME), Again)
    assert isinstance(judge(refusal, Side.TIME), Asks)
    assert isinstance(judge(NotFound("gone"), Side.TIME), Again)
    assert isinstance(judge(Unreachable("away", effect_possible=False), Side.TIME), Failed)
    assert isinstance(judge(SystemFault("what"), Side.TIME), Failed)
    assert refused_fields(refusal) == {"address", "customer"}
    assert refused_fields(Rejected("no")) == frozenset()
    assert refused_fields(Rejected("no", reasons=(Reason("TooLong", None),))) == frozenset()


@given(made=st.dates(date(2000, 1, 1), date(2100, 12, 31)), years=st.integers(5, 15))
def test_what_is_kept_goes_the_day_after_its_last(made: date, years: int) -> None:
    """The two rules of retention say the same: kept to the last day, gone on the next."""
    last = kept_until(made, years=years)

    assert last == date(made.year + years, 12, 31)
    assert made >= kept_from(last, years=years)
    assert made < kept_from(last + timedelta(days=1), years=years)


@pytest.mark.parametrize(
    "fault",
    [
        Unauthorised("no", reason=AccessReason.PLAN),
        RateLimited("later", retry_after=7.0),
        Unreachable("away"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_what_makes_a_first_sync_wait_has_a_page_of_its_own(fault: SystemFault) -> None:
    """The code that a waiting plan shows is one whose texts a front end can fetch."""
    until = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

    problem = problem_of(Away(Side.BOOKS, fault), 1, until)

    assert problem["code"] in catalogue()
