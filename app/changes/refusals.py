"""Say the reasons of another system's refusal in the caller's language."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from app.shipped import read_texts

_BY_NUMBER: Final = "http-"
"""How a refusal is named that had no name of its own."""


def refusal_texts() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Read the texts of reasons and fields, by code."""
    return read_texts(Path(__file__).with_name("refusal_texts.json"))


def say_reason(reason: Mapping[str, Any], language: str) -> str:
    """
    Say one reason and the field it is about.

    Our words come first, then the system's own; a rule that neither names is told by its code,
    which support can look up.
    """
    code, field = str(reason.get("code") or ""), str(reason.get("field") or "")
    own = reason.get("text") or {}
    said = _text("reasons", code, language) or own.get(language) or own.get("nb") or own.get("en")
    named = said or ("" if code.startswith(_BY_NUMBER) and field else code)
    return " – ".join(filter(None, (named, _text("fields", field, language) or field))) or "–"


def _text(part: str, code: str, language: str) -> str | None:
    texts = refusal_texts()[part].get(code)
    return None if texts is None else texts.get(language) or texts["nb"]
