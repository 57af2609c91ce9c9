"""Say the findings of a connection test in the caller's language."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from app.problems import say
from app.systems.ports import Finding


@cache
def finding_texts() -> Mapping[str, Any]:
    """Read the texts of all findings, by code."""
    path = Path(__file__).parent / "finding_texts.json"
    texts: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return texts


def say_finding(finding: Finding, language: str) -> dict[str, str]:
    """Give text and remedy of a finding; one without a text of its own says its code."""
    texts = finding_texts().get(finding.code)
    if texts is None:
        return {"text": finding.code, "remedy": ""}
    return {
        "text": say(texts["text"], language, finding.facts),
        "remedy": say(texts["remedy"], language, finding.facts),
    }
