"""Play a person who connects from Conta's side, step by step."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.features.conftest import RETURN_URL, Linked, Twins, bearer

KEYS = {"1001": "conta-demo-key", "2002": "conta-foreign-key"}


@dataclass
class Person:
    """Hold an administrator in Conta, with a browser that can log in at Timerabbit."""

    client: httpx.AsyncClient
    twins: Twins
    headers: dict[str, str]
    organization: str

    async def start(self, *, key: str = "start-1", **more: Any) -> httpx.Response:
        body = {
            "contaOrganizationId": self.organization,
            "organizationNumber": (await self.twins.time())["organizationNumber"],
            "name": "Fjord & Fjell Rådgivning AS",
            "returnUrl": RETURN_URL,
        } | more  # fmt: skip
        return await self.client.post(
            "/v1/links", headers={**self.headers, "Idempotency-Key": key}, json=body
        )

    async def log_in(self, started: httpx.Response, company: str = "cmp_1") -> dict[str, str]:
        """Go to the log-in page and come back with what the browser brings."""
        body = {"handoverUrl": started.json()["handoverUrl"], "login": company}
        went = await self.twins.control("timerabbit", "POST", "/consent", body)
        query = parse_qs(urlsplit(went["redirect"]).query)
        return {name: query[name][0] for name in ("code", "state", "iss")}

    async def hand_over(
        self, started: httpx.Response, brought: Mapping[str, Any]
    ) -> httpx.Response:
        path = f"/v1/links/{started.json()['link']['id']}/handover"
        return await self.client.post(path, headers=self.headers, json=dict(brought))

    async def read(self, started: httpx.Response) -> dict[str, Any]:
        path = f"/v1/links/{started.json()['link']['id']}"
        answer = await self.client.get(path, headers=self.headers)
        shown: dict[str, Any] = answer.json()
        return shown


@pytest.fixture
async def kari(client: httpx.AsyncClient, twins: Twins) -> Person:
    return Person(client, twins, await bearer(twins, "conta", "1001"), "1001")


@pytest.fixture
async def nils(client: httpx.AsyncClient, twins: Twins) -> Person:
    """The administrator of the neighbour, who has nothing to do with Kari's accounts."""
    return Person(client, twins, await bearer(twins, "conta", "2002"), "2002")


async def shown(client: httpx.AsyncClient, link: Linked) -> dict[str, Any]:
    answer = await client.get(link.path, headers=link.books)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found
