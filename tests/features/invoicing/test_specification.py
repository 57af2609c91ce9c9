"""Time specifications: what the PDF and the CSV say is what the ledger holds, byte for byte."""

import base64
import csv
import hashlib
import io
import json
from decimal import Decimal
from typing import Any

import httpx
import pypdf
import pypdfium2
import pytest
from sqlalchemy import select

from app.invoicing.papers.specification import as_print, sheet_of
from app.invoicing.papers.typeset import typeset
from app.invoicing.store import LedgerRow, Specification
from app.runtime import Runtime
from tests.features.invoicing.test_drafts import previewed, sent
from tests.features.invoicing.test_followed import person
from tests.features.invoicing.test_protocol import fault


async def made(client: httpx.AsyncClient, link: Any, **style: Any) -> tuple[dict[str, Any], str]:
    draft: dict[str, Any] = (
        await sent(client, link, await previewed(client, link, **style))
    ).json()
    return draft, f"{link.path}/invoice-drafts/{draft['id']}/specification"


def text_of(pdf: bytes) -> str:
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


async def ledger(runtime: Runtime, link: Any) -> list[LedgerRow]:
    async with runtime.database.reading(link.link_id) as session:
        return list(await session.scalars(select(LedgerRow)))


async def test_the_paper_says_what_the_ledger_holds(
    client: httpx.AsyncClient, synced: Any, runtime: Runtime
) -> None:
    """Each person, day, minutes and rate of the ledger stands in the PDF, and the mark."""
    draft, path = await made(client, synced, grouping="week")

    answer = await client.get(f"{path}.pdf", headers=synced.books)

    text = text_of(answer.content)
    assert answer.headers["content-type"] == "application/pdf"
    assert draft["mark"] in text
    rows = await ledger(runtime, synced)
    for row in rows:
        day = ".".join(reversed(row.snapshot["day"].split("-")))
        hours, rate = f"{row.minutes / 60:.2f}".replace(".", ","), f"{row.rate // 100:,}"
        printed = f"{row.minutes} {hours} {rate.replace(',', ' ')},{row.rate % 100:02d}"
        assert row.snapshot["employeeName"] in text
        assert f"{day} " in text
        assert printed in text, printed
        assert f"{printed} {row.line_no}" in text
    total = sum(row.minutes for row in rows)
    assert f"{total / 60:.2f}".replace(".", ",") in text


async def test_every_download_is_the_same_bytes(
    client: httpx.AsyncClient, synced: Any, runtime: Runtime, twins: Any
) -> None:
    """Made once: the second download, also after hours were changed, is the first byte for byte."""
    draft, path = await made(client, synced)
    first = {k: await client.get(f"{path}.{k}", headers=synced.books) for k in ("pdf", "csv")}
    entry = draft["entries"][0]["entryId"]
    await twins.control("timerabbit", "PATCH", f"/companies/cmp_1/entries/{entry}", {"minutes": 1})

    again = {k: await client.get(f"{path}.{k}", headers=synced.books) for k in ("pdf", "csv")}

    for kind, answer in first.items():
        digest = base64.b64encode(hashlib.sha256(answer.content).digest()).decode()
        assert again[kind].content == answer.content
        assert again[kind].headers["repr-digest"] == f"sha-256=:{digest}:"
    async with runtime.database.reading(synced.link_id) as session:
        kept = list(await session.scalars(select(Specification)))
    assert {one.keep_until.isoformat() for one in kept} == {"2031-12-31"}


async def test_the_csv_is_the_ledger_and_harms_no_spreadsheet(
    client: httpx.AsyncClient, synced: Any, runtime: Runtime, twins: Any
) -> None:
    """A row an hour, one a line, one for the sum; what looks like a formula is made harmless."""
    plain = await previewed(client, synced)
    entry = plain["lines"][0]["entryIds"][0]
    await twins.control(
        "timerabbit", "PATCH", f"/companies/cmp_1/entries/{entry}", {"comment": "=1+1"}
    )
    draft, path = await made(client, synced)

    answer = await client.get(f"{path}.csv", headers=synced.books)

    table = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    rows = await ledger(runtime, synced)
    named = [dict(zip(table[0], row, strict=True)) for row in table[1:]]
    by_kind = {kind: [r for r in named if r["Type"] == kind] for kind in ("Time", "Linje", "Sum")}
    assert sorted((r["Nummer"], int(r["Minutter"]), int(r["Linje"])) for r in by_kind["Time"]) == (
        sorted((draft["mark"], row.minutes, row.line_no) for row in rows)
    )
    assert "'=1+1" in {r["Utført"] for r in by_kind["Time"]}
    nets = [Decimal(r["Netto"].replace(",", ".")) for r in by_kind["Linje"] + by_kind["Sum"]]
    assert [net * 100 for net in nets] == [
        *(line["netOre"] for line in draft["lines"]), draft["netOre"],
    ]  # fmt: skip
    books = {str(c["id"]): c["name"] for c in (await twins.books())["customers"]}
    assert {r["Kunde"] for r in named} == {books[synced.more["customers"][draft["customerId"]]]}


async def test_a_specification_has_a_scope_of_its_own(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """A token for specifications reads papers and no drafts; one for drafts reads no papers."""
    draft, path = await made(client, synced)

    async def with_scope(scope: str, wanted: str) -> int:
        token = await client.post(
            "/v1/tokens", headers={**synced.books, "Idempotency-Key": f"t-{scope}-{wanted[-3:]}"},
            json={"name": "regnskap", "account": "1001", "scopes": [scope]},
        )  # fmt: skip
        assert token.status_code == 201, token.text
        secret = token.json()["token"]
        answer = await client.get(wanted, headers={"Authorization": f"Bearer {secret}"})
        return answer.status_code

    shown = f"{synced.path}/invoice-drafts/{draft['id']}"
    assert await with_scope("specifications:read", f"{path}.csv") == 200
    assert await with_scope("specifications:read", shown) == 403
    assert await with_scope("invoices:read", f"{path}.csv") == 403


async def test_a_released_draft_keeps_its_paper_and_one_on_its_way_has_none(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """The paper is evidence after a release too; before the draft stands there is none."""
    draft, path = await made(client, synced)
    await person(twins, f"drafts/{draft['contaDraftIds'][0]}/delete")
    await client.post(
        f"{synced.path}/invoice-drafts/{draft['id']}/release", headers=synced.books,
        json={"reason": "slettet"},
    )  # fmt: skip
    kept = await client.get(f"{path}.csv", headers=synced.books)
    await fault(twins, "conta", kind="lost_answer", method="POST", path="invoice-drafts", times=1)
    preview = await previewed(client, synced)
    lost = await sent(client, synced, preview, key="lost")

    early = await client.get(f"{lost.headers['location']}/specification.csv", headers=synced.books)

    assert kept.status_code == 200
    assert (early.status_code, early.json()["code"]) == (409, "draft-state")


async def test_increments_and_discount_are_printed(client: httpx.AsyncClient, synced: Any) -> None:
    """The paper shows what was worked and what is billed where they differ."""
    _, path = await made(
        client, synced, rounding={"minutes": 60}, discountPercent=10, language="en"
    )

    text = text_of((await client.get(f"{path}.pdf", headers=synced.books)).content)

    assert "Rounding:" in text
    assert "worked" in text
    assert "10 %" in text
    assert "Time specification" in text


POINTS_A_MM = 72 / 25.4


def seen(pdf: bytes) -> list[str]:
    """Render every page to an image, hold it to its margins, and give what each page says."""
    return [_seen_page(page) for page in pypdfium2.PdfDocument(pdf)]


def _seen_page(page: Any) -> str:
    """Ink stands within 15 mm from the sides and 17 mm from the top, and 8 mm above the edge."""
    image = page.render(scale=2, grayscale=True)
    raw, wide, high = bytes(image.buffer), image.width, image.height
    rows = [raw[y * image.stride : y * image.stride + wide] for y in range(high)]
    dark = [(y, [x for x, grey in enumerate(row) if grey < 128]) for y, row in enumerate(rows)]
    inked = [(y, xs) for y, xs in dark if xs]
    edge = 2 * POINTS_A_MM
    assert sum(len(xs) for _, xs in inked) > wide * high / 500
    assert min(xs[0] for _, xs in inked) >= int(15 * edge) - 1
    assert max(xs[-1] for _, xs in inked) <= wide - int(15 * edge) + 1
    assert inked[0][0] >= 17 * edge
    assert inked[-1][0] <= high - 8 * edge
    told: str = page.get_textpage().get_text_range()
    return " ".join(told.split())


async def test_the_paper_can_be_seen(
    client: httpx.AsyncClient, synced: Any, runtime: Runtime
) -> None:
    """The PDF's own bytes, rendered, have ink where it belongs and say what the ledger does."""
    draft, path = await made(client, synced, grouping="entry")
    rows = await ledger(runtime, synced)

    answer = await client.get(f"{path}.pdf", headers=synced.books)

    whole = " ".join(seen(answer.content))
    assert whole.count(draft["mark"]) >= 2
    for row in rows:
        hours = f"{row.minutes / 60:.2f}".replace(".", ",")
        rate = f"{row.rate // 100:,}".replace(",", " ") + f",{row.rate % 100:02d}"
        assert f"{row.minutes} {hours} {rate} {row.line_no}" in whole
        assert ".".join(reversed(row.snapshot["day"].split("-"))) in whole
        assert row.snapshot["employeeName"] in whole


@pytest.mark.parametrize("bold", [True, False])
def test_the_paper_loses_no_letter(*, bold: bool) -> None:
    """Those of its fonts are printed, all others spelled out; a name is printed bold."""
    kept = "Łódź Жанна Ελλάς Sámi čŋđ ✓ → ½ € × – … ♥ ☎ #let *b* _i_ $x$ @a <b> `r`"
    lost = "中文 \U0001f44d \u3042"
    words = {"employeeName": "Kari", "comment": "", "employeeName" if bold else "comment":
             f"{kept} {lost}"}  # fmt: skip
    hour = {"employeeId": "emp_1", "day": "2026-11-02", "minutes": 90, "rate": 95_000,
            "project": None, **words}  # fmt: skip
    line = {"text": "Timer", "minutes": 90, "quantity": "1.50", "unitPrice": 95_000,
            "net": 142_500, "entryIds": ["e1"]}  # fmt: skip
    sheet = sheet_of("TR-7K3QF9M2", {"entries": {"e1": hour}, "lines": [line]}, seller="Selger AS")

    told = text_of(typeset(json.dumps(as_print(sheet))))

    bare = told.replace("\N{ZERO WIDTH SPACE}", "")
    assert [word for word in kept.split() if word not in bare] == []
    assert all(one in bare for one in ("[U+4E2D]", "[U+6587]", "[U+1F44D]", "[U+3042]"))


def test_no_word_runs_over_the_next_column_or_off_the_page() -> None:
    """An address of 300 letters in a comment goes on in the next line; nothing of it is lost."""
    address = "https://example.test/" + "x" * 300 + "/end"
    words = {"e1": address, "e2": "W" * 200, **{f"f{n}": "Møte " * (n % 20) for n in range(90)}}
    hours = {
        entry: {"employeeId": "emp_1", "employeeName": "Kari", "day": "2026-11-02", "minutes": 90,
                "rate": 95_000, "project": "P" * 80, "comment": comment}
        for entry, comment in words.items()
    }  # fmt: skip
    line = {"text": "U" * 500, "minutes": 90, "quantity": "1.50", "unitPrice": 95_000,
            "net": 142_500, "entryIds": list(hours)}  # fmt: skip
    sheet = sheet_of("TR-7K3QF9M2", {"entries": hours, "lines": [line]}, seller="Selger AS")

    pages = seen(typeset(json.dumps(as_print(sheet))))

    assert len(pages) > 2
    assert [f"Side {n} / {len(pages)}" in page for n, page in enumerate(pages, 1)] == [
        True for _ in pages
    ]
    bare = "".join(" ".join(pages).replace("\N{ZERO WIDTH SPACE}", "").split())
    assert bare.count("x") >= 300
    assert "/end" in bare
