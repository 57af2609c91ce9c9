"""Show an overview in a terminal, with what to do; plain text where it is no terminal."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.operating.overview import LATE, NOT_MIGRATED, LinkInNeed, Overview
from app.problems import catalogue, say


def show(overview: Overview, console: Console, language: str) -> None:
    """Print how everything stands, then each link in need with its remedy."""
    console.print(f"{overview.at:%Y-%m-%d %H:%M:%S} UTC")
    if not overview.migrated:
        console.print(f"[red]{NOT_MIGRATED}[/]")
        return
    mark = "[green]" if overview.workers else "[red]"
    console.print(f"workers  {mark}{overview.workers}[/] alive")
    console.print(f"jobs     {_told(overview.jobs or {})}")
    console.print(f"links    {_told(overview.links or {})}")
    if not overview.workers:
        console.print("[red]No worker is alive[/]: start one (timerabbit-conta worker).")
    if not overview.in_need:
        console.print("[green]No link needs the operator.[/]")
        console.print("What asks a customer's own people stands in that link's …/status.")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("link", "state", "what", "what to do"):
        table.add_column(heading, no_wrap=heading == "link", overflow="fold")
    for link in overview.in_need:
        for number, (what, remedy) in enumerate(_reasons(link, language)):
            first = (str(link.link_id), link.state) if number == 0 else ("", "")
            table.add_row(*first, Text(what), Text(remedy))
    console.print(table)
    if overview.more:
        console.print(f"… and {overview.more} more")


def _reasons(link: LinkInNeed, language: str) -> Iterable[tuple[str, str]]:
    if link.pause_reason:
        yield f"paused: {link.pause_reason}", _remedy(link.pause_reason, language)
    for code, count in sorted(link.parked.items()):
        yield f"{count} parked: {code}", _remedy(code, language)
    for state, count in sorted(link.drafts.items()):
        yield f"{count} drafts {state}", f"GET /v1/links/{link.link_id}/invoice-drafts"
    if link.late > LATE:
        yield f"{link.pending} changes, late by {_spell(link.late)}", "timerabbit-conta worker"


def _remedy(code: str, language: str) -> str:
    kind = catalogue().get(code)
    return say(kind.remedy, language, {}) if kind else "–"


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"


def _spell(late: timedelta) -> str:
    minutes = int(late.total_seconds()) // 60
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
