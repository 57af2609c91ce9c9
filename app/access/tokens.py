"""Tell who a bearer token belongs to: a JWT of a known issuer, or one of our API tokens."""

import hashlib
import json
import re
import secrets
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError

from app.access.caller import ADMINISTRATOR, USER, Caller
from app.access.jwks import KeySets
from app.issuers import Issuer

API_TOKEN_PREFIX: Final = "tct_"  # noqa: S105 - the public prefix of every token, not a token
_LARGEST_TOKEN: Final = 8192
_LEEWAY_SECONDS: Final = 60
_REFUSED_HEADERS: Final = frozenset({"crit", "jku", "jwk", "x5u", "x5c"})
_SUBJECT: Final = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
_ROLES: Final = {"administrator": ADMINISTRATOR, "user": USER}


class TokenRefused(Exception):  # noqa: N818 - named by what is said of the token
    """Say that a token is not believed.

    Why is for the log, the caller gets one and the same 401.
    """


class KeysUnavailable(Exception):  # noqa: N818 - named by what is missing
    """Say that an issuer's keys could not be fetched; the caller should try again."""


def new_api_token() -> str:
    """Make a fresh API token; only its hash is to be kept."""
    return API_TOKEN_PREFIX + secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """Give what is stored of an API token."""
    return hashlib.sha256(token.encode()).digest()


async def read_jwt(
    token: str, key_sets: KeySets, *, now: Callable[[], float] = time.time
) -> Caller:
    """
    Give the caller a JWT speaks of.

    The issuer named in the token chooses one configured issuer; algorithm, keys and audience come
    from our settings, never from the token.

    Raises:
        TokenRefused: It is too long, malformed, unsigned, of another issuer, algorithm or audience,
            not valid now, or lacks accounts or a known role.
        KeysUnavailable: The issuer's keys could not be fetched yet, so nothing can be said of it.

    """
    if len(token) > _LARGEST_TOKEN or token.count(".") != 2:
        raise TokenRefused("form")
    header, payload = (_part(token, position) for position in (0, 1))
    if _REFUSED_HEADERS & header.keys():
        raise TokenRefused("header")
    issuer = key_sets.issuers.get(str(payload.get("iss")))
    if issuer is None or header.get("alg") != issuer.algorithm:
        raise TokenRefused("issuer")
    key_id = header.get("kid")
    keys = await key_sets.find(issuer, key_id if isinstance(key_id, str) else None)
    if keys is None:
        raise KeysUnavailable(issuer.issuer)
    try:
        claims = jwt.decode(token, keys, algorithms=[issuer.algorithm]).claims
    except (JoseError, ValueError, TypeError) as err:
        raise TokenRefused("signature") from err
    _check_claims(claims, issuer, now())
    return _caller(claims, issuer)


def _part(token: str, position: int) -> dict[str, Any]:
    text = token.split(".")[position]
    try:
        value = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError) as err:
        raise TokenRefused("form") from err
    if not isinstance(value, dict):
        raise TokenRefused("form")
    return value


def _check_claims(claims: Mapping[str, Any], issuer: Issuer, now: float) -> None:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if issuer.audience not in audiences:
        raise TokenRefused("audience")
    expires, starts = _instant(claims.get("exp")), _instant(claims.get("nbf", 0))
    if not starts - _LEEWAY_SECONDS <= now <= expires + _LEEWAY_SECONDS:
        raise TokenRefused("times")


def _instant(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise TokenRefused("times")
    return value


def _caller(claims: Mapping[str, Any], issuer: Issuer) -> Caller:
    accounts = claims.get(issuer.accounts_claim)
    scopes = _ROLES.get(str(claims.get(issuer.role_claim)))
    subject = claims.get("sub")
    if not isinstance(accounts, list) or not all(_is_id(account) for account in accounts):
        raise TokenRefused("accounts")
    if scopes is None or not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        raise TokenRefused("claims")
    return Caller(
        issuer=issuer.issuer,
        subject=subject,
        side=issuer.side,
        accounts=frozenset(str(account) for account in accounts),
        scopes=scopes,
    )


def _is_id(account: object) -> bool:
    return isinstance(account, str | int) and not isinstance(account, bool)
