"""Say in the OpenAPI document which headers an answer carries beside its body."""

from collections.abc import Mapping
from typing import Any, Final

_TEXT: Final = {"type": "string"}
HEADERS: Final[Mapping[str, dict[str, Any]]] = {
    "ETag": {
        "description": "The version of what is shown; send it as `If-Match` with a change.",
        "schema": _TEXT,
        "example": '"3"',
    },
    "Location": {
        "description": "Where what was made or begun can be read.",
        "schema": _TEXT,
        "example": "/v1/links/0199f3a0-0000-7000-8000-000000000001",
    },
    "Idempotent-Replayed": {
        "description": "`true` where the key was used before and nothing was done again.",
        "schema": _TEXT,
        "example": "true",
    },
    "Retry-After": {
        "description": "Seconds after which trying again may help.",
        "schema": _TEXT,
        "example": "5",
    },
}
"""What each header means, once for the whole document."""

CARRIED: Final[Mapping[str, frozenset[str]]] = {
    "ETag": frozenset(
        {
            "answerProposal", "answerProposals", "answerQuestion", "changeSettings",
            "decideConflict", "downloadSheet", "getFirstSync", "getLink", "getPair",
            "getSpecification", "pairRecords", "previewFirstSync", "putBillingChoice",
            "repointRecord",
        }
    ),
    "Location": frozenset(
        {"confirmFirstSync", "makeInvoiceDraft", "pairRecords", "startFirstSync", "startLink"}
    ),
    "Idempotent-Replayed": frozenset(
        {"confirmFirstSync", "makeInvoiceDraft", "makeToken", "makeWebhookSecret", "startLink"}
    ),
}  # fmt: skip
"""Which operations give a header with their good answers; a test reads their code and compares."""

_WAITING: Final = frozenset({"idempotency-key-in-progress", "draft-just-gone"})
"""Refusals with 409 that say when to come again; those with 503 all do."""


def add_headers(operation: dict[str, Any]) -> None:
    """Complete an operation of the document; no header comes with every one of its answers."""
    name = operation["operationId"]
    carried = [header for header, operations in CARRIED.items() if name in operations]
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            told = carried
        else:
            told = ["Retry-After"] if status == "503" or _waits(answer) else []
        if told:
            answer["headers"] = {
                header: {"$ref": f"#/components/headers/{header}"} for header in told
            }


def _waits(answer: Mapping[str, Any]) -> bool:
    """Say whether a refusal is one that passes by itself."""
    contents = answer.get("content", {}).values()
    return any(not _WAITING.isdisjoint(one.get("examples", {})) for one in contents)
