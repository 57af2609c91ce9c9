"""Say the findings of a connection test in the caller's language."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.problems import say
from app.shipped import read_texts
from app.systems.ports import Finding


def finding_texts() -> Mapping[str, Any]:
    """Read the texts of all findings, by code."""
    return read_texts(Path(__file__).with_name("finding_texts.json"))


def say_finding(finding: Finding, language: str) -> dict[str, str]:
    """Give text and remedy of a finding; one without a text of its own says its code."""
    texts = finding_texts().get(finding.code)
    if texts is None:
        return {"text": finding.code, "remedy": ""}
    return {
        "text": say(texts["text"], language, finding.facts),
        "remedy": say(texts["remedy"], language, finding.facts),
    }
