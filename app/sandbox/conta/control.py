"""Control the twin: look at its store, move its time, set faults, settings, keys and webhooks."""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.sandbox.conta.errors import Refusal
from app.sandbox.conta.hooks import Habits, Sender, Target
from app.sandbox.conta.money import as_json
from app.sandbox.conta.person import NotDone
from app.sandbox.conta.store import Change, Key, Organization, Store
from app.sandbox.faults import fault_of
from app.sandbox.seeds import demo, size
from app.sandbox.values import read_json

Record = dict[str, Any]
Deed = Callable[[Request, Record], Awaitable[Any]]


class Control:
    """Answer the control calls that play no person; ``/_control`` is in no contract."""

    def __init__(self, store: Store, sender: Sender) -> None:
        self._store = store
        self._sender = sender

    def routes(self) -> list[Route]:
        """Give the routes."""
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
            ("POST", "/keys", self._add_key),
            ("DELETE", "/keys/{key}", self._delete_key),
            ("PUT", "/modified-filter", self._modified_filter),
            ("POST", "/organizations/{org:int}/plan", self._plan),
            ("POST", "/organizations/{org:int}/blocked", self._blocked),
            ("POST", "/organizations/{org:int}/read-only", self._read_only),
            ("POST", "/organizations/{org:int}/vat-codes", self._vat_codes),
            ("GET", "/webhooks", self._webhooks),
            ("POST", "/webhooks", self._add_target),
            ("DELETE", "/webhooks", self._clear_targets),
            ("POST", "/webhooks/send", self._send),
            ("PUT", "/webhooks/auto", self._auto),
            ("POST", "/webhooks/release", self._release),
        ]
        return [control_route(method, path, deed) for method, path, deed in table]

    async def _state(self, _request: Request, _body: Record) -> Record:
        return state(self._store)

    async def _requests(self, _request: Request, _body: Record) -> Record:
        seen = [r._asdict() | {"at": r.at.isoformat()} for r in self._store.requests]
        return {"requests": seen}

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
        return {"now": self._store.clock.now().isoformat()}

    async def _seed(self, _request: Request, body: Record) -> Record:
        today = self._store.clock.now().date()
        if body.get("name") == "demo":
            self._store.load(demo(today))
        else:
            self._store.load(size(int(body["size"]), int(body.get("seed", 1)), today=today))
        return {"organizations": list(self._store.organizations)}

    async def _token(self, _request: Request, body: Record) -> Record:
        return {"token": self._store.issuer.token(**body)}

    async def _add_key(self, _request: Request, body: Record) -> Record:
        organizations = {int(number) for number in body["organizations"]}
        key = Key(body["key"], body["user"], organizations, body.get("active", True))
        self._store.keys[key.key] = key
        return {"key": key.key}

    async def _delete_key(self, request: Request, _body: Record) -> Record:
        del self._store.keys[request.path_params["key"]]
        return {}

    async def _modified_filter(self, _request: Request, body: Record) -> Record:
        self._store.modified_filter = bool(body["on"])
        return {"on": self._store.modified_filter}

    async def _plan(self, request: Request, body: Record) -> Record:
        self._own(request).features = set(body["features"])
        return {}

    async def _blocked(self, request: Request, body: Record) -> Record:
        self._own(request).blocked_status = str(body["status"])
        return {}

    async def _read_only(self, request: Request, body: Record) -> Record:
        self._own(request).read_only = bool(body["on"])
        return {}

    async def _vat_codes(self, request: Request, body: Record) -> Record:
        self._own(request).vat_codes = set(body["codes"])
        return {}

    async def _webhooks(self, _request: Request, _body: Record) -> Record:
        sender = self._sender
        targets = [target.url for target in sender.targets]
        return {"targets": targets, "outcomes": sender.outcomes, "held": len(sender.held)}

    async def _add_target(self, _request: Request, body: Record) -> Record:
        self._sender.targets.append(Target(body["url"], body["secret"]))
        return {"targets": len(self._sender.targets)}

    async def _clear_targets(self, _request: Request, _body: Record) -> Record:
        self._sender.targets.clear()
        return {}

    async def _send(self, _request: Request, body: Record) -> Record:
        kind, number = body["kind"], int(body["id"])
        own = self._store.organization_of(f"{kind}s", number)
        organization = int(body.get("organizationId", own.id if own else 0))
        outcomes = await self._sender.send(
            Change(body["type"], kind, organization, number),
            message_id=body.get("messageId"),
            age_seconds=float(body.get("ageSeconds", 0)),
        )
        return {"deliveries": outcomes}

    async def _auto(self, _request: Request, body: Record) -> Record:
        self._sender.habits = Habits(
            on=bool(body["on"]),
            copies=int(body.get("copies", 1)),
            delay_seconds=float(body.get("delaySeconds", 0)),
            hold=bool(body.get("hold", False)),
        )
        return vars(self._sender.habits)

    async def _release(self, _request: Request, body: Record) -> Record:
        return {"released": self._sender.release(backwards=bool(body.get("reversed", False)))}

    def _own(self, request: Request) -> Organization:
        return self._store.organizations[request.path_params["org"]]


def state(store: Store) -> Record:
    """Show the whole store; tests judge by it."""
    calls = Counter(
        f"{r.method} {store.contract.template(r.method, r.path)}" for r in store.requests
    )
    return {
        "now": store.clock.now().isoformat(),
        "modifiedFilter": store.modified_filter,
        "organizations": [_whole(own) for own in store.organizations.values()],
        "keys": [
            {**vars(key), "organizations": sorted(key.organizations)} for key in store.keys.values()
        ],
        "requests": calls,
    }


def control_route(method: str, path: str, deed: Deed) -> Route:
    """Give the route of one control call; a wrong call answers 400, an unknown id 404."""

    async def endpoint(request: Request) -> Response:
        text = await request.body()
        try:
            status, answer = 200, await deed(request, read_json(text) if text else {})
        except NotDone as error:
            status, answer = 409, {"error": str(error)}
        except Refusal as refusal:
            status, answer = refusal.status, refusal.body
        except KeyError as error:
            status, answer = 404, {"error": f"{error} is missing or unknown"}
        except (TypeError, ValueError) as error:
            status, answer = 400, {"error": str(error)}
        return Response(as_json(answer), status, media_type="application/json")

    return Route(f"/_control{path}", endpoint, methods=[method])


def _whole(own: Organization) -> Record:
    return {
        "id": own.id,
        "name": own.name,
        "organizationNumber": own.organization_number,
        "blockedStatus": own.blocked_status,
        "readOnly": own.read_only,
        "features": sorted(own.features),
        "vatCodes": sorted(own.vat_codes),
        "customers": [kept.whole() for kept in own.customers.values()],
        "projects": [kept.whole() for kept in own.projects.values()],
        "products": [kept.whole() for kept in own.products.values()],
        "drafts": [kept.whole() for kept in own.drafts.values()],
        "invoices": [kept.whole() for kept in own.invoices.values()],
    }
