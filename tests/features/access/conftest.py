"""Forge tokens with Conta's own key, count key fetches, and tell the process's own time."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from fastapi import FastAPI
from joserfc.jwk import ECKey, KeyParameters

from app.access.jwks import KeySets
from app.runtime import Runtime
from app.sandbox.issuer import Issuer
from tests.conftest import SetClock
from tests.features.conftest import CONTA, Twins


def b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def segment(value: object) -> str:
    return b64(json.dumps(value).encode())


@dataclass
class Forger:
    """Hold Conta's real signing key; sign anything, also what no issuer would."""

    issuer: Issuer
    clock: SetClock

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Give the claims of an administrator of 1001; ``None`` leaves one out."""
        now = int(self.clock().timestamp())
        claims = {
            "iss": CONTA, "sub": "kari", "aud": "timerabbit-conta", "iat": now, "nbf": now,
            "exp": now + 900, "accounts": ["1001"], "role": "administrator", **changed,
        }  # fmt: skip
        return {name: value for name, value in claims.items() if value is not None}

    def signed(self, claims: dict[str, Any] | None = None, **header: Any) -> str:
        """Sign by ES256, whatever the header says."""
        head = {"alg": "ES256", "kid": self.issuer.key_id, "typ": "JWT", **header}
        content = f"{segment(head)}.{segment(self.claims() if claims is None else claims)}"
        private = self.issuer._key.get_op_key("sign")
        r, s = decode_dss_signature(private.sign(content.encode(), ECDSA(SHA256())))
        return f"{content}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def unsigned(self, algorithm: str) -> str:
        head = {"alg": algorithm, "kid": self.issuer.key_id}
        return f"{segment(head)}.{segment(self.claims())}."

    def with_public_key_as_secret(self, form: str) -> str:
        """Sign HS256 with the issuer's public key, in a form in which all can read it."""
        key = self.issuer._key
        secret = {
            "pem": key.as_pem(private=False),
            "der": key.as_der(private=False),
            "jwk": json.dumps(key.as_dict(private=False)).encode(),
        }[form]
        head = {"alg": "HS256", "kid": self.issuer.key_id}
        content = f"{segment(head)}.{segment(self.claims())}"
        return f"{content}.{b64(hmac.digest(secret, content.encode(), hashlib.sha256))}"

    def rotate(self) -> None:
        """Give the issuer a new key with a new id, as an issuer does now and then."""
        self.issuer.key_id += "x"
        facts: KeyParameters = {"kid": self.issuer.key_id, "use": "sig", "alg": "ES256"}
        self.issuer._key = ECKey.generate_key("P-256", parameters=facts, private=True)


@pytest.fixture
def forger(twins: Twins, clock: SetClock) -> Forger:
    return Forger(twins.conta.state.twin.issuer, clock)


@dataclass
class Jwks:
    """Be the issuers' key endpoints: what was fetched, and what is answered instead."""

    twins: Twins
    seconds: float = 1000.0
    pause: float = 0.01
    fetched: list[str] = field(default_factory=list)
    instead: httpx.Response | Exception | None = None

    async def serve(self, request: httpx.Request) -> httpx.Response:
        self.fetched.append(str(request.url))
        await asyncio.sleep(self.pause)
        if isinstance(self.instead, Exception):
            raise self.instead
        twin = self.twins.conta if request.url.host == "conta.test" else self.twins.timerabbit
        return self.instead or httpx.Response(200, json=twin.state.twin.issuer.jwks())


@pytest.fixture
async def jwks(app: FastAPI, runtime: Runtime, twins: Twins) -> AsyncIterator[Jwks]:
    """The process's key sets on a network that counts and a time that the test moves."""
    counting = Jwks(twins)
    before = app.state.key_sets
    client = httpx.AsyncClient(transport=httpx.MockTransport(counting.serve))
    app.state.key_sets = KeySets(
        runtime.settings.issuers, client=client, monotonic=lambda: counting.seconds
    )
    yield counting
    await app.state.key_sets.close()
    app.state.key_sets = before
