"""Check the ledger of one link or all, for the operator, and say each violation in a line."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Any

from app.canonical import LinkId
from app.invoicing.invariants.check import Checked, check_and_keep
from app.invoicing.invariants.violations import Violation
from app.operating.named_links import named_links
from app.operating.words import word
from app.problems import say
from app.runtime import Runtime
from app.shipped import read_texts


class NotChecked(Exception):  # noqa: N818 - named by what happened
    """Say in one sentence why nothing was checked: what was asked for cannot be meant."""


async def check_links(runtime: Runtime, link_id: LinkId | None) -> AsyncIterator[Checked]:
    """
    Check one link after another and keep what was found, as the nightly check does.

    Args:
        link_id: One link, a closed one too, or ``None`` for all that are not closed.

    Raises:
        NotChecked: There is no such link, or the database has no tables.

    """
    for one in await named_links(runtime, link_id, refusal=NotChecked):
        yield await check_and_keep(runtime, one)


def say_checked(checked: Checked, language: str) -> Iterable[str]:
    """Say what was found in one link, a line for each violation."""
    for one in checked.violations:
        told = f" ({word('already-told', language)})" if one.told else ""
        what = say(violation_texts()[one.code]["text"], language, _facts(one))
        yield f"{checked.link_id} {one.code}: {what}{told}"
    if checked.more:
        yield f"{checked.link_id} {word('more', language, count=checked.more)}"


def say_end(links: int, found: Counter[str], language: str) -> Iterable[str]:
    """Say what to do about each kind that was found, and how much was looked at."""
    for code in sorted(found):
        yield f"{code}: {say_remedy(code, language)}"
    yield word("links-checked", language, links=links, count=found.total())


def say_remedy(code: str, language: str) -> str:
    """Say what mends a violation, or where to look."""
    texts = violation_texts().get(code)
    return "–" if texts is None else say(texts["remedy"], language, {})


def as_json(checked: Checked) -> list[dict[str, Any]]:
    """Write the violations of one link for a program; sums are øre."""
    return [
        {
            "linkId": str(checked.link_id), "code": one.code.value,
            "draftIds": [str(draft_id) for draft_id in one.draft_ids], "mark": one.mark,
            "state": one.state, "since": one.since and one.since.isoformat(),
            "entryIds": list(one.entry_ids), "hours": one.hours, "oursOre": one.ours,
            "theirsOre": one.theirs, "contaIds": list(one.books_ids), "told": one.told,
        }
        for one in checked.violations
    ]  # fmt: skip


def violation_texts() -> Mapping[str, Any]:
    """Read what is said of each violation, and its remedy, by code and language."""
    return read_texts(Path(__file__).with_name("violation_texts.json"))


def _facts(one: Violation) -> dict[str, str]:
    more = ", …" if one.hours > len(one.entry_ids) else ""
    return {
        "draft": ", ".join(map(str, one.draft_ids)), "mark": one.mark or "–",
        "state": one.state or "–", "since": f"{one.since:%Y-%m-%d %H:%M} UTC" if one.since else "–",
        "entries": ", ".join(one.entry_ids) + more, "hours": str(one.hours),
        "ours": str(one.ours), "theirs": str(one.theirs), "booksIds": ", ".join(one.books_ids),
    }  # fmt: skip
