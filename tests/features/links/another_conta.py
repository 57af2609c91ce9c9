"""
Be a second Conta, written from its published paths alone; shares no code with the twin.

It differs from the twin wherever the published document leaves room: ids beyond 53 bits, nulls
instead of missing members, pages of at most seven rows whatever is asked for, ``hits`` empty
instead of missing, unknown members, no modified filter, a PUT that merges, and a draft that tells
its source.
"""

from decimal import ROUND_HALF_UP, Decimal
from itertools import count
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Record = dict[str, Any]

PREFIX = "/invoice/organizations/1001"
RATES = {"high": 25, "medium": 15, "low": 12}
FULL: Record = {
    "phoneNo": None,
    "orgNo": None,
    "emailAddress": None,
    "contacts": [],
    "vismaNo": None,
}
SMALL_PAGE = 7


class AnotherConta:
    """Hold one organization's records and serve them."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._ids = count(9_007_199_254_740_993)
        self.customers: dict[int, Record] = {}
        self.projects: dict[int, Record] = {}
        self.drafts: dict[int, Record] = {}

    def app(self) -> Starlette:
        kinds = {"customers": self.customers, "projects": self.projects}
        routes = [
            Route("/invoice/ping", self._guarded(lambda _: "OK")),
            Route("/invoice/account/settings", self._guarded(lambda _: {"firstName": "Anne"})),
            Route("/invoice/organizations", self._guarded(self._organizations)),
            Route(f"{PREFIX}/subscription-plan", self._guarded(self._plan)),
            Route(f"{PREFIX}/invoices", self._guarded(lambda request: page(request, []))),
            Route(f"{PREFIX}/invoice-drafts", self._guarded(self._list_drafts)),
            Route(f"{PREFIX}/invoice-drafts", self._making(self._make_draft), methods=["POST"]),
            Route(f"{PREFIX}/invoice-drafts/{{id:int}}", self._reading(self.drafts)),
        ]
        for name, shelf in kinds.items():
            one = f"{PREFIX}/{name}/{{id:int}}"
            routes += [
                Route(f"{PREFIX}/{name}", self._listing(name, shelf)),
                Route(f"{PREFIX}/{name}", self._making(self._keeper(shelf)), methods=["POST"]),
                Route(one, self._reading(shelf)),
                Route(one, self._updating(shelf), methods=["PUT"]),
            ]
        return Starlette(routes=routes)

    def keep(self, shelf: dict[int, Record], body: Record) -> Record:
        record = {"id": next(self._ids), **FULL, "isActive": True, "isHidden": False, **body}
        shelf[record["id"]] = record
        return record

    def _guarded(self, answer: Any) -> Any:
        async def endpoint(request: Request) -> Response:
            if request.headers.get("apikey") != self._key:
                body = {"category": "API", "name": "LoginRequiredException", "messages": []}
                return JSONResponse(body, 401)
            return JSONResponse(answer(request))

        return endpoint

    def _making(self, make: Any) -> Any:
        async def endpoint(request: Request) -> Response:
            return JSONResponse(make(await request.json()))

        return endpoint

    def _keeper(self, shelf: dict[int, Record]) -> Any:
        return lambda body: self.keep(shelf, body)

    def _reading(self, shelf: dict[int, Record]) -> Any:
        async def endpoint(request: Request) -> Response:
            record = shelf.get(request.path_params["id"])
            gone = {"category": "API", "name": "NotFoundIdModelStorageToolException"}
            return JSONResponse(record or gone, 200 if record else 404)

        return endpoint

    def _updating(self, shelf: dict[int, Record]) -> Any:
        async def endpoint(request: Request) -> Response:
            record = shelf[request.path_params["id"]]
            record.update(await request.json())
            return JSONResponse(record)

        return endpoint

    def _listing(self, name: str, shelf: dict[int, Record]) -> Any:
        def answer(request: Request) -> Record:
            rows = [dict(row) for row in shelf.values()]
            for row in rows if name == "customers" else ():
                row["customerName"] = row.pop("name")
                row.pop("customerAddressLine1", None)
            return page(request, rows)

        return self._guarded(answer)

    def _list_drafts(self, request: Request) -> Record:
        wanted = request.query_params.get("customerId")
        rows = [d for d in self.drafts.values() if wanted in {None, str(d["customerId"])}]
        return page(request, [{"id": d["id"], "status": None} for d in rows])

    def _make_draft(self, body: Record) -> Record:
        net = vat = Decimal(0)
        for line in body["invoiceDraftLines"]:
            exact = Decimal(str(line["price"])) * Decimal(str(line["quantity"]))
            exact *= 1 - Decimal(str(line["discount"])) / 100
            line["sumNet"] = float(ore(exact))
            net += ore(exact)
            vat += ore(exact * RATES.get(line["vatCode"], 0) / 100)
        sums = {"sumNet": float(net), "sumVAT": float(vat), "sumTotal": float(net + vat)}
        return self.keep(self.drafts, body | sums)

    @staticmethod
    def _organizations(_request: Request) -> list[Record]:
        own = {"id": 1001, "name": "Annen Conta AS", "blockedStatus": None, "active": True}
        return [{"id": 7, "name": "En annen", "active": True}, own]

    @staticmethod
    def _plan(_request: Request) -> Record:
        return {"allowedFeatures": ["ALLOW_PROJECT", "ALLOW_TELEPATHY"], "planName": None}


def page(request: Request, rows: list[Record]) -> Record:
    size = min(int(request.query_params.get("hits", 20)), SMALL_PAGE) or SMALL_PAGE
    first = int(request.query_params.get("page", 0)) * size
    return {"hitCount": len(rows), "hits": rows[first : first + size], "sum": None}


def ore(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
