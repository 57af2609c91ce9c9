"""What the register knows of two numbers is told as it is, and nothing beyond it."""

from typing import Any

import pytest

from app.records.register_facts import (
    RegisterFact,
    fact_texts,
    facts_beside,
    facts_of,
    facts_shown,
    number_of,
    say_fact,
)
from app.systems.register import Business, Businesses

OWN, OTHER, MAIN = "860001381", "860001403", "860001411"
ALONE: dict[str, Business | None] = {OWN: Business(OWN), OTHER: Business(OTHER)}
SUB = "organization-number-of-sub-unit"


def sub(number: str, main: str) -> dict[str, Business | None]:
    return {number: Business(number, main_unit=main)}


@pytest.mark.parametrize(
    ("businesses", "codes"),
    [
        ({}, []),
        ({OWN: Business(OWN)}, []),
        (ALONE, ["different-businesses"]),
        ({OWN: Business(OWN)} | sub(OTHER, OWN), ["sub-unit-of-record"]),
        (sub(OTHER, OWN), ["sub-unit-of-record"]),
        ({OTHER: Business(OTHER)} | sub(OWN, OTHER), ["main-unit-of-record"]),
        (sub(OWN, OTHER), ["main-unit-of-record"]),
        (sub(OWN, MAIN) | sub(OTHER, MAIN), ["sub-units-of-one-main-unit"]),
        (sub(OTHER, MAIN) | sub(MAIN, OWN), ["sub-unit-of-record"]),
        ({OWN: Business(OWN)} | sub(OTHER, MAIN), [SUB]),
        (
            {OWN: Business(OWN), MAIN: Business(MAIN)} | sub(OTHER, MAIN),
            ["different-businesses", SUB],
        ),
        ({OWN: Business(OWN), OTHER: None}, ["organization-number-not-in-register"]),
        (
            {OWN: Business(OWN), OTHER: Business(OTHER, bankrupt=True)},
            ["different-businesses", "customer-bankrupt"],
        ),
        (
            {OWN: Business(OWN), OTHER: Business(OTHER, struck_off=True)},
            ["customer-struck-off"],
        ),
        ({OWN: Business(OWN, struck_off=True), OTHER: Business(OTHER)}, []),
        (sub(OWN, MAIN) | sub(MAIN, OWN) | {OTHER: Business(OTHER)}, []),
    ],
)
def test_how_two_numbers_are_akin(businesses: Businesses, codes: list[str]) -> None:
    """Two firms are said only of what is known up to the top; who is gone may have belonged."""
    assert [fact.code for fact in facts_beside(OWN, OTHER, businesses)] == codes


def test_kinship_is_the_same_from_both_sides() -> None:
    """What is a sub-unit of the record is, seen from there, beside its main unit."""
    businesses = {OWN: Business(OWN)} | sub(OTHER, OWN)

    assert facts_beside(OWN, OTHER, businesses)[0] == RegisterFact(
        "sub-unit-of-record", OWN, OTHER, OWN
    )
    assert facts_beside(OTHER, OWN, businesses)[0] == RegisterFact(
        "main-unit-of-record", OTHER, OWN, OWN
    )


def test_one_number_is_not_akin_to_itself() -> None:
    """Nor is anything said beside a record without a number but of the other itself."""
    businesses = {OWN: Business(OWN, liquidating=True)}

    for beside in (OWN, ""):
        codes = [fact.code for fact in facts_beside(beside, OWN, businesses)]
        assert codes == ["customer-in-liquidation"]
    assert facts_beside(OWN, "", businesses) == ()


def test_a_sub_unit_is_told_of_its_main_unit() -> None:
    """The register marks the main unit alone as bankrupt; the gravest first."""
    main = Business(MAIN, bankrupt=True, liquidating=True, struck_off=True)

    assert facts_of(OWN, sub(OWN, MAIN) | {MAIN: main}) == (
        RegisterFact("main-unit-struck-off", other=OWN, main=MAIN),
        RegisterFact("main-unit-bankrupt", other=OWN, main=MAIN),
        RegisterFact("main-unit-in-liquidation", other=OWN, main=MAIN),
        RegisterFact(SUB, other=OWN, main=MAIN),
    )


@pytest.mark.parametrize(
    ("record", "number"),
    [
        (None, ""),
        ({"name": "Prosjekt"}, ""),
        ({"organization_number": None, "address": {"country": "NO"}}, ""),
        ({"organization_number": "860001382", "address": {"country": "NO"}}, ""),
        ({"organization_number": "NO 860 001 381 MVA", "address": {"country": None}}, OWN),
        ({"organization_number": OWN, "address": {"country": "SE"}}, ""),
    ],
)
def test_only_a_norwegian_number_can_be_in_the_register(
    record: dict[str, Any] | None, number: str
) -> None:
    """One from abroad may pass the same check and be another firm's here."""
    assert number_of(record) == number


@pytest.mark.parametrize("code", sorted({*fact_texts(), SUB, "customer-bankrupt"}))
def test_each_fact_is_said_in_each_language(code: str) -> None:
    """An unknown language gives bokmål; no number is left out of a sentence that names one."""
    said = {
        language: say_fact(RegisterFact(code, OWN, OTHER, MAIN), language)
        for language in ("nb", "nn", "en", "fr")
    }

    assert len(set(said.values())) == 3
    assert said["fr"] == said["nb"]
    assert not [text for text in said.values() if "{" in text or ", ," in text]


def test_what_is_shown_names_code_and_words() -> None:
    """As both records are stored."""
    own, other = ({"organization_number": n, "address": {"country": "NO"}} for n in (OWN, OTHER))

    shown = facts_shown(other, sub(OTHER, OWN), "en", beside=own)

    assert shown == [
        {
            "code": "sub-unit-of-record",
            "text": f"{OTHER} is a sub-unit of {OWN} according to the business register.",
        }
    ]
