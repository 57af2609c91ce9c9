"""Keep the issuers' public keys: fetched when needed, at most once in 30 seconds."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from httpx_aiohttp import AiohttpTransport
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from app.settings import Issuer, Settings

_PAUSE_SECONDS: Final = 30.0
_FRESH_SECONDS: Final = 3600.0
_TIMEOUT_SECONDS: Final = 5.0
_LARGEST_BYTES: Final = 65_536


@dataclass
class _Held:
    keys: KeySet | None = None
    fetched: float = field(default=-1e9)


class KeySets:
    """Hold each issuer's key set; shared by all requests of a process."""

    def __init__(
        self,
        issuers: tuple[Issuer, ...],
        *,
        client: httpx.AsyncClient,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.issuers = {issuer.issuer: issuer for issuer in issuers}
        self._client = client
        self._monotonic = monotonic
        self._held: dict[str, _Held] = {name: _Held() for name in self.issuers}

    @classmethod
    def from_settings(
        cls, settings: Settings, *, network: httpx.AsyncBaseTransport | None = None
    ) -> "KeySets":
        """Build for the configured issuers; nothing is fetched yet."""
        client = httpx.AsyncClient(
            transport=network or AiohttpTransport(), timeout=_TIMEOUT_SECONDS
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
        age = self._monotonic() - held.fetched
        if held.keys is not None and age < _FRESH_SECONDS and _has(held.keys, key_id):
            return held.keys
        if age >= _PAUSE_SECONDS:
            held.fetched = self._monotonic()
            held.keys = await self._fetch(issuer) or held.keys
        return held.keys

    async def _fetch(self, issuer: Issuer) -> KeySet | None:
        try:
            response = await self._client.get(issuer.jwks_url)
            if response.status_code != httpx.codes.OK or len(response.content) > _LARGEST_BYTES:
                return None
            document: dict[str, Any] = response.json()
            return KeySet.import_key_set({"keys": document["keys"]})
        except (httpx.HTTPError, OSError, ValueError, KeyError, TypeError, JoseError):
            return None


def _has(keys: KeySet, key_id: str | None) -> bool:
    return any(key.kid == key_id for key in keys.keys)
