"""What a record lacks before it may exist on the other side."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.canonical import Address, Customer, CustomerKind, Project, RecordId
from app.records.matching.addresses import is_placeholder
from app.records.readiness import (
    FixKind,
    Gap,
    customer_gaps,
    customer_texts,
    gap_texts,
    is_ready,
    project_gaps,
    say_gap,
    valid_organization_number,
    warnings,
)
from app.systems.register import Business

REQUIRED = frozenset({"name", "kind", "address.line1", "address.postal_code", "address.city"})
LIMITS = {"name": 20, "address.line1": 15}
WHOLE = Customer(
    RecordId("1"),
    "Fjell Blikk AS",
    CustomerKind.COMPANY,
    organization_number="974760673",
    address=Address("Storgata 1", None, "0155", "Oslo", "NO"),
)


def changed(**facts: Any) -> Customer:
    return Customer(**{name: getattr(WHOLE, name) for name in Customer.__slots__} | facts)


def gaps(customer: Customer, *, twice: bool = False) -> list[tuple[str, str, bool]]:
    found = customer_gaps(customer, required=REQUIRED, limits=LIMITS, number_twice=twice)
    return [(gap.code, gap.field, gap.blocking) for gap in found]


words = st.sampled_from(
    ("", "-", "Ukjent", "Storgata 1", "0155", "155", "9999", "<b></b>", "x" * 30)
)
maybe = st.none() | words
fields = st.sampled_from(
    (*sorted(REQUIRED), "address", "organization_number", "email", "phone", "address.country")
)
customers = st.builds(
    Customer,
    id=st.just(RecordId("1")),
    name=words,
    kind=st.sampled_from((None, *CustomerKind)),
    organization_number=st.sampled_from((None, "", "974760673", "974760674")),
    email=maybe,
    phone=maybe,
    address=st.builds(Address, maybe, maybe, maybe, maybe, st.sampled_from((None, "NO", "SE"))),
)


@given(customer=customers, required=st.frozensets(fields))
def test_a_ready_record_passes_the_other_sides_check(
    customer: Customer, required: frozenset[str]
) -> None:
    """No hindering gap means: every required field is there and no text is too long."""
    found = customer_gaps(customer, required=required, limits=LIMITS)
    texts = customer_texts(customer) | {"address.country": customer.address.country}

    if is_ready(found):
        assert all((texts[name] or "").strip() for name in required & texts.keys())
        assert customer.kind is not None or "kind" not in required
        assert all(len((texts[name] or "").strip()) <= limit for name, limit in LIMITS.items())


@given(customer=customers, required=st.frozensets(fields), twice=st.booleans())
def test_each_gap_is_named_once_the_hindering_first(
    customer: Customer, required: frozenset[str], twice: bool
) -> None:
    """No code comes twice for one field, and remarks stand after what hinders."""
    found = customer_gaps(customer, required=required, limits=LIMITS, number_twice=twice)

    assert len({(gap.code, gap.field) for gap in found}) == len(found)
    assert [gap.blocking for gap in found] == sorted((gap.blocking for gap in found), reverse=True)


def test_a_whole_record_lacks_nothing() -> None:
    """A customer with all fields is ready without a remark."""
    assert gaps(WHOLE) == []


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        ({"kind": None}, ("kind-not-set", "kind", True)),
        *(
            ({"name": name}, ("name-only-markup", "name", True))
            for name in (
                "<p> </p>",
                "&nbsp;",
                "<b>&nbsp;</b>",
                "&#8203;",
                "\u200b",
                "\u00ad \ufeff",
                "\u2800",
                "\u3164",
            )
        ),
        ({"name": "Fjell Blikk og Fasade AS"}, ("too-long", "name", True)),
        (
            {"organization_number": None},
            ("organization-number-missing", "organization_number", False),
        ),
        (
            {"organization_number": "974760674"},
            ("organization-number-invalid", "organization_number", True),
        ),
        ({"address": Address()}, ("address-missing", "address", True)),
        ({"address": Address("-", None, "0000", "Ukjent")}, ("address-missing", "address", True)),
        (
            {"address": Address("Ukjent", None, "0155", "Oslo")},
            ("address-incomplete", "address.line1", True),
        ),
        (
            {"address": Address("Storgata 1", None, "9999", "Oslo")},
            ("postal-code-unknown", "address.postal_code", True),
        ),
        (
            {"address": Address("Storgata 1", None, "155", "Oslo")},
            ("postal-code-unknown", "address.postal_code", True),
        ),
    ],
)
def test_each_gap_is_found(facts: dict[str, Any], found: tuple[str, str, bool]) -> None:
    """One thing missing gives one finding, with the field it is about."""
    assert gaps(changed(**facts)) == [found]


@pytest.mark.parametrize("name", ["&", "A&amp;B AS", "<3", "Ⅲ", "🎨", "株式会社", "1881", "…"])
def test_a_name_of_few_signs_is_a_name(name: str) -> None:
    """What can be seen is somebody's name, however odd."""
    assert gaps(changed(name=name)) == []


def test_a_number_twice_inside_a_side_is_a_remark() -> None:
    """Two customers may share a number; a person should know."""
    assert gaps(WHOLE, twice=True) == [("organization-number-twice", "organization_number", False)]


def test_a_person_needs_no_organization_number() -> None:
    """Only a company without a number gets the remark; where one is required, it hinders."""
    person = changed(kind=CustomerKind.PRIVATE, organization_number=None)

    assert gaps(person) == []
    found = customer_gaps(person, required=REQUIRED | {"organization_number"}, limits={})
    assert [(gap.code, gap.blocking) for gap in found] == [("organization-number-missing", True)]


def test_abroad_neither_code_nor_number_is_judged() -> None:
    """Norwegian rules do not hold for a Swedish customer."""
    abroad = Address("Kungsgatan 1", None, "111 43", "Stockholm", "SE")

    assert gaps(changed(address=abroad, organization_number="5560360793")) == []


def test_a_blank_in_a_postal_code_is_no_fault() -> None:
    """«01 55» is 0155."""
    assert gaps(changed(address=Address("Storgata 1", None, "01 55", "Oslo"))) == []


def test_any_other_required_field_that_is_missing_hinders() -> None:
    """A target may require what no finding of its own covers."""
    found = customer_gaps(WHOLE, required=REQUIRED | {"email"}, limits={})

    assert [(gap.code, gap.field) for gap in found] == [("field-missing", "email")]


@pytest.mark.parametrize(
    ("project", "ready", "code"),
    [
        (Project(RecordId("1"), "Nettside", RecordId("1")), True, None),
        (Project(RecordId("1"), "Nettside", RecordId("1")), False, "project-customer-not-ready"),
        (Project(RecordId("1"), "Nettside"), True, "project-without-customer"),
        (
            Project(RecordId("1"), "Fase", RecordId("1"), parent_id=RecordId("2")),
            True,
            "subproject",
        ),
        (Project(RecordId("1"), "x" * 21, RecordId("1")), True, "too-long"),
        (Project(RecordId("1"), "<br>", RecordId("1")), True, "name-only-markup"),
    ],
)
def test_a_project_lacks_what_hinders_it(project: Project, ready: bool, code: str | None) -> None:
    """Without a customer, under another project, or with a customer that waits, it waits too."""
    found = project_gaps(project, limits={"name": 20}, customer_ready=ready)

    assert [gap.code for gap in found] == ([code] if code else [])
    assert is_ready(found) == (code is None)


@pytest.mark.parametrize("code", sorted(gap_texts()))
@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_each_gap_has_a_text_and_a_remedy_in_each_language(code: str, language: str) -> None:
    """What hinders is said with what to do about it; an unknown language gives bokmål."""
    gap = Gap(code, "name", blocking=True, limit=20)

    said = say_gap(gap, language)

    assert said["text"]
    assert said["remedy"]
    assert say_gap(gap, "fr") == say_gap(gap, "nb")
    assert gap_texts()[code]["text"].keys() == {"nb", "nn", "en"}


def test_fixes_are_what_the_api_can_carry_out() -> None:
    """A kind, an address and a name can be set; whatever else is wrong, a record is left out."""
    found = customer_gaps(
        changed(kind=None, address=Address(), name="x" * 21), required=REQUIRED, limits=LIMITS
    )

    assert {gap.code: gap.fix for gap in found} == {
        "kind-not-set": FixKind.SET_KIND,
        "address-missing": FixKind.SET_ADDRESS,
        "too-long": FixKind.SET_NAME,
    }


def test_the_same_eyes_see_numbers_and_placeholders_everywhere() -> None:
    """Readiness and matching read a number and a placeholder alike."""
    assert valid_organization_number("NO 974 760 673 MVA")
    assert not valid_organization_number(None)
    assert is_placeholder("Ikke oppgitt")


NUMBER = "974760673"
STREET = Address("Storgata 1", "Oppgang B", "0155", "Oslo", "NO")


def registered(customer: Customer, business: Business | None) -> dict[str, Gap]:
    found = customer_gaps(customer, required=REQUIRED, limits=LIMITS, businesses={NUMBER: business})
    return {gap.code: gap for gap in found}


def test_the_register_offers_its_address_where_one_lacks() -> None:
    without = changed(address=Address())

    offered = registered(without, Business(NUMBER, address=STREET))["address-missing"]
    silent = registered(without, Business(NUMBER))["address-missing"]

    assert offered.suggested == "Storgata 1, Oppgang B, 0155 Oslo"
    assert silent.suggested is None


def test_what_the_register_knows_of_a_number_is_remarked_and_hinders_nothing() -> None:
    unknown = registered(WHOLE, None)
    sub_unit = registered(WHOLE, Business(NUMBER, main_unit="974760674"))
    struck = registered(WHOLE, Business(NUMBER, struck_off=True))

    assert list(unknown) == ["organization-number-not-in-register"]
    assert sub_unit["organization-number-of-sub-unit"].suggested == "974760674"
    assert struck["customer-struck-off"].fix is FixKind.LEAVE_OUT
    assert not any(gap.blocking for found in (unknown, sub_unit, struck) for gap in found.values())
    assert registered(WHOLE, Business(NUMBER)) == {}


def test_a_number_abroad_is_not_held_against_the_register() -> None:
    assert registered(changed(address=Address("A", None, "1", "B", "SE")), None) == {}


def test_the_gravest_news_of_a_business_comes_first() -> None:
    all_of_it = Business(NUMBER, bankrupt=True, liquidating=True, struck_off=True)

    assert warnings(all_of_it) == (
        "customer-struck-off", "customer-bankrupt", "customer-in-liquidation",
    )  # fmt: skip
    assert warnings(Business(NUMBER)) == ()
