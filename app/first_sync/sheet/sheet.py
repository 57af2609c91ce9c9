"""Say what stands in the sheet of a plan: its columns, its rows and its words."""

from collections.abc import Mapping
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

from app.canonical import SYNCED_FIELDS, RecordKind, Side
from app.records.judge import say_finding
from app.records.register_facts import facts_shown
from app.records.shown import reasons_shown, record_shown
from app.shipped import read_texts

WINNABLE: Final = tuple(dict.fromkeys(name for kind in RecordKind for name in SYNCED_FIELDS[kind]))
"""Fields for which a line can say whose value counts, those of customers first."""

COLUMNS: Final = (
    "id", "version", "kind", "side", "name", "organization_number", "email", "phone", "street",
    "postal_code", "city", "deed", "lacks", "candidates", "answer", "partner", "partner_name",
    "answered_by", "answered_at", *(f"winner:{name}" for name in WINNABLE),
)  # fmt: skip
"""The columns in their order; an uploaded sheet needs ``id``, ``version`` and ``answer``."""

READ_COLUMNS: Final = ("id", "version", "answer", "partner", *(f"winner:{n}" for n in WINNABLE))
"""The columns of an uploaded sheet that say something; the others are for the reader's eye."""

NO_ANSWER: Final = "none"
"""The answer word that takes an answer back; an empty cell leaves the line as it is."""


_LONGEST_LIST: Final = 4_000
"""Signs in a cell that names records; one of 5,000 would refuse the sheet when it comes back."""

_BETWEEN: Final = " | "

_TOLD: Final = ("name", "organizationNumber", "number", "address", "email")
"""What a person tells two records apart by, of customers and projects."""


def sheet_texts() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Read headings, words and errors, each in nb, nn and en."""
    return read_texts(Path(__file__).with_name("texts.json"))


def headings(language: str) -> list[str]:
    """Give the columns' headings in a language."""
    return [sheet_texts()["columns"][name][language] for name in COLUMNS]


def row_of(line: Mapping[str, Any], language: str) -> list[str]:
    """Give a line's cells, all of them text, so that no zero in front is lost."""
    record: Mapping[str, Any] = line["anchor"]
    others: Mapping[str, Any] = line["others"] or {}
    address: Mapping[str, Any] = record.get("address") or {}
    street = ", ".join(filter(None, (address.get("line1"), address.get("line2"))))
    cells = {
        "id": str(line["proposal_id"]),
        "version": str(line["version"]),
        "kind": _word(line["kind"], language),
        "side": _word(line["anchor_side"], language),
        "name": record["name"],
        "organization_number": record.get("organization_number"),
        "email": record.get("email"),
        "phone": record.get("phone"),
        "street": street,
        "postal_code": address.get("postal_code"),
        "city": address.get("city"),
        "deed": _word("link-deed" if line["deed"] == "link" else line["deed"], language),
        "lacks": _lacks(line, language),
        "candidates": _likened(line, language),
        "answer": sheet_texts()["answers"][line["answer"]][language] if line["answer"] else "",
        "partner": line["partner_id"],
        "partner_name": others.get(line["partner_id"], {}).get("name"),
        "answered_by": line["answered_by"],
        "answered_at": line["answered_at"].isoformat() if line["answered_at"] else "",
    }
    cells |= {
        f"winner:{name}": _word(line["winners"][name], language) if name in line["winners"] else ""
        for name in WINNABLE
    }
    return [str(cells[name] or "") for name in COLUMNS]


def column_of(heading: str) -> str | None:
    """Name the column a heading means, in any of the languages; ``None`` for a foreign one."""
    return _by_word("columns").get(_plain(heading))


def choice_of(word: str) -> str | None:
    """Name the answer a word means, in any of the languages; ``None`` where it means nothing."""
    return _by_word("answers").get(_plain(word).replace("_", " "))


def winner_of(word: str) -> str | None:
    """Name the side a word means, by its product or by our own word; ``None`` for any other."""
    return {_plain(name): side.value for side in Side for name in _names(side)}.get(_plain(word))


def say_error(code: str, language: str) -> str:
    """Give what is wrong with a cell, in words."""
    return sheet_texts()["errors"][code][language]


@cache
def _by_word(part: str) -> Mapping[str, str]:
    texts = sheet_texts()[part]
    own = {name.replace("_", " "): name for name in texts}
    return own | {_plain(word): name for name, said in texts.items() for word in said.values()}


def _names(side: Side) -> set[str]:
    return {side.value, *sheet_texts()["words"][side.value].values()}


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _word(code: str, language: str) -> str:
    return sheet_texts()["words"][code][language]


def _lacks(line: Mapping[str, Any], language: str) -> str:
    """Say what the record lacks, and what the register knows of it that is no finding."""
    found = [say_finding(one, language)["text"] for one in line["findings"]]
    known = facts_shown(line["anchor"], line["businesses"], language)
    return " ".join(dict.fromkeys([*found, *(one["text"] for one in known)]))


def _likened(line: Mapping[str, Any], language: str) -> str:
    """Name the candidates, then the suspected doubles; what finds no room is counted."""
    others, doubles = line["others"] or {}, line["doubles"] or {}
    double_of = _word("double-of", language)
    told = [_candidate(one, others, line, language) for one in line["candidates"]]
    told += [f"{double_of} {_candidate(one, doubles, line, language)}" for one in line["siblings"]]
    cut = [one[: _LONGEST_LIST - len(_BETWEEN)] for one in told]
    lengths = accumulate(len(one) + len(_BETWEEN) for one in cut)
    fits = [one for one, length in zip(cut, lengths, strict=True) if length <= _LONGEST_LIST]
    more = len(told) - len(fits)
    return _BETWEEN.join([*fits, *([f"… (+{more})"] if more else [])])


def _candidate(
    one: Mapping[str, Any], records: Mapping[str, Any], line: Mapping[str, Any], language: str
) -> str:
    told = reasons_shown(one, language)
    stored = records.get(told["id"])
    record = record_shown(stored) or {}
    says = ", ".join(str(record[name]) for name in _TOLD if record.get(name))
    known = facts_shown(stored, line["businesses"], language, beside=line["anchor"])
    why = "; ".join([told["reasons"], *(fact["text"] for fact in known)])
    return f"{told['id']}: {says} ({why})"
