"""The plan as a sheet: safe to open when it goes out, taken wholly or not at all when it comes."""

import codecs
import csv
import io
import zipfile
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from openpyxl import Workbook, load_workbook

from app.first_sync.sheet.files import Unreadable, read_sheet, write_csv, write_xlsx
from tests.features.conftest import Linked, Twins
from tests.features.first_sync.conftest import Review, Work

Rows = list[dict[str, str]]
NASTY = ["=1+1", "+47 22 11 33 44", "-3", "@SUM(A1)", "\tx", "0150", "'quoted", "bell\x07"]


class Sheets:
    """Download and upload as a front end does."""

    def __init__(self, client: httpx.AsyncClient, linked: Linked) -> None:
        self._client, self._headers = client, linked.books
        self._url = f"{linked.path}/first-sync/sheet"

    async def get(self, file_format: str, **wanted: str) -> httpx.Response:
        answer = await self._client.get(
            self._url, headers=self._headers, params={"format": file_format, **wanted}
        )
        assert answer.status_code == 200, answer.text
        return answer

    async def rows(self, **wanted: str) -> Rows:
        text = (await self.get("csv", **wanted)).content.decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text), delimiter=";"))

    async def post(self, body: bytes, **params: str) -> httpx.Response:
        headers = {**self._headers, "Content-Type": "application/octet-stream"}
        return await self._client.post(self._url, headers=headers, content=body, params=params)

    async def answers(self, rows: Rows, **params: str) -> httpx.Response:
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
        return await self.post(buffer.getvalue().encode(), **params)


@pytest.fixture
def sheets(client: httpx.AsyncClient, reviewing: Linked) -> Sheets:
    return Sheets(client, reviewing)


async def test_both_formats_hold_every_line(review: Review, sheets: Sheets) -> None:
    """CSV and XLSX say the same; zeros in front of postal codes are kept."""
    lines = await review.lines()

    rows = await sheets.rows()
    page: Any = load_workbook(io.BytesIO((await sheets.get("xlsx")).content)).worksheets[0]
    cells = [[cell.value or "" for cell in row] for row in page.iter_rows()]

    assert {row["Linje"] for row in rows} == {one["id"] for one in lines}
    assert cells[1:] == [[value.removeprefix("'") for value in row.values()] for row in rows]
    codes = [row["Postnr"] for row in rows if row["Postnr"]]
    assert any(code.startswith("0") for code in codes)
    assert {cell.data_type for row in page.iter_rows() for cell in row if cell.value} == {"s"}


def test_nothing_in_a_file_is_a_formula() -> None:
    """What a spreadsheet would carry out is text in XLSX and quoted in CSV; it reads back."""
    head = ["Linje", "Versjon", "Svar", "Navn"]
    rows = [head, *[["x", "1", "koble", one] for one in NASTY]]

    book = load_workbook(io.BytesIO(write_xlsx(rows)))
    written = b"".join(write_csv(rows))
    text = list(csv.reader(io.StringIO(written.decode("utf-8-sig")), delimiter=";"))

    cells = [cell for row in book.worksheets[0].iter_rows(min_row=2, min_col=4) for cell in row]
    assert {cell.data_type for cell in cells} == {"s"}
    assert not any(row[3].startswith(("=", "+", "-", "@", "\t", "\r")) for row in text[1:])
    assert [row.cells["name"].strip() for row in read_sheet(written)] == [
        one.strip() for one in NASTY
    ]


async def test_answers_in_a_sheet_are_taken(review: Review, sheets: Sheets) -> None:
    """Link, create and leave out in any language; an upload once more changes nothing."""
    rows = await sheets.rows(deed="ask")
    for row, word in zip(rows, ("Utelat", "create", "LEAVE OUT"), strict=False):
        row["Svar"] = word

    dry = await sheets.answers(rows, dryRun="true")
    untouched = (await review.plan())["version"]
    first = await sheets.answers(rows)
    again = await sheets.answers(rows)

    answers = {one["id"]: one["answer"] for one in await review.lines()}
    assert untouched == (await review.plan())["version"] - 1
    assert dry.json() | {"dryRun": False} == first.json()
    assert first.json()["answered"] == min(3, len(rows))
    assert again.json()["answered"] == 0
    assert [answers[row["Linje"]] for row in rows[:3]] == ["leave_out", "create", "leave_out"][
        : len(rows)
    ]


async def test_a_partner_in_a_sheet_is_linked(review: Review, sheets: Sheets) -> None:
    """As Excel saves it: ids typed by a person come back as numbers."""
    line = await review.line(category="only_time", kind="customer")
    partner = await review.line(category="only_books", kind="customer")
    book = Workbook()
    page: Any = book.active
    page.append(["Svar", "Min egen kolonne", "Linje", "Versjon", "Motpart"])
    page.append(["koble", "hei", line["id"], line["version"], float(partner["record"]["id"])])
    buffer = io.BytesIO()
    book.save(buffer)

    answer = await sheets.post(buffer.getvalue())

    (after,) = [one for one in await review.lines() if one["id"] == line["id"]]
    assert answer.json()["answered"] == 1
    assert (after["deed"], after["partnerId"]) == ("link", partner["record"]["id"])


async def test_a_link_from_the_books_line_is_uploaded_again_without_a_change(
    review: Review, sheets: Sheets
) -> None:
    """The partner's line keeps it; a changed winner is new, another's answer is not overwritten."""
    row = (await sheets.rows(deed="create-in-time", kind="customer"))[0]
    time = await review.line(deed="create-in-books", kind="customer", category="only_time")
    row |= {"Svar": "koble", "Motpart": time["record"]["id"], "Vinner: e-post": "Conta"}

    first = await sheets.answers([row])
    again = await sheets.answers([row])
    without = await sheets.answers([{k: v for k, v in row.items() if "Vinner" not in k}])
    version = (await review.plan())["version"]
    changed = await sheets.answers([row | {"Vinner: e-post": ""}])

    (kept,) = [one for one in await review.lines() if one["id"] == time["id"]]
    assert (first.json()["answered"], kept["deed"], kept["winners"]) == (
        1, "link", {"email": "books"},
    )  # fmt: skip
    assert [one.json().get("unchanged") for one in (again, without)] == [1, 1]
    assert (await review.plan())["version"] == version
    assert changed.json()["errors"][0]["code"] == "changed-since"


async def test_one_wrong_cell_refuses_the_whole_sheet(review: Review, sheets: Sheets) -> None:
    """Each fault is named by row and column; nothing is changed."""
    rows = (await sheets.rows(category="only_time"))[:2]
    rows += (await sheets.rows(category="duplicate", kind="customer"))[:2]
    taken = (await review.line(category="certain", kind="customer"))["candidates"][0]["id"]
    rows[0]["Svar"] = "utelat"
    rows[1]["Svar"] = "kanskje"
    rows[2] |= {"Svar": "koble", "Motpart": taken}
    rows[3] |= {"Svar": "koble", "Motpart": "999999"}
    rows.append({**rows[0], "Versjon": "1"})
    before = await review.lines()

    refused = await sheets.answers(rows)

    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (422, "sheet-refused")
    assert {(one["pointer"], one["code"]) for one in problem["errors"]} == {
        ("/rows/3/answer", "answer-unknown"), ("/rows/4/partner", "partner-taken"),
        ("/rows/5/partner", "partner-unknown"), ("/rows/6/id", "line-twice"),
    }  # fmt: skip
    assert await review.lines() == before


async def test_a_line_that_someone_answered_meanwhile_is_not_overwritten(
    review: Review, sheets: Sheets
) -> None:
    """The sheet's version is older than the line's: refused, the other answer stands."""
    rows = (await sheets.rows(category="only_time", kind="customer"))[:1]
    (line,) = [one for one in await review.lines() if one["id"] == rows[0]["Linje"]]
    await review.answer(line, "leave_out")
    rows[0]["Svar"] = "opprett"

    refused = await sheets.answers(rows)

    (after,) = [one for one in await review.lines() if one["id"] == line["id"]]
    assert refused.json()["errors"][0]["code"] == "changed-since"
    assert after["answer"] == "leave_out"


def packed(**parts: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


BOMB = packed(**{"xl/worksheets/sheet1.xml": b"0" * (49 * 2**20)})
MANY = packed(**{f"part{n}": b"" for n in range(101)})
HEAD = b"Linje;Versjon;Svar\n"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "sheet-columns-missing"),
        (b"Navn;Svar\nx;y\n", "sheet-columns-missing"),
        (b"PK\x03\x04 not a zip", "sheet-not-readable"),
        (packed(hello=b"world"), "sheet-not-readable"),
        (BOMB, "sheet-too-large"),
        (MANY, "sheet-too-large"),
        (HEAD + b"x;1;koble\n" * 20_001, "sheet-too-large"),
        (HEAD + b"x" * 5_001 + b";1;koble\n", "sheet-too-large"),
        (HEAD + b'"never closed;1;koble', "sheet-not-readable"),
        (HEAD + b"\x00;1;koble", "sheet-not-readable"),
    ],
    ids=["empty", "columns", "cut", "zip", "bomb", "parts", "rows", "cell", "quote", "nul"],
)
def test_what_is_no_sheet_is_refused(body: bytes, code: str) -> None:
    """Also what would unpack to more than a process may hold, before it is unpacked."""
    with pytest.raises(Unreadable) as refusal:
        read_sheet(body)

    assert refusal.value.code == code


def saved(book: Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def of_rows(*rows: list[Any]) -> bytes:
    """Write a workbook as Excel does, with the headings in front."""
    book = Workbook()
    page: Any = book.active
    for row in (["Linje", "Versjon", "Svar"], *rows):
        page.append(row)
    return saved(book)


def with_page(body: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Change the XML of a workbook's page."""
    with zipfile.ZipFile(io.BytesIO(body)) as book:
        parts = {one: book.read(one) for one in book.namelist()}
    name = "xl/worksheets/sheet1.xml"
    return packed(**{**parts, name: change(parts[name])})


WORKBOOK = of_rows(*([f"x{n * 7919}", "1", f"koble{n}"] for n in range(300)))


@pytest.mark.parametrize(
    "change",
    [
        lambda xml: xml[: len(xml) // 2],
        lambda xml: xml.replace(b'<c r="A2"', b'<c r="Z2" t="s"><v>99999</v></c><c r="A2"'),
        lambda xml: xml.replace(b'r="A2"', b'r="?"'),
        lambda xml: xml.replace(b"<row", b"<row x:y=''"),
    ],
    ids=["cut", "string", "place", "prefix"],
)
def test_a_workbook_with_a_damaged_page_is_refused(change: Callable[[bytes], bytes]) -> None:
    """Its zip is sound and its XML is not: the same refusal, whatever stumbles over it."""
    with pytest.raises(Unreadable) as refusal:
        read_sheet(with_page(WORKBOOK, change))

    assert refusal.value.code == "sheet-not-readable"


def test_a_workbook_with_any_byte_of_its_page_damaged_is_read_or_refused() -> None:
    """As a disk or a mail program damages it; no damage is an error of ours."""
    with zipfile.ZipFile(io.BytesIO(WORKBOOK)) as book:
        page = book.getinfo("xl/worksheets/sheet1.xml")
    seen = set()

    for place in range(page.header_offset, page.header_offset + page.compress_size, 17):
        broken = bytearray(WORKBOOK)
        broken[place] ^= 0xFF
        try:
            read_sheet(bytes(broken))
        except Unreadable as refusal:
            seen.add(refusal.code)

    assert seen == {"sheet-not-readable"}


async def test_a_damaged_workbook_is_told_as_one(review: Review, sheets: Sheets) -> None:
    """A sheet of ours, cut in the middle: the documented problem, and nothing is changed."""
    body = (await sheets.get("xlsx")).content

    refused = await sheets.post(with_page(body, lambda xml: xml[: len(xml) // 2]))

    assert (refused.status_code, refused.json()["code"]) == (422, "sheet-not-readable")
    assert await review.lines(answered="true") == []


TABBED = 'Linje\tVersjon\tSvar\tNavn\r\nx\t1\tkoble\t"Bø, Ås & ""Sønn"" AS"\r\n'


@pytest.mark.parametrize(
    "body",
    [
        codecs.BOM_UTF16_LE + TABBED.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TABBED.encode("utf-16-be"),
        codecs.BOM_UTF8 + ("sep=;\r\n" + TABBED.replace("\t", ";")).encode(),
        ("SEP=;\n" + TABBED.replace("\t", ";")).encode("cp1252"),
        ("sep=\t\r\n" + TABBED).encode(),
        ("sep=|\r\n" + TABBED.replace("\t", "|")).encode(),
        codecs.BOM_UTF16_LE + ("sep=;\r\n" + TABBED.replace("\t", ";")).encode("utf-16-le"),
    ],
)
def test_what_excel_saves_as_text_is_read(body: bytes) -> None:
    """«Unicode-tekst» has two bytes a sign and tabs; a line that names the separator is no row."""
    (row,) = read_sheet(body)

    assert row.number == 2
    assert (row.cells["answer"], row.cells["name"]) == ("koble", 'Bø, Ås & "Sønn" AS')


@pytest.mark.parametrize("body", [b"sep=;", b"sep=;\n", b'sep="\nLinje', b"\xff\xfeL\0i"])
def test_a_text_that_only_begins_like_a_sheet_is_refused(body: bytes) -> None:
    """Cut off, or with a separator that nothing can be read by."""
    with pytest.raises(Unreadable):
        read_sheet(body)


def test_a_workbook_is_read_to_its_end_whatever_size_it_states() -> None:
    """Some programs write the size of the page they began with."""
    body = with_page(
        of_rows(*([f"x{n}", "1", "koble"] for n in range(5))),
        lambda xml: xml.replace(b'ref="A1:C6"', b'ref="A1:B2"'),
    )

    assert [row.number for row in read_sheet(body)] == [2, 3, 4, 5, 6]


async def test_a_formula_without_a_value_refuses_the_sheet(review: Review, sheets: Sheets) -> None:
    """No program worked it out: it is no empty answer. One that came to nothing is."""
    line, other = (await review.lines(category="only_time"))[:2]
    body = of_rows(
        [line["id"], line["version"], '="opp"&"rett"'], [other["id"], other["version"], "=A1"]
    )
    worked_out = with_page(
        body,
        lambda xml: xml.replace(
            b'<c r="C2"><f>"opp"&amp;"rett"</f><v /></c>',
            b'<c r="C2" t="str"><f>"opp"&amp;"rett"</f><v>opprett</v></c>',
        ).replace(b'<c r="C3"><f>A1</f><v /></c>', b'<c r="C3" t="str"><f>A1</f><v></v></c>'),
    )

    refused = await sheets.post(body)
    taken = await sheets.post(worked_out)

    assert [(one["pointer"], one["code"]) for one in refused.json()["errors"]] == [
        ("/rows/2/answer", "formula-without-value"), ("/rows/3/answer", "formula-without-value"),
    ]  # fmt: skip
    assert (taken.json()["answered"], taken.json()["unchanged"]) == (1, 1)


async def test_a_partner_may_be_no_formula_without_a_value_either(
    review: Review, sheets: Sheets
) -> None:
    """Also from the books line, where the partner's own line keeps the answer."""
    line = await review.line(deed="create-in-time", kind="customer")
    book = Workbook()
    page: Any = book.active
    page.append(["Linje", "Versjon", "Svar", "Motpart"])
    page.append([line["id"], line["version"], "koble", '="cus_"&"31"'])

    refused = await sheets.post(saved(book))

    assert [(one["pointer"], one["code"]) for one in refused.json()["errors"]] == [
        ("/rows/2/partner", "formula-without-value")
    ]


@pytest.mark.parametrize(
    ("head", "column"),
    [
        ("Linje;Versjon;Svar;Answer", "Answer"),
        ("Linje;Versjon;Motpart;Svar;motpart", "motpart"),
        ("Linje;Line;Versjon;Svar", "Line"),
        ("Linje;Versjon;Svar;Vinner: navn;Winner: name", "Winner: name"),
    ],
)
async def test_two_columns_that_mean_the_same_refuse_the_sheet(
    review: Review, sheets: Sheets, head: str, column: str
) -> None:
    """The blank one would hide the answer in the other; the heading is named."""
    refused = await sheets.post(f"{head}\n".encode())

    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (422, "sheet-columns-twice")
    assert problem["facts"] == {"column": column}


def test_two_columns_that_nobody_reads_may_mean_the_same() -> None:
    """A person's own notes beside ours lose nothing."""
    (row,) = read_sheet(b"Linje;Versjon;Svar;Navn;Name\nx;1;koble;a;b\n")

    assert row.cells["answer"] == "koble"


async def test_a_sheet_larger_than_other_bodies_is_taken(review: Review, sheets: Sheets) -> None:
    """Up to its own limit; above it 413."""
    rows = await sheets.rows()
    padding = "\n".join(";;" for _ in range(19_000)).encode()
    large = HEAD + b";1;" + b" " * 300_000 + b"\n"

    fits = await sheets.post(HEAD + padding + b"\n" + b";" * 250_000)
    too_large = await sheets.post(large * 20)

    assert (len(rows) > 0, fits.status_code, too_large.status_code) == (True, 200, 413)


async def test_a_stranger_gets_no_sheet(
    review: Review, reviewing: Linked, client: httpx.AsyncClient, twins: Twins, work: Work
) -> None:
    """Another organization's administrator is told what an unknown link is told."""
    token = await twins.token("conta", "2002")
    got = await client.get(
        f"{reviewing.path}/first-sync/sheet", headers={"Authorization": f"Bearer {token}"}
    )

    assert got.status_code == 404


async def test_who_wins_by_field_is_said_in_a_sheet(review: Review, sheets: Sheets) -> None:
    """In any language; it comes back in the next download, and an empty cell takes it back."""
    rows = (await sheets.rows(kind="customer", category="certain"))[:2]
    for row in rows:
        row |= {"Svar": "koble", "Vinner: e-post": "conta", "Vinner: navn": "time"}

    taken = await sheets.answers(rows)
    once_more = await sheets.answers(await sheets.rows(answered="true"))
    lines = await review.lines(answered="true")
    again = await sheets.rows(answered="true")
    again[0]["Vinner: navn"] = ""
    changed = await sheets.answers(again[:1])

    wanted = {"email": "books", "name": "time"}
    assert (taken.json()["answered"], once_more.json()["unchanged"]) == (2, 2)
    assert [one["winners"] for one in lines] == [wanted, wanted]
    assert again[1]["Vinner: e-post"] == "Conta"
    (after,) = [one for one in await review.lines() if one["id"] == again[0]["Linje"]]
    assert (changed.json()["answered"], after["winners"]) == (1, {"email": "books"})


@pytest.mark.parametrize(
    ("cells", "code", "column"),
    [
        ({"Svar": "koble", "Vinner: e-post": "Fiken"}, "winner-unknown", "winner:email"),
        ({"Svar": "koble", "Vinner: slutt": "Conta"}, "winner-unknown", "winner:end"),
        ({"Svar": "utelat", "Vinner: navn": "Conta"}, "winner-not-wanted", "winner:name"),
        (
            {"Svar": "koble", "Vinner: orgnr": "Fiken"},
            "winner-unknown",
            "winner:organizationNumber",
        ),
    ],
)
async def test_a_wrong_winner_refuses_the_whole_sheet(
    review: Review, sheets: Sheets, cells: dict[str, str], code: str, column: str
) -> None:
    """The very cell is named, in words, and no other row is taken."""
    rows = (await sheets.rows(kind="customer", category="certain"))[:2]
    rows[0]["Svar"] = "opprett"
    rows[1] |= cells

    refused = await sheets.answers(rows)

    (error,) = refused.json()["errors"]
    assert (refused.status_code, error["pointer"], error["code"]) == (
        422, f"/rows/3/{column}", code,
    )  # fmt: skip
    assert await review.lines(answered="true") == []
