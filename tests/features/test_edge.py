"""The service's front: every refusal is a problem document, whatever came in."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

import httpx
import psycopg
import pytest
import structlog
from fastapi import FastAPI
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.bootstrap import build_runtime
from app.edge import Edge
from app.main import create_app
from app.problems import catalogue
from app.runtime import Runtime
from app.settings import Settings
from tests.features.conftest import Linked, Twins, bearer

LIMIT = 262_144
JSON = {"Content-Type": "application/json", "Idempotency-Key": "k"}


def problem(answer: httpx.Response, code: str) -> dict[str, Any]:
    """Hold an answer to what every problem document promises, and give it."""
    body: dict[str, Any] = answer.json()
    kind = catalogue()[code]
    assert (answer.status_code, body["code"]) == (kind.status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-request-id"] == body["requestId"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert body["type"] == f"http://link.test/problems/{code}"
    assert body["status"] == answer.status_code
    return body


@pytest.fixture
async def admin(twins: Twins) -> dict[str, str]:
    return await bearer(twins, "conta", "1001")


async def post(client: httpx.AsyncClient, content: Any, **headers: str) -> httpx.Response:
    return await client.post("/v1/tokens", content=content, headers={**JSON, **headers})


@pytest.mark.parametrize(
    ("header", "language", "title"),
    [
        (None, "nb", "Finnes ikke"), ("en", "en", "Not found"), ("nn-NO", "nn", "Finst ikkje"),
        ("no", "nb", "Finnes ikke"), ("fr, en;q=0.8, nb;q=0.5", "en", "Not found"),
        ("de", "nb", "Finnes ikke"), ("en;q=0, nn;q=0.1", "nn", "Finst ikkje"),
        ("en;q=x, ;;;, nn;q=0.2", "nn", "Finst ikkje"), ("en;q=9", "en", "Not found"),
        ("*", "nb", "Finnes ikke"), (", ".join(["fr"] * 30) + ", en", "nb", "Finnes ikke"),
    ],
)  # fmt: skip
async def test_a_refusal_speaks_the_callers_language(
    client: httpx.AsyncClient, header: str | None, language: str, title: str
) -> None:
    """Accept-Language chooses nb, nn or en by weight; nb when nothing fits."""
    headers = {} if header is None else {"Accept-Language": header}

    answer = await client.get("/nothing/here", headers=headers)

    body = problem(answer, "not-found")
    assert (body["title"], answer.headers["content-language"]) == (title, language)
    assert body["instance"] == "/nothing/here"
    assert body["remedy"]["text"]


@pytest.mark.parametrize("method", ["TRACE", "OPTIONS", "PUT", "FOO"])
async def test_a_wrong_method_names_the_right_ones(client: httpx.AsyncClient, method: str) -> None:
    """405 carries Allow; TRACE and OPTIONS are methods like others."""
    answer = await client.request(method, "/v1/tokens")

    problem(answer, "method-not-allowed")
    assert answer.headers["allow"]


@pytest.mark.parametrize(
    "path",
    ["/health/live", "/docs", "/docs/", "/docs/api", "/docs/first-hour", "/problems",
     "/openapi.json", "/assets/swagger-ui.css", "/metrics"],
)  # fmt: skip
async def test_head_is_answered_wherever_get_is(client: httpx.AsyncClient, path: str) -> None:
    """Watchers ask so; the headers are those of GET, and nothing follows them."""
    got = await client.get(path)

    head = await client.head(path)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == got.headers["content-type"]
    if path != "/metrics":  # which counts this very call
        assert head.headers["content-length"] == got.headers["content-length"]
    assert head.headers["x-request-id"]


async def test_head_of_what_is_only_written_names_what_is_allowed(
    client: httpx.AsyncClient,
) -> None:
    """A wrong method is a wrong method, with or without a body."""
    answer = await client.head("/v1/webhooks/conta/x")

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.content == b""


@pytest.mark.parametrize(
    "path", ["/v1/links/", "/health/live/", "/docs/api/", "/assets", "/problems/not-found/"]
)
async def test_a_slash_too_many_leads_nowhere(client: httpx.AsyncClient, path: str) -> None:
    """No redirection to an address that the caller's own Host header names."""
    answer = await client.get(path, headers={"Host": "evil.example"})

    problem(answer, "not-found")
    assert "location" not in answer.headers


async def test_two_calls_have_two_ids(client: httpx.AsyncClient) -> None:
    """The request id is ours, whatever the caller sends."""
    answers = [await client.get("/health/live", headers={"X-Request-Id": "mine"}) for _ in "12"]

    ids = {answer.headers["x-request-id"] for answer in answers}
    assert len(ids) == 2
    assert "mine" not in ids


@pytest.mark.parametrize(
    "content",
    [b"{", b"", b"nonsense", b'{"a": }', b"\xff\xfe", b"[" * 100_000, b"1" * 5_000,
     b'{"name": NaN}', b'{"name": "\\ud800"}', b"null", b"[]", b'"text"', b"\xef\xbb\xbf{}"],
    ids=lambda content: str(content[:12]),
)  # fmt: skip
async def test_a_body_that_cannot_be_read_is_the_callers_fault(
    client: httpx.AsyncClient, admin: dict[str, str], content: bytes
) -> None:
    """Malformed, deep, huge or odd JSON is 400 or 422, never a fault of ours."""
    answer = await post(client, content, **admin)

    body = answer.json()
    assert answer.status_code in (400, 422), answer.text
    problem(answer, body["code"])


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data"])
async def test_a_body_of_another_kind_is_refused(
    client: httpx.AsyncClient, admin: dict[str, str], kind: str
) -> None:
    """Only application/json is read."""
    answer = await post(client, b'{"name": "x"}', **{**admin, "Content-Type": kind})

    problem(answer, "unsupported-media-type")


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "identity, gzip", "x"])
async def test_an_encoded_body_is_refused_unread(
    client: httpx.AsyncClient, admin: dict[str, str], coding: str
) -> None:
    """Nothing is unpacked, so no bomb goes off."""
    answer = await post(client, b"\x1f\x8b", **{**admin, "Content-Encoding": coding})

    problem(answer, "unsupported-media-type")


async def test_a_body_over_the_limit_is_refused_by_its_length(client: httpx.AsyncClient) -> None:
    """One byte too much, by Content-Length: refused before anything is read."""
    answer = await post(client, b" " * (LIMIT + 1))

    problem(answer, "body-too-large")
    assert answer.headers["connection"] == "close"


async def test_a_body_within_the_limit_is_read(
    client: httpx.AsyncClient, admin: dict[str, str]
) -> None:
    """Exactly the limit is not too much."""
    body = json.dumps({"name": "x", "account": "1001", "scopes": ["links:read"]}).encode()

    answer = await post(client, body.ljust(LIMIT), **admin)

    assert answer.status_code == 201


async def test_a_chunked_body_over_the_limit_is_refused_while_it_comes(
    client: httpx.AsyncClient, admin: dict[str, str]
) -> None:
    """Without a length the bytes are counted; what comes after the limit is not waited for."""
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 65_536
            yield b" " * 65_536

    answer = await post(client, endless(), **admin)

    problem(answer, "body-too-large")
    assert taken <= LIMIT + 2 * 65_536


@pytest.mark.parametrize("length", ["1", "0", "999999999999999999999999999999"])
async def test_two_framings_are_refused(client: httpx.AsyncClient, length: str) -> None:
    """Content-Length beside Transfer-Encoding could be read two ways: neither is."""
    headers = {"Transfer-Encoding": "chunked", "Content-Length": length}

    answer = await post(client, b"x", **headers)

    problem(answer, "bad-request")
    assert answer.headers["connection"] == "close"


async def test_a_body_that_does_not_come_is_given_up(runtime: Runtime) -> None:
    """The time limit is of the whole body: a byte now and then does not extend it."""
    made = create_app(runtime)
    impatient = Edge(made, max_body_bytes=LIMIT, body_timeout_seconds=0.2)
    answers: list[MutableMapping[str, Any]] = []
    scope: dict[str, Any] = {
        "type": "http", "method": "POST", "path": "/v1/webhooks/conta/x", "headers": [],
        "query_string": b"", "raw_path": b"", "root_path": "", "scheme": "http",
        "http_version": "1.1", "app": made,
    }  # fmt: skip

    async def slowly() -> dict[str, Any]:
        await asyncio.sleep(0.05)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def send(message: MutableMapping[str, Any]) -> None:
        answers.append(message)

    async with asyncio.timeout(2):
        await impatient(scope, slowly, send)

    assert answers[0]["status"] == 408
    assert json.loads(answers[1]["body"])["code"] == "request-timeout"


async def test_what_is_not_http_passes_untouched() -> None:
    """Lifespan events are the application's own."""
    seen = []

    async def app(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    await Edge(app, max_body_bytes=1, body_timeout_seconds=1)({"type": "lifespan"}, _never, _never)  # type: ignore[arg-type]

    assert seen == ["lifespan"]


async def _never(*_: object) -> None:
    raise AssertionError


async def test_a_wrong_field_is_pointed_at_and_not_repeated(
    client: httpx.AsyncClient, admin: dict[str, str]
) -> None:
    """A key pasted into the wrong field must not come back, nor stand in a log."""
    secret = "conta-secret-canary"
    body = {"name": {"deep": secret}, "account": [secret], "scopes": [secret, secret], secret: 1}

    answer = await post(client, json.dumps(body).encode(), **admin)

    refused = problem(answer, "invalid-request")
    pointers = {error["pointer"] for error in refused["errors"]}
    assert {"/name", "/account", "/scopes/0", "/scopes/1"} <= pointers
    assert secret not in answer.text.replace(f'"/{secret}"', "")


async def test_wrong_parameters_are_pointed_at(
    client: httpx.AsyncClient, admin: dict[str, str]
) -> None:
    """A page of nothing, of less, of too much or of no number is 422."""
    for limit in ("0", "-1", "201", "1000000000", "x", ""):
        answer = await client.get("/v1/links", params={"limit": limit}, headers=admin)
        (error,) = problem(answer, "invalid-request")["errors"]
        assert error["pointer"] == "#query/limit"


async def test_a_sign_that_no_text_can_hold_is_the_callers_fault(
    client: httpx.AsyncClient, admin: dict[str, str]
) -> None:
    """U+0000 in a query or path is refused, not stumbled over."""
    for path in ("/v1/links?cursor=%00", "/v1/links/%00", "/v1/tokens/%00", "/%00"):
        answer = await client.request("GET" if "tokens" not in path else "DELETE", path,
                                      headers=admin)  # fmt: skip
        assert answer.status_code in (400, 404, 422), (path, answer.text)


Breaking = Callable[[Exception], Awaitable[httpx.Response]]


@pytest.fixture
def breaking(app: FastAPI, client: httpx.AsyncClient) -> Breaking:
    """Meet an exception in the middle of a request."""

    async def run(error: Exception) -> httpx.Response:
        @app.get(f"/break/{id(error)}")
        async def broken() -> None:
            raise error

        return await client.get(f"/break/{id(error)}")

    return run


async def test_a_fault_of_ours_says_nothing_of_itself(breaking: Breaking) -> None:
    """500 carries a request id and no word of the exception; the log carries where it happened."""
    with structlog.testing.capture_logs() as lines:
        answer = await breaking(RuntimeError("secret-canary at 10.0.0.7"))

    body = problem(answer, "internal-error")
    assert "canary" not in answer.text
    (line,) = [line for line in lines if line["log_level"] == "error"]
    assert (line["request_id"], line["error"]) == (body["requestId"], "RuntimeError")
    assert "test_edge.py" in line["traceback"]
    assert "canary" not in str(line)


@pytest.mark.parametrize(
    "error",
    [OperationalError("SELECT", {}, Exception("canary")), PoolTimeout("canary"),
     DBAPIError("SELECT", {}, Exception("canary"), connection_invalidated=True)],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
async def test_a_lost_database_asks_for_patience(breaking: Breaking, error: Exception) -> None:
    """503 with Retry-After: nothing was accepted, come again."""
    answer = await breaking(error)

    problem(answer, "database-unavailable")
    assert answer.headers["retry-after"] == "5"
    assert "canary" not in answer.text


async def test_another_fault_of_the_database_is_ours(breaking: Breaking) -> None:
    """A statement that the database refuses is no outage, and is not told."""
    answer = await breaking(DBAPIError("SELECT canary", {}, Exception("canary")))

    problem(answer, "internal-error")
    assert "canary" not in answer.text


async def test_a_sign_that_the_driver_refuses_is_the_callers_fault(
    client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """Where U+0000 comes as far as the database, it is still 422."""
    path = f"{reviewing.path}/first-sync"
    await client.post(path, headers=reviewing.books)

    answer = await client.get(f"{path}/proposals?q=%00", headers=reviewing.books)

    problem(answer, "invalid-request")


class Unfit(psycopg.DataError):
    """Play how a column (22021) and JSON (22P05) refuse U+0000."""

    sqlstate: Any = None


@pytest.mark.parametrize("state", ["22021", "22P05"])
async def test_a_sign_that_the_database_refuses_is_the_callers_fault(
    breaking: Breaking, state: str
) -> None:
    """Whoever of the database meets it first, it is no fault of ours."""
    error = Unfit("canary")
    error.sqlstate = state

    answer = await breaking(DBAPIError("SELECT", {}, error))

    problem(answer, "invalid-request")
    assert "canary" not in answer.text


async def test_without_a_database_every_route_answers_503(
    settings: Settings, twins: Twins, admin: dict[str, str]
) -> None:
    """A server that is not there is an outage, for callers and for webhooks alike."""
    away = settings.model_copy(update={"database_url": "postgresql://x@127.0.0.1:1/none"})
    runtime = build_runtime(away)
    app = create_app(runtime)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://link.test") as client:
        token = {"Authorization": "Bearer tct_something"}
        answers = [
            await client.get("/v1/links", headers=token),
            await client.post(
                "/v1/webhooks/conta/0199f3a0-0000-7000-8000-000000000001",
                content=b"{}",
                headers={
                    "webhook-id": "msg_1", "webhook-timestamp": "1",
                    "webhook-signature": "v1,AAAA", "content-type": "application/json",
                },
            ),
        ]  # fmt: skip
    await app.state.key_sets.close()
    await runtime.close()

    for answer in answers:
        problem(answer, "database-unavailable")
        assert answer.headers["retry-after"] == "5"
