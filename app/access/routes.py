"""Take in what concerns API tokens: make, list, revoke."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field
from sqlalchemy import func, select, update
from uuid_utils.compat import uuid7

from app.access.caller import Caller, Scope
from app.access.process import Process, process_of
from app.access.require import require
from app.access.store import ApiToken
from app.access.tokens import new_api_token, token_hash
from app.database import CommitPoint
from app.documents import AnswerDocument, Listing, Moment, RequestDocument
from app.idempotency import REPLAYED, KeyHeader, Repeat, claim, finish, keyed_call
from app.paging import Paging
from app.problems import FieldError, Problem, responses

router = APIRouter(tags=["tokens"])
MayWrite = Annotated[Caller, Depends(require(Scope.TOKENS_WRITE))]
Here = Annotated[Process, Depends(process_of)]
_COMMON = ("not-signed-in", "scope-missing", "invalid-request")

_TOKEN: dict[str, Any] = {
    "id": "0199f3a0-0000-7000-8000-0000000000bb",
    "name": "Regnskapsføreren",
    "hint": "…x7Qk",
    "account": "1001",
    "scopes": ["links:read", "invoices:read"],
    "createdAt": "2026-11-24T09:00:00Z",
    "expiresAt": None,
    "revokedAt": None,
    "lastUsedAt": None,
}


class TokenRequest(RequestDocument):
    """Ask for an API token of one of your accounts."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "name": "Regnskapsføreren",
                    "account": "1001",
                    "scopes": ["links:read", "invoices:read"],
                }
            ]
        }
    }

    name: str = Field(min_length=1, max_length=100)
    account: str = Field(min_length=1, max_length=64)
    scopes: list[Scope] = Field(min_length=1, max_length=8)
    expires_at: Moment | None = Field(
        default=None, description="When the token ends; without it, it lasts until revoked."
    )


class TokenAnswer(AnswerDocument):
    """Hold what may be shown of a token."""

    model_config = {"json_schema_extra": {"examples": [_TOKEN]}}

    id: str
    name: str
    hint: str
    account: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class NewToken(TokenAnswer):
    """Hold a token just made; `token` is shown this once, and `null` when the call is repeated."""

    model_config = {"json_schema_extra": {"examples": [{**_TOKEN, "token": "tct_…"}]}}

    token: str | None


@router.post(
    "/v1/tokens",
    status_code=201,
    operation_id="makeToken",
    summary="Make an API token for an integrator.",
    responses=responses(
        *_COMMON, "person-needed", "account-not-yours", "scope-not-yours",
        "idempotency-key-missing", "idempotency-key-reused", "idempotency-key-in-progress",
    ),
)  # fmt: skip
async def post_token(
    body: TokenRequest,
    caller: MayWrite,
    process: Here,
    request: Request,
    response: Response,
    idempotency_key: KeyHeader = None,  # noqa: ARG001 - declared here, read by keyed_call
) -> NewToken:
    """
    Use this to let a program call without a person signed in.

    The token is shown once; a repeated call shows the same token's facts without it. It belongs to
    one account and can have only scopes you have. Only a person makes tokens: an API token with
    `tokens:write` may list and revoke them, so that one that leaked can neither outlive its end nor
    survive being revoked. Scope `tokens:write`.
    """
    if caller.token_id is not None:
        raise Problem("person-needed")
    if body.account not in caller.accounts:
        raise Problem("account-not-yours")
    for scope in body.scopes:
        if scope not in caller.scopes:
            raise Problem("scope-not-yours", scope=scope.value)
    call = await keyed_call(request, caller.name)
    now = process.clock()
    token: str | None = new_api_token()
    async with process.database.transaction(CommitPoint.PLAIN) as session:
        claimed = await claim(session, call, link_id=None, now=now)
        if isinstance(claimed, Repeat):
            row = await session.get_one(ApiToken, UUID(claimed.resource_id))
            token = None
            response.headers.update(REPLAYED)
        else:
            _require_time_left(body, now)
            row = _row(body, caller, token or "", now)
            session.add(row)
            await finish(session, call, claimed, resource_id=str(row.token_id))
    return NewToken(**_facts(row), token=token)


def _require_time_left(body: TokenRequest, now: datetime) -> None:
    """Refuse a token that would be over before it is used."""
    if body.expires_at is not None and body.expires_at <= now:
        error = FieldError("/expiresAt", "in-the-past", "Must be later than now.")
        raise Problem("invalid-request", errors=[error])


def _row(body: TokenRequest, caller: Caller, token: str, now: datetime) -> ApiToken:
    return ApiToken(
        token_id=uuid7(), hash=token_hash(token), hint="…" + token[-4:], name=body.name,
        side=caller.side.value, account=body.account,
        scopes=sorted({scope.value for scope in body.scopes}), created_by=caller.subject,
        created_at=now, expires_at=body.expires_at, revoked_at=None, last_used_at=None,
    )  # fmt: skip


@router.get(
    "/v1/tokens",
    operation_id="listTokens",
    summary="List the API tokens of your accounts.",
    responses=responses("not-signed-in", "scope-missing", "invalid-request", "invalid-cursor"),
)
async def get_tokens(caller: MayWrite, process: Here, paging: Paging) -> Listing[TokenAnswer]:
    """
    Use this to see which tokens exist and when each was last used; the newest first.

    Revoked and ended ones are among them. Scope `tokens:write`.
    """
    page = paging.of(f"tokens|{caller.name}", key=process.cursor_key)
    query = select(ApiToken).where(
        ApiToken.side == caller.side.value, ApiToken.account.in_(caller.accounts)
    )
    if page.after_id is not None:
        query = query.where(ApiToken.token_id < page.after_id)
    async with process.database.reading() as session:
        rows = await session.scalars(query.order_by(ApiToken.token_id.desc()).limit(page.row_limit))
        shown, more = page.cut(rows.all(), lambda row: [str(row.token_id)])
    items = [TokenAnswer(**_facts(row)) for row in shown]
    return Listing[TokenAnswer](items=items, next_cursor=more)


@router.delete(
    "/v1/tokens/{token_id}",
    status_code=204,
    operation_id="revokeToken",
    summary="Revoke an API token now.",
    responses=responses(*_COMMON, "not-found"),
)
async def delete_token(token_id: UUID, caller: MayWrite, process: Here) -> None:
    """Use this when a token may be known to others; its next call is refused.

    Scope `tokens:write`.
    """
    async with process.database.transaction(CommitPoint.PLAIN) as session:
        found = await session.scalar(
            update(ApiToken)
            .where(
                ApiToken.token_id == token_id,
                ApiToken.side == caller.side.value,
                ApiToken.account.in_(caller.accounts),
            )
            .values(revoked_at=func.coalesce(ApiToken.revoked_at, process.clock()))
            .returning(ApiToken.token_id)
        )
        if found is None:
            raise Problem("not-found")


def _facts(row: ApiToken) -> Mapping[str, Any]:
    return {
        "id": str(row.token_id),
        "name": row.name,
        "hint": row.hint,
        "account": row.account,
        "scopes": list(row.scopes),
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "revoked_at": row.revoked_at,
        "last_used_at": row.last_used_at,
    }
