"""Hold the shapes that every part of the service shares; they know no vendor and touch nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from operator import mul
from typing import Final, NewType
from uuid import UUID

LinkId = NewType("LinkId", UUID)
"""Identifies one link; UUIDv7, made by us."""

RecordId = NewType("RecordId", str)
"""Identifies a customer or project in its own system; opaque, as that system gives it."""

EntryId = NewType("EntryId", str)
"""Identifies a time entry in the time system."""

Ore = NewType("Ore", int)
"""An amount of money in øre, the hundredth part of a Norwegian krone."""


class Side(StrEnum):
    """Name the role a system plays in a link, never its product name."""

    TIME = "time"
    BOOKS = "books"

    @property
    def other(self) -> "Side":
        """Give the opposite side."""
        return Side.BOOKS if self is Side.TIME else Side.TIME


class RecordKind(StrEnum):
    """Name what is kept equal on both sides."""

    CUSTOMER = "customer"
    PROJECT = "project"


SYNCED_FIELDS: Final[Mapping[RecordKind, tuple[str, ...]]] = {
    RecordKind.CUSTOMER: (
        "name", "kind", "organization_number", "email", "phone", "address", "active",
    ),
    RecordKind.PROJECT: ("name", "customer", "active", "start", "end"),
}  # fmt: skip
"""The fields that are kept equal; the one place that lists them."""


class CustomerKind(StrEnum):
    """Tell a company («Bedrift») from a private person («Privat»); unset is ``None``."""

    COMPANY = "company"
    PRIVATE = "private"


@dataclass(frozen=True, slots=True)
class Address:
    """Hold a postal address; country is ISO 3166-1 alpha-2. ``None`` means not given."""

    line1: str | None = None
    line2: str | None = None
    postal_code: str | None = None
    city: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Customer:
    """
    Hold a customer as both sides can say it.

    Args:
        number: Customer number of the time side; the books side has none.
        mark: The id of the record's other half as the time side keeps it for us (``externalRefs``).
        merged_into: Set on a tombstone whose customer lives on under another id.
        gone: True when the record no longer exists in its system.

    """

    id: RecordId
    name: str
    kind: CustomerKind | None = None
    organization_number: str | None = None
    email: str | None = None
    phone: str | None = None
    address: Address = field(default_factory=Address)
    active: bool = True
    number: str | None = None
    mark: str | None = None
    merged_into: RecordId | None = None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Project:
    """
    Hold a project as both sides can say it.

    Args:
        customer_id: The customer's id on the project's own side.
        parent_id: Set on a subproject (time side only).
        start: First day, where the plan has one.
        end: Last day, where the plan has one.

    """

    id: RecordId
    name: str
    customer_id: RecordId | None = None
    active: bool = True
    start: date | None = None
    end: date | None = None
    number: str | None = None
    parent_id: RecordId | None = None
    mark: str | None = None
    gone: bool = False


Record = Customer | Project


class BillingState(StrEnum):
    """Name the three states the time side shows on an entry."""

    TO_INVOICE = "to_invoice"
    INVOICED = "invoiced"
    NOT_BILLABLE = "not_billable"


@dataclass(frozen=True, slots=True)
class Cost:
    """Hold an expense on a time entry; the amount is excluding VAT."""

    description: str
    amount: Ore


@dataclass(frozen=True, slots=True)
class TimeEntry:
    """
    Hold one registration of hours.

    Args:
        version: Rises by one at each change in the time system.
        minutes: Net of the break.
        hourly_rate: The entry's effective rate excluding VAT, or ``None`` when it has none.
        rate_source: Where the rate comes from (entry, project, customer, company).
        held_by: The transfer that holds the entry, if one does.
        draft_id: The draft the time system believes the entry stands in.

    """

    id: EntryId
    version: int
    employee_id: str
    employee_name: str
    day: date
    minutes: int
    customer_id: RecordId | None
    project_id: RecordId | None
    billing: BillingState
    hourly_rate: Ore | None = None
    rate_source: str | None = None
    comment: str | None = None
    overtime_type: str | None = None
    approved: bool | None = None
    costs: tuple[Cost, ...] = ()
    kilometers: Decimal | None = None
    held_by: str | None = None
    draft_id: str | None = None
    gone: bool = False
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DraftLine:
    """
    Hold one line of an invoice draft.

    Args:
        quantity: Hours (or pieces) with two decimals; printed quantity times printed price is the
            line.
        unit_price: Øre per unit, excluding VAT.
        discount_percent: 0 to 100.
        vat_code: Conta's short code, for instance ``high``.

    """

    text: str
    quantity: Decimal
    unit_price: Ore
    discount_percent: Decimal
    vat_code: str


@dataclass(frozen=True, slots=True)
class DraftOrder:
    """Hold what is asked of the books side: one draft for one customer, at most one project."""

    customer_id: RecordId
    project_id: RecordId | None
    lines: tuple[DraftLine, ...]
    message: str | None = None
    their_reference: str | None = None


_ORGANIZATION_WEIGHTS: Final = (3, 2, 7, 6, 5, 4, 3, 2)


def is_organization_number(digits: str) -> bool:
    """
    Check nine digits by modulus 11 (weights 3 2 7 6 5 4 3 2; a check value of 10 is not given out).

    The first digit is not demanded to be 8 or 9: the test register hands out others. A row of one
    repeated digit is a placeholder, not a number.
    """
    if len(digits) != 9 or not digits.isdecimal() or digits == digits[0] * 9:
        return False
    total: int = sum(map(mul, _ORGANIZATION_WEIGHTS, map(int, digits)))
    return (11 - total % 11) % 11 == int(digits[8])
