"""Reckon sums as Conta does, and write numbers as JSON without binary noise."""

import json
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from app.sandbox.conta.errors import rule

ORE = Decimal("0.01")
LIMIT = Decimal("99999999999.99")
MOST_DIGITS = 15
RATES = {
    "high": 25,
    "medium": 15,
    "low": 12,
    "zero.rate": 0,
    "exempted": 0,
    "export": 0,
    "no.vat": 0,
}
VAT_IDS = {code: number for number, code in enumerate(RATES, start=1)}
ACCOUNTS = {
    "high": "3000", "medium": "3010", "low": "3020", "zero.rate": "3100", "exempted": "3200",
    "export": "3110", "no.vat": "3220",
}  # fmt: skip

Record = dict[str, Any]


def reckoned(line: Record) -> Record:
    """
    Give a line with its sums: net = price × quantity less discount, half up to the øre.

    Raises:
        Refusal: A number is out of any range.

    """
    price, quantity, discount = (Decimal(line[name]) for name in ("price", "quantity", "discount"))
    if any(n.adjusted() > MOST_DIGITS for n in (price, quantity)):
        raise _out_of_range(None)
    with localcontext(prec=80):
        gross = price * quantity
        net = _rounded(gross * (100 - discount) / 100)
        off = _rounded(gross * discount / 100)
    return {
        **line,
        "sumNet": net,
        "sumDiscount": off,
        "vatId": VAT_IDS[line["vatCode"]],
        "bookkeepingAccountNo": ACCOUNTS[line["vatCode"]],
    }


def totals(lines: list[Record]) -> Record:
    """
    Give the sums of reckoned lines; VAT is rounded line by line.

    Raises:
        Refusal: The total is out of range.

    """
    with localcontext(prec=80):
        net = sum((line["sumNet"] for line in lines), Decimal(0))
        vat = sum((_rounded(n["sumNet"] * RATES[n["vatCode"]] / 100) for n in lines), Decimal(0))
        total = net + vat
    if any(abs(amount) > LIMIT for amount in (net, vat, total)):
        raise _out_of_range(total)
    return {"sumNet": net, "sumVAT": vat, "sumTotal": total, "sumRemaining": total}


def as_json(value: Any) -> bytes:  # noqa: ANN401 - any JSON with exact decimals
    """Write JSON; 1.0 becomes 1, and what Python cannot encode is escaped."""
    return json.dumps(value, default=_number, allow_nan=False).encode()


def _number(value: object) -> object:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value)} is no JSON")
    return int(value) if value == value.to_integral_value() else float(value)


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(ORE, rounding=ROUND_HALF_UP)


def _out_of_range(total: Decimal | None) -> Exception:
    return rule(
        "InvoiceSumTotalOutOfRangeException",
        "Summen er utenfor tillatt område.",
        "The total is out of range.",
        sumTotal=total,
    )
