"""Say who a caller is and what they may do; values only, pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.canonical import Side


class Scope(StrEnum):
    """Name the rights an operation asks for."""

    LINKS_READ = "links:read"
    LINKS_WRITE = "links:write"
    SYNC_DECIDE = "sync:decide"
    INVOICES_READ = "invoices:read"
    INVOICES_WRITE = "invoices:write"
    SPECIFICATIONS_READ = "specifications:read"
    TOKENS_WRITE = "tokens:write"
    OPERATOR = "operator"


ADMINISTRATOR: Final = frozenset(Scope) - {Scope.OPERATOR}
"""What an administrator of one of the two systems may do."""

USER: Final = frozenset({Scope.LINKS_READ, Scope.INVOICES_READ, Scope.INVOICES_WRITE})
"""What an ordinary user may do; reading drafts comes with writing them."""


@dataclass(frozen=True, slots=True)
class Caller:
    """
    Hold who calls.

    Args:
        issuer: The issuer of the JWT, or ``token`` for an API token.
        subject: The user's id at the issuer, or the token's id.
        side: The side whose accounts are listed.
        accounts: The accounts of that side the caller may see.
        token_id: Set for an API token.

    """

    issuer: str
    subject: str
    side: Side
    accounts: frozenset[str]
    scopes: frozenset[Scope]
    token_id: UUID | None = None

    @property
    def name(self) -> str:
        """Give one text that tells callers apart, for answers and keys."""
        return f"{self.issuer}|{self.subject}"

    def sees(self, *, time_account: str | None, books_account: str | None) -> bool:
        """Say whether a link of these accounts is the caller's."""
        own = time_account if self.side is Side.TIME else books_account
        return own is not None and own in self.accounts
