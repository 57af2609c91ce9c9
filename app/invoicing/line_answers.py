"""Shape what the API says of a line, and of which hours it is."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import Field

from app.documents import AnswerDocument
from app.invoicing.ledger.beside import hours_of_line
from app.invoicing.lines.shapes import percent_text


class LineAnswer(AnswerDocument):
    """
    Hold a line as it stands, or will stand, in Conta.

    `key` names the line in edits; `minutes` were worked, `billedMinutes` are they after increments.
    Of expenses and kilometres `entryIds` has only hours without minutes, each in one line;
    `expensesOf` has all.
    """

    key: str = ""
    text: str
    minutes: int
    billed_minutes: int = 0
    rounding: dict[str, Any] | None = None
    hours: str
    unit_price_ore: int
    discount_percent: str = "0"
    vat_code: str
    vat_percent: int
    net_ore: int
    vat_ore: int
    entry_ids: list[str]
    expenses_of: list[str] = Field(
        default=[], description="The hours whose expense or kilometres this line bills."
    )


def lines_answer(
    lines: Iterable[Mapping[str, Any]], about: Mapping[str, Any], percent: Mapping[str, int]
) -> list[LineAnswer]:
    """
    Show stored lines.

    Args:
        about: What is kept with them, as ``Draft.body`` has it.

    """
    return [_line(line, hours_of_line(line, about), percent) for line in lines]


def _line(line: Mapping[str, Any], beside: Sequence[str], percent: Mapping[str, int]) -> LineAnswer:
    return LineAnswer(
        key=line.get("key", ""), text=line["text"], minutes=line["minutes"],
        billed_minutes=line.get("billed", line["minutes"]), rounding=line.get("rounding"),
        hours=line["quantity"], unit_price_ore=line["unitPrice"], vat_code=line["vatCode"],
        discount_percent=percent_text(line.get("discount", "0")), entry_ids=list(line["entryIds"]),
        vat_percent=percent[line["vatCode"]], net_ore=line["net"], vat_ore=line["vat"],
        expenses_of=list(beside),
    )  # fmt: skip
