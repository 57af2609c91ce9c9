"""Hold a request as it goes out, and be an httpx request for whoever asks for its parts."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import httpx


class Prepared(httpx.Request):
    """
    Be an httpx request whose address and headers are parsed only where somebody looks at them.

    The way to the network takes both as they were given; a stand-in for it in tests sees the
    request that httpx itself would have made.

    Args:
        address: The whole URL, quoted; nothing is done to it.
        given: The headers without ``Host`` and ``Content-Length``, which follow from the rest.

    """

    def __init__(
        self,
        method: str,
        address: str,
        given: Mapping[str, str],
        body: bytes | None,
        extensions: Mapping[str, Any],
    ) -> None:
        # httpx's own constructor parses and copies, which is what this class is to spare.
        self.method = method
        self.address = address
        self.given = given
        self.extensions = dict(extensions)
        self._content = body or b""
        self.stream = httpx.ByteStream(self._content)

    @cached_property
    def _whole(self) -> httpx.Request:
        return httpx.Request(self.method, self.address, headers=self.given, content=self._content)

    @cached_property
    def url(self) -> httpx.URL:  # type: ignore[override]
        """Give the address, parsed."""
        return self._whole.url

    @cached_property
    def headers(self) -> httpx.Headers:  # type: ignore[override]
        """Give all headers."""
        return self._whole.headers
