"""Say what a register of businesses must offer; it is asked, never written, and never required."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from app.canonical import Address


@dataclass(frozen=True, slots=True)
class Business:
    """
    Hold what a register says of an organization number.

    Args:
        name: As the register writes it, usually in capitals; empty where it says no more than that
            the business is gone.
        form: Its code of the legal form (AS, ENK, NUF …).
        address: Where it does business, else where it takes mail; empty where neither is known.
        main_unit: For a sub-unit, the number of the main unit it belongs to.
        struck_off: It is not in the register any more.

    """

    number: str
    name: str = ""
    form: str | None = None
    address: Address | None = None
    main_unit: str | None = None
    bankrupt: bool = False
    liquidating: bool = False
    struck_off: bool = False


Businesses = Mapping[str, Business | None]
"""What a register answered, by organization number; ``None`` where it knows no such number."""


class BusinessRegister(Protocol):
    """Be an open register of businesses."""

    most_at_once: int
    """Numbers that one look-up takes."""

    async def look_up(self, numbers: Collection[str]) -> Businesses:
        """
        Look numbers up, at most ``most_at_once``, nine digits each.

        A number of which the register says what we cannot read, or for which it refuses the call,
        is left out of the answer; the others are answered all the same.

        Raises:
            SystemFault: The register did not answer; nothing is known of any of them.

        """
        ...

    async def close(self) -> None:
        """Close the HTTP client."""
        ...
