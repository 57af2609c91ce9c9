"""Control the twin: its store, time and faults.

Play a person in Timerabbit's app or in a browser.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.sandbox.faults import fault_of
from app.sandbox.seeds import demo, size
from app.sandbox.timerabbit.entries import is_held, reprice
from app.sandbox.timerabbit.hooks import Habits, Hooks
from app.sandbox.timerabbit.oauth import OAuth
from app.sandbox.timerabbit.problems import Refusal
from app.sandbox.timerabbit.records import CUSTOMER, PROJECT, change, merged
from app.sandbox.timerabbit.store import USER, Client, Company, Record, Shelf, Store
from app.sandbox.values import read_json

Deed = Callable[[Request, Record], Awaitable[Any]]
NEW_ENTRY: Record = {
    "startTime": None, "endTime": None, "breakMinutes": 0, "customerId": None, "projectId": None,
    "comment": None, "invoiceStatus": "to_invoice", "hourlyRate": "950", "rateSource": "company",
    "overtimeType": None, "availabilityMinutes": None, "costs": [], "kilometers": None,
    "imageCount": 0, "approval": {"approved": True}, "source": "manual", "transfer": None,
    "employeeId": "emp_1", "employeeName": "Kari Fjellvåg", "minutes": 60,
}  # fmt: skip


class Control:
    """Answer the control calls; ``/_control`` is in no contract."""

    def __init__(self, store: Store, hooks: Hooks, oauth: OAuth) -> None:
        self._store = store
        self._hooks = hooks
        self._oauth = oauth

    def routes(self) -> list[Route]:
        """Give the routes."""
        own = "/companies/{company}"
        table: list[tuple[str, str, Deed]] = [
            ("GET", "/state", self._state),
            ("GET", "/requests", self._requests),
            ("DELETE", "/requests", self._forget_requests),
            ("GET", "/violations", self._violations),
            ("DELETE", "/violations", self._forget_violations),
            ("GET", "/faults", self._faults),
            ("POST", "/faults", self._add_fault),
            ("DELETE", "/faults", self._clear_faults),
            ("POST", "/clock", self._clock),
            ("POST", "/seed", self._seed),
            ("POST", "/tokens", self._token),
            ("POST", "/clients", self._client),
            ("POST", "/consent", self._consent),
            ("GET", "/deliveries", self._deliveries),
            ("POST", f"{own}/access-token", self._access),
            ("POST", f"{own}/revoke", self._revoke),
            ("POST", f"{own}/subscription", self._subscription),
            ("POST", f"{own}/settings", self._settings),
            ("POST", f"{own}/webhooks", self._webhooks),
            ("POST", f"{own}/{{kind}}", self._create),
            ("PATCH", f"{own}/{{kind}}/{{id}}", self._edit),
            ("POST", f"{own}/{{kind}}/{{id}}/delete", self._delete),
            ("POST", f"{own}/customers/{{id}}/merge", self._merge),
        ]
        return [_route(method, path, deed) for method, path, deed in table]

    async def _state(self, _request: Request, _body: Record) -> Record:
        return {
            "now": self._store.now(),
            "companies": [_whole(company) for company in self._store.companies.values()],
        }

    async def _requests(self, _request: Request, _body: Record) -> Record:
        return {"requests": [r._asdict() | {"at": r.at.isoformat()} for r in self._store.requests]}

    async def _forget_requests(self, _request: Request, _body: Record) -> Record:
        self._store.requests.clear()
        return {}

    async def _violations(self, _request: Request, _body: Record) -> Record:
        return dict(self._store.violations.as_json())

    async def _forget_violations(self, _request: Request, _body: Record) -> Record:
        self._store.violations.clear()
        return {}

    async def _faults(self, _request: Request, _body: Record) -> Record:
        board = self._store.board
        return {"faults": [vars(fault) for fault in board.faults], "counters": board.counters}

    async def _add_fault(self, _request: Request, body: Record) -> Record:
        return {"id": self._store.board.add(fault_of(body)).id}

    async def _clear_faults(self, _request: Request, _body: Record) -> Record:
        self._store.board.clear()
        return {}

    async def _clock(self, _request: Request, body: Record) -> Record:
        self._store.clock.advance(float(body["advanceSeconds"]))
        return {"now": self._store.now()}

    async def _seed(self, _request: Request, body: Record) -> Record:
        today = self._store.clock.now().date()
        if body.get("name") == "demo":
            self._store.load(demo(today))
        else:
            self._store.load(size(int(body["size"]), int(body.get("seed", 1)), today=today))
        return {"companies": list(self._store.companies)}

    async def _token(self, _request: Request, body: Record) -> Record:
        return {"token": self._store.issuer.token(**body)}

    async def _client(self, _request: Request, body: Record) -> Record:
        client = Client(body["id"], body["secret"], tuple(body.get("redirectUris", ())))
        self._store.clients[client.id] = client
        return {"id": client.id}

    async def _consent(self, _request: Request, body: Record) -> Record:
        """Play the person's browser: from the handover's page to the redirect."""
        key = urlsplit(body["handoverUrl"]).path.rpartition("/")[2]
        held = self._store.handover(key)
        if held is None:
            raise KeyError(key)
        url = self._oauth.authorize_url(held)
        query = dict(parse_qsl(urlsplit(url).query))
        fault = self._oauth.fault_of(query)
        if fault is not None or held["shown"]["status"] != "pending":
            raise ValueError(fault or "the handover is over")
        return {"redirect": self._oauth.consented(query, body.get("login", "cmp_1"))}

    async def _deliveries(self, _request: Request, _body: Record) -> Record:
        told = ("id", "company", "subscription", "type", "attempts", "status")
        return {
            "deliveries": [
                {name: getattr(delivery, name) for name in told}
                for delivery in self._hooks.deliveries
            ]
        }

    async def _access(self, request: Request, body: Record) -> Record:
        client_id = body.get("client", "timerabbit-conta")
        return self._oauth.grant(client_id, self._own(request).id, family="control")

    async def _revoke(self, request: Request, _body: Record) -> Record:
        company = self._own(request)
        self._oauth.end_company(company.id)
        self._store.tell("link.revoked", company, {"reason": "user"})
        return {}

    async def _subscription(self, request: Request, body: Record) -> Record:
        company = self._own(request)
        self._store.touch(company.facts, {}, USER)
        company.facts["subscription"] |= {"status": body["status"]}
        data = {"subscription": company.facts["subscription"]}
        self._store.tell("company.subscription_changed", company, data)
        return data

    async def _settings(self, request: Request, body: Record) -> Record:
        company = self._own(request)
        company.settings = merged(company.settings, body)
        company.settings["version"] += 1
        company.settings["updatedAt"] = self._store.now()
        self._store.tell("settings.updated", company, company.settings)
        return company.settings

    async def _webhooks(self, request: Request, body: Record) -> Record:
        habits = Habits(body.get("mode", "normal"), float(body.get("seconds", 0)))
        self._hooks.habits[self._own(request).id] = habits
        return vars(habits)

    async def _create(self, request: Request, body: Record) -> Record:
        company, kind = self._own(request), request.path_params["kind"]
        defaults = {"customers": CUSTOMER, "projects": PROJECT, "entries": NEW_ENTRY}[kind]
        if kind == "entries":
            body = {"date": self._store.clock.now().date().isoformat(), **body}
        made = self._store.keep(_shelf(company, kind), kind, {**defaults, **body}, USER)
        if kind != "entries":
            self._store.tell_record(f"{kind[:-1]}.created", company, made)
        return made

    async def _edit(self, request: Request, body: Record) -> Record:
        company, kind = self._own(request), request.path_params["kind"]
        record = _shelf(company, kind)[request.path_params["id"]]
        if kind != "entries":
            change(self._store, company, record, kind[:-1], body, USER)
            if body.get("hourlyRate") is not None:
                reprice(company, kind[:-1], record)
            return record
        self._store.touch(record, body, USER)
        self._tell_held(company, record, "updated")
        return record

    async def _delete(self, request: Request, _body: Record) -> Record:
        company, kind = self._own(request), request.path_params["kind"]
        record = _shelf(company, kind)[request.path_params["id"]]
        self._store.touch(record, {"deletedAt": self._store.now()}, USER)
        if kind == "entries":
            self._tell_held(company, record, "deleted")
        else:
            self._store.tell_record(f"{kind[:-1]}.deleted", company, record)
        return record

    async def _merge(self, request: Request, body: Record) -> Record:
        company = self._own(request)
        record = company.customers[request.path_params["id"]]
        into = company.customers[body["into"]]["id"]
        changes = {"deletedAt": self._store.now(), "mergedIntoId": into}
        self._store.touch(record, changes, USER)
        self._store.tell_record("customer.deleted", company, record)
        return record

    def _tell_held(self, company: Company, record: Record, what: str) -> None:
        if is_held(record):
            self._store.tell_record(
                f"time_entry.{what}", company, record, transferId=record["transfer"]["transferId"]
            )

    def _own(self, request: Request) -> Company:
        return self._store.companies[request.path_params["company"]]


def _shelf(company: Company, kind: str) -> Shelf:
    return {
        "customers": company.customers,
        "projects": company.projects,
        "entries": company.entries,
        "employees": company.employees,
    }[kind]


def _whole(company: Company) -> Record:
    return {
        **company.facts,
        "settings": company.settings,
        "link": company.link,
        "customers": list(company.customers.values()),
        "projects": list(company.projects.values()),
        "employees": list(company.employees.values()),
        "entries": list(company.entries.values()),
        "transfers": list(company.transfers.values()),
        "subscriptions": list(company.subscriptions.values()),
    }


def _route(method: str, path: str, deed: Deed) -> Route:
    async def endpoint(request: Request) -> Response:
        text = await request.body()
        try:
            status, answer = 200, await deed(request, read_json(text) if text else {})
        except Refusal as refusal:
            status, answer = refusal.status, refusal.body
        except KeyError as error:
            status, answer = 404, {"error": f"{error} is missing or unknown"}
        except (TypeError, ValueError) as error:
            status, answer = 400, {"error": str(error)}
        return JSONResponse(answer, status)

    return Route(f"/_control{path}", endpoint, methods=[method])
