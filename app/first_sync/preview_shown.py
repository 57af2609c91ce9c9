"""Shape what the API says of a confirmation before it is given."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import Field

from app.canonical import Side
from app.documents import AnswerDocument, FieldOut
from app.first_sync.run.preview import Part, Preview
from app.first_sync.run.values import Values
from app.problems import catalogue, say
from app.records.expected import Change
from app.records.judge import say_finding
from app.settings import Settings
from app.systems.pace import Role, share

_SAMPLE: Final = {"id": "cus_4", "name": "Blåtroll Bygg", "partner": None}
_COUPLE: Final = {**_SAMPLE, "partner": {"id": "500004", "name": "Blåtroll Bygg AS"}}
EXAMPLE_PREVIEW: Final[dict[str, Any]] = {
    "version": 9,
    "hinderedBy": "answers-missing",
    "writes": [
        {"kind": "customer", "deed": "link", "writtenIn": None, "lines": 28, "samples": [_COUPLE]},
        {
            "kind": "customer", "deed": "create-in-books", "writtenIn": "books", "lines": 4,
            "samples": [_SAMPLE],
        },
    ],
    "values": [
        {
            "kind": "customer", "field": "email", "change": "filled", "writtenIn": "time",
            "lines": 6, "samples": [_COUPLE],
        }
    ],
    "leftAsTheyAre": [
        {
            "kind": "customer", "side": "time", "deed": "wait", "reason": "address-missing",
            "text": "Adressen mangler", "lines": 2, "samples": [_SAMPLE],
        }
    ],
    "calls": {"time": 96, "books": 44},
    "estimatedSeconds": 24,
}  # fmt: skip

_REASONS: Final[Mapping[str, Mapping[str, str]]] = {
    "left-out": {
        "nb": "Holdes utenfor av en person",
        "nn": "Vert halden utanfor av ein person",
        "en": "Left out by a person",
    },
    "archived": {
        "nb": "Arkivert på sin egen side, og ingen ligner på den andre",
        "nn": "Arkivert på si eiga side, og ingen liknar på den andre",
        "en": "Archived on its own side, and nobody like it on the other",
    },
    "duplicate": {
        "nb": "Kan stå dobbelt på sin egen side; må besvares",
        "nn": "Kan stå dobbelt på si eiga side; må svarast på",
        "en": "May stand twice on its own side; must be answered",
    },
    "ambiguous": {
        "nb": "Flere kan være den samme; må besvares",
        "nn": "Fleire kan vere den same; må svarast på",
        "en": "Several may be the same; must be answered",
    },
    "likely": {
        "nb": "En kan være den samme; må besvares",
        "nn": "Ein kan vere den same; må svarast på",
        "en": "One may be the same; must be answered",
    },
    "asked_again": {
        "nb": "Svaret eller motparten holder ikke lenger; må besvares på nytt",
        "nn": "Svaret eller motparten held ikkje lenger; må svarast på på nytt",
        "en": "The answer or the partner does not hold any more; must be answered again",
    },
}


class Half(AnswerDocument):
    """Name the record that another is linked to."""

    id: str
    name: str


class Sample(AnswerDocument):
    """Name one record of many, and with a link the one that it is linked to."""

    id: str
    name: str
    partner: Half | None


class Writing(AnswerDocument):
    """Hold lines of a kind that are linked, or created on a side."""

    kind: str
    deed: str
    written_in: str | None = Field(
        description="Where records are created; null for a link: see `values` for what it writes."
    )
    lines: int
    samples: Sequence[Sample]


class ValueChange(AnswerDocument):
    """Hold what linking does to one field of records that exist."""

    kind: str
    field: FieldOut
    change: Change = Field(
        description="`filled` where nothing stood, `overwritten` by a winner, or `asked` later."
    )
    written_in: str | None = Field(description="The side that is written; null where it is asked.")
    lines: int
    samples: Sequence[Sample]


class Left(AnswerDocument):
    """Hold lines that are left as they are, and why in words."""

    kind: str
    side: str
    deed: str
    reason: str
    text: str
    lines: int
    samples: Sequence[Sample]


class PreviewAnswer(AnswerDocument):
    """Say exactly what the confirmation of this version of the plan would do."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE_PREVIEW]}}

    version: int
    hindered_by: str | None = Field(description="The code a confirmation would answer now.")
    writes: Sequence[Writing]
    values: Sequence[ValueChange] = Field(
        description="Values that linking writes into records that exist, or that become conflicts."
    )
    left_as_they_are: Sequence[Left]
    calls: Mapping[str, int] = Field(description="Calls to each side, as an estimate.")
    estimated_seconds: int = Field(description="What those calls take at the pace allowed to us.")


def preview_answer(
    preview: Preview, values: Sequence[Values], settings: Settings, language: str
) -> PreviewAnswer:
    """Show a preview in a language."""
    calls = {side.value: preview.calls(side) for side in Side}
    of_pace = share(Role.WORKER, settings)  # one worker carries it out
    pace = {
        Side.TIME: settings.timerabbit_calls_per_second * of_pace,
        Side.BOOKS: settings.conta_calls_per_second * of_pace,
    }
    return PreviewAnswer(
        version=preview.version,
        hindered_by=preview.hindered_by,
        writes=[_writing(one) for one in preview.done],
        values=[_value(one) for one in values],
        left_as_they_are=[_left(one, language) for one in preview.left],
        calls=calls,
        estimated_seconds=round(max(calls[side.value] / pace[side] for side in Side)),
    )


def _writing(part: Part) -> Writing:
    created = part.deed.removeprefix("create-in-")
    return Writing(
        kind=part.kind, deed=part.deed, written_in=created if created != part.deed else None,
        lines=part.lines, samples=[Sample.model_validate(one) for one in part.samples],
    )  # fmt: skip


def _value(values: Values) -> ValueChange:
    expected = values.expected
    return ValueChange(
        kind=values.kind, field=expected.field, change=expected.change, lines=values.count,
        written_in=expected.side.value if expected.side is not None else None,
        samples=[Sample.model_validate(one) for one in values.samples],
    )  # fmt: skip


def _left(part: Part, language: str) -> Left:
    reason = part.reason or "record-not-ready"
    return Left(
        kind=part.kind, side=part.side, deed=part.deed, reason=reason,
        text=_text(part, reason, language), lines=part.lines,
        samples=[Sample.model_validate(one) for one in part.samples],
    )  # fmt: skip


def _text(part: Part, reason: str, language: str) -> str:
    if reason in _REASONS:
        return _REASONS[reason][language]
    if part.finding is not None:
        return say_finding(part.finding, language)["text"]
    return say(catalogue()[reason].title, language, {})
