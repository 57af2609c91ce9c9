"""Let a call in: key, organization, plan, and what the contract says of its form."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from app.sandbox.conta.errors import api, invalid, rule, unknown_id
from app.sandbox.conta.store import Kept, Key, Organization, Shelf, Store
from app.sandbox.openapi import Call as Wire
from app.sandbox.openapi import Flaw, Operation
from app.sandbox.values import read_json

Record = dict[str, Any]

ONLY_TAGS = re.compile(r"\s*(<[^<>]*>\s*)+")
MAY_READ = frozenset(
    {"NOT_BLOCKED", "NOT_BLOCKED_PURCHASE_BY_INVOICE_RESTRICTED", "MISSING_PAYMENTS"}
)
MAY_WRITE = MAY_READ - {"MISSING_PAYMENTS"}


@dataclass
class Call:
    """Carry an admitted call: who calls, on whose records, with what."""

    store: Store
    key: Key
    path: str
    ids: dict[str, int] = field(default_factory=dict)
    query: Record = field(default_factory=dict)
    body: Record = field(default_factory=dict)
    organization: Organization | None = None

    @property
    def own(self) -> Organization:
        """Give the organization of the call; only paths that name one ask."""
        assert self.organization is not None  # noqa: S101 - admitted by its path
        return self.organization

    def one(self, shelf: Shelf, name: str = "id") -> Kept:
        """
        Give the record that the path names.

        Raises:
            Refusal: The organization has no such record.

        """
        try:
            return shelf[self.ids[name]]
        except KeyError:
            raise unknown_id() from None


async def admitted(store: Store, request: Request) -> Call:
    """
    Check a call in Conta's order: key, path, organization, plan, query, body.

    Raises:
        Refusal: With the first thing that is wrong.

    """
    key = _key(store, request.headers.get("apikey"))
    method = "GET" if request.method == "HEAD" else request.method
    found = store.contract.find(method, request.url.path)
    assert found is not None  # noqa: S101 - routes are made from the contract's templates
    operation, values = found
    if store.contract.parameter_flaws(operation, "path", values):
        raise api(404, "UrlNotFoundException")
    call = Call(store, key, request.url.path)
    call.ids = {
        name: int(value) for name, value in values.items() if value.isascii() and value.isdigit()
    }
    if "opContextOrgId" in values:
        number = int(values["opContextOrgId"])
        call.organization = _organization(store, key, number, writes=method != "GET")
        _check_plan(call.organization, operation)
    call.query = _query(store, operation, request.scope["query_string"])
    if operation.raw.get("requestBody"):
        call.body = _body(store, operation, dict(request.headers), await request.body())
    return call


def _key(store: Store, given: str | None) -> Key:
    key = store.keys.get(given or "")
    if key is None or not key.active:
        raise api(401, "ApiGatewayRestRequestException")
    return key


def _organization(store: Store, key: Key, number: int, *, writes: bool) -> Organization:
    own = store.organizations.get(number)
    if own is None or number not in key.organizations:
        raise api(403, "OrgAccessDeniedException")
    # Guessed (facts 1.1): missing payments stop writing only, the other blocks everything.
    if own.blocked_status not in (MAY_WRITE if writes else MAY_READ):
        raise api(403, "OrgBlockedException")
    if writes and own.read_only:
        raise api(500, "OrgReadOnlyModeException")
    return own


def _check_plan(own: Organization, operation: Operation) -> None:
    # Guessed (facts 1.2): nothing is documented for project calls without the Smart plan.
    if "projects" in operation.raw.get("tags", []) and "ALLOW_PROJECT" not in own.features:
        raise rule(
            "SubscriptionPlanException",
            "Abonnementet gir ikke tilgang til prosjekt.",
            "The subscription plan does not give access to projects.",
        )


def _query(store: Store, operation: Operation, text: bytes) -> Record:
    given: dict[str, str | list[str]] = dict(parse_qsl(text.decode(), keep_blank_values=True))
    if not store.modified_filter:
        given.pop("modifiedFromDate", None)
        given.pop("modifiedToDate", None)
    flaws = store.contract.parameter_flaws(operation, "query", given)
    if wrong := [flaw for flaw in flaws if flaw.rule != "unknown"]:
        raise invalid(dict(given), wrong)
    return store.contract.parameter_values(operation, "query", given)


def _body(store: Store, operation: Operation, headers: Mapping[str, str], body: bytes) -> Record:
    try:
        value = read_json(body)
    except ValueError:
        raise api(400, "RestRequestException") from None
    if _any(value, _beyond_double):
        raise api(400, "RestRequestException")
    wire = Wire(headers={"content-type": "application/json"}, body=body)
    if headers.get("content-type", "").partition(";")[0].strip() not in {"", "application/json"}:
        raise api(400, "RestRequestException")
    if flaws := store.contract.body_flaws(operation, wire):
        raise invalid(value, [_named(flaw) for flaw in flaws])
    if _any(value, _only_tags):
        raise api(400, "RestPropertyContainsOnlyTagsException")
    record: Record = value
    return record


def _named(flaw: Flaw) -> Flaw:
    # A missing member is named by the text only; Conta's example gives its path.
    missing = re.match(r'"([^"]+)" is a required', flaw.text)
    pointer = (*flaw.pointer, missing[1]) if missing else flaw.pointer
    return Flaw(flaw.place, pointer, flaw.rule, flaw.text)


def _any(value: object, claim: Callable[[object], bool]) -> bool:
    match value:
        case dict():
            return any(_any(part, claim) for part in value.values())
        case list():
            return any(_any(part, claim) for part in value)
        case _:
            return claim(value)


def _only_tags(value: object) -> bool:
    return isinstance(value, str) and ONLY_TAGS.fullmatch(value) is not None


def _beyond_double(value: object) -> bool:
    # Guessed: a number that no double holds could not be answered as a number either.
    return isinstance(value, Decimal) and math.isinf(float(value))
