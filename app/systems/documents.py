"""Hold a draft or an invoice as the books side has it, in nobody's own words."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.canonical import Ore, RecordId


@dataclass(frozen=True, slots=True)
class RemoteLine:
    """
    Hold a draft or invoice line as the books system has it; what it does not say is ``None``.

    Args:
        net: In øre, as is ``unit_price``; both without VAT.
        discount: In percent.
        vat_code: As on the lines of a ``DraftOrder``.

    """

    text: str
    net: Ore | None
    quantity: Decimal | None = None
    unit_price: Ore | None = None
    discount: Decimal | None = None
    vat_code: str | None = None


@dataclass(frozen=True, slots=True)
class RemoteDraft:
    """Hold a draft as the books system has it; sums in øre."""

    id: str
    customer_id: RecordId | None
    lines: tuple[RemoteLine, ...]
    net: Ore | None
    vat: Ore | None
    total: Ore | None


@dataclass(frozen=True, slots=True)
class RemoteInvoice:
    """Hold an invoice as the books system has it; ``state`` is open, paid, credited or closed."""

    id: str
    number: str | None
    day: date | None
    customer_id: RecordId | None
    lines: tuple[RemoteLine, ...]
    net: Ore | None
    total: Ore | None
    remaining: Ore | None
    state: str
