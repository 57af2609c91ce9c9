"""Show Conta to a person: plain HTML with buttons, so that the demo can be played by hand."""

import json
from collections.abc import Iterable
from html import escape
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from app.sandbox.conta import person
from app.sandbox.conta.money import as_json
from app.sandbox.conta.person import NotDone
from app.sandbox.conta.store import Kept, Organization, Store

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;width:100%;margin:.5rem 0 2rem}
th,td{border-bottom:1px solid #ddd;padding:.3rem .5rem;text-align:left;vertical-align:top}
form{display:inline}.off{color:#999}.sum{text-align:right}
"""
WEB_APP: Final = ("/faktura/", "/tilbake")
"""Where pages of the web app lie; they are in no contract and no call of the API."""
WARNING = "Dette er en tvilling for utvikling og demo, ikke Conta. Alle navn er oppdiktet."


class Page:
    """Serve the page and carry out its buttons."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def routes(self) -> list[Route]:
        """Give the routes; the buttons post forms and lead back to the page."""
        return [
            Route("/", self._show, methods=["GET"]),
            Route("/faktura/{org:int}/fakturaer", self._show_one, methods=["GET"]),
            Route("/tilbake", self._come_back, methods=["GET"]),
            Route("/_page/{org:int}/{deed}/{id:int}", self._press, methods=["POST"]),
        ]

    async def _show(self, _request: Request) -> Response:
        return _page(map(_organization, self._store.organizations.values()))

    async def _show_one(self, request: Request) -> Response:
        """Show the organization that an address of the web app names."""
        own = self._store.organizations.get(request.path_params["org"])
        return HTMLResponse("Finnes ikke.", 404) if own is None else _page([_organization(own)])

    async def _come_back(self, request: Request) -> Response:
        """Show what the log-in at Timerabbit brought back, as the front end hands it on."""
        brought = json.dumps(dict(request.query_params), indent=2, ensure_ascii=False)
        return _page([f"<h2>Tilbake fra Timerabbit</h2><p>{_BACK}</p><pre>{escape(brought)}</pre>"])

    async def _press(self, request: Request) -> Response:
        own = self._store.organizations.get(request.path_params["org"])
        form = {name: str(value) for name, value in (await request.form()).items()}
        if own is None:
            return HTMLResponse("Finnes ikke.", 404)
        try:
            self._do(own, request.path_params["deed"], request.path_params["id"], form)
        except KeyError:
            return HTMLResponse("Finnes ikke lenger.", 404)
        except NotDone as error:
            return HTMLResponse(escape(str(error)), 409)
        return RedirectResponse("/", 303)

    def _do(self, own: Organization, deed: str, number: int, form: dict[str, str]) -> None:
        store = self._store
        match deed:
            case "rename-customer":
                person.edit(store, own, "customer", number, {"name": form["name"]})
            case "archive-customer":
                active = own.customers[number].data.get("isActive", True)
                person.edit(store, own, "customer", number, {"isActive": not active})
            case "delete-customer":
                person.delete(store, own, "customer", number)
            case "edit-draft":
                person.edit_draft(store, own, number, {"personalMessage": form["text"] or None})
            case "send-draft":
                person.send_draft(store, own, number)
            case "delete-draft":
                person.delete_draft(own, number)
            case _:
                self._do_invoice(own, deed, number)

    def _do_invoice(self, own: Organization, deed: str, number: int) -> None:
        match deed:
            case "pay-invoice":
                person.pay(self._store, own, number, None)
            case "credit-invoice":
                person.credit(self._store, own, number)
            case _:
                raise KeyError(deed)


_BACK: Final = (
    "Her tar Contas egen side over: den sender code, state og iss til <code>POST …/handover</code>."
)


def _page(parts: Iterable[str]) -> HTMLResponse:
    head = f"<!doctype html><html lang=nb><meta charset=utf-8><title>Conta</title><style>{STYLE}"
    body = f"</style><h1>Conta (tvilling)</h1><p>{WARNING}</p>{''.join(parts)}</html>"
    return HTMLResponse(head + body)


def _organization(own: Organization) -> str:
    customers = [
        _row(
            kept.id,
            kept.data.get("name"),
            kept.data.get("orgNo"),
            kept.data.get("customerAddressCity"),
            raw=_edit(own, "rename-customer", kept, "name", kept.data.get("name"))
            + _button(own, "archive-customer", kept, "Arkiver / hent fram")
            + _button(own, "delete-customer", kept, "Slett"),
            off=not kept.data.get("isActive", True),
        )
        for kept in own.customers.values()
    ]
    drafts = [
        _row(
            kept.id,
            _name(own, kept),
            _lines(kept.data["invoiceDraftLines"]),
            _kroner(kept.data["sumTotal"]),
            raw=_edit(own, "edit-draft", kept, "text", kept.data.get("personalMessage"))
            + _button(own, "send-draft", kept, "Send")
            + _button(own, "delete-draft", kept, "Slett"),
        )
        for kept in own.drafts.values()
    ]
    invoices = [
        _row(
            kept.data["invoiceNo"],
            _name(own, kept),
            kept.data["status"],
            _kroner(kept.data["sumTotal"]),
            raw=_button(own, "pay-invoice", kept, "Betal")
            + _button(own, "credit-invoice", kept, "Krediter"),
        )
        for kept in own.invoices.values()
    ]
    return (
        f"<h2>{escape(own.name)} ({own.id})</h2>"
        + _table("Fakturakladder", ("Nr", "Kunde", "Linjer", "Sum"), drafts)
        + _table("Fakturaer", ("Nr", "Kunde", "Status", "Sum"), invoices)
        + _table("Kunder", ("Nr", "Navn", "Org.nr", "Sted"), customers)
    )


def _table(title: str, heads: tuple[str, ...], rows: list[str]) -> str:
    cells = "".join(f"<th>{head}</th>" for head in (*heads, ""))
    return f"<h3>{title} ({len(rows)})</h3><table><tr>{cells}</tr>{''.join(rows)}</table>"


def _row(*cells: object, raw: str, off: bool = False) -> str:
    shown = "".join(f"<td>{escape('' if cell is None else str(cell))}</td>" for cell in cells)
    return f"<tr{' class=off' if off else ''}>{shown}<td>{raw}</td></tr>"


def _button(own: Organization, deed: str, kept: Kept, label: str) -> str:
    action = f"/_page/{own.id}/{deed}/{kept.id}"
    return f"<form method=post action='{action}'><button>{label}</button></form> "


def _edit(own: Organization, deed: str, kept: Kept, name: str, value: object) -> str:
    action = f"/_page/{own.id}/{deed}/{kept.id}"
    shown = escape("" if value is None else str(value), quote=True)
    field = f"<input name={name} value='{shown}' aria-label='Ny tekst'>"
    return f"<form method=post action='{action}'>{field}<button>Endre</button></form> "


def _name(own: Organization, kept: Kept) -> object:
    customer = own.customers.get(kept.data.get("customerId", 0))
    return customer.data.get("name") if customer else None


def _lines(lines: list[dict[str, Any]]) -> str:
    return "; ".join(
        f"{line['description']}: {as_json(line['quantity']).decode()} × "
        f"{as_json(line['price']).decode()}"
        for line in lines
    )


def _kroner(amount: object) -> str:
    return f"{amount:,.2f}".replace(",", "\u00a0").replace(".", ",")
