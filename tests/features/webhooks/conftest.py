import os
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from uuid_utils.compat import UUID, uuid7

from app.bootstrap import build_runtime
from app.canonical import LinkId, Side
from app.database import CommitPoint
from app.edge import Edge
from app.failures import install_handlers
from app.links.identity import webhook_secret_identity
from app.links.store import DirectoryEntry, WebhookSecret
from app.runtime import Runtime
from app.settings import Settings
from app.systems.signatures import encode_secret, sign
from app.webhooks import routes
from tests.conftest import SetClock


@dataclass
class Sender:
    """Plays one system that signs and sends."""

    client: httpx.AsyncClient
    clock: SetClock
    path: str
    secret: bytes
    account: dict[str, str]

    def event(self, record_id: str = "17", type_: str = "customer.updated") -> bytes:
        account = "".join(f'"{name}": "{value}", ' for name, value in self.account.items())
        return f'{{"type": "{type_}", {account}"data": {{"id": "{record_id}"}}}}'.encode()

    def headers(self, body: bytes, *, id_: str, at: int = 0) -> dict[str, str]:
        stamp = int(self.clock().timestamp()) + at
        return {
            "webhook-id": id_,
            "webhook-timestamp": str(stamp),
            "webhook-signature": sign(self.secret, message_id=id_, timestamp=stamp, body=body),
            "content-type": "application/json",
        }

    async def send(self, body: Any = None, *, id_: str = "msg_1", **changed: Any) -> httpx.Response:
        content = self.event() if body is None else body
        headers = self.headers(content, id_=id_) | changed
        return await self.client.post(self.path, content=content, headers=headers)


@pytest.fixture
async def running(database_url: str, clock: SetClock) -> AsyncIterator[Runtime]:
    key = b64encode(os.urandom(32)).decode()
    settings = Settings(database_url=database_url, keyring=SecretStr(f"k1:{key}"), database_pool=5)
    runtime = build_runtime(settings, clock=clock)
    yield runtime
    await runtime.close()


@pytest.fixture
async def app(running: Runtime) -> AsyncIterator[FastAPI]:
    made = FastAPI()
    made.state.runtime = running
    made.state.public_url = "https://link.example"
    install_handlers(made)
    made.include_router(routes.router)
    made.add_middleware(Edge, max_body_bytes=262_144, body_timeout_seconds=5)
    async with made.router.lifespan_context(made):
        yield made


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://link") as client:
        yield client


async def make_link(runtime: Runtime, link_id: LinkId, *, state: str = "active") -> None:
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        session.add(
            DirectoryEntry(
                link_id=link_id, time_account="c-1", books_account="1001", state=state,
                pending=0, parked=0,
            )
        )  # fmt: skip


async def make_secret(runtime: Runtime, link_id: LinkId, side: Side, **more: Any) -> bytes:
    secret, secret_id = os.urandom(32), uuid7()
    identity = webhook_secret_identity(link_id, secret_id)
    sealed = runtime.vault.seal(encode_secret(secret).encode(), identity=identity)
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        session.add(
            WebhookSecret(
                link_id=link_id, secret_id=UUID(str(secret_id)), side=side.value, sealed=sealed,
                created_at=runtime.clock(), **more,
            )
        )  # fmt: skip
    return secret


@pytest.fixture
async def timerabbit(
    running: Runtime, http: httpx.AsyncClient, clock: SetClock, link_id: LinkId
) -> Sender:
    await make_link(running, link_id)
    secret = await make_secret(running, link_id, Side.TIME)
    path = f"/v1/webhooks/timerabbit/{link_id}"
    return Sender(http, clock, path, secret, {"companyId": "c-1"})


@pytest.fixture
async def conta(
    running: Runtime, http: httpx.AsyncClient, clock: SetClock, link_id: LinkId, timerabbit: Sender
) -> Sender:
    secret = await make_secret(running, link_id, Side.BOOKS)
    path = f"/v1/webhooks/conta/{link_id}"
    return Sender(http, clock, path, secret, {"organizationId": "1001"})
