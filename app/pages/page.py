"""Draw a page that needs nothing from elsewhere: one look, one way back to the list."""

import html
import itertools
import re
from collections.abc import Sequence
from typing import Final

from fastapi.responses import HTMLResponse
from markdown_it import MarkdownIt
from markdown_it.token import Token

_HEADER_STYLE: Final = (
    "header.ours{font:15px/1.5 system-ui,sans-serif;background:#14213d;padding:.6rem 1rem}"
    "header.ours a{color:#fff;margin-right:1.2rem;text-decoration:none}"
    "header.ours a:hover{text-decoration:underline}header.ours b{font-weight:600}"
)
_STYLE: Final = (
    "body{margin:0;color:#1b1f24;background:#fff}"
    "main{font:16px/1.6 system-ui,sans-serif;max-width:56rem;margin:1.5rem auto 4rem;"
    "padding:0 1rem}"
    "h1{font-size:1.7rem;line-height:1.25}h2{font-size:1.25rem;margin-top:2rem}"
    "code,pre{font:.9em/1.5 ui-monospace,monospace;background:#f3f4f6;border-radius:4px}"
    "pre{padding:.8rem;overflow:auto}code{padding:.1rem .25rem}pre code{padding:0;font-size:1em}"
    "table{border-collapse:collapse;margin:1rem 0;display:block;overflow-x:auto}"
    "td,th{padding:.35rem .7rem;border-bottom:1px solid #ddd;text-align:left;vertical-align:top}"
    "a{color:#0b57d0}"
)
_OTHER_PAGE: Final = re.compile(r"([a-z-]+)\.md(#[\w-]+)?")


def page(title: str, body: str, *, language: str = "en") -> HTMLResponse:
    """Wrap a body into a page."""
    return HTMLResponse(
        f'<!doctype html><html lang="{language}"><meta charset="utf-8">'
        f'<title>{html.escape(title)}</title><meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style><body>{header()}<main>{body}</main></body></html>"
    )


def header() -> str:
    """Give what stands at the top of every page: the ways to the others."""
    return (
        f'<style>{_HEADER_STYLE}</style><header class="ours">'
        '<a href="/docs"><b>Timerabbit ⇄ Conta</b></a><a href="/docs">Pages</a>'
        '<a href="/docs/api">API</a><a href="/problems">Problems</a></header>'
    )


def markdown(text: str) -> str:
    """
    Turn one of our own documents into HTML; raw HTML in it is shown, not run.

    A link to another document leads to its page, and each heading can be linked to.
    """
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(text)
    _name_headings(tokens)
    for token in tokens:
        _lead_to_pages(token.children or ())
    rendered: str = reader.renderer.render(tokens, reader.options, {})
    return rendered


def _name_headings(tokens: Sequence[Token]) -> None:
    for opened, told in itertools.pairwise(tokens):
        if opened.type == "heading_open":
            words = re.sub(r"[^\w\s-]", "", told.content.lower())
            opened.attrSet("id", re.sub(r"\s+", "-", words.strip()))


def _lead_to_pages(tokens: Sequence[Token]) -> None:
    for token in tokens:
        found = _OTHER_PAGE.fullmatch(str(token.attrGet("href") or ""))
        if found is not None:
            place = "/problems" if found[1] == "problems" else f"/docs/{found[1]}"
            token.attrSet("href", place + (found[2] or ""))
