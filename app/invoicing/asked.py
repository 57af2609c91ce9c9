"""Say what callers may ask for: which hours, how they become lines, what a person changed."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from app.canonical import Ore
from app.documents import Day, RequestDocument
from app.invoicing.lines.lines import Edit, Grouping
from app.invoicing.lines.rounding import Direction, Per, Rounding
from app.invoicing.lines.shapes import percent_text
from app.invoicing.lines.wish import Wish
from app.systems.ports import EntryQuery

VatCode = Annotated[str, Field(pattern=r"^(no\.vat|high|medium|low|zero\.rate|exempted|export)$")]
Percent = Annotated[
    Decimal,
    Field(ge=0, le=100, max_digits=5, decimal_places=2),
    AfterValidator(lambda percent: Decimal(percent_text(percent))),  # 1E+1 is sent to Conta too
]
Language = Literal["nb", "nn", "en"]
LineKey = Annotated[str, Field(min_length=1, max_length=100)]


class RoundingRequest(RequestDocument):
    """Choose billing increments; a half goes up."""

    minutes: Literal[15, 30, 60]
    direction: Direction = Direction.UP
    per: Per = Per.LINE

    def rounding(self) -> Rounding:
        """Give the rule's value."""
        return Rounding(self.minutes, self.direction, self.per)


class EditRequest(RequestDocument):
    """Change one line, named by its `key`; what is left out stays, null takes an edit back."""

    line: LineKey
    text: str | None = Field(default=None, max_length=2000)
    vat_code: VatCode | None = None
    discount_percent: Percent | None = None


class KilometreRequest(RequestDocument):
    """Bill the kilometres of the hours as one line."""

    rate_ore: int = Field(gt=0, le=100_000)
    vat_code: VatCode | None = None


class LeftOutRequest(RequestDocument):
    """Bill what a draft left out: expenses with this code, kilometres at this rate, or both."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {"expenseVatCode": "exempted", "kilometres": {"rateOre": 500, "vatCode": "high"}}
            ]
        }
    }

    expense_vat_code: VatCode | None = None
    kilometres: KilometreRequest | None = None
    edits: list[EditRequest] = Field(default_factory=list, max_length=1000)

    def wish(self) -> Wish:
        """Give it as a wish, which chooses no hours."""
        driven = self.kilometres
        return Wish(
            EntryQuery(), expense_vat=self.expense_vat_code,
            kilometre_rate=Ore(driven.rate_ore) if driven else None,
            kilometre_vat=driven.vat_code if driven else None,
            edits={e.line: Edit(e.text, e.vat_code, e.discount_percent) for e in self.edits},
        )  # fmt: skip


class StyleRequest(RequestDocument):
    """Choose how hours become lines; what is left out comes from what is remembered.

    A member that is null says none: neither increments, a text template nor a discount, whatever
    is remembered more widely, and the built-in grouping, language and VAT code.
    """

    grouping: Grouping | None = None
    template: str | None = Field(
        default=None, min_length=1, max_length=500,
        description="Text with variables: {project} {customer} {period} {day} {week} {person}"
        " {comments} {overtime} {hours}; `{{` is a brace.",
    )  # fmt: skip
    language: Language | None = None
    split_long_texts: bool | None = Field(
        default=None, description="Make several lines of a group whose text is over 500 characters."
    )
    vat_code: VatCode | None = None
    discount_percent: Percent | None = None
    rounding: RoundingRequest | None = None


class PreviewRequest(StyleRequest):
    """Choose what is to be billed and how it becomes lines."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {"customerId": "cus_4", "grouping": "project", "entryIds": ["ent_3", "ent_9"]}
            ]
        }
    }

    based_on: str | None = Field(
        default=None, max_length=64,
        description="An earlier preview: its choices and edits hold where you leave a member out;"
        " null takes one back.",
    )  # fmt: skip
    customer_id: str | None = Field(
        default=None, min_length=1, max_length=64, description="Its id in Timerabbit."
    )
    project_id: str | None = Field(default=None, min_length=1, max_length=64)
    employee_id: str | None = Field(default=None, min_length=1, max_length=64)
    overtime_type: str | None = Field(
        default=None, max_length=100, description="The empty text takes plain hours only."
    )
    entry_ids: list[str] | None = Field(
        default=None, min_length=1, max_length=5000,
        description="Chosen hours; without it all billable ones of customer, project and period.",
    )  # fmt: skip
    first_day: Day | None = None
    last_day: Day | None = None
    texts: dict[int, str] = Field(
        default_factory=dict,
        description="Your own texts by line number, from 1; kept by the line's key from then on.",
    )
    edits: list[EditRequest] = Field(default_factory=list, max_length=1000)
    order: list[LineKey] = Field(default_factory=list, max_length=1000)
    expense_vat_code: VatCode | None = Field(
        default=None, description="Bill expenses as lines of their own with this code."
    )
    kilometres: KilometreRequest | None = None
    currency: str = Field(default="NOK", max_length=3)


class BatchPreviewRequest(StyleRequest):
    """Preview a draft for each of several customers, all alike."""

    model_config = {
        "json_schema_extra": {"examples": [{"customerIds": ["cus_4", "cus_7"], "grouping": "week"}]}
    }

    customer_ids: list[str] = Field(min_length=1, max_length=50)
    first_day: Day | None = None
    last_day: Day | None = None
    expense_vat_code: VatCode | None = Field(
        default=None, description="Bill expenses as lines of their own with this code."
    )
    kilometres: KilometreRequest | None = None


class BatchRequest(RequestDocument):
    """Name the previews that are to be sent."""

    model_config = {
        "json_schema_extra": {
            "examples": [{"previewIds": ["0199f3a0-0000-7000-8000-0000000000c1"]}]
        }
    }

    preview_ids: list[str] = Field(min_length=1, max_length=50)
    requested_by_employee_id: str | None = Field(default=None, min_length=1, max_length=64)


class DraftRequest(RequestDocument):
    """Name the preview that is to be sent."""

    model_config = {
        "json_schema_extra": {"examples": [{"previewId": "0199f3a0-0000-7000-8000-0000000000c1"}]}
    }

    preview_id: str = Field(min_length=1, max_length=64)
    requested_by_employee_id: str | None = Field(
        default=None, min_length=1, max_length=64,
        description="Who asks, as Timerabbit's employee id, where you know it.",
    )  # fmt: skip


class ReleaseRequest(RequestDocument):
    """Say why hours are set free."""

    model_config = {"json_schema_extra": {"examples": [{"reason": "Kladden er slettet i Conta."}]}}

    reason: str = Field(min_length=1, max_length=300)
    looked_in_conta: bool = Field(
        default=False,
        description="No invoice without the mark is this draft's, and none of the lines stands in"
        " Conta under another text; of a follow-up's lines, that they do. A person looked.",
    )
    lines: list[Annotated[int, Field(ge=1)]] | None = Field(
        default=None, min_length=1, max_length=1000,
        description="Only these lines, by number from 1, which a person took out of the draft in"
        " Conta, or of a follow-up those that took an hour off its invoice; without it all hours.",
    )  # fmt: skip


class InvoiceRequest(RequestDocument):
    """Name the invoice in Conta that the draft became."""

    model_config = {"json_schema_extra": {"examples": [{"invoiceId": "990001"}]}}

    invoice_id: str = Field(pattern=r"^[0-9]{1,19}$")
