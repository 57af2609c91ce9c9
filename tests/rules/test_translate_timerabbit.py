"""Laws of the translation between Timerabbit's words and ours."""

import json
import string
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.canonical import (
    Address,
    BillingState,
    Cost,
    Customer,
    CustomerKind,
    EntryId,
    Ore,
    Project,
    Record,
    RecordId,
    RecordKind,
)
from app.systems.calls import Answer, Call, json_body
from app.systems.ports import (
    AccessReason,
    ChangeNotice,
    EntriesTaken,
    EntryConflict,
    EntryQuery,
    HeldEntry,
    NotFound,
    Notice,
    Reason,
    Rejected,
    TimeSettings,
    Unauthorised,
    Unreachable,
)
from app.systems.reading import UnknownValue, read_json
from app.systems.timerabbit import wire
from app.systems.timerabbit.bodies import create_body, patch_body
from app.systems.timerabbit.hours import (
    entry_from,
    query_from,
    reservation_from,
    settings_from,
)
from app.systems.timerabbit.refusals import TokenRefused, classify
from app.systems.timerabbit.translate import record_from, row_from, version_of
from app.systems.timerabbit.webhooks import EVENT_TYPES, read_notice

CUSTOMER, PROJECT = RecordKind.CUSTOMER, RecordKind.PROJECT
GET = Call("GET", "/integration/v1/customers/{id}")
POST = Call("POST", "/integration/v1/customers")

texts = (
    st.text(
        st.characters(exclude_categories=["Cs", "Cc", "Z"]) | st.just(" "), min_size=1, max_size=60
    )
    .map(str.strip)
    .filter(bool)
)
marks = st.none() | st.text(string.digits, min_size=1, max_size=18)
addresses = st.builds(
    Address,
    line1=st.none() | texts,
    line2=st.none() | texts,
    postal_code=st.none() | st.text(string.digits, min_size=4, max_size=5),
    city=st.none() | texts,
    country=st.none() | st.sampled_from(["NO", "SE", "DK"]),
)
customers = st.builds(
    Customer,
    id=st.just(RecordId("cus_1")),
    name=texts,
    kind=st.none() | st.sampled_from(CustomerKind),
    organization_number=st.none() | st.from_regex(r"[0-9]{9}", fullmatch=True),
    email=st.none() | st.just("kari@example.com"),
    phone=st.none() | st.text(string.digits, min_size=4, max_size=20),
    address=addresses,
    active=st.booleans(),
    mark=marks,
)
projects = st.builds(
    Project,
    id=st.just(RecordId("prj_1")),
    name=texts,
    customer_id=st.none() | st.just(RecordId("cus_1")),
    active=st.booleans(),
    start=st.none() | st.dates(),
    end=st.none() | st.dates(),
    mark=marks,
)


def kind_of(record: Record) -> RecordKind:
    return CUSTOMER if isinstance(record, Customer) else PROJECT


def over_the_wire(body: object) -> Any:
    return read_json(json_body(body))


@given(record=customers | projects)
def test_a_record_survives_the_way_to_timerabbit_and_back(record: Record) -> None:
    """Canonical to wire to canonical keeps the fields that both carry."""
    body = over_the_wire(create_body(record)) | {"id": record.id}

    assert record_from(kind_of(record), body) == record


@given(record=customers, new=customers)
def test_a_patch_of_all_fields_makes_the_customer_equal(record: Customer, new: Customer) -> None:
    """A merge patch laid over the record gives the other one; null clears."""
    changes = {
        "name": new.name,
        "kind": new.kind,
        "organization_number": new.organization_number,
        "email": new.email,
        "phone": new.phone,
        "address": new.address,
        "active": new.active,
        "mark": new.mark,
    }

    merged = merge(over_the_wire(create_body(record)), over_the_wire(patch_body(CUSTOMER, changes)))

    assert record_from(CUSTOMER, merged | {"id": new.id}) == new


@given(record=projects, new=projects)
def test_a_patch_of_all_fields_makes_the_project_equal(record: Project, new: Project) -> None:
    """The same for projects."""
    changes = {
        "name": new.name,
        "customer_id": new.customer_id,
        "active": new.active,
        "start": new.start,
        "end": new.end,
        "mark": new.mark,
    }

    merged = merge(over_the_wire(create_body(record)), over_the_wire(patch_body(PROJECT, changes)))

    assert record_from(PROJECT, merged | {"id": new.id}) == new


def merge(target: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


def test_a_patch_names_only_what_changes() -> None:
    """Whatever is not named is not touched."""
    assert patch_body(CUSTOMER, {"phone": None, "kind": None}) == {"phone": None, "kind": "unset"}
    assert patch_body(CUSTOMER, {"address": None}) == {
        "address": dict.fromkeys(("line1", "line2", "postalCode", "city", "country"))
    }


def test_a_new_customer_may_be_a_duplicate() -> None:
    """Matching is ours, duplicates are decided by people; so Timerabbit is not asked to."""
    body = create_body(Customer(RecordId(""), "Acme AS", number="never sent"))

    assert body == {"name": "Acme AS", "kind": "unset", "active": True, "allowDuplicate": True}


@pytest.mark.parametrize(
    ("changes", "about"),
    [
        ({"name": "x" * 201}, "name"),
        ({"phone": "1" * 31}, "phone"),
        ({"address": Address(postal_code="1" * 13)}, "address.postal_code"),
        ({"organization_number": "556036-0793"}, "organization_number"),
        ({"address": Address(country="Narnia")}, "address.country"),
    ],
)
def test_what_does_not_fit_is_refused_before_sending(changes: dict[str, Any], about: str) -> None:
    """Nothing is cut, and the field is named in our words."""
    with pytest.raises(Rejected) as caught:
        patch_body(CUSTOMER, changes)

    assert [reason.about for reason in caught.value.reasons] == [about]


def test_a_tombstone_is_read_with_where_its_customer_lives_on() -> None:
    """Only id, version and times are promised on it."""
    gone = record_from(
        CUSTOMER, {"id": "cus_1", "deletedAt": "2026-11-24T09:00:00Z", "mergedIntoId": "cus_2"}
    )

    assert gone == Customer(RecordId("cus_1"), "", gone=True, merged_into=RecordId("cus_2"))
    assert record_from(PROJECT, {"id": "prj_1", "deletedAt": "2026-11-24T09:00:00Z"}).gone


def test_what_timerabbit_leaves_out_is_not_given() -> None:
    """Null, missing and blank mean the same; numbers and subprojects are read."""
    customer = record_from(
        CUSTOMER,
        {
            "id": 7,
            "name": " Kari ",
            "number": 12,
            "email": None,
            "address": {"city": " ", "country": "no"},
            "externalRefs": None,
            "someday": {"new": True},
        },
    )
    project = record_from(
        PROJECT, {"id": "prj_2", "name": "Kai", "parentProjectId": "prj_1", "customerId": ""}
    )

    assert customer == Customer(RecordId("7"), "Kari", number="12", address=Address(country="NO"))
    assert project == Project(RecordId("prj_2"), "Kai", parent_id=RecordId("prj_1"))
    assert version_of({"id": 7}) is None


def test_a_record_without_a_name_or_of_unknown_kind_is_not_guessed_at() -> None:
    """Better no record than one that would clear a field on the other side."""
    with pytest.raises(ValueError, match="name"):
        record_from(CUSTOMER, {"id": "cus_1"})
    with pytest.raises(UnknownValue):
        record_from(CUSTOMER, {"id": "cus_1", "name": "Kari", "kind": "foundation"})


@pytest.mark.parametrize("kind", list(RecordKind))
def test_an_unreadable_item_hides_no_other(kind: RecordKind) -> None:
    """It becomes a thin row; without an id it is nothing."""
    row = row_from(kind, {"id": "x_1", "name": "Kari", "active": "maybe"})
    nameless = row_from(kind, {"id": "x_1", "name": 7, "active": "maybe"})

    assert row is not None
    assert nameless is not None
    assert (row.id, row.complete, row.record.name) == ("x_1", False, "Kari")
    assert nameless.record.name == ""
    nothings: list[object] = [None, [], {}, {"id": None}, {"id": "a\x00", "active": "x"}]
    for nothing in nothings:
        assert row_from(kind, nothing) is None


def test_a_readable_item_is_a_whole_row() -> None:
    """Timerabbit's lists carry the whole record."""
    row = row_from(CUSTOMER, {"id": "cus_1", "name": "Kari", "version": 3})

    assert row is not None
    assert row.complete


ENTRY = {
    "id": "ent_1",
    "version": 3,
    "employeeId": "emp_1",
    "employeeName": "Ola",
    "date": "2026-11-20",
    "minutes": 450,
    "customerId": "cus_1",
    "projectId": None,
    "invoiceStatus": "to_invoice",
    "hourlyRate": "950.50",
    "rateSource": "project",
    "comment": "Maling",
    "overtimeType": {"id": "ovt_1", "name": "Overtid 50 %"},
    "costs": [{"description": "Parkering", "amount": "45"}, {}],
    "kilometers": "8.5",
    "approval": {"approved": True},
    "transfer": {"transferId": "trf_1", "state": "reserved", "draftId": None},
    "updatedAt": "2026-11-20T15:00:00Z",
}


def read_entry(**changes: object) -> Any:
    return entry_from(wire.TimeEntry.model_validate(ENTRY | changes))


def test_an_entry_is_read_with_exact_money() -> None:
    """Rate and costs become øre without a float."""
    entry = read_entry()

    assert (entry.hourly_rate, entry.minutes, entry.day) == (95050, 450, date(2026, 11, 20))
    assert entry.costs == (Cost("Parkering", 4500), Cost("", 0))  # type: ignore[arg-type]
    assert (entry.kilometers, entry.overtime_type, entry.approved) == (
        Decimal("8.5"),
        "Overtid 50 %",
        True,
    )
    assert entry.held_by == "trf_1"
    assert entry.updated_at == datetime(2026, 11, 20, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seen", "read"),
    [
        ("Overtid 50 %", "Overtid 50 %"), (None, None), ({}, None), ({"name": None}, None),
        ("", None), (7, "?"), (["ovt_1"], "?"), ({"name": {"nb": "Overtid"}}, "?"),
    ],
)  # fmt: skip
def test_an_overtime_type_of_another_shape_hides_no_hour(seen: object, read: str | None) -> None:
    """A text is its name; what cannot be read is no plain hour."""
    assert read_entry(overtimeType=seen).overtime_type == read


@pytest.mark.parametrize("state", ["released", "expired"])
def test_an_entry_set_free_is_held_by_nobody(state: str) -> None:
    """The trace of an old transfer does not hold the hours."""
    entry = read_entry(transfer={"transferId": "trf_1", "state": state, "draftId": "5"})

    assert (entry.held_by, entry.draft_id) == (None, None)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("invoiced", BillingState.INVOICED),
        ("not_billable", BillingState.NOT_BILLABLE),
        ("partly_invoiced", BillingState.NOT_BILLABLE),
        (None, BillingState.NOT_BILLABLE),
    ],
)
def test_hours_in_an_unknown_state_are_not_billed(status: str | None, state: BillingState) -> None:
    """Hours left out can be mended; hours billed wrongly are noticed by the customer."""
    assert read_entry(invoiceStatus=status).billing is state


def test_what_an_entry_leaves_out_is_not_given() -> None:
    """Only version, day, minutes and employee must be there."""
    bare = {name: ENTRY[name] for name in ("id", "version", "employeeId", "date", "minutes")}
    entry = entry_from(wire.TimeEntry.model_validate(bare | {"updatedAt": "2026-11-20T15:00:00"}))

    assert (entry.hourly_rate, entry.customer_id, entry.costs, entry.approved) == (
        None,
        None,
        (),
        None,
    )
    assert entry.updated_at == datetime(2026, 11, 20, 15, tzinfo=UTC)
    for name in ("version", "employeeId", "date", "minutes"):
        with pytest.raises(ValueError, match="without"):
            read_entry(**{name: None})


@pytest.mark.parametrize("driven", ["-5", "1000000", "1e30"])
def test_kilometres_that_nobody_drove_are_not_read(driven: str) -> None:
    """Below zero they would take off another hour's, and leave one without minutes in no line."""
    with pytest.raises(ValueError, match="not kilometres"):
        read_entry(kilometers=driven)
    assert read_entry(kilometers="999999.99").kilometers == Decimal("999999.99")


def test_the_tombstone_of_an_entry_is_gone() -> None:
    """It has no minutes and is never billable."""
    entry = entry_from(
        wire.TimeEntry.model_validate({"id": "ent_1", "deletedAt": "2026-11-24T09:00:00Z"})
    )
    known = read_entry(deletedAt="2026-11-24T09:00:00Z", projectId="prj_1")

    assert (entry.gone, entry.minutes, entry.day) == (True, 0, date(2026, 11, 24))
    assert (known.gone, known.customer_id, known.project_id) == (True, "cus_1", "prj_1")


def test_settings_that_say_nothing_are_off() -> None:
    """Hours are billed only when Timerabbit says that they can be."""
    said = wire.Settings.model_validate(
        {
            "billableHours": {"enabled": True, "defaultHourlyRate": "950"},
            "approvalRequired": True,
        }
    )

    assert settings_from(said) == TimeSettings(
        billable_hours=True,
        approval_required=True,
        default_hourly_rate=95000,  # type: ignore[arg-type]
    )
    assert settings_from(wire.Settings()) == TimeSettings(
        billable_hours=False, approval_required=False
    )


def test_a_reservation_leaves_out_what_was_released() -> None:
    """What it holds is what it still holds, as it was then; what is not said is not known."""
    seen = wire.Transfer.model_validate(
        {
            "id": "trf_1",
            "state": "partly_released",
            "expiresAt": "2026-11-24T10:00:00+01:00",
            "external": {"draftId": "5"},
            "entries": [
                {"id": "ent_1", "minutes": 450, "hourlyRate": "950.50"},
                {"id": "ent_2", "released": True},
                {"id": "ent_3"},
            ],
        }
    )

    reservation = reservation_from(seen)

    assert (reservation.entry_ids, reservation.draft_id) == (("ent_1", "ent_3"), "5")
    assert reservation.entries == (
        HeldEntry(EntryId("ent_1"), 450, Ore(95050)), HeldEntry(EntryId("ent_3"))
    )  # fmt: skip
    assert reservation.expires_at == datetime(2026, 11, 24, 9, tzinfo=UTC)
    assert reservation_from(wire.Transfer(id="trf_2")).state == ""


def test_a_choice_of_entries_becomes_a_query() -> None:
    """What does not narrow is not said."""
    query = EntryQuery(
        customer_id=RecordId("cus_1"),
        first_day=date(2026, 11, 1),
        last_day=date(2026, 11, 30),
        only_free=True,
    )

    assert query_from(query) == {
        "customerId": "cus_1",
        "dateFrom": "2026-11-01",
        "dateTo": "2026-11-30",
        "uninvoiced": "true",
        "sort": "date",
    }
    assert query_from(EntryQuery()) == {"sort": "date"}


def _error(status: int, body: object, call: Call = POST, **headers: str) -> Exception:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return classify(Answer(status, headers, content), call)


def _problem(code: str, **more: object) -> dict[str, object]:
    return {"type": "about:blank", "title": code, "code": code, **more}


def test_each_refusal_of_access_has_its_reason() -> None:
    """Only a 401 is worth new tokens; a subscription that ended pauses the link."""
    unauthorised = _error(401, b"")
    ended = _error(402, _problem("subscription_ended"))
    forbidden = _error(403, _problem("scope_missing"))

    assert isinstance(unauthorised, TokenRefused)
    assert isinstance(ended, Unauthorised)
    assert ended.reason is AccessReason.SUBSCRIPTION_ENDED
    assert isinstance(forbidden, Unauthorised)
    assert not isinstance(forbidden, TokenRefused)


@pytest.mark.parametrize("status", [403, 404])
def test_a_page_of_a_proxy_says_nothing_about_the_record(status: int) -> None:
    """Only Timerabbit's own words make a record gone or a link refused."""
    for body in (b"<html>", b"[]", b"{}"):
        assert isinstance(_error(status, body), Unreachable)


def test_an_unknown_id_is_not_found() -> None:
    """Said with a problem document."""
    assert isinstance(_error(404, _problem("not_found")), NotFound)


def test_a_failure_inside_timerabbit_leaves_the_effect_of_a_write_possible() -> None:
    """A read can have none; a wish to wait is kept."""
    written = _error(503, b"", POST, **{"retry-after": "60"})
    read = _error(500, b"", GET)

    assert isinstance(written, Unreachable)
    assert isinstance(read, Unreachable)
    assert (written.effect_possible, written.retry_after) == (True, 60)
    assert not read.effect_possible


def test_a_duplicate_names_the_record_in_the_way() -> None:
    """So that a person can choose it instead."""
    fault = _error(409, _problem("duplicate_customer", existingId="cus_2"))

    assert isinstance(fault, Rejected)
    assert (fault.existing_id, fault.reasons) == ("cus_2", (Reason("duplicate_customer"),))


def test_a_stale_version_is_told_apart() -> None:
    """It asks for a new look, not for a person."""
    fault = _error(412, _problem("version_mismatch"))

    assert isinstance(fault, Rejected)
    assert fault.stale


def test_refused_fields_are_named_in_our_words() -> None:
    """Pointers into the body become canonical fields."""
    fault = _error(
        422,
        _problem(
            "validation_failed",
            errors=[
                {"pointer": "/organizationNumber", "message": "mod-11"},
                {"pointer": "#/address/city", "message": "too long"},
                {"pointer": "/address/unknown"},
                {"pointer": "", "message": "everything"},
            ],
        ),
    )

    assert isinstance(fault, Rejected)
    assert fault.reasons == (
        Reason("validation_failed", "organization_number", {"en": "mod-11"}),
        Reason("validation_failed", "address.city", {"en": "too long"}),
        Reason("validation_failed", "address"),
        Reason("validation_failed", text={"en": "everything"}),
    )


def test_entries_that_are_taken_are_named_one_by_one() -> None:
    """Each with its reason and who holds it."""
    fault = _error(
        409,
        _problem(
            "entry_conflict",
            conflicts=[
                {"id": "ent_1", "reason": "held_by_transfer", "transferId": "trf_1"},
                {"id": "ent_2"},
            ],
        ),
    )

    assert isinstance(fault, EntriesTaken)
    assert fault.conflicts == (
        EntryConflict(EntryId("ent_1"), "held_by_transfer", "trf_1"),
        EntryConflict(EntryId("ent_2"), "unknown"),
    )


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"code":"two words"}'])
def test_a_refusal_without_a_code_is_named_by_its_status(body: bytes) -> None:
    """It refused all the same."""
    fault = _error(422, body)

    assert isinstance(fault, Rejected)
    assert fault.reasons == (Reason("http-422"),)


def event(kind: str, data: object, company: object = "com_1") -> bytes:
    return json.dumps(
        {"type": kind, "timestamp": "2026-11-24T09:00:00Z", "companyId": company, "data": data}
    ).encode()


@pytest.mark.parametrize(
    ("subject", "kind"), [("customer", RecordKind.CUSTOMER), ("project", RecordKind.PROJECT)]
)
def test_an_event_names_the_record_to_look_at(subject: str, kind: RecordKind) -> None:
    """Type, company and id are all that is taken from it."""
    body = event(f"{subject}.archived", {"id": "x_1", "version": 4})

    assert read_notice(body) == Notice(
        f"{subject}.archived", "com_1", changes=(ChangeNotice(kind, RecordId("x_1")),)
    )


def test_an_event_about_hours_names_the_entry() -> None:
    """Hours are never kept equal; a draft that holds them wants to know."""
    notice = read_notice(event("time_entry.deleted", {"id": "ent_1", "transferId": "trf_1"}))

    assert (notice.changes, notice.entries) == ((), ("ent_1",))


@pytest.mark.parametrize(
    "kind", ["settings.updated", "company.subscription_changed", "link.revoked", "company.updated"]
)
def test_an_event_about_access_lets_it_be_looked_at(kind: str) -> None:
    """Whether the link still works is asked, not believed."""
    assert read_notice(event(kind, {})).access_changed


def test_an_unknown_event_is_kept_by_name() -> None:
    """It is counted and changes nothing."""
    assert read_notice(event("weather.changed", None)) == Notice("weather.changed", "com_1")
    assert not read_notice(event("ping", {})).access_changed


def test_what_we_subscribe_to_is_what_we_read() -> None:
    """No event type is asked for that would be thrown away."""
    for kind in EVENT_TYPES:
        notice = read_notice(event(kind, {"id": "x_1"}))

        assert notice.changes or notice.entries or notice.access_changed


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        event("", {}),
        event("a\nb", {}),
        event("customer.updated", {}),
        event("customer.updated", None),
        event("time_entry.updated", {"id": None}),
        event("customer.updated", {"id": "x"}, company=None),
    ],
)
def test_an_event_of_another_form_is_a_value_error(body: bytes) -> None:
    """Nothing of it is taken."""
    with pytest.raises(ValueError):  # noqa: PT011 - the texts differ, the kind is the law
        read_notice(body)
