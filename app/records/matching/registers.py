"""Read a customer register from a CSV file, as a program or a spreadsheet writes it."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.canonical import Address, Customer, CustomerKind, RecordId

COLUMNS: Final = (
    "id", "customer_number", "type", "name", "org_number", "address", "postal_code", "city",
    "email", "phone",
)  # fmt: skip
"""What the first row must name, in any order; further columns are passed over."""

KINDS: Final[Mapping[str, CustomerKind]] = {
    "bedrift": CustomerKind.COMPANY,
    "company": CustomerKind.COMPANY,
    "privat": CustomerKind.PRIVATE,
    "private": CustomerKind.PRIVATE,
}
"""The words that ``type`` may hold, in any case."""


class NotARegister(Exception):  # noqa: N818 - named by what the file is not
    """Say in one sentence why a file cannot be read as a register, and what would help."""


@dataclass(frozen=True, slots=True)
class Register:
    """
    Hold what was read from one file.

    Args:
        notes: Sentences for the person who gave the file: what was read otherwise than it may
            have been meant.

    """

    customers: tuple[Customer, ...]
    notes: tuple[str, ...] = ()


def read_register(path: Path) -> Register:
    """
    Read a register; a spreadsheet's semicolons, byte order mark and Windows-1252 are taken too.

    Raises:
        NotARegister: A column is missing, two rows have one id, or it is no CSV.
        OSError: The file cannot be opened.

    """
    written, notes = _text_of(path)
    try:
        rows = list(_rows(path, written))
    except csv.Error as err:
        raise NotARegister(f"{path}: no CSV: {err}") from err
    _expect_one_row_for_each_id(path, rows)
    customers = tuple(customer_of(row) for _, row in rows)
    return Register(customers, (*notes, *_unknown_kinds(path, rows)))


def customer_of(row: Mapping[str, str]) -> Customer:
    """Read one row of a register; a kind of no known word is not set."""
    return Customer(
        id=RecordId(row["id"]),
        name=row["name"],
        kind=KINDS.get(row["type"].strip().lower()),
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


def _text_of(path: Path) -> tuple[str, tuple[str, ...]]:
    """Decode a file; a note says so where it is not UTF-8, for that may be a damaged file."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig"), ()
    except UnicodeDecodeError:
        pass
    try:
        written = content.decode("cp1252")
    except UnicodeDecodeError as err:
        sentence = f"{path}: neither UTF-8 nor Windows-1252; save it as CSV UTF-8"
        raise NotARegister(sentence) from err
    return written, (f"{path}: not UTF-8, so it was read as Windows-1252",)


def _rows(path: Path, written: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Give each row with something in it, with its number as a spreadsheet shows it."""
    first = written.partition("\n")[0]
    separator = ";" if first.count(";") > first.count(",") else ","
    # Line ends inside quotes are the cell's own, so they are left as they are.
    rows = csv.reader(io.StringIO(written, newline=""), delimiter=separator)
    head = next(rows, [])
    missing = [name for name in COLUMNS if name not in head]
    if missing:
        between = "commas or semicolons between them"
        raise NotARegister(f"{path}: no column {', '.join(missing)} ({between})")
    for number, row in enumerate(rows, 2):
        if any(row):
            yield number, dict.fromkeys(head, "") | dict(zip(head, row, strict=False))


def _expect_one_row_for_each_id(path: Path, rows: list[tuple[int, dict[str, str]]]) -> None:
    """Refuse an id that stands twice: an answer about it could mean either row."""
    numbers: dict[str, int] = {}
    for number, row in rows:
        before = numbers.setdefault(row["id"], number)
        if before != number:
            raise NotARegister(f"{path}: rows {before} and {number} have one id, «{row['id']}»")


def _unknown_kinds(path: Path, rows: list[tuple[int, dict[str, str]]]) -> Iterator[str]:
    """Tell of each unknown word once, with the first row it stands in."""
    found: dict[str, list[int]] = {}
    for number, row in rows:
        word = row["type"].strip()
        if word and word.lower() not in KINDS:
            found.setdefault(word, []).append(number)
    for word, (number, *further) in found.items():
        more = f" (and {len(further)} more)" if further else ""
        yield (
            f"{path}: row {number}{more}: type «{word}» is none of {', '.join(KINDS)};"
            " taken as not set"
        )
