"""Refuse to connect to addresses that are not public, however a name resolves."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

# 100.64/10 (shared by carriers), NAT64 and 6to4 lead to private hosts though not called private.
_REFUSED = tuple(
    ip_network(text)
    for text in ("100.64.0.0/10", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)


class AddressRefused(OSError):  # noqa: N818 - named by what happened to the address
    """Say that a host resolves only to addresses that we never call; nothing was sent."""


def is_public(text: str) -> bool:
    """Say whether an IP address is one of the open internet; anything unparsable is not."""
    try:
        address: IPv4Address | IPv6Address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        address = mapped
    return (
        address.is_global
        and not address.is_multicast
        and not any(address in network for network in _REFUSED)
    )


def is_private_literal(host: str) -> bool:
    """Say whether a host is written as an IP address and is not public; resolvers skip those."""
    written_as_address = ":" in host or host.replace(".", "").isdecimal()
    return written_as_address and not is_public(host)


class PublicResolver(AbstractResolver):
    """Resolve as usual, then leave out every address that is not public, at each resolution."""

    def __init__(self, inner: AbstractResolver | None = None) -> None:
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """
        Resolve a host to its public addresses.

        Raises:
            AddressRefused: There is none.

        """
        if self._inner is None:
            self._inner = ThreadedResolver()
        found = await self._inner.resolve(host, port, family)
        public = [address for address in found if is_public(address["host"])]
        if not public:
            raise AddressRefused("the host has no public address")
        return public

    async def close(self) -> None:
        """Close the resolver underneath."""
        if self._inner is not None:
            await self._inner.close()
