"""Know the VAT codes of draft lines and what to expect of each; Conta computes VAT itself; pure."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from app.canonical import Ore

PERCENT: Final[dict[str, int]] = {
    "high": 25,
    "medium": 15,
    "low": 12,
    "zero.rate": 0,
    "exempted": 0,
    "export": 0,
    "no.vat": 0,
}
"""Rates by line code: Norwegian rates, likely for Conta (facts of 2026-11, section 6)."""


def expected_vat(net: Ore, code: str) -> Ore:
    """Compute a line's VAT half-up in øre: an expectation to be compared, never a truth."""
    exact = Decimal(net) * PERCENT[code] / 100
    return Ore(int(exact.quantize(Decimal(1), ROUND_HALF_UP)))
