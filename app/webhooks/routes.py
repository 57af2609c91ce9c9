"""Hear of changes: verify the sender, keep the delivery once, note what to look at, answer 202."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

from app.canonical import LinkId, Side
from app.problems import Problem, responses
from app.runtime import Runtime
from app.systems.ports import BooksSystem, Notice, TimeSystem
from app.systems.signatures import BadSignature, verify
from app.webhooks.intake import AWAY, Intake, Verified
from app.webhooks.secrets import SecretCache, Secrets

_log = structlog.get_logger()

_NO_LINK: Final = LinkId(UUID(int=0))
"""Stands for an address that names no link; nothing is ever stored under it."""

_SIGNING: Final = frozenset({"webhook-id", "webhook-timestamp", "webhook-signature"})
_JSON: Final = "application/json"

_KEPT: Final = {
    "accepted": b'{"status":"accepted"}',
    "repeated": b'{"status":"repeated"}',
    "altered": b'{"status":"repeated"}',
}
_REFUSED: Final = {
    "refused": "webhook-not-verified",
    "closed": "webhook-link-closed",
    "misdirected": "webhook-wrong-account",
}


@dataclass(frozen=True, slots=True)
class _Desk:
    """Hold what one application needs to accept webhooks."""

    runtime: Runtime
    secrets: SecretCache
    intake: Intake


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    desk: _Desk | None = getattr(app.state, "webhook_desk", None)
    if desk is not None:
        await desk.intake.close()


router = APIRouter(tags=["webhooks"], lifespan=_lifespan)

_DOCUMENTED: Final[dict[str, Any]] = {
    "security": [],
    "parameters": [
        {
            "name": "system",
            "in": "path",
            "required": True,
            "description": "Name of the sending system.",
            "schema": {"type": "string"},
            "example": "timerabbit",
        },
        {
            "name": "link_id",
            "in": "path",
            "required": True,
            "description": "The link's id.",
            "schema": {"type": "string"},
            "example": "0199f3a0-0000-7000-8000-000000000001",
        },
        *(
            {
                "name": name,
                "in": "header",
                "required": False,
                "description": f"{meaning}; without it the answer is 401.",
                "schema": {"type": "string"},
                "example": example,
            }
            for name, meaning, example in (
                ("webhook-id", "Standard Webhooks: the delivery's id", "msg_2KWPBgLlAfxdpx2AI54p"),
                ("webhook-timestamp", "Standard Webhooks: seconds since 1970", "1795513200"),
                (
                    "webhook-signature",
                    "Standard Webhooks: one or more `v1,` signatures, spaces between",
                    "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
                ),
            )
        ),
    ],
    "requestBody": {
        "required": True,
        "description": "The event as the sending system writes it; read only once it is verified.",
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "examples": {
                    "timerabbit": {
                        "value": {
                            "type": "customer.updated",
                            "companyId": "c-1",
                            "data": {"id": "k-17"},
                        }
                    },
                    "conta": {
                        "value": {
                            "type": "customer.updated",
                            "organizationId": "1001",
                            "data": {"id": "17"},
                        }
                    },
                },
            }
        },
    },
}
_ACCEPTED: Final[dict[int | str, dict[str, Any]]] = {
    202: {
        "description": "Kept. `repeated`: the id was known, nothing was done a second time.",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["status"],
                    "properties": {"status": {"enum": ["accepted", "repeated"]}},
                },
                "examples": {
                    "accepted": {"value": {"status": "accepted"}},
                    "repeated": {"value": {"status": "repeated"}},
                },
            }
        },
    }
}


@router.post(
    "/v1/webhooks/{system}/{link_id}",
    operation_id="acceptWebhook",
    summary="Accept a signed webhook from one of the two systems.",
    status_code=202,
    response_class=Response,
    openapi_extra=_DOCUMENTED,
    responses=_ACCEPTED
    | responses(
        "webhook-not-verified",
        "webhook-link-closed",
        "webhook-wrong-account",
        "webhook-body-invalid",
        "body-too-large",
        "unsupported-media-type",
        "request-timeout",
        "database-unavailable",
    ),
)
async def accept_webhook(request: Request) -> Response:
    """
    Take a hint that a record may have changed; nothing is ever written from its body.

    The signature follows Standard Webhooks (HMAC-SHA256 over id, timestamp and raw body, five
    minutes either way). Whatever cannot be verified is 401 and looks the same: unknown link,
    wrong system, missing header, bad or old signature, revoked secret. 410 comes only for a
    valid signature on a closed link. While a link is connecting, reviewed or paused the hint is
    kept and looked at later. An id is good for one effect; repeat as often as you like. At 503
    nothing was kept: repeat after `Retry-After`. No scope is needed, the signature is the access.
    """
    desk = _desk(request.app)
    runtime = desk.runtime
    name: str = request.path_params["system"]
    system = runtime.systems.by_name.get(name)
    label = name if system is not None else "unknown"
    try:
        status = await _take(request, desk, system)
    except Problem as problem:
        runtime.metrics.accepted.labels(label, problem.type.code).inc()
        raise
    except AWAY:
        runtime.metrics.accepted.labels(label, "database-unavailable").inc()
        raise Problem("database-unavailable", headers={"Retry-After": "5"}) from None
    runtime.metrics.accepted.labels(label, status).inc()
    return Response(_KEPT[status], 202, media_type="application/json")


async def _take(request: Request, desk: _Desk, system: TimeSystem | BooksSystem | None) -> str:
    body = await request.body()
    headers = _signing_headers(request)
    side = Side.BOOKS if system is desk.runtime.systems.books else Side.TIME
    link_id = _link_id(request.path_params["link_id"]) if system is not None else _NO_LINK
    secrets, index = await _verify(desk, (link_id, side), headers, body)
    if system is None or not secrets.ids:
        raise Problem("webhook-not-verified")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
        raise Problem("unsupported-media-type")
    delivery = Verified(
        link_id=link_id,
        side=side,
        system=system.name,
        secret_id=secrets.ids[index],
        delivery_id=headers["webhook-id"].strip(" \t"),
        body=body,
        notice=_read(system, body),
    )
    outcome = await desk.intake.accept(delivery)
    if outcome in _REFUSED:
        raise Problem(_REFUSED[outcome])
    if outcome == "altered":
        _log.warning(
            "a delivery's id came again with another body",
            system=system.name, link_id=str(link_id), delivery_id=delivery.delivery_id,
        )  # fmt: skip
    return outcome


def _signing_headers(request: Request) -> Mapping[str, str]:
    """Give the headers that are signed, each once: of two, one could be verified, one be kept."""
    found: dict[str, str] = {}
    for name, value in request.headers.items():
        if name in _SIGNING and name in found:
            raise Problem("webhook-not-verified")
        if name in _SIGNING:
            found[name] = value
    return found


async def _verify(
    desk: _Desk, whose: tuple[LinkId, Side], headers: Mapping[str, str], body: bytes
) -> tuple[Secrets, int]:
    """Give the secrets and the index of the one that signed; look for newer ones once."""
    now = int(desk.runtime.clock().timestamp())
    secrets = await desk.secrets.secrets(*whose)
    try:
        return secrets, verify(headers, body, secrets=secrets.values, now=now)
    except BadSignature as refusal:
        newer = await desk.secrets.secrets(*whose, newest=True)
        if refusal.code != "no-matching-signature" or newer is secrets:
            raise Problem("webhook-not-verified") from None
    try:
        return newer, verify(headers, body, secrets=newer.values, now=now)
    except BadSignature:
        raise Problem("webhook-not-verified") from None


def _read(system: TimeSystem | BooksSystem, body: bytes) -> Notice:
    try:
        return system.read_webhook(body)
    except ValueError:
        raise Problem("webhook-body-invalid") from None


def _link_id(text: str) -> LinkId:
    try:
        return LinkId(UUID(text))
    except ValueError:
        return _NO_LINK


def _desk(app: FastAPI) -> _Desk:
    desk: _Desk | None = getattr(app.state, "webhook_desk", None)
    if desk is None:
        runtime: Runtime = app.state.runtime
        desk = _Desk(runtime, SecretCache(runtime), Intake(runtime))
        app.state.webhook_desk = desk
    return desk
