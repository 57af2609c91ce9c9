"""Run the matching on two registers in CSV files, for the benchmark and the command line."""

import csv
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.canonical import Customer, RecordId, Side, is_organization_number
from app.records.matching.addresses import is_placeholder, postal_code
from app.records.matching.identifiers import organization_digits
from app.records.matching.match import match
from app.records.matching.proposals import Matching
from app.records.matching.registers import read_register

_SIDES = {Side.TIME: "timerabbit", Side.BOOKS: "conta"}


class WouldOverwrite(Exception):  # noqa: N818 - named by what would happen
    """Say in one sentence which file would have been lost, so that nothing was written."""


@dataclass(frozen=True, slots=True)
class Counted:
    """
    Say how many of what an answer holds, of two registers.

    Args:
        alone: Records of (time, books) that stand alone: new to the other side.
        duplicates: Pairs suspected inside (time, books).
        unready: Records of (time, books) that lack what the books demand, whatever the faults.
        notes: Sentences about what was read otherwise than it may have been meant.

    """

    records: tuple[int, int]
    certain: int
    asked: int
    alone: tuple[int, int]
    duplicates: tuple[int, int]
    unready: tuple[int, int]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Write it out for a terminal, a line for each count."""
        rows = (
            ("certain", str(self.certain), "pairs, linked without asking"),
            ("asked", str(self.asked), "pairs, for a person to look at"),
            ("new", _both(self.alone), "without a counterpart"),
            ("duplicates", _both(self.duplicates), "pairs inside a side"),
            ("invalid", _both(self.unready), "lack or break something the books demand"),
        )
        read = f"{self.records[0]} customers in Timerabbit and {self.records[1]} in Conta"
        width = max(len(count) for _, count, _ in rows)
        return "\n".join([read, *(f"{n:<11}{c:>{width}}  {what}" for n, c, what in rows)])


def _both(counts: tuple[int, int]) -> str:
    """Write a count of each side."""
    return f"{counts[0]} + {counts[1]}"


def run(
    timerabbit_csv: Path,
    conta_csv: Path,
    out: Path,
    duplicates: Path | None = None,
    invalid: Path | None = None,
) -> Counted:
    """
    Match two files, write the predictions, and say how many there are of what.

    Args:
        out: Gets ``timerabbit_id,conta_id,decision`` with match, review or new.
        duplicates: Gets ``side,id_a,id_b`` when given.
        invalid: Gets ``side,id,reason`` when given.

    Raises:
        WouldOverwrite: A file to write is a register or is to be written twice.
        NotARegister: A file cannot be read as a register.
        OSError: A file cannot be opened.

    """
    outputs = {"--out": out, "--duplicates": duplicates, "--invalid": invalid}
    _expect_files_apart((timerabbit_csv, conta_csv), outputs)
    registers = read_register(timerabbit_csv), read_register(conta_csv)
    time, books = (list(register.customers) for register in registers)
    found = match(time, books)
    broken = [[(one.id, faults(one)) for one in side] for side in (time, books)]
    _write(out, ("timerabbit_id", "conta_id", "decision"), _decisions(found))
    if duplicates is not None:
        rows = ((_SIDES[d.side], d.first_id, d.second_id) for d in found.duplicates)
        _write(duplicates, ("side", "id_a", "id_b"), rows)
    if invalid is not None:
        found_faults = (
            (_SIDES[side], record, reason)
            for side, records in zip((Side.TIME, Side.BOOKS), broken, strict=True)
            for record, reasons in records
            for reason in reasons
        )
        _write(invalid, ("side", "id", "reason"), found_faults)
    of_time = sum(one.side is Side.TIME for one in found.duplicates)
    return Counted(
        records=(len(time), len(books)),
        certain=len(found.certain),
        asked=len(found.asked),
        alone=(len(found.only_time), len(found.only_books)),
        duplicates=(of_time, len(found.duplicates) - of_time),
        unready=(_unready(broken[0]), _unready(broken[1])),
        notes=tuple(dict.fromkeys(note for register in registers for note in register.notes)),
    )


def _expect_files_apart(registers: Iterable[Path], outputs: Mapping[str, Path | None]) -> None:
    """Refuse to write over a register, or over what another option has written."""
    given = [(option, path) for option, path in outputs.items() if path is not None]
    for place, (option, path) in enumerate(given):
        for register in registers:
            if _is_one_file(path, register):
                raise WouldOverwrite(f"{path}: {option} would overwrite a register; name another")
        for other, earlier in given[:place]:
            if _is_one_file(path, earlier):
                raise WouldOverwrite(f"{path}: {other} and {option} are one file; name another")


def _is_one_file(one: Path, other: Path) -> bool:
    """Say whether two paths lead to one file, by whatever name; a device keeps nothing to lose."""
    if one.exists() and other.exists():
        return one.is_file() and one.samefile(other)
    return os.path.realpath(one) == os.path.realpath(other)


def _unready(records: Iterable[tuple[RecordId, list[str]]]) -> int:
    """Count the records with a fault."""
    return sum(bool(reasons) for _, reasons in records)


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
