"""Shape what the API says of the hours to choose from."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from pydantic import Field

from app.documents import AnswerDocument
from app.invoicing.examples import EXAMPLE_ENTRY
from app.invoicing.lines.extras import expenses_of, kilometres_of
from app.invoicing.lines.lines import hours, line_net
from app.invoicing.unbilled.choose import Choice, Judged
from app.invoicing.unbilled.hindrances import last_in_time
from app.invoicing.words import say_hindrance, say_rate


class HindranceAnswer(AnswerDocument):
    """Name one reason why an hour cannot be billed, in the caller's language."""

    code: str
    text: str


class ExpenseAnswer(AnswerDocument):
    """Hold an expense of an hour, excluding VAT."""

    text: str
    amount_ore: int


class EntryAnswer(AnswerDocument):
    """
    Hold an hour to choose from; `amountOre` is its own hours times its rate.

    `expenses` and `kilometres` are what it has beside that and no draft bills yet.
    """

    id: str
    bill_before: date = Field(description="The last day in time, inclusive: § 5-2-2.")
    date: date
    employee_id: str
    employee_name: str
    customer_id: str | None
    project_id: str | None
    minutes: int
    hours: str
    rate_ore: int | None
    rate_source: str | None
    rate_why: str | None = Field(default=None, description="Why this rate, in words.")
    amount_ore: int | None
    comment: str | None
    overtime_type: str | None
    expenses: list[ExpenseAnswer]
    kilometres: str
    billable: bool
    hindrances: list[HindranceAnswer]
    draft_id: str | None


class EntryList(AnswerDocument):
    """
    Hold the hours a choice found, with sums over the billable ones.

    `billableOre` is of hours alone; their expenses and kilometres are summed apart.
    """

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "items": [EXAMPLE_ENTRY],
                    "count": 1,
                    "billableCount": 0,
                    "billableMinutes": 0,
                    "billableOre": 0,
                    "billableExpensesOre": 0,
                    "billableKilometres": "0.00",
                }
            ]
        }
    }

    items: Sequence[EntryAnswer]
    count: int
    billable_count: int
    billable_minutes: int
    billable_ore: int
    billable_expenses_ore: int
    billable_kilometres: str


def entry_answer(judged: Judged, language: str) -> EntryAnswer:
    """Show an hour."""
    entry = judged.entry
    rate = entry.hourly_rate
    amount = None if rate is None else line_net(hours(entry.minutes), rate)
    return EntryAnswer(
        id=entry.id, date=entry.day, bill_before=last_in_time(entry.day),
        employee_id=entry.employee_id, employee_name=entry.employee_name,
        customer_id=entry.customer_id, project_id=entry.project_id,
        minutes=entry.minutes, hours=str(hours(entry.minutes)), amount_ore=amount,
        rate_ore=rate, rate_source=entry.rate_source,
        rate_why=say_rate(entry.rate_source, language) if rate is not None else None,
        comment=entry.comment, overtime_type=entry.overtime_type,
        expenses=[
            ExpenseAnswer(text=cost.description, amount_ore=cost.amount)
            for cost in expenses_of(judged.extras)
        ],
        kilometres=str(kilometres_of(entry, judged.extras)),
        billable=not judged.hindrances, draft_id=judged.draft_id,
        hindrances=[
            HindranceAnswer(code=reason.value, text=say_hindrance(reason, language))
            for reason in judged.hindrances
        ],
    )  # fmt: skip


def entry_list(choice: Choice, language: str) -> EntryList:
    """Show the hours a choice found; the sums are over the billable ones, each hour by itself."""
    billable = choice.billable
    extras = [(one.entry, one.extras) for one in choice.judged if not one.hindrances]
    driven = sum((kilometres_of(entry, own) for entry, own in extras), Decimal("0.00"))
    return EntryList(
        items=[entry_answer(judged, language) for judged in choice.judged],
        count=len(choice.judged), billable_count=len(billable),
        billable_minutes=sum(entry.minutes for entry in billable),
        billable_ore=sum(
            line_net(hours(e.minutes), e.hourly_rate) for e in billable if e.hourly_rate
        ),
        billable_expenses_ore=sum(c.amount for _, own in extras for c in expenses_of(own)),
        billable_kilometres=str(driven),
    )  # fmt: skip
