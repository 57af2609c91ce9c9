"""
Say what the business register knows of two records' numbers, for whoever decides; pure.

Whether two numbers are one firm's (main unit and sub-unit) or two firms' is the register's to tell,
and a person's to decide: no record is linked or parted by it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from app.records.matching.identifiers import organization_digits
from app.records.readiness import HOME, Gap, say_gap, valid_organization_number, warnings
from app.shipped import read_texts
from app.systems.register import Businesses

_SUB_UNIT: Final = "organization-number-of-sub-unit"
_UNKNOWN: Final = "organization-number-not-in-register"
_KIN: Final = frozenset({"sub-unit-of-record", "sub-units-of-one-main-unit"})
"""Kinship that says already that the other's number is a sub-unit's."""
_MAIN_UNIT: Final[Mapping[str, str]] = {
    "customer-struck-off": "main-unit-struck-off",
    "customer-bankrupt": "main-unit-bankrupt",
    "customer-in-liquidation": "main-unit-in-liquidation",
}
"""What is told of a sub-unit whose main unit has such a warning; the register marks that only."""


@dataclass(frozen=True, slots=True)
class RegisterFact:
    """
    Hold one thing that the register says.

    Args:
        code: Stable; a finding's where it says the same, else its text is in
            ``register_facts.json``.
        own: The number of the record it is compared with.
        other: The number it is said of.
        main: The number of the main unit it is about.

    """

    code: str
    own: str = ""
    other: str = ""
    main: str = ""


def number_of(record: Mapping[str, Any] | None) -> str:
    """Give a stored record's number as the register writes it; '' where it can have none."""
    number = organization_digits((record or {}).get("organization_number"))
    abroad = bool(number) and ((record or {}).get("address") or {}).get("country") not in HOME
    return "" if abroad or not valid_organization_number(number) else number


def numbers_in(records: Iterable[Mapping[str, Any] | None]) -> Collection[str]:
    """Give the numbers of stored records that the register may know."""
    return {number_of(record) for record in records} - {""}


def facts_of(number: str, businesses: Businesses) -> tuple[RegisterFact, ...]:
    """
    Give what the register knows of one number, the gravest first.

    Empty where all is well or nothing was answered yet.
    """
    if number not in businesses:
        return ()
    business = businesses[number]
    if business is None:
        return (RegisterFact(_UNKNOWN, other=number),)
    main = business.main_unit or ""
    above = businesses.get(main)
    return (
        *(RegisterFact(code, other=number) for code in warnings(business)),
        *(
            RegisterFact(_MAIN_UNIT[code], other=number, main=main)
            for code in (warnings(above) if above is not None else ())
        ),
        *([RegisterFact(_SUB_UNIT, other=number, main=main)] if main else []),
    )


def facts_beside(own: str, other: str, businesses: Businesses) -> tuple[RegisterFact, ...]:
    """Give how another number is akin to a record's own, then what is known of the other."""
    akin = _kinship(own, other, businesses) if own and other and own != other else None
    known = facts_of(other, businesses)
    if akin is None:
        return known
    spared = _SUB_UNIT if akin.code in _KIN else ""
    return (akin, *(fact for fact in known if fact.code != spared))


def say_fact(fact: RegisterFact, language: str) -> str:
    """Give a fact in words, in nb, nn or en."""
    texts = fact_texts().get(fact.code)
    if texts is None:  # a finding's words serve here too
        gap = Gap(fact.code, "organization_number", blocking=False, suggested=fact.main)
        return say_gap(gap, language)["text"]
    said: str = texts.get(language) or texts["nb"]
    return said.format(own=fact.own, other=fact.other, main=fact.main)


def facts_shown(
    record: Mapping[str, Any] | None,
    businesses: Businesses,
    language: str,
    *,
    beside: Mapping[str, Any] | None = None,
) -> list[dict[str, str]]:
    """
    Show what is known of a stored record's number, as codes and in words.

    Args:
        beside: The record that this one may be the same as.

    """
    facts = facts_beside(number_of(beside), number_of(record), businesses)
    return [{"code": fact.code, "text": say_fact(fact, language)} for fact in facts]


def fact_texts() -> Mapping[str, Mapping[str, str]]:
    """Read the texts of the facts that are no findings, by code."""
    return read_texts(Path(__file__).with_name("register_facts.json"))


def _kinship(own: str, other: str, businesses: Businesses) -> RegisterFact | None:
    """Say how two numbers belong together, or that both are known and do not; else nothing."""
    above_own, own_whole = _above(own, businesses)
    above_other, other_whole = _above(other, businesses)
    if own in above_other:
        return RegisterFact("sub-unit-of-record", own, other, own)
    if other in above_own:
        return RegisterFact("main-unit-of-record", own, other, other)
    shared = [number for number in above_own if number in above_other]
    if shared:
        return RegisterFact("sub-units-of-one-main-unit", own, other, shared[0])
    if own_whole and other_whole:
        return RegisterFact("different-businesses", own, other)
    return None


def _above(number: str, businesses: Businesses) -> tuple[Sequence[str], bool]:
    """
    Give the units above a number, the nearest first, and whether they are known to the topmost.

    Of one that was struck off the register does not tell what it belonged to.
    """
    above: list[str] = []
    business = businesses.get(number)
    while business is not None and business.main_unit not in {None, number, *above}:
        above.append(business.main_unit or "")
        business = businesses.get(above[-1])
    whole = business is not None and business.main_unit is None and not business.struck_off
    return above, whole
