"""Write and read the files of a sheet: CSV and XLSX, guarded against what may hide in either."""

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser

from app.first_sync.sheet.sheet import READ_COLUMNS, column_of


class Format(StrEnum):
    """Name the formats of a sheet."""

    CSV = "csv"
    XLSX = "xlsx"


MEDIA_TYPES: Final = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

MOST_ROWS: Final = 20_000
_MOST_COLUMNS: Final = 60
_LONGEST_CELL: Final = 5_000
_LARGEST_UNPACKED: Final = 48 * 2**20
_MOST_PARTS: Final = 100

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_GUARD: Final = "'"
_DELIMITERS: Final = ";,\t"
_SEPARATOR: Final = re.compile(r"sep=([;,\t|])\r?\n", re.IGNORECASE)

UNCALCULATED: Final = "\uffff"
"""Stands for a formula without a value; XML has no such sign, so no other cell can say it."""


class Unreadable(Exception):  # noqa: N818 - named by what it says
    """Say that a file is no sheet of ours; ``code`` names why, with facts for its text."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts: Mapping[str, Any] = facts


@dataclass(frozen=True, slots=True)
class Row:
    """
    Hold one row by column; ``number`` is the one a person sees, the heading being 1.

    Args:
        cells: Text by column; ``UNCALCULATED`` where a formula has no value.

    """

    number: int
    cells: dict[str, str]


def write_csv(rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """
    Write rows as UTF-8 with a byte order mark and semicolons, as Norwegian Excel opens them.

    A cell that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    yield b"\xef\xbb\xbf"
    for row in rows:
        buffer = io.StringIO(newline="")
        csv.writer(buffer, delimiter=";", quoting=csv.QUOTE_ALL).writerow(map(_guarded, row))
        yield buffer.getvalue().encode()


def write_xlsx(rows: Iterable[Sequence[str]]) -> bytes:
    """Write rows as a workbook in which every cell is text, never a formula or a number."""
    book = Workbook(write_only=True)
    page: Any = book.create_sheet("Plan")
    page.freeze_panes = "F2"
    for row in rows:
        page.append([_text_cell(page, value) for value in row])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def read_sheet(body: bytes) -> list[Row]:
    """
    Read a CSV or XLSX file; which one it is, is told by its first bytes.

    Raises:
        Unreadable: ``sheet-not-readable``, ``sheet-too-large``, ``sheet-columns-missing`` or
            ``sheet-columns-twice``.

    """
    rows = _xlsx_rows(body) if body[:4] == b"PK\x03\x04" else _csv_rows(body)
    try:
        return _by_column(rows)
    except csv.Error:
        raise Unreadable("sheet-not-readable") from None


def _by_column(rows: Iterator[Sequence[str]]) -> list[Row]:
    heads = next(rows, [])
    names = [column_of(cell) for cell in heads]
    if not {"id", "version", "answer"} <= set(names):
        raise Unreadable("sheet-columns-missing")
    for place, name in enumerate(names):
        # Of two that are read, a blank one would hide the answers in the other.
        if name in READ_COLUMNS and name in names[:place]:
            raise Unreadable("sheet-columns-twice", column=heads[place])
    found: list[Row] = []
    for number, cells in enumerate(rows, start=2):
        if number > MOST_ROWS + 1 or any(len(cell) > _LONGEST_CELL for cell in cells):
            raise Unreadable("sheet-too-large")
        named = {name: cell for name, cell in zip(names, cells, strict=False) if name}
        if any(named.values()):
            found.append(Row(number, named))
    return found


def _csv_rows(body: bytes) -> Iterator[Sequence[str]]:
    text = _decoded(body)
    if "\0" in text:
        raise Unreadable("sheet-not-readable")
    # Excel shows a first line «sep=;» as no row, so it counts as none.
    told = _SEPARATOR.match(text)
    text = text[told.end() :] if told else text
    first = text.partition("\n")[0]
    delimiter = told[1] if told else max(_DELIMITERS, key=first.count)
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
        yield [_bare(cell) for cell in row[:_MOST_COLUMNS]]


def _decoded(body: bytes) -> str:
    """Decode what Excel saves as CSV, UTF-8 or older, or as «Unicode-tekst»."""
    try:
        if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return body.decode("utf-16")
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


class _Cells(WorkSheetParser):
    """Read a page's cells, and tell a formula without a value from an empty cell."""

    def parse_cell(self, element: Any) -> Any:  # noqa: ANN401 - the library's own shapes
        """Read a cell; a formula that came to an empty text is marked as one, and is empty."""
        cell = super().parse_cell(element)
        no_value = cell["value"] is None and element.get("t") != "str"
        if no_value and element.find(FORMULA_TAG) is not None:
            cell["value"] = UNCALCULATED
        return cell


def _xlsx_rows(body: bytes) -> Iterator[Sequence[str]]:
    _refuse_bombs(body)
    try:
        yield from _walked(body)
    except Exception:  # noqa: BLE001 - a damaged file meets zlib, XML and the library in many ways
        raise Unreadable("sheet-not-readable") from None


def _walked(body: bytes) -> Iterator[Sequence[str]]:
    """Walk the first page row by row; the size that it states itself may be wrong."""
    book = load_workbook(io.BytesIO(body), read_only=True, keep_links=False)
    page: Any = book.worksheets[0]
    reached = 0
    with page._get_source() as part:  # noqa: SLF001 - the open way hides formulas without a value
        for number, cells in _Cells(part, page._shared_strings, data_only=True).parse():  # noqa: SLF001
            yield from ([] for _ in range(reached + 1, number))
            row = [""] * _MOST_COLUMNS
            for cell in cells:
                if cell["column"] <= _MOST_COLUMNS:
                    row[cell["column"] - 1] = _bare(_said(cell["value"]))
            yield row
            reached = max(number, reached + 1)


def _refuse_bombs(body: bytes) -> None:
    """Refuse a file that unpacks to more than it may; a part never gives more than it declares."""
    try:
        parts = zipfile.ZipFile(io.BytesIO(body)).infolist()
    except (zipfile.BadZipFile, ValueError):
        raise Unreadable("sheet-not-readable") from None
    if len(parts) > _MOST_PARTS or sum(one.file_size for one in parts) > _LARGEST_UNPACKED:
        raise Unreadable("sheet-too-large")


def _said(value: object) -> str:
    """Give a cell's text; Excel makes numbers of ids that a person typed."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _guarded(value: str) -> str:
    return _GUARD + value if value.startswith(_FORMULA) else value


def _bare(value: str) -> str:
    value = value.strip()
    return value[1:] if value.startswith(_GUARD) and value[1:].startswith(_FORMULA) else value


def _text_cell(page: Any, value: str) -> Any:  # noqa: ANN401 - the library's own shapes
    cell: Any = WriteOnlyCell(page, value="".join(sign for sign in value if sign.isprintable()))
    cell.data_type = "s"
    cell.number_format = "@"
    return cell
