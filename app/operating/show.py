"""Show an overview in a terminal, with what to do; plain text where it is no terminal."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.operating.overview import LATE, LedgerChecks, LinkInNeed, Overview
from app.operating.sealed import Sealed
from app.operating.words import word
from app.problems import catalogue, named_facts, say


def show(overview: Overview, console: Console, language: str) -> None:
    """Print how everything stands, then each link in need with its remedy."""
    console.print(f"{overview.at:%Y-%m-%d %H:%M:%S} UTC")
    if not overview.migrated:
        console.print(Text(word("not-migrated", language), "red"))
        return
    _show_counts(overview, console, language)
    if not overview.workers:
        console.print(Text(word("no-worker", language), "red"))
    if not overview.in_need:
        console.print(Text(word("nobody", language), "green"))
        console.print(word("own-people", language))
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("link", "state", "what", "to-do"):
        table.add_column(word(heading, language), no_wrap=heading == "link", overflow="fold")
    for link in overview.in_need:
        for number, (what, remedy) in enumerate(_reasons(link, language)):
            first = (str(link.link_id), word(link.state, language)) if number == 0 else ("", "")
            table.add_row(*first, Text(what), Text(remedy))
    console.print(table)
    if overview.more:
        console.print(word("more", language, count=overview.more))


def _show_counts(overview: Overview, console: Console, language: str) -> None:
    alive = Text(str(overview.workers), "green" if overview.workers else "red")
    told = {
        "workers": Text.assemble(alive, " ", word("alive", language)),
        "jobs": Text(_told(overview.jobs or {}, language)),
        "links": Text(_told(overview.links or {}, language)),
        "ledger": Text(_told_checks(overview.ledger, language)),
        "sealed": Text(_told_sealed(overview.sealed, language)),
    }
    widest = max(len(word(name, language)) for name in told)
    for name, counts in told.items():
        console.print(Text.assemble(word(name, language).ljust(widest + 2), counts))


def _reasons(link: LinkInNeed, language: str) -> Iterable[tuple[str, str]]:
    if link.pause_reason:
        why = word("why-paused", language, code=link.pause_reason)
        yield why, _remedy(link.pause_reason, language)
    for code, count in sorted(link.parked.items()):
        yield word("parked", language, count=count, code=code), _remedy(code, language)
    for code, count in sorted(link.drafts.items()):
        where = f"GET /v1/links/{link.link_id}/invoice-drafts?problem={code}"
        yield word("drafts", language, count=count, code=code), where
    for code, count in sorted(link.violations.items()):
        look = f"timerabbit-conta check --link {link.link_id}"
        yield word("violated", language, count=count, code=code), look
    if link.late > LATE:
        late = _spell(link.late, language)
        yield word("late", language, count=link.pending, late=late), "timerabbit-conta worker"


def _remedy(code: str, language: str) -> str:
    kind = catalogue().get(code)
    return say(kind.remedy, language, named_facts(kind)) if kind else "–"


def _told(counts: Mapping[str, int], language: str) -> str:
    parts = (f"{count} {word(name, language)}" for name, count in sorted(counts.items()))
    return ", ".join(parts) or word("none", language)


def _told_checks(ledger: LedgerChecks, language: str) -> str:
    when = f"{ledger.oldest:%Y-%m-%d %H:%M} UTC" if ledger.oldest else word("never", language)
    told = word("violations", language, count=ledger.violations, when=when)
    unchecked = word("unchecked", language, count=ledger.unchecked)
    return f"{told} ({unchecked})" if ledger.unchecked else told


def _told_sealed(sealed: Sealed, language: str) -> str:
    # A key's id is the operator's own word, so it is never looked up among ours.
    kept, left = (
        ", ".join(f"{key}: {count}" for key, count in sorted(counts.items()))
        for counts in (sealed.in_use, sealed.of_closed)
    )
    of_closed = f" ({word('of-closed', language, keys=left)})" if left else ""
    return (kept or word("none", language)) + of_closed


def _spell(late: timedelta, language: str) -> str:
    hours, minutes = divmod(int(late.total_seconds()) // 60, 60)
    return word("hours" if hours else "minutes", language, hours=hours, minutes=minutes)
