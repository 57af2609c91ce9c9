"""
Write the documents that come from the code: settings, problems, the OpenAPI document.

The figures that a page quotes from the bench are written too.

Run ``python docs/generate.py`` after a change; ``tests/test_docs.py`` compares.
"""

import json
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from pydantic import SecretStr  # noqa: E402 - the path comes first
from pydantic_core import PydanticUndefined  # noqa: E402

from app.invoicing.words import codes_inside  # noqa: E402
from app.main import service_document  # noqa: E402
from app.problems import ProblemType, catalogue, named_facts, say  # noqa: E402
from app.settings import Settings  # noqa: E402


def settings_document() -> str:
    """Write one row for each setting."""
    rows = [
        "# Settings",
        "",
        "Every setting is an environment variable. This page is written by `docs/generate.py`",
        "from `app/settings.py`.",
        "`serve` and `worker` need `TC_KEYRING` and `TC_ISSUERS`; everything else has a default.",
        "A variable that begins with `TC_` and is none of these is refused (exit 2), for a",
        "misspelt one would be passed over in silence.",
        "",
        "| Variable | Default | Meaning |",
        "|---|---|---|",
    ]
    rows += [
        f"| `TC_{name.upper()}` | {_default(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    rows += [
        "",
        "`TC_ISSUERS` is a JSON list; each entry has `issuer`, `side` (`time` or `books`) and",
        "`jwks_url`, and may have `audience` (`timerabbit-conta`), `algorithm` (`ES256`),",
        "`accounts_claim` (`accounts`) and `role_claim` (`role`).",
        "",
    ]
    return "\n".join(rows)


def _default(value: object) -> str:
    if value is None or value is PydanticUndefined or value in ("", ()):
        return "–"
    if isinstance(value, SecretStr):
        return "–"
    if isinstance(value, tuple):
        return "`" + ",".join(str(part) for part in value) + "`"
    return f"`{value}`"


def problems_document() -> str:
    """Write one row for each problem code."""
    rows = [
        "# Problems",
        "",
        "Every refusal is `application/problem+json` with one of these codes. A code never changes",
        "its meaning. This page is written by `docs/generate.py` from `app/problem_texts/`; the",
        "service shows each code in Norwegian (nb, nn) and English under `/problems/{code}`.",
        "One refusal is none of these: what is no HTTP at all, the HTTP server in front answers",
        "with 400 in plain text.",
        "",
        "| Code | Status | What | What to do |",
        "|---|---|---|---|",
    ]
    for code, kind in sorted(catalogue().items()):
        said = (say(texts, "en", _named(kind)) for texts in (kind.title, kind.remedy))
        rows.append(f"| `{code}` | {kind.status} | {' | '.join(said)} |")
    return "\n".join([*rows, *_codes_inside(), ""])


def _codes_inside() -> list[str]:
    """Write one row for each code that no refusal has, but something inside an answer."""
    rows = [
        "",
        "## Codes inside a preview, a draft and an hour",
        "",
        "These refuse no call: each stands in the named member of an answer (a hindrance also in",
        "`leftOut`), with its text in the caller's language. `/problems/{code}` shows them too.",
        "",
        "| Code | Where | Text |",
        "|---|---|---|",
    ]
    for where, texts in codes_inside().items():
        rows += [f"| `{code}` | {where} | {texts[code]['en']} |" for code in sorted(texts)]
    return rows


def _named(kind: ProblemType) -> dict[str, str]:
    """Give each fact its own name in braces for a value; a doubled brace is told as it is read."""
    return {name: f"{{{name}}}" for name in named_facts(kind)}


def openapi_document() -> str:
    """Write the service's OpenAPI document as it is served."""
    return json.dumps(service_document(), ensure_ascii=False, indent=1, sort_keys=False) + "\n"


def bench_figures(page: str) -> str:
    """Give a page with each quoted figure as the last run of the bench measured it."""
    results = json.loads((ROOT / "bench" / "results.json").read_text(encoding="utf-8"))

    def figure(found: re.Match[str]) -> str:
        value = results
        for part in found[1].split("."):
            value = value[part]
        return f"<!--bench:{found[1]}-->{value}"

    return re.sub(r"<!--bench:([\w.]+)-->\d*(?:\.\d+)?", figure, page)


DOCUMENTS: Mapping[str, Callable[[], str]] = {
    "docs/settings.md": settings_document,
    "docs/problems.md": problems_document,
    "openapi/service.json": openapi_document,
}
"""Path from the project's root to what writes it."""


def main() -> None:
    """Write all of them."""
    for path, write in DOCUMENTS.items():
        (ROOT / path).write_text(write(), encoding="utf-8")
        print(path)  # noqa: T201 - a script for the terminal
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        page.write_text(bench_figures(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
