"""Say which function answers which operation of the contract."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.sandbox.conta import catalogue, customers, drafts, invoices, projects
from app.sandbox.conta.access import Call, admitted
from app.sandbox.conta.money import as_json
from app.sandbox.conta.store import Store

Answer = Callable[[Call], Any]

OWN = "/invoice/organizations/{opContextOrgId}"
ANSWERS: dict[str, dict[str, Answer]] = {
    "/invoice/ping": {"GET": catalogue.ping},
    "/invoice/account/settings": {"GET": catalogue.account},
    "/invoice/organizations": {"GET": catalogue.organizations},
    f"{OWN}/subscription-plan": {"GET": catalogue.plan},
    f"{OWN}/customers": {"GET": customers.search, "POST": customers.create},
    f"{OWN}/customers/{{id}}": {"GET": customers.read, "PUT": customers.update},
    f"{OWN}/projects": {"GET": projects.search, "POST": projects.create},
    f"{OWN}/projects/{{id}}": {"GET": projects.read, "PUT": projects.update},
    f"{OWN}/products": {"GET": catalogue.search_products, "POST": catalogue.create_product},
    f"{OWN}/products/{{id}}": {"GET": catalogue.read_product},
    f"{OWN}/invoice-drafts": {"GET": drafts.search, "POST": drafts.create},
    f"{OWN}/invoice-drafts/{{id}}": {"GET": drafts.read},
    f"{OWN}/invoices": {"GET": invoices.search},
    f"{OWN}/invoices/{{id}}": {"GET": invoices.read},
    f"{OWN}/invoices/{{invoiceId}}/events": {"GET": invoices.events},
    "/invoice/enhetsregisteret/search": {"GET": catalogue.search_register},
    "/invoice/conta-ehf/recipients/{recipientId}": {"GET": catalogue.ehf_recipient},
    "/accounting/vat/{id}": {"GET": catalogue.read_vat},
    "/accounting/organizations/{opContextOrgId}/bookkeeping-accounts": {
        "GET": catalogue.bookkeeping_accounts
    },
}


def api_routes(store: Store) -> list[Route]:
    """Give the routes of the public API; all successes are 200."""
    return [
        Route(template, _endpoint(store, answers), methods=list(answers))
        for template, answers in ANSWERS.items()
    ]


def _endpoint(store: Store, answers: dict[str, Answer]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        call = await admitted(store, request)
        method = "GET" if request.method == "HEAD" else request.method
        return Response(as_json(answers[method](call)), media_type="application/json")

    return endpoint
