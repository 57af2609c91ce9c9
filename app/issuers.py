"""Describe who issues the callers' JWTs, as the operator configures it."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator

from app.addresses import is_web_address
from app.canonical import Side

Algorithm = Literal["ES256", "ES384", "ES512", "RS256", "PS256", "EdDSA"]
"""Signatures by a key that only the issuer holds. ``none`` is none, and a shared secret (``HS…``)
would be whatever the published key set says."""


class Issuer(BaseModel):
    """
    Describe one issuer of the callers' JWTs.

    Args:
        side: The side whose accounts the tokens list.
        algorithm: The one algorithm accepted; never taken from the token.

    """

    model_config = ConfigDict(extra="forbid")

    issuer: str = Field(min_length=1)
    side: Side
    jwks_url: str
    audience: str = Field(default="timerabbit-conta", min_length=1)
    algorithm: Algorithm = "ES256"
    accounts_claim: str = "accounts"
    role_claim: str = "role"

    @field_validator("jwks_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if not is_web_address(value):
            raise ValueError("must be an address like https://issuer.example/jwks.json")
        return value


_ISSUERS = TypeAdapter(tuple[Issuer, ...])


def parse_issuers(text: str) -> tuple[Issuer, ...]:
    """
    Parse a JSON list of issuers; an empty text is none.

    Raises:
        pydantic.ValidationError: Something in it is wrong; the text names the place.

    """
    return _ISSUERS.validate_json(text) if text.strip() else ()


def named_twice(issuers: Sequence[Issuer]) -> str | None:
    """Name an issuer that stands twice: its tokens would be believed for either side."""
    names = [one.issuer for one in issuers]
    return next((name for name in names if names.count(name) > 1), None)
