"""Carry out the operator's commands and give their exit codes."""

import json
from dataclasses import asdict
from typing import Any

from pydantic.alias_generators import to_camel
from rich.console import Console

from app.canonical import LinkId
from app.operating.overview import LinkInNeed, Overview, read_overview
from app.operating.retry import retry_parked
from app.operating.show import show
from app.runtime import Runtime


async def tell_status(runtime: Runtime, *, language: str, as_json: bool) -> int:
    """Print how everything stands; 0 when nobody is needed, 1 when somebody is."""
    try:
        overview = await read_overview(runtime)
    finally:
        await runtime.close()
    console = Console(highlight=False, soft_wrap=as_json)
    if as_json:
        console.print_json(json.dumps(_plain(overview)))
    else:
        show(overview, console, language)
    return 0 if overview.is_well else 1


async def retry(
    runtime: Runtime, link_id: LinkId | None, *, code: str | None, dry_run: bool
) -> int:
    """Make what is parked due again and print how much it was."""
    try:
        found = await retry_parked(runtime, link_id, code=code, dry_run=dry_run)
    finally:
        await runtime.close()
    console = Console(highlight=False)
    one = found == 1
    looked = "would be" if dry_run else "is" if one else "are"
    console.print(f"{found} parked change{'' if one else 's'} {looked} looked at again")
    return 0


def _plain(overview: Overview) -> dict[str, Any]:
    told = asdict(overview) | {"at": overview.at.isoformat(), "is_well": overview.is_well}
    told["in_need"] = [_one(link) for link in overview.in_need]
    return {to_camel(name): value for name, value in told.items()}


def _one(link: LinkInNeed) -> dict[str, Any]:
    told = asdict(link) | {"link_id": str(link.link_id)}
    told["late_seconds"] = int(told.pop("late").total_seconds())
    return {to_camel(name): value for name, value in told.items()}
