"""Say in words why a record is not in step and who can do something about it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from app.changes.refusals import say_reason
from app.documents import AnswerDocument, shown_field
from app.problems import catalogue, say

Who = Literal["nobody", "administrator", "time", "books"]
"""Who can fix it: nobody needs to, the person in charge of the link, or one in either system."""

_WHO: Final[Mapping[str, Who]] = {
    "other-system-away": "nobody",
    "other-system-busy": "nobody",
    "record-changed-meanwhile": "nobody",
    "record-not-found": "nobody",
    "pair-changed-meanwhile": "nobody",
    "create-not-settled": "nobody",
    "projects-need-smart": "books",
    "project-customer-not-linked": "administrator",
    "project-customer-locked": "time",
    "other-system-refused": "administrator",
    "record-gone": "administrator",
    "both-records-gone": "nobody",
    "merged-into-linked-record": "administrator",
    "conflict": "administrator",
    "key-missing": "books",
    "key-refused": "books",
    "organization-blocked": "books",
    "login-lost": "time",
    "trial-ended": "time",
}

_NAMES: Final = {"time": "Timerabbit", "books": "Conta"}
"""The sides as people call them."""


class Why(AnswerDocument):
    """
    Say why, in the caller's language.

    Args:
        code: Stable; the same texts stand at `/problems/{code}`.
        fixable_by: `nobody` where time helps by itself, `administrator` of the link, or someone
            in the `time` or `books` system.
        facts: The values the texts are made with.

    """

    code: str
    title: str
    detail: str
    remedy: str
    fixable_by: Who
    facts: Mapping[str, Any]


def explain(code: str, facts: Mapping[str, Any], *, language: str) -> Why:
    """Give the texts of a code with its facts; an unknown code is shown as a fault of ours."""
    kind = catalogue().get(code) or catalogue()["unexpected-failure"]
    values = {name: _in_words(value, language) for name, value in facts.items()}
    if (side := facts.get("side")) in _NAMES:
        values["system"] = _NAMES[side]
    return Why(
        code=code,
        title=say(kind.title, language, values),
        detail=say(kind.detail, language, values),
        remedy=say(kind.remedy, language, values),
        fixable_by=_fixable_by(code),
        facts={name: _shown(value) for name, value in facts.items()},
    )


def needs_person(code: str) -> bool:
    """Say whether what a record waits for is somebody's hand; a fault of ours is tried again."""
    return _fixable_by(code) != "nobody" and code != "unexpected-failure"


def _fixable_by(code: str) -> Who:
    return _WHO.get(code, "administrator")


def _shown(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Name the field of each reason as callers see it."""
    if isinstance(value, Mapping) and "field" in value:
        return {**value, "field": shown_field(value["field"])}
    return [_shown(item) for item in value] if isinstance(value, list) else value


def _in_words(value: object, language: str) -> str:
    """Write a fact as text; a list of reasons in words."""
    if isinstance(value, Mapping):
        return say_reason(value, language)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(_in_words(item, language) for item in value)
    return str(value)
