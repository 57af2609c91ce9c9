"""Let control calls play the person in Conta's web app."""

from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from app.sandbox.conta import person
from app.sandbox.conta.control import Deed, control_route
from app.sandbox.conta.store import Organization, Store

Record = dict[str, Any]

OWN = "/organizations/{org:int}"


class AppControl:
    """Answer the control calls of a person's deeds."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def routes(self) -> list[Route]:
        """Give the routes."""
        draft = f"{OWN}/drafts/{{id:int}}"
        table: list[tuple[str, str, Deed]] = [
            ("POST", f"{draft}/edit", self._edit_draft),
            ("POST", f"{draft}/send", self._send_draft),
            ("POST", f"{draft}/delete", self._delete_draft),
            ("POST", "/invoices/{id:int}/pay", self._pay),
            ("POST", "/invoices/{id:int}/credit", self._credit),
        ]
        for kind in ("customer", "project"):
            records = f"{OWN}/{kind}s"
            table += [
                ("POST", records, self._adding(kind)),
                ("PATCH", f"{records}/{{id:int}}", self._editing(kind)),
                ("POST", f"{records}/{{id:int}}/delete", self._deleting(kind)),
            ]
        return [control_route(method, path, deed) for method, path, deed in table]

    def _adding(self, kind: str) -> Deed:
        async def deed(request: Request, body: Record) -> Record:
            return person.add(self._store, self._own(request), kind, body).whole()

        return deed

    def _editing(self, kind: str) -> Deed:
        async def deed(request: Request, body: Record) -> Record:
            own, number = self._own(request), request.path_params["id"]
            return person.edit(self._store, own, kind, number, body).whole()

        return deed

    def _deleting(self, kind: str) -> Deed:
        async def deed(request: Request, _body: Record) -> Record:
            person.delete(self._store, self._own(request), kind, request.path_params["id"])
            return {}

        return deed

    async def _edit_draft(self, request: Request, body: Record) -> Record:
        own, number = self._own(request), request.path_params["id"]
        return person.edit_draft(self._store, own, number, body).whole()

    async def _send_draft(self, request: Request, _body: Record) -> Record:
        own, number = self._own(request), request.path_params["id"]
        return person.send_draft(self._store, own, number).whole()

    async def _delete_draft(self, request: Request, _body: Record) -> Record:
        person.delete_draft(self._own(request), request.path_params["id"])
        return {}

    async def _pay(self, request: Request, body: Record) -> Record:
        number = request.path_params["id"]
        own = self._owner_of_invoice(number)
        return person.pay(self._store, own, number, person.amount_of(body.get("amount"))).whole()

    async def _credit(self, request: Request, _body: Record) -> Record:
        number = request.path_params["id"]
        return person.credit(self._store, self._owner_of_invoice(number), number).whole()

    def _own(self, request: Request) -> Organization:
        return self._store.organizations[request.path_params["org"]]

    def _owner_of_invoice(self, number: int) -> Organization:
        own = self._store.organization_of("invoices", number)
        if own is None:
            raise KeyError(number)
        return own
