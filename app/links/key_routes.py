"""Take in the books side's key and the secrets of its webhooks."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field, SecretStr

from app.access.caller import Scope
from app.canonical import Side
from app.database import CommitPoint
from app.documents import AnswerDocument, RequestDocument
from app.idempotency import REPLAYED, KeyHeader, Repeat, claim, finish, keyed_call
from app.links.findings import say_finding
from app.links.key import keep_key, try_key
from app.links.reach import Reached, reach
from app.links.rotate import rotate_time_secret
from app.links.store import WebhookSecret, lock_open_link
from app.links.webhook_secrets import active_secrets, make_secret, revoke_secret
from app.problems import Problem, preferred_language, responses
from app.runtime import Running
from app.systems.ports import AccessReport

router = APIRouter()
MayWrite = Annotated[Reached, Depends(reach(Scope.LINKS_WRITE))]
_COMMON = ("not-signed-in", "scope-missing", "not-found", "invalid-request")

_FINDING: dict[str, Any] = {
    "code": "conta-projects-need-smart",
    "blocking": False,
    "text": "Prosjekter krever Smart i Conta; kunder synkroniseres, prosjekter venter.",
    "remedy": "Bestill Smart i Conta. Prosjektene starter av seg selv etterpå.",
}


class KeyBody(RequestDocument):
    """Hand over the organization's API key; it is sealed and never shown again."""

    model_config = {"json_schema_extra": {"examples": [{"key": "din-nøkkel-fra-conta"}]}}

    key: SecretStr = Field(min_length=1, max_length=500)


class FindingAnswer(AnswerDocument):
    """Hold one finding of a connection test in the caller's language."""

    code: str
    blocking: bool
    text: str
    remedy: str


class KeyReport(AnswerDocument):
    """Hold everything a test of the key found, at once."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "usable": True,
                    "organizationName": "Fjord & Fjell Rådgivning AS",
                    "keyOwner": "Kari Nordmann",
                    "features": ["ALLOW_BOOKKEEPING"],
                    "findings": [_FINDING],
                }
            ]
        }
    }

    usable: bool
    organization_name: str | None
    key_owner: str | None
    features: list[str]
    findings: list[FindingAnswer]


def key_report(report: AccessReport, language: str) -> KeyReport:
    """Say a report in a language."""
    account = report.account
    return KeyReport(
        usable=report.usable,
        organization_name=account.name if account else None,
        key_owner=account.key_owner if account else None,
        features=list(report.features),
        findings=[
            FindingAnswer(
                code=finding.code, blocking=finding.blocking, **say_finding(finding, language)
            )
            for finding in report.findings
        ],
    )


@router.put(
    "/v1/links/{link_id}/conta-key",
    operation_id="putContaKey",
    summary="Test the organization's Conta key and keep it sealed.",
    responses=responses(*_COMMON, "conta-key-unusable", "link-closed"),
)
async def put_conta_key(
    body: KeyBody, reached: MayWrite, runtime: Running, request: Request
) -> KeyReport:
    """
    Use this to save or replace the key made in Conta under «Brukerkonto – API-nøkler».

    All findings come at once. An unusable key is refused and nothing is stored; a link that was
    paused for its key goes on by itself. A closed link takes none. Scope `links:write`.
    """
    reached.require_open()
    language = preferred_language(request.headers.get("accept-language"))
    report = await keep_key(runtime, reached.link_id, body.key.get_secret_value())
    said = key_report(report, language)
    if not report.usable:
        more = {"findings": [item.model_dump(by_alias=True) for item in said.findings]}
        raise Problem("conta-key-unusable", more=more)
    return said


@router.post(
    "/v1/links/{link_id}/conta-key/test",
    operation_id="testContaKey",
    summary="Test the stored Conta key («Test tilkobling»).",
    responses=responses(*_COMMON, "conta-key-missing"),
)
async def post_conta_key_test(reached: MayWrite, runtime: Running, request: Request) -> KeyReport:
    """Use this to see, at any time, whether the key still opens the books. Scope `links:write`."""
    language = preferred_language(request.headers.get("accept-language"))
    return key_report(await try_key(runtime, reached.link_id), language)


class SecretRequest(RequestDocument):
    """Ask for a secret; Timerabbit makes its own, so only Conta's is made here."""

    model_config = {"json_schema_extra": {"examples": [{"system": "conta"}]}}

    system: Literal["conta"] = "conta"


_SECRET: dict[str, Any] = {
    "id": "0199f3a0-0000-7000-8000-0000000000aa",
    "createdAt": "2026-11-24T09:00:00Z",
    "expiresAt": None,
    "lastUsedAt": None,
}


class SecretAnswer(AnswerDocument):
    """Hold what may be shown of a webhook secret."""

    model_config = {"json_schema_extra": {"examples": [_SECRET]}}

    id: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class NewSecret(SecretAnswer):
    """Hold a secret just made.

    `secret` is shown this once, and `null` when the call is repeated.
    """

    model_config = {
        "json_schema_extra": {
            "examples": [{**_SECRET, "secret": "whsec_…", "url": "https://…/v1/webhooks/conta/…"}]
        }
    }

    secret: str | None
    url: str


class SecretList(AnswerDocument):
    """Hold the active secrets, the newest first."""

    model_config = {"json_schema_extra": {"examples": [{"items": [_SECRET]}]}}

    items: Sequence[SecretAnswer]


@router.post(
    "/v1/links/{link_id}/webhook-secrets",
    status_code=201,
    operation_id="makeWebhookSecret",
    summary="Make a secret that signs Conta's webhooks.",
    responses=responses(
        *_COMMON, "webhook-secrets-full", "link-closed", "idempotency-key-missing",
        "idempotency-key-reused", "idempotency-key-in-progress",
    ),
)  # fmt: skip
async def post_webhook_secret(
    body: SecretRequest,  # noqa: ARG001 - says for which system; only one is possible
    reached: MayWrite,
    runtime: Running,
    request: Request,
    response: Response,
    idempotency_key: KeyHeader = None,  # noqa: ARG001 - declared here, read by keyed_call
) -> NewSecret:
    """
    Use this to let Conta's side send signed hints; the secret is shown once.

    Two may be active, so that a sender can change over: the older one ends 24 hours after a newer
    one was made. A closed link gets none. Scope `links:write`.
    """
    call = await keyed_call(request, reached.caller.name)
    now = runtime.clock()
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        claimed = await claim(session, call, link_id=reached.link_id, now=now)
        if isinstance(claimed, Repeat):
            found = await session.get(WebhookSecret, (reached.link_id, UUID(claimed.resource_id)))
            if found is None:
                raise Problem("not-found")
            row, text = found, None
            response.headers.update(REPLAYED)
        else:
            await lock_open_link(session, reached.link_id)
            row, text = await make_secret(session, runtime.vault, reached.link_id, now=now)
            await finish(session, call, claimed, resource_id=str(row.secret_id))
    name = runtime.systems.books.name
    url = f"{runtime.settings.public_url.rstrip('/')}/v1/webhooks/{name}/{reached.link_id}"
    return NewSecret(**_facts(row), secret=text, url=url)


@router.post(
    "/v1/links/{link_id}/webhook-secrets/rotate",
    status_code=204,
    operation_id="rotateWebhookSecret",
    summary="Let Timerabbit change the secret that signs its webhooks.",
    responses=responses(*_COMMON, "link-not-active", "system-unreachable", "system-access-refused"),
)
async def post_rotate(reached: MayWrite, runtime: Running) -> None:
    """
    Use this when Timerabbit's secret may be known to others; nobody sees either.

    The one before verifies for 24 hours yet, as Timerabbit signs with both. Repeating it changes
    the secret once more. Scope `links:write`.
    """
    reached.require_at_work()
    await rotate_time_secret(runtime, reached.link_id)


@router.get(
    "/v1/links/{link_id}/webhook-secrets",
    operation_id="listWebhookSecrets",
    summary="List the active secrets, without showing them.",
    responses=responses(*_COMMON),
)
async def get_webhook_secrets(reached: MayWrite, runtime: Running) -> SecretList:
    """Use this to see which secret is still used before revoking one. Scope `links:write`."""
    async with runtime.database.reading(reached.link_id) as session:
        rows = await active_secrets(session, reached.link_id, Side.BOOKS, now=runtime.clock())
    return SecretList(items=[SecretAnswer(**_facts(row)) for row in rows])


@router.delete(
    "/v1/links/{link_id}/webhook-secrets/{secret_id}",
    status_code=204,
    operation_id="revokeWebhookSecret",
    summary="Revoke a secret now.",
    responses=responses(*_COMMON),
)
async def delete_webhook_secret(secret_id: UUID, reached: MayWrite, runtime: Running) -> None:
    """Use this when a secret may be known to others: the next delivery with it is refused.

    Scope `links:write`.
    """
    async with runtime.database.transaction(CommitPoint.PLAIN, reached.link_id) as session:
        if not await revoke_secret(session, reached.link_id, secret_id):
            raise Problem("not-found")


def _facts(row: WebhookSecret) -> Mapping[str, Any]:
    return {
        "id": str(row.secret_id),
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "last_used_at": row.last_used_at,
    }
