"""Refuse calls in Conta's shapes (facts of 2026-11, section 9)."""

from collections.abc import Iterable
from typing import Any

from app.sandbox.openapi import Flaw

MISSING: dict[str, str] = {"NO": "Oversettelse mangler.", "EN": "Translation not found."}


class Refusal(Exception):  # noqa: N818 - named by what Conta does
    """Carry the status and body with which Conta refuses a call."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{status} {body['name']}")
        self.status = status
        self.body = body


def api(status: int, name: str, category: str = "API") -> Refusal:
    """Refuse for the platform: login, access, unknown path or id."""
    return Refusal(status, {"category": category, "name": name})


def rule(name: str, norwegian: str, english: str, **properties: object) -> Refusal:
    """Refuse for a business rule: 422, with texts; ``properties`` only where Conta gives any."""
    texts = {"NO": norwegian, "EN": english}
    body = {"category": "CUSTOM", "name": name, "messages": texts}
    return Refusal(422, body | ({"properties": properties} if properties else {}))


def unknown_id() -> Refusal:
    """Refuse an id that the organization does not have."""
    return api(404, "NotFoundIdModelStorageToolException")


def foreign_key() -> Refusal:
    """Refuse a reference to a record that the organization does not have (seen by a client)."""
    return api(409, "ForeignKeyViolationDatabaseToolException")


def invalid(echo: object, flaws: Iterable[Flaw]) -> Refusal:
    """
    Refuse field by field: 409, with the whole request echoed.

    Some of Conta's keys have no text in either language; ours have none at all.
    """
    errors = [
        {
            "type": "propertyCondition",
            "id": flaw.rule,
            "property": {
                "path": ".".join(map(str, flaw.pointer)),
                "value": _value(echo, flaw.pointer),
                "pathName": MISSING,
                "dataType": [],
            },
            "messages": MISSING,
        }
        for flaw in flaws
    ]
    body = {"category": "INPUT", "name": "InputOpException", "input": echo, "errors": errors}
    return Refusal(409, body)


def _value(echo: Any, pointer: tuple[str | int, ...]) -> Any:  # noqa: ANN401 - any JSON
    for step in pointer:
        try:
            echo = echo[step]
        except (KeyError, IndexError, TypeError):
            return None
    return echo
