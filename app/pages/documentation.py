"""Serve the documentation without any other host.

The documents as pages, Swagger UI from a package, the problems.
"""

import html
import importlib.resources
from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

from app.pages.page import header, markdown, page
from app.problems import (
    LANGUAGES,
    Problem,
    ProblemType,
    catalogue,
    facts_in,
    named_facts,
    preferred_language,
    say,
)
from app.shipped import shipped

router = APIRouter(include_in_schema=False)

CodesInside = Mapping[str, Mapping[str, Mapping[str, str]]]
"""Texts by language, by code, by the member of an answer that a code stands in."""

_ASSETS: Final = "/assets"
READERS: Final[Mapping[str, tuple[str, ...]]] = {
    "An integrator": ("first-hour",),
    "Building a front end": ("first-sync", "invoicing"),
    "A bookkeeper": ("money", "sync-rules", "matching"),
    "Operating it": ("operating", "settings"),
    "Changing it": ("architecture", "glossary", "twins"),
}
"""Who reads which document, by its name; each is shown at ``/docs/`` and its name."""


def mount_assets(app: FastAPI) -> None:
    """Serve the documentation's scripts and styles from the installed package."""
    folder = importlib.resources.files("fastapi_offline") / "static"
    app.mount(_ASSETS, StaticFiles(directory=str(folder)), name="assets")


@router.get("/")
@router.get("/docs")
@router.get("/docs/")
async def documentation() -> HTMLResponse:
    """List the pages, by who reads them."""
    parts = [
        "<h1>Timerabbit ⇄ Conta</h1>",
        '<p>Start with <a href="/docs/first-hour">the first hour</a>. The API stands, operation by'
        ' operation, at <a href="/docs/api">/docs/api</a> (the document itself is'
        ' <a href="/openapi.json">/openapi.json</a>); what a refusal means and what to do about it,'
        ' at <a href="/problems">/problems</a>.</p>',
    ]
    for reader, names in READERS.items():
        rows = "".join(f'<li><a href="/docs/{name}">{_title(name)}</a></li>' for name in names)
        parts.append(f"<h2>{reader}</h2><ul>{rows}</ul>")
    return page("Documentation", "".join(parts))


def _title(name: str) -> str:
    """Give a document's first line, its title."""
    return html.escape(_text(name).partition("\n")[0].removeprefix("# "))


def _text(name: str) -> str:
    return shipped(f"docs/{name}.md").read_text(encoding="utf-8")


@router.get("/docs/api")
async def api(request: Request) -> HTMLResponse:
    """Show the API, operation by operation, in the order of the story."""
    shown = get_swagger_ui_html(
        openapi_url=request.app.openapi_url,
        title=request.app.title,
        swagger_js_url=f"{_ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{_ASSETS}/swagger-ui.css",
        swagger_favicon_url=f"{_ASSETS}/favicon.png",
        swagger_ui_parameters={"tagsSorter": None, "docExpansion": "none", "tryItOutEnabled": True},
    )
    return HTMLResponse(bytes(shown.body).decode().replace("<body>", f"<body>{header()}", 1))


@router.get("/docs/{name}")
async def document(name: str) -> HTMLResponse:
    """Show one document."""
    if not any(name in names for names in READERS.values()):
        raise Problem("not-found")
    return page(name, markdown(_text(name)))


@router.get("/problems")
@router.get("/problems/")
async def problems(request: Request) -> HTMLResponse:
    """List every problem code with its status and title, and the codes inside answers."""
    language = preferred_language(request.headers.get("accept-language"))
    rows = "".join(
        f'<tr><td><a href="/problems/{code}"><code>{code}</code></a></td><td>{kind.status}</td>'
        f"<td>{html.escape(say(kind.title, language, {}))}</td></tr>"
        for code, kind in sorted(catalogue().items())
    )
    parts = [f"<h1>Problems</h1><table>{rows}</table>"]
    for where, texts in _codes_inside(request).items():
        inside = "".join(
            f'<tr><td><a href="/problems/{code}"><code>{code}</code></a></td>'
            f"<td>{html.escape(say(texts[code], language, facts_in(texts[code])))}</td></tr>"
            for code in sorted(texts)
        )
        parts.append(f"<h2>Codes inside: {where}</h2><table>{inside}</table>")
    return page("Problems", "".join(parts), language=language)


def _codes_inside(request: Request) -> CodesInside:
    told: CodesInside = request.app.state.codes_inside
    return told


@router.get("/problems/{code}")
async def problem(code: str, request: Request) -> HTMLResponse:
    """Show one code in every language: what it means and what to do about it."""
    kind = catalogue().get(code)
    parts = [_one_problem(kind)] if kind is not None else []
    for where, texts in _codes_inside(request).items():
        if code in texts:
            parts.append(_one_inside(code, where, texts[code]))
    if not parts:
        raise Problem("not-found")
    return page(code, "".join(parts))


def _one_inside(code: str, where: str, texts: Mapping[str, str]) -> str:
    said = {name: html.escape(say(texts, name, facts_in(texts))) for name in LANGUAGES}
    return f"<h1><code>{code}</code> · {where}</h1>" + "".join(
        f'<section lang="{name}"><p>{text} ({name})</p></section>' for name, text in said.items()
    )


def _one_problem(kind: ProblemType) -> str:
    facts = named_facts(kind)
    parts = [f"<h1><code>{kind.code}</code> · {kind.status}</h1>"]
    if facts:
        parts.append("<p>A name in ‹ › stands for the fact of that name in the answer.</p>")
    for language in LANGUAGES:
        title, detail, remedy = (
            html.escape(say(texts, language, facts))
            for texts in (kind.title, kind.detail, kind.remedy)
        )
        parts.append(
            f'<section lang="{language}"><h2>{title} ({language})</h2><p>{detail}</p>'
            f"<p><strong>→ {remedy}</strong></p></section>"
        )
    return "".join(parts)
