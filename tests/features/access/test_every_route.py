"""Every route of the OpenAPI document, by construction: who may not, learns nothing."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import Column, Table, insert
from sqlalchemy.dialects.postgresql import JSONB
from uuid_utils.compat import uuid7

from app.canonical import LinkId
from app.database import Base, CommitPoint, Instant
from app.main import service_document
from app.runtime import Runtime
from tests.features.conftest import Linked, Twins, bearer, connect

WITHOUT_CALLER = "/v1/webhooks/"


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    raw: Mapping[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    def body(self) -> Any:
        """Give the example of the request that the document shows."""
        content = self.raw.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            return None
        schema = content["schema"]
        while "$ref" in schema:
            schema = service_document()["components"]["schemas"][schema["$ref"].rsplit("/")[-1]]
        return schema.get("examples", [{}])[0]

    async def call(
        self, client: httpx.AsyncClient, headers: Mapping[str, str], **ids: object
    ) -> httpx.Response:
        path = self.path
        for parameter in self.raw.get("parameters", []):
            if parameter["in"] == "path":
                value = ids.get(parameter["name"], _shown_for(parameter["schema"]))
                path = path.replace(f"{{{parameter['name']}}}", str(value))
        needed = {"If-Match": "*", "Idempotency-Key": str(uuid7())}
        return await client.request(
            self.method, path, headers={**needed, **headers}, json=self.body()
        )


def _shown_for(schema: Mapping[str, Any]) -> str:
    """Give a value that the document itself says is possible."""
    shown = [*schema.get("enum", ()), *schema.get("examples", ())]
    return str(shown[0]) if shown else "0199f3a0-0000-7000-8000-000000000077"


def operations() -> Iterator[Operation]:
    for path, item in service_document()["paths"].items():
        for method, raw in item.items():
            yield Operation(method.upper(), path, raw)


def of_links() -> list[Operation]:
    return [each for each in operations() if "{link_id}" in each.path]


@pytest.mark.parametrize(
    "operation",
    [each for each in operations() if not each.path.startswith(WITHOUT_CALLER)],
    ids=lambda each: each.name,
)
async def test_an_unknown_query_parameter_is_refused_by_name(
    client: httpx.AsyncClient, linked: Linked, operation: Operation
) -> None:
    """One that is misspelt would give everything instead of what was asked for."""
    misspelt = replace(operation, path=f"{operation.path}?kunde=1&limit=2&lmit=3")

    answer = await misspelt.call(client, linked.books, link_id=linked.link_id)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request"), answer.text
    told = {error["pointer"] for error in answer.json()["errors"]}
    assert {"#query/kunde", "#query/lmit"} <= told
    listing = any(p["name"] == "limit" for p in operation.raw.get("parameters", []))
    assert ("#query/limit" in told) is not listing


def seen(answer: httpx.Response) -> dict[str, Any]:
    """Give what a caller sees of an answer, less the two members that name the call itself."""
    body = json.loads(answer.content)
    for own in ("requestId", "instance"):
        assert own in body, answer.text
        del body[own]
    headers = {k: v for k, v in answer.headers.items() if k not in ("x-request-id", "date")}
    headers.pop("content-length", None)  # the path, which is in `instance`, may differ in length
    return {"status": answer.status_code, "headers": headers, "body": body}


OWNED: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "secret_id": ("webhook_secrets", {"side": "books"}),
    "pair_id": ("pairs", {"kind": "customer"}),
    "conflict_id": ("conflicts", {"state": "open"}),
    "change_id": ("changes", {"state": "pending"}),
    "question_id": ("questions", {}),
    "proposal_id": ("proposals", {}),
    "run_id": ("runs", {"state": "running"}),
    "draft_id": ("drafts", {"state": "taken"}),
}
"""Where each id of the document lives, with what its row must hold."""

NOT_OF_A_LINK = {"link_id", "system", "token_id", "scope", "kind"}
"""The link itself, what is tried elsewhere, and what is no id of ours."""


def _fitting(column: Column[Any]) -> object:
    if isinstance(column.type, JSONB):
        return {}
    python = column.type.python_type
    return uuid7() if python is UUID else {int: 1, bool: False, bytes: b"x", str: "x"}[python]


def row_of(table: Table, link_id: LinkId, now: datetime) -> dict[str, object]:
    """Fill what a row must have with anything that fits."""
    row: dict[str, object] = {"link_id": link_id}
    for column in table.columns:
        if column.name != "link_id" and not column.nullable:
            row[column.name] = now if isinstance(column.type, Instant) else _fitting(column)
    return row


@pytest.fixture
async def foreign(
    client: httpx.AsyncClient, twins: Twins, reviewing: Linked, runtime: Runtime
) -> dict[str, object]:
    """The ids of the neighbour's link, and of one of each thing it owns."""
    theirs = await connect(
        client, twins, organization="2002", company="cmp_2", key="conta-foreign-key"
    )
    ids: dict[str, object] = {"link_id": theirs.link_id}
    async with runtime.database.transaction(CommitPoint.PLAIN, theirs.link_id) as session:
        for name, (table_name, fixed) in OWNED.items():
            table = Base.metadata.tables[table_name]
            row = {**row_of(table, theirs.link_id, runtime.clock()), **fixed}
            await session.execute(insert(table).values(row))
            ids[name] = row[name]
    return ids


def test_the_document_names_the_routes() -> None:
    """The tests below look at every route there is; were the list empty they would see nothing."""
    assert len(of_links()) > 35
    assert sum(each.path.startswith(WITHOUT_CALLER) for each in of_links()) == 1


async def test_a_foreign_link_is_like_an_unknown_one(
    client: httpx.AsyncClient, reviewing: Linked, foreign: dict[str, object]
) -> None:
    """Ours on theirs: 404, equal to the answer for an id that never was, on each route."""
    differing = {}
    for each in of_links():
        theirs = await each.call(client, reviewing.books, **foreign)
        unknown = await each.call(client, reviewing.books, **{**foreign, "link_id": uuid7()})
        expected = 401 if each.path.startswith(WITHOUT_CALLER) else 404
        if seen(theirs) != seen(unknown) or theirs.status_code != expected:
            differing[each.name] = (theirs.text, unknown.text)

    assert differing == {}


def test_every_id_of_the_document_is_tried() -> None:
    """A new route with an id of its own fails here until its table is named above."""
    named = {
        parameter["name"]
        for each in operations()
        for parameter in each.raw.get("parameters", [])
        if parameter["in"] == "path"
    }

    assert named == set(OWNED) | NOT_OF_A_LINK


async def test_what_a_foreign_link_owns_is_like_an_unknown_id(
    client: httpx.AsyncClient, linked: Linked, foreign: dict[str, object]
) -> None:
    """A foreign id of any kind under our own link's address is not there, by any method."""
    own = {**foreign, "link_id": linked.link_id}
    unknown = {**{name: uuid7() for name in OWNED}, "link_id": linked.link_id}
    tried = set()
    for each in of_links():
        names = {name for name in OWNED if f"{{{name}}}" in each.path}
        if names:
            tried |= names
            theirs = await each.call(client, linked.books, **own)
            nobodys = await each.call(client, linked.books, **unknown)
            assert (each.name, theirs.status_code) == (each.name, 404)
            assert seen(theirs) == seen(nobodys)

    assert tried == set(OWNED)


async def test_a_foreign_token_is_like_an_unknown_one(
    client: httpx.AsyncClient, reviewing: Linked, twins: Twins
) -> None:
    """The neighbour's API token cannot be seen or revoked by its id."""
    neighbour = await bearer(twins, "conta", "2002")
    made = await client.post(
        "/v1/tokens", headers={**neighbour, "Idempotency-Key": "k"},
        json={"name": "x", "account": "2002", "scopes": ["links:read"]},
    )  # fmt: skip

    theirs = await client.delete(f"/v1/tokens/{made.json()['id']}", headers=reviewing.books)
    nobodys = await client.delete(f"/v1/tokens/{uuid7()}", headers=reviewing.books)

    assert theirs.status_code == 404
    assert seen(theirs) == seen(nobodys)


async def test_an_id_that_is_no_id_is_not_there(
    client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """What cannot be an id answers like an unknown one, and never with a fault of ours."""
    for each in of_links():
        for text in ("x", "0199f3a0", "%00", "..%2F..", "æøå", "0" * 64):
            answer = await each.call(client, reviewing.books, link_id=text)
            assert answer.status_code in (401, 404), (each.name, text, answer.text)


async def test_nobody_passes_without_a_token(client: httpx.AsyncClient, reviewing: Linked) -> None:
    """Each route asks who calls before it says anything, also of a link that is there."""
    for each in operations():
        answer = await each.call(client, {}, link_id=reviewing.link_id, system="conta")
        assert (each.name, answer.status_code) == (each.name, 401)


async def test_each_route_asks_for_the_scope_it_names(
    client: httpx.AsyncClient, reviewing: Linked, twins: Twins
) -> None:
    """A token without the right that a route asks for is refused with the right it names."""
    admin = await bearer(twins, "conta", "1001")
    bare = {}
    for scope in ("specifications:read", "tokens:write"):
        made = await client.post(
            "/v1/tokens",
            headers={**admin, "Idempotency-Key": scope},
            json={"name": "x", "account": "1001", "scopes": [scope]},
        )
        bare[scope] = {"Authorization": f"Bearer {made.json()['token']}"}
    for each in operations():
        if each.path.startswith(WITHOUT_CALLER):
            continue
        lacking = next(h for scope, h in bare.items() if scope not in each.raw["description"])
        answer = await each.call(client, lacking, link_id=reviewing.link_id)
        assert (each.name, answer.status_code) == (each.name, 403)
        assert f"`{answer.json()['facts']['scope']}`" in each.raw["description"], each.name


async def test_an_ordinary_user_changes_no_link(
    client: httpx.AsyncClient, reviewing: Linked, twins: Twins
) -> None:
    """What a user may do is reading links and making drafts; every other deed is 403."""
    user = await bearer(twins, "conta", "1001", role="user")
    allowed = set()
    for each in operations():
        if each.method == "GET" or each.path.startswith(WITHOUT_CALLER):
            continue
        answer = await each.call(client, user, link_id=uuid7())
        if answer.status_code != 403:
            allowed.add(each.name)
            assert "`invoices:write`" in each.raw["description"], each.name

    assert allowed


async def test_a_lost_permission_shows_nothing_of_an_old_answer(
    client: httpx.AsyncClient, reviewing: Linked, twins: Twins
) -> None:
    """A repeated call is judged by today's rights, not by those of the first time."""
    path, headers = f"{reviewing.path}/webhook-secrets", {"Idempotency-Key": "k"}
    body = {"system": "conta"}
    first = await client.post(path, headers={**reviewing.books, **headers}, json=body)
    lowered = await bearer(twins, "conta", "1001", role="user")

    again = await client.post(path, headers={**lowered, **headers}, json=body)

    assert (first.status_code, again.status_code) == (201, 403)
