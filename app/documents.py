"""Shape the JSON that callers send and get: camelCase, strict in, with ETags."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, Generic, TypeVar, get_args

from fastapi import Header
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationInfo,
    field_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from app.canonical import SYNCED_FIELDS, Address
from app.problems import Problem

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT: Final = re.compile(_DAY.pattern + r"[Tt ].+", re.DOTALL)


def _written_day(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Refuse a number, and an instant, that pydantic would take for a day."""
    if isinstance(value, str) and _DAY.fullmatch(value) is None:
        raise PydanticCustomError("date_parsing", "Input should be a day as YYYY-MM-DD")
    return _text_only(value, "date_type", "Input should be a day as text")


def _written_instant(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Refuse a number, also one written as text, that pydantic would take for seconds."""
    if isinstance(value, str) and _INSTANT.fullmatch(value) is None:
        raise PydanticCustomError("datetime_parsing", "Input should be day, time and offset")
    return _text_only(value, "datetime_type", "Input should be an instant as text")


def _text_only(value: Any, code: str, told: str) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, str | date | None):  # defaults come as what they are
        return value
    raise PydanticCustomError(code, told)


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError(
            "datetime_range", "Input should lie between the years 1 and 9999 in UTC"
        ) from None


Day = Annotated[date, BeforeValidator(_written_day)]
"""A calendar day in a request: YYYY-MM-DD and nothing else."""

Moment = Annotated[AwareDatetime, BeforeValidator(_written_instant), AfterValidator(_in_utc)]
"""An instant in a request: text with its offset, given in UTC."""


_STORED: Final[Mapping[str, str]] = {
    to_camel(name): name
    for name in (*(one for names in SYNCED_FIELDS.values() for one in names),
                 *(part.name for part in fields(Address)))
}  # fmt: skip
_SHOWN: Final[Mapping[str, str]] = {name: shown for shown, name in _STORED.items()}


def shown_field(name: Any) -> Any:  # noqa: ANN401 - a name, or None where there is none
    """Give the name of a field, or of a part of one, as callers see it."""
    if not isinstance(name, str):
        return name
    return ".".join(to_camel(part) if "_" in part else part for part in name.split("."))


def shown_fields(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Give a field's value, or values by field, with the names that callers see."""
    if isinstance(value, Mapping):
        return {shown_field(name): shown_fields(part) for name, part in value.items()}
    return value


def _stored_field(name: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(name, str) and _SHOWN.get(name, name) != name:
        raise PydanticCustomError("not_a_field", "Fields are named in camelCase")
    return _STORED.get(name, name) if isinstance(name, str) else name


def _stored_fields(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, Mapping):
        return {_stored_field(name): part for name, part in value.items()}
    return value


FieldOut = Annotated[str, BeforeValidator(shown_field)]
"""A synced field's name in an answer: camelCase, as all else; the store has names of its own."""

ValueOut = Annotated[Any, BeforeValidator(shown_fields)]
"""A synced field's value in an answer."""

FieldIn = Annotated[str, BeforeValidator(_stored_field)]
"""A synced field's name in a request."""

ValueIn = Annotated[Any, BeforeValidator(_stored_fields)]
"""A synced field's value in a request."""


class RequestDocument(BaseModel):
    """Be the parent of request bodies.

    CamelCase members, unknown ones refused, no silent conversion.
    """

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", str_strip_whitespace=True
    )

    @field_validator("*", mode="before")
    @classmethod
    def _taken_literally(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401 - any JSON
        """Refuse what pydantic would convert, and the one sign that no database text can hold."""
        annotation = cls.model_fields[info.field_name or ""].annotation
        wanted = {annotation, *get_args(annotation)}
        if bool in wanted and not isinstance(value, bool | None):
            raise PydanticCustomError("bool_type", "Input should be true or false")
        if int in wanted and isinstance(value, str | bool):
            raise PydanticCustomError("int_type", "Input should be an integer")
        if _holds_nul(value):
            raise PydanticCustomError("string_nul", "Text cannot hold the character U+0000")
        return value


def _holds_nul(value: object) -> bool:
    """Look into lists and members, names of members too; a heap, as JSON may be nested deep."""
    heap = [value]
    while heap:
        match heap.pop():
            case str(text) if "\0" in text:
                return True
            case list(items):
                heap += items
            case Mapping() as members:
                heap += [*members.keys(), *members.values()]
    return False


class AnswerDocument(BaseModel):
    """Be the parent of answers: camelCase members; callers ignore members they do not know."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, from_attributes=True, extra="forbid"
    )


Item = TypeVar("Item")


class Listing(AnswerDocument, Generic[Item]):
    """Hold one page of a list."""

    items: Sequence[Item]
    next_cursor: str | None = None


IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", description="The ETag of your last read; needed for changes."),
]


def etag(version: int | str) -> str:
    """Give the strong ETag of a version: a number, or a short word where no number tells all."""
    return f'"{version}"'


def expect_version(if_match: str | None, version: int | str, *, present: Any) -> None:  # noqa: ANN401 - any JSON
    """
    Compare ``If-Match``, which may list several versions, with what is there now.

    Args:
        present: The resource as it is now, as JSON, to be shown at 412.

    Raises:
        Problem: ``precondition-required`` (428) without the header, ``precondition-failed`` (412)
            when stale.

    """
    if if_match is None:
        raise Problem("precondition-required")
    if not {one.strip() for one in if_match.split(",")} & {etag(version), "*"}:
        raise Problem(
            "precondition-failed", headers={"ETag": etag(version)}, more={"present": present}
        )
