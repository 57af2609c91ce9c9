"""Ask of every request who calls and whether they may; a FastAPI dependency for each scope."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Final

import structlog
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import select, update

from app.access.caller import Caller, Scope
from app.access.jwks import KeySets
from app.access.process import Process, process_of
from app.access.store import ApiToken
from app.access.tokens import (
    API_TOKEN_PREFIX,
    KeysUnavailable,
    TokenRefused,
    read_jwt,
    token_hash,
)
from app.canonical import Side
from app.database import CommitPoint
from app.failures import require_known_query
from app.problems import Problem

_log = structlog.get_logger()
_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="bearer",
    description="A JWT of Conta or Timerabbit, or an API token (`tct_…`).",
)
_NOTE_USE_EVERY: Final = timedelta(minutes=1)

Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def signed_in(request: Request, credentials: Credentials) -> Caller:
    """
    Give the caller of a request.

    Raises:
        Problem: ``not-signed-in`` (401), the same whatever is wrong with the token;
            ``system-unreachable`` (503) where its issuer's keys could not be fetched yet.

    """
    # Of two headers each reader on the way might believe another one.
    if credentials is None or len(request.headers.getlist("authorization")) != 1:
        raise _refusal()
    token = credentials.credentials
    process = process_of(request)
    if token.startswith(API_TOKEN_PREFIX):
        return await _api_caller(token, process)
    key_sets: KeySets = request.app.state.key_sets
    try:
        return await read_jwt(token, key_sets, now=lambda: process.clock().timestamp())
    except TokenRefused as refused:
        _log.info("token refused", reason=str(refused))
        raise _refusal() from None
    except KeysUnavailable:
        raise Problem("system-unreachable", headers={"Retry-After": "30"}) from None


def require(scope: Scope) -> Callable[..., Awaitable[Caller]]:
    """
    Give the dependency that lets only callers with a scope pass.

    It raises ``not-signed-in`` (401), ``scope-missing`` (403), or ``invalid-request`` (422) where
    the query has a parameter that the operation does not know.
    """

    async def allowed(request: Request, caller: Annotated[Caller, Depends(signed_in)]) -> Caller:
        if scope not in caller.scopes:
            raise Problem("scope-missing", scope=scope.value)
        require_known_query(request)
        return caller

    return allowed


async def _api_caller(token: str, process: Process) -> Caller:
    now = process.clock()
    async with process.database.reading() as session:
        row = await session.scalar(select(ApiToken).where(ApiToken.hash == token_hash(token)))
    if row is None or row.revoked_at is not None or (row.expires_at and row.expires_at <= now):
        raise _refusal()
    if row.last_used_at is None or row.last_used_at < now - _NOTE_USE_EVERY:
        async with process.database.transaction(CommitPoint.PLAIN) as session:
            await session.execute(
                update(ApiToken).where(ApiToken.token_id == row.token_id).values(last_used_at=now)
            )
    return Caller(
        issuer="token",
        subject=str(row.token_id),
        side=Side(row.side),
        accounts=frozenset({row.account}),
        scopes=frozenset(Scope(scope) for scope in row.scopes),
        token_id=row.token_id,
    )


def _refusal() -> Problem:
    return Problem("not-signed-in", headers={"WWW-Authenticate": "Bearer"})
