"""Hold the answers of the matching: facts, proposals, duplicates, and the whole result."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.canonical import RecordId, Side


class Fact(StrEnum):
    """Name one observation about two records; the same whichever side is looked at first."""

    NUMBER_SAME = "organization-number-same"
    NUMBER_CLOSE = "organization-number-close"
    NUMBER_ONE_SIDE = "organization-number-on-one-side"
    NUMBER_DIFFERENT = "organization-number-different"
    NUMBER_FAR = "organization-number-invalid-and-different"
    NAME_SAME = "name-same"
    NAME_SAME_BUT_FORM = "name-same-but-legal-form"
    NAME_SPELT = "name-same-but-spelling"
    NAME_CLOSE = "name-close"
    NAME_ALIKE = "name-alike"
    NAME_MIDDLE = "name-same-but-middle-name"
    NAME_CONTAINED = "name-contained"
    NAME_PARTLY = "name-partly"
    NAME_OTHER = "name-other"
    NAME_IN_DOMAIN = "name-in-mail-domain"
    NAME_RARE = "name-rare"
    NAME_UNCOMMON = "name-uncommon"
    NAME_SELDOM = "name-seldom"
    NAME_ALONE = "name-once-on-each-side"
    NAME_ALONE_HERE = "name-once-in-its-place"
    NAME_PERSONAL = "name-of-a-person"
    FULL_COMPANY_NAME = "full-company-name"
    FORM_DIFFERENT = "legal-form-different"
    FORM_MISSING = "legal-form-missing"
    LIMITED = "limited-company"
    COUNT_DIFFERENT = "number-in-name-different"
    GIVEN_SAME = "given-name-same"
    GIVEN_SLIPPED = "given-name-slipped"
    GIVEN_DIFFERENT = "given-name-different"
    COUPLE_ONE_SIDE = "couple-against-one-person"
    DEPARTMENT_ONE_SIDE = "department-on-one-side"
    PLACE_IN_NAME = "place-in-name-agrees"
    PLACE_IN_NAME_ONE_SIDE = "place-in-name-on-one-side"
    PLACE_IN_NAME_OTHER = "place-in-name-different"
    STREET_SAME = "street-and-number-same"
    STREET_CLOSE = "street-close"
    STREET_NUMBER_MISSING = "street-same-number-missing"
    STREET_NUMBER_OTHER = "street-same-number-different"
    STREET_OTHER = "street-different"
    BOX_SAME = "po-box-same"
    CODE_SAME = "postal-code-same"
    PLACE_SAME = "place-same"
    PLACE_OTHER = "place-different"
    MAIL_SAME = "mail-same"
    MAIL_SHARED = "mail-same-but-shared"
    MAIL_OTHER = "mail-different"
    DOMAIN_SAME = "mail-domain-same"
    DOMAIN_OTHER = "mail-domain-different"
    DOMAIN_SECOND = "mail-domain-with-number"
    DOMAIN_KNOWN = "mail-domain-known"
    PHONE_SAME = "phone-same"
    PHONE_SHARED = "phone-same-but-shared"
    PHONE_OTHER = "phone-different"
    KIND_SAME = "kind-same"
    BOTH_COMPANIES = "both-companies"
    KIND_DIFFERENT = "kind-different"
    KIND_UNSET = "kind-not-set"
    ACTIVITY_DIFFERENT = "one-is-inactive"
    PROJECT_NUMBER_SAME = "project-number-same"
    PROJECT_NUMBER_DIFFERENT = "project-number-different"
    RIVAL = "another-candidate"
    PARTNER_TAKEN = "already-paired"


CHOSEN: Final = "chosen-by-person"
"""The rule of a candidate that a person chose before one of the two changed."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """
    Propose that two records are the same.

    Args:
        certain: True when nobody needs to look; False when a person is asked.
        rule: Stable id of the rule that decided, for instance ``number-and-name``.
        facts: What speaks for and against, the weightiest first.
        score: Evidence in tenths of log-odds; ranks proposals and is comparable within one answer.

    """

    time_id: RecordId
    books_id: RecordId
    certain: bool
    rule: str
    facts: tuple[Fact, ...]
    score: int


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Suspect that one side holds a record twice; ``first_id`` sorts before ``second_id``."""

    side: Side
    first_id: RecordId
    second_id: RecordId
    rule: str
    facts: tuple[Fact, ...]
    score: int


@dataclass(frozen=True, slots=True)
class Matching:
    """
    Answer which records are the same.

    Each record that takes part stands in exactly one of: one ``certain`` proposal, one or two
    ``asked`` ones, or ``only_time`` / ``only_books``. ``duplicates`` comes beside: a record in
    an ``only`` list that is also a suspected duplicate must not be created blindly.
    All tuples are ordered: proposals by falling score, ids rising.
    """

    certain: tuple[Proposal, ...]
    asked: tuple[Proposal, ...]
    only_time: tuple[RecordId, ...]
    only_books: tuple[RecordId, ...]
    duplicates: tuple[Duplicate, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """
    Answer where one record made later belongs: a certain proposal, questions, or nothing.

    Args:
        certain: The partner, when the rules need nobody to look.
        asked: Candidates for a person, the likeliest first; empty when ``certain`` is set.

    """

    certain: Proposal | None
    asked: tuple[Proposal, ...]

    @property
    def nothing(self) -> bool:
        """Say whether the record is new to the other side."""
        return self.certain is None and not self.asked
