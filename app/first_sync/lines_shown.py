"""Shape what the API says of the plan's lines and what it takes as answers to them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, Self, TypeVar

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from app.documents import AnswerDocument, FieldIn, FieldOut, RequestDocument
from app.first_sync.plan.categories import Category
from app.first_sync.plan.deeds import Deed
from app.first_sync.store import OutcomeState
from app.records.judge import finding_shown
from app.records.register_facts import facts_shown
from app.records.shown import reasons_shown, record_shown
from app.systems.register import Businesses

_RECORD: Final[dict[str, Any]] = {
    "id": "cus_4", "name": "Blåtroll Bygg", "kind": "company",
    "organizationNumber": "860001381", "email": "post@blatrollbygg.example",
    "phone": "48312021", "address": "Eksempelveien 33, 2317 Hamar", "active": True,
}  # fmt: skip
EXAMPLE_LINE: Final[dict[str, Any]] = {
    "id": "0199f3a0-0000-7000-8000-000000000021",
    "kind": "customer",
    "category": "certain",
    "deed": "link",
    "side": "time",
    "record": _RECORD,
    "partnerId": None,
    "partner": None,
    "candidates": [
        {
            "id": "500004",
            "score": 62,
            "rule": "number-and-name",
            "facts": [
                "organization-number-same",
                "name-same-but-legal-form",
                "postal-code-same",
            ],
            "reasons": "samme organisasjonsnummer; navn likt bortsett fra AS; samme postnummer",
            "record": {**_RECORD, "id": "500004", "name": "Blåtroll Bygg AS"},
            "registerFacts": [],
        }
    ],
    "siblings": [],
    "registerFacts": [],
    "partnerRegisterFacts": [],
    "ready": True,
    "findings": [],
    "answer": None,
    "winners": {},
    "answeredBy": None,
    "answeredAt": None,
    "before": None,
    "outcome": None,
    "outcomeCode": None,
    "version": 1,
}
EXAMPLE_FACETS: Final[dict[str, Any]] = {
    "total": 43,
    "kind": {"customer": 40, "project": 3},
    "category": {"certain": 31, "likely": 2, "only_time": 5, "only_books": 5},
    "deed": {"link": 31, "ask": 2, "create-in-books": 5, "create-in-time": 5},
    "rule": {"number-and-name": 27, "name-and-contact": 4, "name-only": 2},
    "outcome": {},
    "answered": {"no": 43},
}

PLAIN_TEXT: Final = r"^[^\x00]*$"
"""A text the database can hold: anything but NUL."""


class Before(AnswerDocument):
    """Hold what was answered to a line before it had to be asked again."""

    answer: str
    partner_id: str | None = Field(
        description="With `link`: who was linked; also where the answer stood in that one's line."
    )
    answered_by: str | None
    answered_at: datetime | None


class RegisterFactAnswer(AnswerDocument):
    """Hold one thing that the business register says of an organization number."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "code": "customer-bankrupt",
                    "text": "Kunden er konkurs ifølge Enhetsregisteret.",
                }
            ]
        }
    }

    code: str
    text: str


class ProposalAnswer(AnswerDocument):
    """Hold one line: the record, its candidates with reasons, and what will be done with it."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE_LINE]}}

    id: str
    kind: str
    category: str
    deed: str
    side: str
    record: Mapping[str, Any]
    partner_id: str | None
    partner: Mapping[str, Any] | None = Field(
        description="The record that was chosen with `link`, also one that is no candidate."
    )
    candidates: list[Mapping[str, Any]]
    siblings: list[Mapping[str, Any]]
    register_facts: list[RegisterFactAnswer] = Field(
        description="What the business register answered so far of the record's number; each "
        "candidate and sibling carries its own, with how its number is akin to the record's."
    )
    partner_register_facts: list[RegisterFactAnswer] = Field(
        description="The same of `partner`, also of one that is no candidate."
    )
    ready: bool
    findings: list[Mapping[str, Any]]
    answer: str | None
    winners: Mapping[FieldOut, str]
    answered_by: str | None
    answered_at: datetime | None
    before: Before | None = Field(
        description="The answer that did not hold any more, of a line that is asked again; null "
        "where nobody had answered."
    )
    outcome: str | None
    outcome_code: str | None
    version: int


class FacetsAnswer(AnswerDocument):
    """Count the lines a filter hits, by each property it can be narrowed by."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE_FACETS]}}

    total: int
    kind: Mapping[str, int] = Field(default_factory=dict)
    category: Mapping[str, int] = Field(default_factory=dict)
    deed: Mapping[str, int] = Field(default_factory=dict)
    rule: Mapping[str, int] = Field(default_factory=dict)
    outcome: Mapping[str, int] = Field(default_factory=dict)
    answered: Mapping[Literal["yes", "no"], int] = Field(default_factory=dict)


class AnswerRequest(RequestDocument):
    """Answer a line; `null` takes the answer back."""

    model_config = {
        "json_schema_extra": {
            "examples": [{"answer": "link", "partnerId": "500004", "winners": {"email": "books"}}]
        }
    }

    answer: Literal["link", "create", "leave_out"] | None
    partner_id: str | None = Field(default=None, max_length=64, pattern=PLAIN_TEXT)
    winners: dict[FieldIn, Literal["time", "books"]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _links_or_names_nobody(self) -> Self:
        """Refuse a partner and winners with any other answer, which would drop them in silence."""
        return _only_with_link(self, self.answer, self.partner_id is not None or self.winners)


class LineFilter(RequestDocument):
    """Choose lines; what is left out does not narrow."""

    kind: Literal["customer", "project"] | None = None
    category: Category | None = None
    deed: Deed | None = None
    rule: str | None = Field(default=None, max_length=64, pattern=PLAIN_TEXT)
    answered: bool | None = None
    outcome: OutcomeState | None = None
    q: str | None = Field(default=None, max_length=100, pattern=PLAIN_TEXT)


class BulkAnswer(RequestDocument):
    """Give many lines one answer, by ids or by a filter, exactly one of them."""

    model_config = {
        "json_schema_extra": {
            "examples": [{"filter": {"deed": "ask"}, "answer": "create", "dryRun": True}]
        }
    }

    ids: list[str] | None = Field(default=None, min_length=1, max_length=1000)
    filter: LineFilter | None = None
    answer: Literal["link", "create", "leave_out"] | None
    winners: dict[FieldIn, Literal["time", "books"]] = Field(default_factory=dict)
    replace: bool = Field(default=False, description="True writes over other answers too.")
    dry_run: bool = False

    @model_validator(mode="after")
    def _links_or_has_no_winners(self) -> Self:
        """Refuse winners with any other answer."""
        return _only_with_link(self, self.answer, self.winners)


class BulkResult(AnswerDocument):
    """
    Say how many lines were hit and how many took the answer, and why the others did not.

    `items` holds a result for each line, in a dry run the first few.
    """

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "matched": 2,
                    "answered": 1,
                    "passedOver": {"answered-before": 1},
                    "dryRun": True,
                    "items": [
                        {
                            "id": "0199f3a0-0000-7000-8000-000000000021",
                            "result": "would-answer",
                        }
                    ],
                }
            ]
        }
    }

    matched: int
    answered: int
    passed_over: Mapping[str, int] = Field(description="Lines that took no answer, by reason.")
    dry_run: bool
    items: list[Mapping[str, str]]


_Body = TypeVar("_Body")


def _only_with_link(body: _Body, answer: str | None, said: object) -> _Body:
    if said and answer != "link":
        code, message = "only-with-link", "partnerId and winners go with the answer link only"
        raise PydanticCustomError(code, message)
    return body


def line_answer(row: Mapping[str, Any], language: str) -> ProposalAnswer:
    """Show a line in a language."""
    others: Mapping[str, Any] = row["others"] or {}
    doubles: Mapping[str, Any] = row["doubles"] or {}
    known: Businesses = row["businesses"]
    partner = others.get(row["partner_id"])
    own_facts = facts_shown(row["anchor"], known, language)
    partner_facts = facts_shown(partner, known, language, beside=row["anchor"])
    return ProposalAnswer(
        id=str(row["proposal_id"]), kind=row["kind"], category=row["shown_category"],
        deed=row["deed"], side=row["anchor_side"],
        record=record_shown(row["anchor"]), partner_id=row["partner_id"],
        partner=record_shown(partner),
        candidates=[_likened(one, others, row, language) for one in row["candidates"]],
        siblings=[_likened(one, doubles, row, language) for one in row["siblings"]],
        register_facts=[RegisterFactAnswer.model_validate(fact) for fact in own_facts],
        partner_register_facts=[RegisterFactAnswer.model_validate(fact) for fact in partner_facts],
        ready=row["ready"],
        findings=[
            finding_shown(one, language, paired=row["outcome"] == "done") for one in row["findings"]
        ],
        answer=row["answer"], winners=row["winners"], answered_by=row["answered_by"],
        answered_at=row["answered_at"],
        before=Before.model_validate(row["lost"]) if row["lost"] else None,
        outcome=row["outcome"], outcome_code=row["outcome_code"], version=row["version"],
    )  # fmt: skip


def _likened(
    one: Mapping[str, Any], records: Mapping[str, Any], row: Mapping[str, Any], language: str
) -> Mapping[str, Any]:
    record = records.get(str(one["id"]))
    told = facts_shown(record, row["businesses"], language, beside=row["anchor"])
    return {**reasons_shown(one, language), "record": record_shown(record), "registerFacts": told}
