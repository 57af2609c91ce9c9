"""
Hold Conta's JSON in Conta's own words.

Every member may be missing (no answer of the official document of December 2025 requires one);
null and missing mean the same; unknown members are ignored here and kept in the raw body. A member
of another type than documented makes the record unreadable: guessing could clear a field.
"""

from datetime import date
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Wire(BaseModel):
    """Be the parent of what Conta sends; ids and numbers become text where we keep text."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="ignore", frozen=True, coerce_numbers_to_str=True
    )


class Customer(Wire):
    """Hold a customer in full; the country is a name, not a code."""

    id: str = Field(min_length=1)
    name: str | None = None
    customer_type: str | None = None
    org_no: str | None = None
    phone_no: str | None = None
    email_address: str | None = None
    customer_address_line1: str | None = None
    customer_address_line2: str | None = None
    customer_address_postcode: str | None = None
    customer_address_city: str | None = None
    customer_address_country: str | None = None
    is_active: bool | None = None


class CustomerHit(Wire):
    """Hold a row of the customer list: thinner, and the name is called ``customerName``."""

    id: str = Field(min_length=1)
    customer_name: str | None = None
    name: str | None = None
    customer_type: str | None = None
    org_no: str | None = None
    email_address: str | None = None
    is_active: bool | None = None


class Project(Wire):
    """Hold a project; a row of the list has all of these members too."""

    id: str = Field(min_length=1)
    name: str | None = None
    customer_id: str | None = None
    start_date: date | None = None
    end_date: date | None = None
    is_hidden: bool | None = None


class Listing(Wire):
    """Hold a page; ``hits`` may be missing when nothing was found (seen in the sandbox)."""

    hits: tuple[object, ...] | None = None
    hit_count: int | None = None


class Line(Wire):
    """Hold a line of a draft or invoice."""

    description: str | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    discount: Decimal | None = None
    vat_code: str | None = None
    sum_net: Decimal | None = None


class Draft(Wire):
    """Hold a draft as it is read back."""

    id: str = Field(min_length=1)
    customer_id: str | None = None
    invoice_draft_lines: tuple[Line, ...] | None = None
    sum_net: Decimal | None = None
    sum_vat: Decimal | None = Field(default=None, alias="sumVAT")
    sum_total: Decimal | None = None


class DraftHit(Wire):
    """Hold a row of the lists of drafts and invoices; of most members none is sure to be filled."""

    id: str = Field(min_length=1)
    type: str | None = None


class Invoice(Wire):
    """Hold an invoice; ``CREDIT`` in ``type`` makes it a credit note."""

    id: str = Field(min_length=1)
    type: str | None = None
    status: str | None = None
    invoice_no: str | None = None
    invoice_date: date | None = None
    customer_id: str | None = None
    invoice_lines: tuple[Line, ...] | None = None
    sum_net: Decimal | None = None
    sum_total: Decimal | None = None
    sum_remaining: Decimal | None = None


class Organization(Wire):
    """Hold an organization that the key may reach."""

    id: str
    name: str | None = None
    blocked_status: str | None = None
    active: bool | None = None


class AccountSettings(Wire):
    """Hold the person whose key it is."""

    first_name: str | None = None
    last_name: str | None = None
    email_address: str | None = None
    blocked_status: str | None = None


class SubscriptionPlan(Wire):
    """Hold the plan's features; names appear over time, unknown ones are fine."""

    allowed_features: tuple[str, ...] | None = None


class Failure(Wire):
    """
    Hold an error body of any category.

    ``errors`` holds texts in the schema and objects in the examples, ``messages`` is an array in
    the schema and an object on the wire: both are read.
    """

    category: str | None = None
    name: str | None = None
    messages: object = None
    errors: tuple[object, ...] | None = None


class FailedProperty(Wire):
    """Hold the place of a failed field check; its value is never read, it may be personal."""

    path: str | None = None


class FailedCheck(Wire):
    """Hold one failed field check; ``id`` is the rule's key."""

    type: str | None = None
    id: str | None = None
    property: FailedProperty | None = None
    messages: object = None
