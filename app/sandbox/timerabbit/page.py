"""Show the twin to a person.

Customers and hours with plain forms, no script, nothing from elsewhere.
"""

import html
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from app.sandbox.timerabbit.records import change
from app.sandbox.timerabbit.store import USER, Store

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "td,th{padding:.2rem .6rem;border-bottom:1px solid #ddd;text-align:left}form{display:inline}"
)


def wrapped(body: str) -> str:
    """Wrap a body into a page."""
    return (
        '<!doctype html><html lang="nb"><meta charset="utf-8"><title>Timerabbit (tvilling)</title>'
        f"<style>{_STYLE}</style><body>{body}</body></html>"
    )


class Page:
    """Serve the page at ``/``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/", self._show, methods=["GET"]),
            Route("/", self._rename, methods=["POST"]),
        ]

    async def _show(self, _request: Request) -> Response:
        parts = ["<h1>Timerabbit – tvilling</h1>"]
        for company in self._store.companies.values():
            parts.append(f"<h2>{html.escape(company.facts['name'])}</h2><table>")
            for row in company.customers.values():
                if row["deletedAt"] is None:
                    name = html.escape(row["name"])
                    parts.append(
                        f"<tr><td>{row['id']}<td><form method=post>"
                        f"<input type=hidden name=company value={company.id}>"
                        f"<input type=hidden name=id value={row['id']}>"
                        f'<input name=name value="{name}" size=40> <button>Lagre</button></form>'
                    )
            parts.append(f"</table><p>{len(company.entries)} timeregistreringer.</p>")
        return HTMLResponse(wrapped("".join(parts)))

    async def _rename(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        company = self._store.companies[form["company"]]
        record = company.customers[form["id"]]
        change(self._store, company, record, "customer", {"name": form["name"]}, USER)
        return RedirectResponse("/", 303)
