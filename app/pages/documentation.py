"""Serve the documentation without any other host.

Swagger UI from a package, the first hour, the problems.
"""

import html
import importlib.resources
from typing import Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from markdown_it import MarkdownIt

from app.problems import LANGUAGES, Problem, ProblemType, catalogue, preferred_language, say
from app.shipped import shipped

router = APIRouter(include_in_schema=False)

_ASSETS: Final = "/assets"
_STYLE: Final = (
    "body{font:16px/1.55 system-ui,sans-serif;max-width:52rem;"
    "margin:2rem auto;padding:0 1rem;color:#1b1f24}"
    "code,pre{font-family:ui-monospace,monospace;background:#f3f4f6;border-radius:4px}"
    "pre{padding:.8rem;overflow:auto}code{padding:.1rem .25rem}pre code{padding:0}"
    "table{border-collapse:collapse}td,th{padding:.3rem .7rem;border-bottom:1px solid #ddd;"
    "text-align:left}"
    "a{color:#0b57d0}"
)


def mount_assets(app: FastAPI) -> None:
    """Serve the documentation's scripts and styles from the installed package."""
    folder = importlib.resources.files("fastapi_offline") / "static"
    app.mount(_ASSETS, StaticFiles(directory=str(folder)), name="assets")


@router.get("/")
@router.get("/docs")
async def documentation(request: Request) -> HTMLResponse:
    """Show the API, operation by operation, in the order of the story."""
    return get_swagger_ui_html(
        openapi_url=request.app.openapi_url,
        title=request.app.title,
        swagger_js_url=f"{_ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{_ASSETS}/swagger-ui.css",
        swagger_favicon_url=f"{_ASSETS}/favicon.png",
        swagger_ui_parameters={"tagsSorter": None, "docExpansion": "none", "tryItOutEnabled": True},
    )


@router.get("/docs/first-hour")
async def first_hour() -> HTMLResponse:
    """Show the first hour: from sandbox to invoice draft in a few curl calls."""
    text = shipped("docs/first-hour.md").read_text(encoding="utf-8")
    return page("The first hour", markdown(text))


@router.get("/problems")
async def problems(request: Request) -> HTMLResponse:
    """List every problem code with its status and title."""
    language = preferred_language(request.headers.get("accept-language"))
    rows = "".join(
        f'<tr><td><a href="/problems/{code}"><code>{code}</code></a></td><td>{kind.status}</td>'
        f"<td>{html.escape(say(kind.title, language, {}))}</td></tr>"
        for code, kind in sorted(catalogue().items())
    )
    return page("Problems", f"<h1>Problems</h1><table>{rows}</table>")


@router.get("/problems/{code}")
async def problem(code: str) -> HTMLResponse:
    """Show one problem in every language: what it means and what to do about it."""
    kind = catalogue().get(code)
    if kind is None:
        raise Problem("not-found")
    return page(code, _one_problem(kind))


def _one_problem(kind: ProblemType) -> str:
    parts = [f"<h1><code>{kind.code}</code> · {kind.status}</h1>"]
    for language in LANGUAGES:
        title, detail, remedy = (
            html.escape(say(texts, language, {}))
            for texts in (kind.title, kind.detail, kind.remedy)
        )
        parts.append(
            f'<section lang="{language}"><h2>{title} ({language})</h2><p>{detail}</p>'
            f"<p><strong>→ {remedy}</strong></p></section>"
        )
    return "".join(parts)


def page(title: str, body: str) -> HTMLResponse:
    """Wrap a body into a page that needs nothing from elsewhere."""
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"<body>{body}</body></html>"
    )


def markdown(text: str) -> str:
    """Turn one of our own documents into HTML; raw HTML in it is shown, not run."""
    rendered: str = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    return rendered
