"""Keep the issuers' public keys: fetched when needed, at most once in 30 seconds."""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from httpx_aiohttp import AiohttpTransport
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet

from app.issuers import Issuer
from app.settings import Settings
from app.systems.http import trusted_authorities

_PAUSE_SECONDS: Final = 30.0
_FRESH_SECONDS: Final = 3600.0
_TIMEOUT_SECONDS: Final = 5.0
_LARGEST_BYTES: Final = 65_536


@dataclass
class _Held:
    keys: KeySet | None = None
    fetched: float = field(default=-1e9)
    fetching: asyncio.Lock = field(default_factory=asyncio.Lock)


class KeySets:
    """Hold each issuer's key set; shared by all requests of a process."""

    def __init__(
        self,
        issuers: tuple[Issuer, ...],
        *,
        client: httpx.AsyncClient,
        monotonic: Callable[[], float] = time.monotonic,
        timeout_seconds: float = _TIMEOUT_SECONDS,
    ) -> None:
        self.issuers = {issuer.issuer: issuer for issuer in issuers}
        self._client = client
        self._monotonic = monotonic
        self._timeout_seconds = timeout_seconds
        self._held: dict[str, _Held] = {name: _Held() for name in self.issuers}

    @classmethod
    def from_settings(
        cls, settings: Settings, *, network: httpx.AsyncBaseTransport | None = None
    ) -> "KeySets":
        """Build for the configured issuers; nothing is fetched yet."""
        client = httpx.AsyncClient(
            transport=network or AiohttpTransport(verify=trusted_authorities()),
            timeout=_TIMEOUT_SECONDS,
        )
        return cls(settings.issuers, client=client)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def find(self, issuer: Issuer, key_id: str | None) -> KeySet | None:
        """
        Give the issuer's keys, fetched anew when they are old or lack ``key_id``.

        ``None`` when they cannot be fetched and none are held. A storm of unknown key ids costs one
        fetch in 30 seconds.
        """
        held = self._held[issuer.issuer]
        if self._is_fresh(held, key_id):
            return held.keys
        if held.fetching.locked() and held.keys is not None and _has(held.keys, key_id):
            return held.keys  # a known key does not wait for what a stranger's token set off
        async with held.fetching:  # who comes meanwhile waits for the same answer
            age = self._monotonic() - held.fetched
            if age >= _PAUSE_SECONDS and not self._is_fresh(held, key_id):
                held.fetched = self._monotonic()
                held.keys = await self._fetch(issuer) or held.keys
        return held.keys

    def _is_fresh(self, held: _Held, key_id: str | None) -> bool:
        young = self._monotonic() - held.fetched < _FRESH_SECONDS
        return held.keys is not None and young and _has(held.keys, key_id)

    async def _fetch(self, issuer: Issuer) -> KeySet | None:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                document = json.loads(await self._read(issuer.jwks_url))
            return _key_set(document["keys"])
        except (httpx.HTTPError, OSError, ValueError, KeyError, TypeError, JoseError):
            return None

    async def _read(self, url: str) -> bytes:
        body = b""
        async with self._client.stream("GET", url) as response:
            if response.status_code != httpx.codes.OK:
                raise ValueError("the issuer shows no keys")
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _LARGEST_BYTES:
                    raise ValueError("the issuer shows more than keys")
        return body


def _key_set(shown: list[dict[str, Any]]) -> KeySet:
    """Import what can be read: a key of a kind we do not know hides no other."""
    keys: list[Key] = []
    for entry in shown:
        with suppress(JoseError, ValueError, KeyError, TypeError, AttributeError):
            keys.append(JWKRegistry.import_key(entry))
    return KeySet(keys)


def _has(keys: KeySet, key_id: str | None) -> bool:
    return any(key.kid == key_id for key in keys.keys)
