"""Run the matching on two registers in CSV files, for the benchmark and the command line."""

import csv
from collections.abc import Iterable
from pathlib import Path

from app.canonical import Address, Customer, CustomerKind, RecordId, Side
from app.records.matching.addresses import is_placeholder, postal_code
from app.records.matching.identifiers import is_organization_number, organization_digits
from app.records.matching.match import match
from app.records.matching.proposals import Matching

_KINDS = {"bedrift": CustomerKind.COMPANY, "privat": CustomerKind.PRIVATE}
_SIDES = {Side.TIME: "timerabbit", Side.BOOKS: "conta"}


def run(
    timerabbit_csv: Path,
    conta_csv: Path,
    out: Path,
    duplicates: Path | None = None,
    invalid: Path | None = None,
) -> int:
    """
    Match two files and write the predictions; the exit status, 0, is returned.

    Args:
        out: Gets ``timerabbit_id,conta_id,decision`` with match, review or new.
        duplicates: Gets ``side,id_a,id_b`` when given.
        invalid: Gets ``side,id,reason`` when given.

    """
    time, books = read_customers(timerabbit_csv), read_customers(conta_csv)
    found = match(time, books)
    _write(out, ("timerabbit_id", "conta_id", "decision"), _decisions(found))
    if duplicates is not None:
        rows = ((_SIDES[d.side], d.first_id, d.second_id) for d in found.duplicates)
        _write(duplicates, ("side", "id_a", "id_b"), rows)
    if invalid is not None:
        found_faults = (
            (_SIDES[side], customer.id, reason)
            for side, customers in ((Side.TIME, time), (Side.BOOKS, books))
            for customer in customers
            for reason in faults(customer)
        )
        _write(invalid, ("side", "id", "reason"), found_faults)
    return 0


def read_customers(path: Path) -> list[Customer]:
    """Read customers from a CSV file with the benchmark's columns; an unknown kind is not set."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [customer_of(row) for row in csv.DictReader(file)]


def faults(customer: Customer) -> list[str]:
    """Name what hinders the customer's creation in the books: kind, address, code, number."""
    address = customer.address
    found = [] if customer.kind else ["no_type"]
    if is_placeholder(address.line1) or is_placeholder(address.postal_code):
        found.append("no_address")
    elif not address.postal_code or address.postal_code != postal_code(address.postal_code):
        found.append("bad_postal_code")
    digits = organization_digits(customer.organization_number)
    if customer.organization_number and not is_organization_number(digits):
        found.append("bad_org_number")
    return found


def customer_of(row: dict[str, str]) -> Customer:
    """Read one row of a register."""
    return Customer(
        id=RecordId(row["id"]),
        name=row["name"],
        kind=_KINDS.get(row["type"].strip().lower()),
        organization_number=row["org_number"].strip() or None,
        email=row["email"].strip() or None,
        phone=row["phone"].strip() or None,
        address=Address(
            line1=row["address"].strip() or None,
            postal_code=row["postal_code"].strip() or None,
            city=row["city"].strip() or None,
        ),
        number=row["customer_number"].strip() or None,
    )


def _decisions(found: Matching) -> Iterable[tuple[str, str, str]]:
    """List the decisions on pairs, then the records that are new to the other side."""
    yield from ((p.time_id, p.books_id, "match") for p in found.certain)
    yield from ((p.time_id, p.books_id, "review") for p in found.asked)
    yield from ((record, "", "new") for record in found.only_time)
    yield from (("", record, "new") for record in found.only_books)


def _write(path: Path, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Write a CSV file with its head."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)
