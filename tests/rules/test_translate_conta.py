"""Laws of the translation between Conta's words and ours."""

import json
import string
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.canonical import (
    Address,
    Customer,
    CustomerKind,
    DraftLine,
    DraftOrder,
    Ore,
    Project,
    RecordId,
    RecordKind,
)
from app.systems.calls import Answer, Call, json_body
from app.systems.conta import wire
from app.systems.conta.bodies import create_body, draft_body, overlay
from app.systems.conta.countries import country_code, country_name
from app.systems.conta.refusals import classify
from app.systems.conta.translate import (
    draft_from,
    invoice_from,
    organization_number,
    record_from,
    row_from,
)
from app.systems.conta.webhooks import read_notice
from app.systems.ports import (
    AccessReason,
    ChangeNotice,
    NotFound,
    Notice,
    Reason,
    Rejected,
    Unauthorised,
    Unreachable,
)
from app.systems.reading import UnknownValue, read_json

CUSTOMER, PROJECT = RecordKind.CUSTOMER, RecordKind.PROJECT
GET = Call("GET", "/invoice/organizations/{organization}/customers/{id}")
PUT = Call("PUT", "/invoice/organizations/{organization}/customers/{id}")
PROJECTS = Call("GET", "/invoice/organizations/{organization}/projects")

texts = (
    st.text(
        st.characters(exclude_categories=["Cs", "Cc", "Z"]) | st.just(" "), min_size=1, max_size=60
    )
    .map(str.strip)
    .filter(bool)
)
phones = st.text(string.digits + "+", min_size=4, max_size=20)
codes = st.sampled_from(["NO", "SE", "DK", "DE", "GB", "US", "AD", "ZA", "FJ"])
addresses = st.builds(
    Address,
    line1=texts,
    line2=st.none() | texts,
    postal_code=st.text(string.digits, min_size=4, max_size=5),
    city=texts,
    country=st.none() | codes,
)
customers = st.builds(
    Customer,
    id=st.just(RecordId("17")),
    name=texts,
    kind=st.sampled_from(CustomerKind),
    organization_number=st.none() | st.from_regex(r"[0-9]{9}", fullmatch=True),
    email=st.none() | st.just("kari@example.com"),
    phone=st.none() | phones,
    address=addresses,
    active=st.booleans(),
)
projects = st.builds(
    Project,
    id=st.just(RecordId("17")),
    name=texts,
    customer_id=st.none() | st.integers(1, 2**62).map(str).map(RecordId),
    active=st.booleans(),
    start=st.none() | st.dates(),
    end=st.none() | st.dates(),
)
json_texts = st.text(min_size=1, max_size=10)
extras = st.dictionaries(
    st.sampled_from(
        ["invoiceDeliveryMethod", "vismaNo", "dateOfBirth", "newMember", "mailingAddressLine1"]
    ),
    json_texts | st.integers(1, 9) | st.lists(st.dictionaries(json_texts, json_texts)),
)


def over_the_wire(body: object) -> Any:
    return read_json(json_body(body))


@given(record=customers | projects)
def test_a_record_survives_the_way_to_conta_and_back(record: Customer | Project) -> None:
    """Canonical to wire to canonical keeps the fields that both carry."""
    kind = CUSTOMER if isinstance(record, Customer) else PROJECT

    returned = record_from(kind, over_the_wire(create_body(record)) | {"id": 17})

    assert returned == record


@given(record=customers, extra=extras)
def test_an_update_keeps_everything_it_does_not_name(
    record: Customer, extra: dict[str, Any]
) -> None:
    """A PUT is the record as it was read, with the named fields changed and nothing else."""
    raw = over_the_wire(create_body(record) | extra) | {"id": 17}

    body = overlay(CUSTOMER, raw, {"phone": "22334455"})

    kept = {name: value for name, value in raw.items() if name not in {"id", "phoneNo"}}
    assert body == kept | {"phoneNo": "22334455"}


@given(record=customers, new=customers)
def test_carrying_out_all_changes_makes_the_record_equal(record: Customer, new: Customer) -> None:
    """Written over a record, all fields of another give that other."""
    raw = over_the_wire(create_body(record)) | {"id": 17}
    changes = {
        "name": new.name,
        "kind": new.kind,
        "organization_number": new.organization_number,
        "email": new.email,
        "phone": new.phone,
        "address": new.address,
        "active": new.active,
    }

    assert record_from(CUSTOMER, overlay(CUSTOMER, raw, changes) | {"id": 17}) == new


@given(record=projects, new=projects)
def test_carrying_out_all_changes_makes_the_project_equal(record: Project, new: Project) -> None:
    """The same for projects; hiding is always said, since leaving it out would un-hide."""
    raw = over_the_wire(create_body(record)) | {"id": 17, "description": "kept"}
    changes = {
        "name": new.name,
        "customer_id": new.customer_id,
        "active": new.active,
        "start": new.start,
        "end": new.end,
        "mark": "passed over",
    }

    body = overlay(PROJECT, raw, changes)

    assert record_from(PROJECT, over_the_wire(body) | {"id": 17}) == new
    assert body["isHidden"] is not new.active
    assert body["description"] == "kept"


KARI = {
    "id": 17,
    "name": "Kari Nordmann",
    "customerType": "INDIVIDUAL",
    "customerAddressLine1": "Storgata 1",
    "customerAddressPostcode": "0155",
    "customerAddressCity": "Oslo",
    "customerAddressCountry": "Norway",
    "phoneNo": None,
    "emailAddress": "",
    "contacts": [{"id": 3, "name": "Ola", "title": None, "phoneNo": ""}],
    "deliveryAddressLine1": "Lagerveien 2",
    "defaultInvoiceDiscount": Decimal("2.50"),
}


def test_what_conta_refuses_is_left_out_and_the_rest_sent_back() -> None:
    """No id, no null, no empty text, at any depth; contacts and delivery address stay."""
    body = overlay(CUSTOMER, KARI, {"name": "Kari Hansen"})

    assert body == {
        "name": "Kari Hansen",
        "customerType": "INDIVIDUAL",
        "customerAddressLine1": "Storgata 1",
        "customerAddressPostcode": "0155",
        "customerAddressCity": "Oslo",
        "customerAddressCountry": "Norway",
        "contacts": [{"id": 3, "name": "Ola"}],
        "deliveryAddressLine1": "Lagerveien 2",
        "defaultInvoiceDiscount": Decimal("2.50"),
    }


def test_an_address_in_the_same_country_keeps_its_spelling() -> None:
    """«Norway» is not rewritten to «Norge» by the way; another country is written by name."""
    moved = Address("Lillegata 2", None, "5003", "Bergen", "NO")

    at_home = overlay(CUSTOMER, KARI, {"address": moved})
    abroad = overlay(
        CUSTOMER, KARI, {"address": Address("Kungsgatan 1", None, "11143", "Stockholm", "SE")}
    )

    assert at_home["customerAddressCountry"] == "Norway"
    assert abroad["customerAddressCountry"] == "Sverige"


def test_clearing_a_field_leaves_it_out() -> None:
    """An empty text would be too short for Conta."""
    assert "phoneNo" not in overlay(CUSTOMER, KARI | {"phoneNo": "22334455"}, {"phone": None})


def test_clearing_a_field_that_conta_requires_is_refused_before_sending() -> None:
    """All that is missing is named at once, in our words."""
    with pytest.raises(Rejected) as caught:
        overlay(CUSTOMER, KARI, {"address": Address(), "kind": None})

    assert {reason.about for reason in caught.value.reasons} == {
        "kind",
        "address.line1",
        "address.postal_code",
        "address.city",
    }


def test_a_text_too_long_is_refused_and_never_cut() -> None:
    """So is one too short; a field that is not written is not judged."""
    with pytest.raises(Rejected) as caught:
        overlay(CUSTOMER, KARI | {"orgNo": "x" * 99}, {"name": "x" * 256, "phone": "123"})

    assert caught.value.reasons == (
        Reason("too-long", about="name"),
        Reason("too-short", about="phone"),
    )


def test_a_new_company_gets_a_delivery_address_and_a_person_does_not() -> None:
    """Invoices between businesses must state one; afterwards it is never touched."""
    address = Address("Storgata 1", None, "0155", "Oslo", "NO")
    company = Customer(RecordId(""), "Acme AS", CustomerKind.COMPANY, address=address)
    person = Customer(RecordId(""), "Kari", CustomerKind.PRIVATE, address=address)

    body = create_body(company)

    assert {name: body[name] for name in body if name.startswith("delivery")} == {
        "deliveryAddressLine1": "Storgata 1",
        "deliveryAddressPostcode": "0155",
        "deliveryAddressCity": "Oslo",
        "deliveryAddressCountry": "Norge",
    }
    assert not any(name.startswith("delivery") for name in create_body(person))


@pytest.mark.parametrize("customer_id", ["abc", "0", "-1", "１７"])
def test_an_id_that_is_none_of_contas_is_refused_before_sending(customer_id: str) -> None:
    """Conta's ids are numbers above zero."""
    with pytest.raises(Rejected):
        create_body(Project(RecordId(""), "Kai", customer_id=RecordId(customer_id)))


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("912345678", "912345678"),
        ("912 345 678", "912345678"),
        ("NO 912 345 678 MVA", "912345678"),
        ("912.345.678mva", "912345678"),
        ("556036-0793", "556036-0793"),
        (" ", None),
        (None, None),
    ],
)
def test_a_norwegian_number_is_read_however_it_is_written(
    written: str | None, number: str | None
) -> None:
    """Nine digits are nine digits; a foreign number stays as it is."""
    assert organization_number(written) == number


@pytest.mark.parametrize(
    ("name", "code"),
    [("Norge", "NO"), ("NORWAY", "NO"), ("Nor", "NO"), ("NL", "NL"), ("Danmark", "DK")],
)
def test_countries_are_read_in_any_known_spelling(name: str, code: str) -> None:
    """Norwegian, English, own language or code, in any case."""
    assert country_code(name) == code


@given(name=st.text(max_size=30))
def test_a_country_nobody_knows_keeps_its_name(name: str) -> None:
    """Reading and writing changes no name that the table does not hold."""
    code = country_code(name)

    assert code == name or country_code(country_name(code)) == code
    assert country_name(None) is None


def test_a_record_without_a_name_or_of_unknown_type_is_not_guessed_at() -> None:
    """Better no record than one that would clear a field on the other side."""
    with pytest.raises(ValueError, match="name"):
        record_from(CUSTOMER, {"id": 17})
    with pytest.raises(ValueError, match="name"):
        record_from(PROJECT, {"id": 17, "name": " "})
    with pytest.raises(UnknownValue) as caught:
        record_from(CUSTOMER, {"id": 17, "name": "Kari", "customerType": "FOUNDATION"})
    assert caught.value.about == "kind"
    untyped = record_from(CUSTOMER, {"id": 17, "name": "Kari"})
    assert isinstance(untyped, Customer)
    assert untyped.kind is None


def test_a_row_of_the_customer_list_is_thin() -> None:
    """It has no address; and its name is called something else."""
    row = row_from(
        CUSTOMER,
        {"id": 17, "customerName": "Kari", "customerType": "INDIVIDUAL", "sumOrders": 3},
    )

    assert row is not None
    assert not row.complete
    assert row.record == Customer(RecordId("17"), "Kari", CustomerKind.PRIVATE)


def test_a_row_of_the_project_list_is_whole() -> None:
    """A project's row holds all that we keep; customer 0 is none."""
    row = row_from(PROJECT, {"id": 17, "name": "Kai", "customerId": 0, "isHidden": True})

    assert row is not None
    assert row.complete
    assert row.record == Project(RecordId("17"), "Kai", active=False)


@pytest.mark.parametrize("kind", list(RecordKind))
def test_an_unreadable_row_hides_no_other(kind: RecordKind) -> None:
    """It becomes a thin row with another fingerprint; without an id it is nothing."""
    strange = {"id": 17, "customerName": ["x"], "name": ["x"]}
    row = row_from(kind, strange)

    assert row is not None
    assert (row.id, row.complete, row.record.name) == ("17", False, "")
    assert row.fingerprint != row_from(kind, strange | {"more": 1}).fingerprint  # type: ignore[union-attr]
    nothings: list[object] = [None, [], {}, {"id": None}, {"id": "a\x00"}]
    for nothing in nothings:
        assert row_from(kind, nothing) is None


def test_a_row_of_an_unknown_kind_keeps_what_names_it() -> None:
    """Its partner is found by name, number and mail, though nobody knows what it is."""
    odd = {
        "id": 17, "customerName": "Kai AS", "customerType": "CLUB", "orgNo": "923 609 016",
        "emailAddress": "post@kai.no",
    }  # fmt: skip
    row = row_from(RecordKind.CUSTOMER, odd)

    assert row is not None
    assert row.record == Customer(
        RecordId("17"), "Kai AS", organization_number="923609016", email="post@kai.no"
    )
    assert not row.complete


@given(
    items=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["id", "name", "customerName", "customerType", "isActive", "startDate"]
                ),
                inner,
                max_size=5,
            )
        ),
    )
)
def test_no_row_crashes_the_reader(items: object) -> None:
    """Whatever a row holds, it is a row or nothing."""
    for kind in RecordKind:
        row_from(kind, items)


def _order(*lines: DraftLine, **more: Any) -> DraftOrder:
    return DraftOrder(RecordId("17"), RecordId("3"), lines, **more)


def test_a_draft_is_written_with_exact_numbers() -> None:
    """Price in kroner from øre, quantity with its decimals, lines numbered from one."""
    line = DraftLine("Hours", Decimal("7.50"), Ore(95000), Decimal(0), "high")
    body = draft_body(
        _order(line, line, message="Hei", their_reference="Ola"), registration_source="TIMERABBIT"
    )

    assert b'"quantity":7.50,"price":950.00,"discount":0' in json_body(body)
    assert [written["lineNo"] for written in body["invoiceDraftLines"]] == [1, 2]
    assert body | {"invoiceDraftLines": []} == {
        "registrationSource": "TIMERABBIT",
        "customerId": 17,
        "projectId": 3,
        "personalMessage": "Hei",
        "customerReference": "Ola",
        "invoiceDraftLines": [],
    }


def test_a_draft_without_extras_says_nothing_of_them() -> None:
    """Empty texts are too short for Conta."""
    body = draft_body(DraftOrder(RecordId("17"), None, (), message=""), registration_source="CONTA")

    assert set(body) == {"registrationSource", "customerId", "invoiceDraftLines"}


@given(ore=st.integers(-(10**11), 10**11))
def test_sums_are_read_in_ore_whether_written_with_decimals_or_not(ore: int) -> None:
    """1.0 may come back as 1."""
    kroner = Decimal(ore) / 100
    written = str(int(kroner)) if ore % 100 == 0 else f"{kroner:f}"
    body = read_json(
        f'{{"id":5,"customerId":17,"sumNet":{written},"sumVAT":0,"sumTotal":{written},'
        f'"invoiceDraftLines":[{{"description":"x","sumNet":{written}}},{{}}]}}'.encode()
    )

    draft = draft_from(wire.Draft.model_validate(body))

    assert (draft.net, draft.vat, draft.total) == (ore, 0, ore)
    assert [(line.text, line.net) for line in draft.lines] == [("x", ore), ("", None)]


def test_a_draft_that_says_only_its_id_is_read() -> None:
    """No member of the answer is promised."""
    draft = draft_from(wire.Draft.model_validate({"id": 5}))

    assert (draft.id, draft.customer_id, draft.lines, draft.net) == ("5", None, (), None)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("INVOICE_CREATED", "open"),
        ("PAYMENT_REMINDER_CREATED", "open"),
        ("CLOSED_BY_PAYMENT", "paid"),
        ("CLOSED_BY_CREDIT_NOTE", "credited"),
        ("CLOSED_FROM_REGNSKAP", "closed"),
        ("WRITTEN_OFF_AS_LOSS", "closed"),
        ("SOMETHING_NEW", "open"),
        (None, "open"),
    ],
)
def test_the_state_of_an_invoice(status: str | None, state: str) -> None:
    """Paid, credited, closed; everything else is still open and looked at again."""
    invoice = invoice_from(
        wire.Invoice.model_validate(
            {
                "id": 9,
                "invoiceNo": 10001,
                "invoiceDate": "2026-11-24",
                "customerId": 17,
                "status": status,
                "invoiceLines": [{"description": "Hours"}],
            }
        )
    )

    assert (invoice.state, invoice.number, invoice.day) == (state, "10001", date(2026, 11, 24))
    assert invoice_from(wire.Invoice.model_validate({"id": 9})).customer_id is None


def _error(status: int, body: object, call: Call = PUT, **headers: str) -> Exception:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return classify(Answer(status, headers, content), call)


def _api(name: str) -> dict[str, str]:
    return {"category": "API", "name": name}


@pytest.mark.parametrize(
    ("status", "name", "call", "reason"),
    [
        (401, "ApiGatewayRestRequestException", GET, AccessReason.CREDENTIAL_REFUSED),
        (403, "OrgBlockedException", GET, AccessReason.ORGANIZATION_BLOCKED),
        (403, "OrgAccessDeniedException", GET, AccessReason.NOT_VISIBLE),
        (403, "UserBlockedException", GET, AccessReason.CREDENTIAL_REFUSED),
        (403, "NotAdminException", GET, AccessReason.NOT_VISIBLE),
        (403, "OrgAccessDeniedException", PROJECTS, AccessReason.PLAN),
        (403, "OrgBlockedException", PROJECTS, AccessReason.ORGANIZATION_BLOCKED),
        (422, "SubscriptionPlanException", PROJECTS, AccessReason.PLAN),
        (500, "OrgReadOnlyModeException", PUT, AccessReason.ORGANIZATION_READ_ONLY),
    ],
)
def test_each_refusal_of_access_has_its_reason(
    status: int, name: str, call: Call, reason: AccessReason
) -> None:
    """A person is told what to do about it; a plan without projects does not pause customers."""
    fault = _error(status, _api(name), call)

    assert isinstance(fault, Unauthorised)
    assert fault.reason is reason


def test_a_401_needs_no_readable_body() -> None:
    """The gateway in front may answer with a page."""
    assert isinstance(_error(401, b"<html>"), Unauthorised)


@pytest.mark.parametrize("status", [403, 404])
def test_a_page_of_a_proxy_says_nothing_about_the_record(status: int) -> None:
    """Only Conta's own words make a record gone or a link refused; a write may have arrived."""
    for body in (b"<html>", b"[]", b"{}", b'{"message":"no Route matched"}'):
        written, read = _error(status, body, PUT), _error(status, body, GET)

        assert isinstance(written, Unreachable)
        assert written.effect_possible
        assert isinstance(read, Unreachable)
        assert not read.effect_possible


def test_an_unknown_id_is_not_found_and_an_unknown_path_is_not() -> None:
    """A wrong base address must not make every record look deleted."""
    assert isinstance(_error(404, _api("NotFoundIdModelStorageToolException")), NotFound)
    assert isinstance(_error(404, _api("UrlNotFoundException")), Unreachable)


@pytest.mark.parametrize(
    ("status", "name"), [(500, "ToolException"), (503, "MaintenanceException")]
)
def test_a_failure_inside_conta_leaves_the_effect_of_a_write_possible(
    status: int, name: str
) -> None:
    """A read can have none; a wish to wait is kept."""
    written = _error(status, _api(name), PUT, **{"retry-after": "60"})
    read = _error(status, b"", GET)

    assert isinstance(written, Unreachable)
    assert isinstance(read, Unreachable)
    assert (written.effect_possible, written.retry_after) == (True, 60)
    assert (read.effect_possible, read.retry_after) == (False, None)
    assert isinstance(_error(408, b""), Unreachable)


INPUT = {
    "category": "INPUT",
    "name": "InputOpException",
    "input": {"emailAddress": "secret@example.com"},
    "errors": [
        {
            "type": "propertyCondition",
            "id": "required",
            "property": {"path": "customer.customerAddressLine1", "value": "secret"},
            "messages": {"NO": "Mangler", "EN": "Missing", "SV": "Saknas"},
        },
        {"type": "propertyCondition", "property": {"path": ""}},
        "mailingAddressIsNotComplete",
        "The phone number is too short",
        {"property": 7},
    ],
}


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_field_check_is_read_in_both_shapes_wherever_it_stands(status: int) -> None:
    """Objects or texts, at 400, 409 or 422; the echo of the request is never kept."""
    fault = _error(status, INPUT)

    assert isinstance(fault, Rejected)
    assert fault.reasons == (
        Reason("required", "address.line1", {"nb": "Mangler", "en": "Missing"}),
        Reason("propertyCondition"),
        Reason("mailingAddressIsNotComplete"),
        Reason("InputOpException", text={"en": "The phone number is too short"}),
        Reason("InputOpException"),
    )
    assert "secret" not in str(fault) + repr(fault.reasons)


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (409, "InUseIdModelStorageException"),
        (409, "ForeignKeyViolationDatabaseToolException"),
        (413, "PostRequestTooLargeException"),
        (405, "UrlMethodNotFoundException"),
    ],
)
def test_other_refusals_keep_their_name(status: int, name: str) -> None:
    """The name tells the three meanings of 409 apart."""
    fault = _error(status, _api(name))

    assert isinstance(fault, Rejected)
    assert fault.reasons == (Reason(name),)


@pytest.mark.parametrize("messages", [{"EN": "Wrong code"}, [{"EN": "Wrong code"}]])
def test_a_business_rule_is_kept_with_its_texts(messages: object) -> None:
    """Texts are an object on the wire and an array in the schema."""
    fault = _error(
        422, {"category": "CUSTOM", "name": "WrongVatCodeException", "messages": messages}
    )

    assert isinstance(fault, Rejected)
    assert fault.reasons == (Reason("WrongVatCodeException", "vat_code", {"en": "Wrong code"}),)


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"name":"two words"}'])
def test_a_refusal_without_a_name_is_named_by_its_status(body: bytes) -> None:
    """It refused all the same, and did nothing."""
    fault = _error(422, body)

    assert isinstance(fault, Rejected)
    assert fault.reasons == (Reason("http-422"),)


def test_a_webhook_names_the_record_to_look_at() -> None:
    """Type, organization and id are all that is taken from it."""
    body = b'{"type":"customer.updated","organizationId":"1001","data":{"id":17,"name":"x"}}'

    assert read_notice(body) == Notice(
        "customer.updated", "1001", changes=(ChangeNotice(CUSTOMER, RecordId("17")),)
    )


@pytest.mark.parametrize("record_id", ["1", "17", "9223372036854775807", 9223372036854775807])
def test_an_id_that_conta_can_have_is_taken(record_id: object) -> None:
    """As a text or as a number."""
    body = {"type": "project.updated", "organizationId": 1, "data": {"id": record_id}}

    (change,) = read_notice(json.dumps(body).encode()).changes

    assert change.id == str(record_id)


@pytest.mark.parametrize(
    "record_id",
    ["abc", "0", "-1", "01", "1.0", " 1", "1 ", "../../x", "٣", "9223372036854775808",
     "99999999999999999999", 0, -1, 2**63, 1.5, None],
)  # fmt: skip
def test_an_id_that_conta_cannot_have_is_refused(record_id: object) -> None:
    """It would be asked for in vain and tried again for ever; the sender hears of it instead."""
    body = {"type": "customer.updated", "organizationId": 1, "data": {"id": record_id}}

    with pytest.raises(ValueError, match="id"):
        read_notice(json.dumps(body).encode())


def test_other_webhooks_are_kept_by_name() -> None:
    """Unknown ones change nothing; those about access let it be looked at."""
    assert read_notice(b'{"type":"weather.changed","organizationId":1001}') == Notice(
        "weather.changed", "1001"
    )
    assert read_notice(b'{"type":"organization.blocked","organizationId":1001}').access_changed


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"type":"","organizationId":1}',
        b'{"type":"a\\u0000","organizationId":1}',
        b'{"type":"customer.updated"}',
        b'{"type":"customer.updated","organizationId":1}',
        b'{"type":"customer.updated","organizationId":1,"data":[]}',
        b'{"type":"customer.updated","organizationId":1,"data":{"id":"a\\u0000"}}',
        b'{"type":"customer.updated","organizationId":1,"organizationId":2,"data":{"id":1}}',
    ],
)
def test_a_webhook_of_another_form_is_a_value_error(body: bytes) -> None:
    """Nothing of it is taken."""
    with pytest.raises(ValueError):  # noqa: PT011 - the texts differ, the kind is the law
        read_notice(body)
