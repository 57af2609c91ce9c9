"""Say what a system must offer as a product, before and beside any one account."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from app.systems.accounts import AccountingSystem, TimeTracker
from app.systems.shapes import Demands, HandoverPage, HandoverRequest, Notice, Tokens


class TokenKeeper(Protocol):
    """Keep one link's tokens; many processes may ask at once."""

    async def current(self) -> Tokens:
        """Give the tokens as stored now."""
        ...

    async def renew(self, stale: Tokens, refresh: Callable[[str], Awaitable[Tokens]]) -> Tokens:
        """
        Replace stale tokens, once for all who ask at the same time.

        Takes the link's lock, re-reads, returns the newer tokens if someone was faster, else calls
        ``refresh`` with the refresh token and stores its answer before giving it.
        """
        ...


class TimeSystem(Protocol):
    """Be the time system as a product: what is not bound to one account."""

    name: str
    demands: Demands
    """What any of its accounts demands of a record."""

    async def close(self) -> None:
        """Close the HTTP client."""
        ...

    def open(self, tokens: TokenKeeper, *, pace_key: str) -> TimeTracker:
        """Bind to one account; ``pace_key`` (the link) names the bucket of its calls."""
        ...

    async def require_own_access(self) -> None:
        """
        Make sure that our own client is let in, before anything is made for a log-in.

        Raises:
            OwnAccessRefused: An operator must mend our client's id or secret.

        """
        ...

    async def begin_handover(self, request: HandoverRequest, *, key: str) -> HandoverPage:
        """Start a log-in or trial registration."""
        ...

    async def exchange_code(self, code: str, *, verifier: str, return_url: str) -> Tokens:
        """
        Trade a code for tokens.

        Raises:
            Rejected: The code is wrong, old or was used.

        """
        ...

    @property
    def issuer(self) -> str:
        """Give the ``iss`` its redirects must carry (RFC 9207)."""
        ...

    def read_webhook(self, body: bytes) -> Notice:
        """
        Parse a verified body, purely.

        Raises:
            ValueError: The body is not what the contract says.

        """
        ...


class BooksSystem(Protocol):
    """Be the books system as a product: what is not bound to one account."""

    name: str
    demands: Demands
    """What any of its accounts demands of a record."""

    async def close(self) -> None:
        """Close the HTTP client."""
        ...

    def open(self, account_id: str, key: str, *, pace_key: str) -> AccountingSystem:
        """Bind to one account with its key."""
        ...

    def draft_page(self, account_id: str) -> str:
        """Give the address of the account's list of drafts, for people (no deep link is known)."""
        ...

    def read_webhook(self, body: bytes) -> Notice:
        """Parse a verified body, purely; ``ValueError`` when it is not what the contract says."""
        ...
