"""Pages that a person reads: they work without any other host, and tell each problem."""

import re
from pathlib import Path

import httpx
import pytest

from app.invoicing.words import codes_inside
from app.pages.documentation import READERS
from app.pages.page import markdown, page
from app.problems import catalogue

DOCS = Path(__file__).parents[3] / "docs"
REFERENCES = re.compile(r"""(?:src|href|url)\s*[=:(]\s*["']?([^"'\s>)]+)""")


def references(text: str) -> list[str]:
    return REFERENCES.findall(text)


@pytest.mark.parametrize(
    "path",
    ["/", "/docs", "/docs/", "/docs/api", "/problems", "/problems/not-found",
     *(f"/docs/{name}" for names in READERS.values() for name in names)],
)  # fmt: skip
async def test_a_page_needs_no_other_host(client: httpx.AsyncClient, path: str) -> None:
    """What a page loads or leads to within the service is served by us, and is there."""
    got = await client.get(path)

    assert got.status_code == 200
    assert got.headers["content-type"].startswith("text/html")
    assert re.findall(r'href="(?!https?:|[/#])[^"]*"', got.text) == []
    for target in references(got.text):
        place = re.escape(target)
        loaded = re.search(rf"""src=["']{place}|<link[^>]*{place}""", got.text)
        assert not (loaded and target.startswith(("http:", "https:", "//"))), target
        if target.startswith("/"):
            found = await client.get(target)
            assert found.status_code == 200, target


async def test_the_api_page_shows_our_own_document(client: httpx.AsyncClient) -> None:
    """Scripts, styles and icon come from us, and the document it draws is the service's."""
    shown = (await client.get("/docs/api")).text

    assert "/assets/swagger-ui-bundle.js" in shown
    assert "/assets/swagger-ui.css" in shown
    assert "'/openapi.json'" in shown
    assert "http://" not in shown
    assert "https://" not in shown
    document = (await client.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")


async def test_every_document_but_the_generated_list_is_shown(client: httpx.AsyncClient) -> None:
    """A new document is listed for someone; the problems have pages of their own."""
    listed = {name for names in READERS.values() for name in names}

    shown = (await client.get("/docs/")).text

    assert listed | {"problems"} == {path.stem for path in DOCS.glob("*.md")}
    assert all(f'href="/docs/{name}"' in shown for name in listed)
    assert (await client.get("/docs/..%2FREADME")).status_code == 404


async def test_all_pages_look_alike(client: httpx.AsyncClient) -> None:
    """From each one leads back to the list, and to the API and the problems."""
    for path in ("/docs", "/docs/api", "/docs/money", "/problems", "/problems/not-found"):
        shown = (await client.get(path)).text
        assert '<header class="ours"><a href="/docs">' in shown, path
        assert "<style>" in shown


async def test_a_fact_of_a_problem_is_shown_by_its_name(client: httpx.AsyncClient) -> None:
    """A page of no particular answer has no facts; a dash would read like one that is missing."""
    for code in catalogue():
        told = (await client.get(f"/problems/{code}")).text
        assert "–" not in told, code

    told = (await client.get("/problems/record-not-ready")).text
    examples = (await client.get("/openapi.json")).json()["components"]["examples"]
    assert "‹finding›" in told
    assert examples["link-not-active"]["value"]["facts"] == {"state": "‹state›"}


async def test_every_problem_has_a_page_in_each_language(client: httpx.AsyncClient) -> None:
    """The ``type`` of a problem leads to what it means and what to do, in nb, nn and en."""
    listed = (await client.get("/problems")).text
    for code, kind in catalogue().items():
        told = await client.get(f"/problems/{code}")
        assert told.status_code == 200
        assert f'href="/problems/{code}"' in listed
        for language in ("nb", "nn", "en"):
            assert f'<section lang="{language}">' in told.text
            assert kind.remedy[language]


async def test_every_code_inside_an_answer_has_a_page_and_a_row(client: httpx.AsyncClient) -> None:
    """What a preview, a draft or an hour says by code is told where the problems are."""
    listed = (await client.get("/problems/")).text
    document = (DOCS / "problems.md").read_text(encoding="utf-8")
    told = {code: texts for member in codes_inside().values() for code, texts in member.items()}
    assert {"total-negative", "not-approved", "customer-bankrupt"} <= set(told)
    for code, texts in told.items():
        shown = await client.get(f"/problems/{code}")
        assert shown.status_code == 200, code
        assert "–" not in shown.text, code
        assert f'href="/problems/{code}"' in listed
        assert f"| `{code}` | " in document
        assert texts["en"] in document
        for language in ("nb", "nn", "en"):
            assert f'<section lang="{language}">' in shown.text


async def test_the_list_of_problems_speaks_the_readers_language(client: httpx.AsyncClient) -> None:
    """Titles stand in the language the browser asks for."""
    english = await client.get("/problems", headers={"Accept-Language": "en"})
    norwegian = await client.get("/problems")

    assert "Not found" in english.text
    assert "Finnes ikke" in norwegian.text


async def test_a_problem_that_is_none_is_not_found(client: httpx.AsyncClient) -> None:
    """An unknown code has no page, and is not repeated as HTML."""
    answer = await client.get("/problems/<script>alert(1)</script>")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_links_between_documents_lead_to_pages_and_headings() -> None:
    """What reads right in the repository reads right in the service too."""
    body = markdown(
        "## Order, patience\n\n[a](money.md#half-up) [b](problems.md) [c](#order-patience)"
    )

    assert '<h2 id="order-patience">' in body
    assert 'href="/docs/money#half-up"' in body
    assert 'href="/problems"' in body
    assert 'href="#order-patience"' in body


def test_raw_html_in_a_document_is_shown_not_run() -> None:
    """Our own documents are text; markup in them stays text."""
    body = page("<title>", markdown("# Hei\n\n<script>alert(1)</script>\n\n| a |\n|---|\n| b |"))

    text = bytes(body.body).decode()
    assert "<script>" not in text
    assert "&lt;title&gt;" in text
    assert "<table>" in text
