"""A name that stands twice: how rare it is for the register's size, when it is one customer's."""

from dataclasses import replace
from typing import Any

import pytest

from app.canonical import Address, Customer, CustomerKind, RecordId
from app.records.matching import match
from app.records.matching.compare import compare
from app.records.matching.compare_names import compare_names
from app.records.matching.decide import decide
from app.records.matching.facts import bit
from app.records.matching.normalise import SIZE, Card, mark_shared, read_card
from app.records.matching.proposals import Fact

OSLO = Address("Storgata 12", None, "0155", "Oslo")
BERGEN = Address("Bryggen 4", None, "5003", "Bergen")
UNCOMMON = "Emma Steinsland"


def person(name: str, **fields: Any) -> Customer:
    return Customer(RecordId("1"), name, CustomerKind.PRIVATE, **fields)


def company(name: str, **fields: Any) -> Customer:
    return Customer(RecordId("1"), name, CustomerKind.COMPANY, **fields)


def card_in(size: int, customer: Customer) -> Card:
    """Read a customer as one of a register of that size."""
    card = read_card(customer)
    mark_shared([card] * size)
    return card


def test_what_is_uncommon_among_few_is_not_among_many() -> None:
    """A name borne by a handful in the country is met twice in a register of 20,000."""
    card = read_card(person(UNCOMMON))
    assert 2 < card.bearers < 10

    assert card_in(1, person(UNCOMMON)).uncommon
    assert card_in(SIZE, person(UNCOMMON)).uncommon
    assert not card_in(20_000, person(UNCOMMON)).uncommon


def test_a_rare_name_is_rare_only_below_the_uncommon_one() -> None:
    """A name of one or two bearers in the country is rare, but not among 30,000."""
    rare = person("Ingrid Grimseid")

    assert card_in(SIZE, rare).rare
    assert not card_in(SIZE * 10, rare).rare


def test_what_is_rare_falls_with_the_size_too() -> None:
    """A name of nearly two bearers is rare among 3,000; twice as many meet its namesake."""
    rare = person("Sigve Lone")

    assert card_in(SIZE, rare).rare
    assert not card_in(SIZE * 2, rare).rare
    assert card_in(SIZE * 2, rare).uncommon


def test_in_one_town_the_size_of_the_register_says_little() -> None:
    """The second bearer of an uncommon name lives elsewhere, however many customers there are."""
    here = card_in(20_000, person(UNCOMMON, address=OSLO))
    too = card_in(20_000, person(UNCOMMON, address=Address(None, None, "0155", "Oslo")))
    away = card_in(20_000, person(UNCOMMON, address=BERGEN))

    assert compare_names(here, too) & bit(Fact.NAME_UNCOMMON)
    assert not compare_names(here, away) & bit(Fact.NAME_UNCOMMON)


def test_an_initial_alone_does_not_join_two_family_names() -> None:
    """Morten Albertsen is not Morten A. Salomonsen; Kari B. Moe may be Kari Berg Moe."""
    other = compare_names(
        read_card(person("Morten Albertsen")), read_card(person("Morten A. Salomonsen"))
    )
    same = compare_names(read_card(person("Kari B. Moe")), read_card(person("Kari Berg Moe")))

    assert other & bit(Fact.NAME_PARTLY)
    assert same & bit(Fact.NAME_MIDDLE)


def test_one_full_name_with_two_numbers_is_asked_wherever_it_stands() -> None:
    """Main unit and sub-unit of one company in two towns, though the name stands twice a side."""
    one = read_card(company("Fjell Blikk AS", organization_number="974760673", address=OSLO))
    two = read_card(company("Fjell Blikk AS", organization_number="988077917", address=BERGEN))
    one.alone = two.alone = False

    assert decide(compare(one, two)).duty


def test_a_misspelt_name_with_two_numbers_is_asked_in_another_town_too() -> None:
    """«Føralnd Barnehage» here, «Førland Barnehage» there: towns do not tell them apart."""
    one = read_card(company("Førland Barnehage", organization_number="974760673", address=OSLO))
    two = read_card(company("Føralnd Barnehage", organization_number="988077917", address=BERGEN))
    other = read_card(company("Ferland Helse", organization_number="988077917", address=BERGEN))

    assert decide(compare(one, two)).duty
    assert not decide(compare(one, other)).duty


def test_a_mailbox_that_two_firms_have_names_neither() -> None:
    """Whoever writes their mail may be an accountant, or the owner's first firm."""
    cafe = company("Kafé Solvang", address=OSLO)
    drift = company(
        "Havna Drift AS", address=OSLO, email="post@kafesolvang.example",
        organization_number="974760673",
    )  # fmt: skip
    other = replace(drift, id=RecordId("2"), name="Nordre Gulv AS", address=BERGEN)

    alone, shared = match([cafe], [drift]), match([cafe], [drift, other])

    assert [one.rule for one in alone.certain] == ["trade-name-and-street"]
    assert shared.certain == ()


def test_an_owner_who_stands_beside_his_firm_is_not_taken_for_it() -> None:
    """The name twice on a side: the kind tells them apart, and is no slip."""
    owner, firm = person("Ola Hansen", address=OSLO), company("Ola Hansen", address=OSLO)

    found = match([owner], [firm, replace(owner, id=RecordId("2"), address=BERGEN)])

    assert found.certain == ()


SUSPECTED = {
    "full name": (company("Fjell Blikk AS"), company("Fjell Blikk AS", address=OSLO)),
    "form on one": (company("Fjell Blikk AS"), company("Fjell Blikk", address=OSLO)),
    "uncommon name, other phone": (
        person(UNCOMMON, phone="41000001"),
        person(UNCOMMON, phone="41000002"),
    ),
    "a slip, one mail": (
        company("Fjell Blikk", email="post@fjellblikk.example"),
        company("Fjel Blikk", email="post@fjellblikk.example", phone="41000001"),
    ),
    "kind wrong on one, a rare name and phone": (
        person("Torvald Grimseid", address=OSLO, phone="41000001"),
        company("Torvald Grimseid", address=OSLO, phone="41000001"),
    ),
}
STRANGERS = {
    "a slip and nothing else": (company("Berg Bilverksted"), company("Søberg Bilverksted")),
    "no form and nothing else": (company("Fjell Blikk"), company("Fjell Blikk", address=OSLO)),
    "a slip in another town": (
        person("Monika Norland", address=OSLO),
        person("Monika Nordland", address=BERGEN),
    ),
    "two firms by their numbered domain": (
        company("Fjell Blikk AS"),
        company("Fjell Blikk", email="post@fjellblikk72.example"),
    ),
}


def suspects(pair: tuple[Customer, Customer]) -> int:
    """Count the suspected duplicates of a side that holds both."""
    one, two = pair
    fields = {name: getattr(two, name) for name in Customer.__slots__}
    return len(match([one, Customer(**(fields | {"id": RecordId("2")}))], []).duplicates)


@pytest.mark.parametrize("case", SUSPECTED)
def test_one_customer_written_twice_is_suspected(case: str) -> None:
    """The name tells, or something beside it agrees."""
    assert suspects(SUSPECTED[case]) == 1


@pytest.mark.parametrize("case", STRANGERS)
def test_two_of_one_trade_are_not_suspected(case: str) -> None:
    """A name that is common, or only close, says too little by itself."""
    assert suspects(STRANGERS[case]) == 0


def test_two_firms_that_fit_one_partner_are_two_firms_by_their_numbers() -> None:
    """Both would link with the one record of the books; two valid numbers are not one customer."""

    def firm(record_id: str, **fields: Any) -> Customer:
        mail = "post@nordbua.example"
        return Customer(
            RecordId(record_id), "Sjøbua kafé", CustomerKind.COMPANY, email=mail, **fields
        )

    one = firm("A", organization_number="988077917", address=OSLO, phone="22113344")
    other = firm("B", organization_number="976431626")
    found = match([one, other], [firm("C", address=OSLO, phone="22113344")])

    assert found.duplicates == ()
