"""Say what is wrong as a problem document (RFC 9457): a stable code, in the caller's language."""

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from fastapi import Request
from fastapi.responses import JSONResponse

from app.shipped import read_texts

LANGUAGES: Final = ("nb", "nn", "en")
MEDIA_TYPE: Final = "application/problem+json"
_TEXTS: Final = Path(__file__).parent / "problem_texts"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """
    Hold what is fixed for a code: it never changes meaning.

    Args:
        detail: A sentence by language with ``{facts}`` in braces.
        remedy: What the caller can do, by language, with the same facts.
        action: A machine-readable remedy, for instance ``reconnect``; or ``None``.

    """

    code: str
    status: int
    title: Mapping[str, str]
    detail: Mapping[str, str]
    remedy: Mapping[str, str]
    action: str | None = None


@cache
def catalogue() -> Mapping[str, ProblemType]:
    """Read all problem types, by code, from ``problem_texts/*.json``."""
    found: dict[str, ProblemType] = {}
    for path in sorted(_TEXTS.glob("*.json")):
        for code, entry in read_texts(path).items():
            if code in found:
                raise ValueError(f"problem code {code} is defined twice")
            found[code] = ProblemType(code=code, **entry)
    return found


@dataclass(frozen=True, slots=True)
class FieldError:
    """Point at one wrong part of a request; ``detail`` never repeats the value."""

    pointer: str
    code: str
    detail: str


class Problem(Exception):  # noqa: N818 - it *is* the problem document
    """
    Stop a request with a problem document.

    Args:
        code: A code of the catalogue; an unknown one is a programming error.
        errors: One item for each wrong part of the request.
        headers: Further response headers, for instance ``Retry-After``.
        more: Further members of the document, for instance the present state at 412.
        facts: Values for the texts; they stand in the document under ``facts`` too.

    """

    def __init__(
        self,
        code: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
        **facts: object,
    ) -> None:
        super().__init__(code)
        self.type = catalogue()[code]
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.more = dict(more or {})
        self.facts = {name: str(value) for name, value in facts.items()}

    def document(
        self, language: str, *, base_url: str, instance: str, request_id: str
    ) -> dict[str, Any]:
        """Write the document in a language; every member of RFC 9457 and ours."""
        kind = self.type
        remedy: dict[str, Any] = {"text": say(kind.remedy, language, self.facts)}
        if kind.action is not None:
            remedy["action"] = kind.action
        return {
            "type": f"{base_url}/problems/{kind.code}",
            "title": say(kind.title, language, self.facts),
            "status": kind.status,
            "detail": say(kind.detail, language, self.facts),
            "instance": instance,
            "code": kind.code,
            "facts": self.facts,
            "errors": [
                {"pointer": e.pointer, "code": e.code, "detail": e.detail} for e in self.errors
            ],
            "remedy": remedy,
            "requestId": request_id,
            **self.more,
        }


def say(texts: Mapping[str, str], language: str, facts: Mapping[str, str]) -> str:
    """Give the text of a language (nn falls back to nb) with its facts filled in."""
    template = texts.get(language) or texts["nb"]
    return template.format_map(_Lenient(facts))


class _Lenient(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "–"


def named_facts(kind: ProblemType) -> dict[str, Any]:
    """Give each fact that a problem's texts name, with its own name in ‹ › for a value."""
    return facts_in(kind.title, kind.detail, kind.remedy)


def facts_in(*told: Mapping[str, str]) -> dict[str, Any]:
    """Give each fact that texts by language name, with its own name in ‹ › for a value."""
    texts = (text for by_language in told for text in by_language.values())
    parts = (part for text in texts for part in string.Formatter().parse(text))
    return {name: f"‹{name}›" for _, name, _, _ in parts if name}


def preferred_language(header: str | None) -> str:
    """Choose nb, nn or en by an ``Accept-Language`` header; nb when nothing fits.

    ``no`` means nb.
    """
    best, best_weight = "nb", 0.0
    for part in (header or "").split(",")[:20]:
        tag, _, parameters = part.strip().partition(";")
        name = tag.split("-")[0].lower().replace("no", "nb")
        weight = _weight(parameters)
        if name in LANGUAGES and weight > best_weight:
            best, best_weight = name, weight
    return best


def _weight(parameters: str) -> float:
    _, _, value = parameters.partition("q=")
    try:
        return min(max(float(value), 0.0), 1.0) if value else 1.0
    except ValueError:
        return 0.0


def answer(request: Request, problem: Problem) -> JSONResponse:
    """Make the response for a problem."""
    language = preferred_language(request.headers.get("accept-language"))
    where = {"base_url": request.app.state.public_url, "instance": request.url.path}
    document = problem.document(language, **where, request_id=request_id_of(request))
    headers = {"Content-Language": language, "Cache-Control": "no-store", **problem.headers}
    return JSONResponse(
        document, status_code=problem.type.status, media_type=MEDIA_TYPE, headers=headers
    )


def request_id_of(request: Request) -> str:
    """Give the id under which a request stands in the log; empty before it has one."""
    return getattr(request.state, "request_id", "")


def responses(*codes: str) -> dict[int | str, dict[str, Any]]:
    """Describe the problems an operation answers, for its OpenAPI document: one example a code."""
    found: dict[int | str, dict[str, Any]] = {}
    for code in codes:
        kind = catalogue()[code]
        content = {MEDIA_TYPE: {"schema": PROBLEM_SCHEMA, "examples": {}}}
        entry = found.setdefault(kind.status, {"description": "", "content": content})
        entry["description"] = "; ".join(filter(None, (entry["description"], kind.title["en"])))
        entry["content"][MEDIA_TYPE]["examples"][code] = {"value": _example(kind)}
    return found


def _example(kind: ProblemType) -> dict[str, Any]:
    where = {"base_url": "https://link.example", "instance": "/v1/links", "request_id": _EXAMPLE_ID}
    return Problem(kind.code, **named_facts(kind)).document("en", **where)


_EXAMPLE_ID: Final = "0199f3a0-0000-7000-8000-000000000000"
_TEXT: Final = {"type": "string"}
_PARTS: Final = {"pointer": _TEXT, "code": _TEXT, "detail": _TEXT}

PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "title", "status", "code", "requestId"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "instance": _TEXT,
        "code": _TEXT,
        "facts": {"type": "object", "additionalProperties": _TEXT},
        "errors": {"type": "array", "items": {"type": "object", "properties": _PARTS}},
        "remedy": {"type": "object", "properties": {"text": _TEXT, "action": _TEXT, "href": _TEXT}},
        "requestId": _TEXT,
    },
}
"""The schema of every problem document, for the OpenAPI document."""
