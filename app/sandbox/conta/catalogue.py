"""Serve what surrounds the records: user, organizations, plan, products, accounts, registers."""

import re
from typing import Any

from app.sandbox.conta.access import Call
from app.sandbox.conta.customers import can_receive_ehf, known_fields
from app.sandbox.conta.errors import unknown_id
from app.sandbox.conta.listing import page_of
from app.sandbox.conta.money import ACCOUNTS, RATES, VAT_IDS
from app.sandbox.conta.store import Kept

Record = dict[str, Any]

SAF_T = {
    "high": "3",
    "medium": "31",
    "low": "33",
    "zero.rate": "5",
    "exempted": "6",
    "export": "52",
}


def ping(_call: Call) -> str:
    """Answer a JSON string; clients use it to see whether the key is alive."""
    return "pong"


def account(call: Call) -> Record:
    """Read the key's user."""
    name = call.key.user.partition("@")[0].title() or "Bruker"
    return {
        "id": 1 + sorted(k.user for k in call.store.keys.values()).index(call.key.user),
        "firstName": name[:100],
        "emailAddress": call.key.user,
        "language": "NO",
        "defaultOrgId": min(call.key.organizations, default=None),
        "role": "USER",
        "isAccountant": False,
        "blockedStatus": "NOT_BLOCKED",
    }


def organizations(call: Call) -> list[Record]:
    """List the organizations of the key, as a bare array; none tells its organization number."""
    return [
        {"id": o.id, "name": o.name, "blockedStatus": o.blocked_status, "active": True}
        for o in call.store.organizations.values()
        if o.id in call.key.organizations
    ]


def plan(call: Call) -> Record:
    """Read plan and features; the plan's name is not told."""
    return {
        "orgId": call.own.id,
        "validFrom": "2026-01-01",
        "validTo": "2027-12-31",
        "subscriptionPlanPriceId": 7,
        "invoiceLimit": -1,
        "registrationSource": "EXTERNAL_API_TIMERABBIT",
        "allowedFeatures": sorted(call.own.features),
    }


def search_products(call: Call) -> Record:
    """List products under the names that only the list uses."""
    rows = list(call.own.products.values())
    return page_of(call, rows, _product_hit, searched=("name", "productNo"))


def create_product(call: Call) -> Record:
    """Create a product."""
    known = known_fields(call, "ProductCreate")
    given = {name: value for name, value in call.body.items() if name in known}
    defaults = {"price": 0, "isActive": True}
    return call.store.keep(call.own.products, "product", defaults | given).data


def read_product(call: Call) -> Record:
    """Read a product."""
    return call.one(call.own.products).data


def read_vat(call: Call) -> Record:
    """Read one VAT type; there is no list."""
    for code, number in VAT_IDS.items():
        if number == call.ids["id"]:
            return {
                "id": number,
                "code": f"output.{code}",
                "displayCode": SAF_T.get(code, "7"),
                "taxRate": RATES[code],
                "isAllowedOnInvoice": True,
            }
    raise unknown_id()


def bookkeeping_accounts(call: Call) -> list[Record]:
    """List sales accounts, as a bare array; a code here does not prove that drafts may use it."""
    first = call.query.get("startBookkeepingAccountNo", "0000")
    last = call.query.get("endBookkeepingAccountNo", "9999")
    return [
        {
            "id": number,
            "bookkeepingAccountNo": account_no,
            "vatCode": f"output.{code}",
            "name": f"Salgsinntekt {code}",
            "isActive": True,
        }
        for number, (code, account_no) in enumerate(ACCOUNTS.items(), start=1)
        if first <= account_no <= last
    ]


def search_register(call: Call) -> Record:
    """Search the business register; the number is an integer here, and there is no address."""
    names: dict[int, str] = {}
    for own in call.store.organizations.values():
        names[int(own.organization_number)] = own.name
        for kept in own.customers.values():
            if can_receive_ehf(kept.data.get("orgNo")):
                digits = re.sub(r"[^0-9]", "", kept.data["orgNo"])
                names.setdefault(int(digits), kept.data.get("name", ""))
    now = call.store.clock.now()
    rows = [Kept({"id": no, "orgNo": no, "name": name}, now, now) for no, name in names.items()]
    return page_of(
        call,
        rows,
        lambda row: {"orgNo": row.data["orgNo"], "name": row.data["name"]},
        searched=("orgNo", "name"),
    )


def ehf_recipient(call: Call) -> Record:
    """Say whether an organization number can receive EHF."""
    number = call.path.rpartition("/")[2]
    able = can_receive_ehf(number)
    return {
        "inputValid": able,
        "participantIdentifier": f"0192:{number}" if able else None,
        "canReceiveInvoices": able,
        "canReceiveCreditNotes": able,
        "canReceiveEhf30": able,
    }


def _product_hit(row: Kept) -> Record:
    data = row.data
    rate = RATES.get(data["vatCode"].partition(".")[2], 0)
    hit = {
        "id": row.id,
        "productNo": data.get("productNo"),
        "name": data["name"],
        "priceExVat": data["price"],
        "vat": rate,
        "priceIncVat": data["price"] * (100 + rate) / 100,
    }
    return {name: value for name, value in hit.items() if value is not None}
