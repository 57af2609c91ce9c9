"""Carry out the operator's commands and give their exit codes."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from pydantic.alias_generators import to_camel
from rich.console import Console

from app.bootstrap import build_runtime
from app.canonical import LinkId
from app.database import expect_bound_role
from app.database_faults import DATABASE_FAULTS, say_fault
from app.operating.check import NotChecked, as_json, check_links, say_checked, say_end
from app.operating.overview import LinkInNeed, Overview, read_overview
from app.operating.retry import NotRetried, retry_parked
from app.operating.show import show
from app.runtime import Runtime
from app.settings import Settings
from app.systems.pace import Role
from app.telemetry import configure_logging

Deed = Callable[[Runtime], Awaitable[int]]
"""One of the operator's commands; gives its exit code."""


class NotCarriedOut(Exception):  # noqa: N818 - named by what happened
    """Say in one sentence why a command told or did nothing, and what to do about it."""


def carry_out(settings: Settings, deed: Deed) -> int:
    """
    Build what a command needs, carry it out and give its exit code.

    Raises:
        NotCarriedOut: The database is away or refuses us, or what was asked for cannot be meant.
        SettingsInvalid: The database role is one that row-level security would not bind.

    """
    configure_logging(settings.log_level)
    try:
        return asyncio.run(_with(build_runtime(settings, role=Role.SERVE), deed))
    except DATABASE_FAULTS as err:
        raise NotCarriedOut(say_fault(err)) from err
    except (NotRetried, NotChecked) as err:
        raise NotCarriedOut(str(err)) from err
    except OSError as err:  # a full disk is what many a night is about
        raise NotCarriedOut(f"the answer cannot be written: {err.strerror or err}") from err


async def _with(runtime: Runtime, deed: Deed) -> int:
    try:
        await expect_bound_role(runtime.database)
        return await deed(runtime)
    finally:
        await runtime.close()


async def tell_status(runtime: Runtime, *, language: str, as_json: bool) -> int:
    """Print how everything stands; 0 when nobody is needed, 1 when somebody is."""
    overview = await read_overview(runtime)
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
    found = await retry_parked(runtime, link_id, code=code, dry_run=dry_run)
    console = Console(highlight=False)
    one = found == 1
    looked = "would be" if dry_run else "is" if one else "are"
    console.print(f"{found} parked change{'' if one else 's'} {looked} looked at again")
    return 0


async def check(
    runtime: Runtime, link_id: LinkId | None, *, language: str, for_program: bool
) -> int:
    """Check the ledgers and print each violation as it is found; 0 when there is none, else 1."""
    console = Console(highlight=False, soft_wrap=True, markup=False)
    links, more, found, written = 0, 0, Counter[str](), list[dict[str, Any]]()
    async for checked in check_links(runtime, link_id):
        links += 1
        more += checked.more
        found.update(checked.counts)
        if for_program:
            written += as_json(checked)
            continue
        for line in say_checked(checked, language):
            console.print(line)
    if for_program:
        is_well = not (found or more)
        told = {"isWell": is_well, "links": links, "more": more, "violations": written}
        console.print_json(json.dumps(told))
    else:
        for line in say_end(links, found, language):
            console.print(line)
    return 1 if found or more else 0


def _plain(overview: Overview) -> dict[str, Any]:
    told = asdict(overview) | {"at": overview.at.isoformat(), "is_well": overview.is_well}
    told["in_need"] = [_one(link) for link in overview.in_need]
    oldest = overview.ledger.oldest
    told["ledger"]["oldest"] = oldest and oldest.isoformat()
    told["sealed"] = {to_camel(name): counts for name, counts in told["sealed"].items()}
    return {to_camel(name): value for name, value in told.items()}


def _one(link: LinkInNeed) -> dict[str, Any]:
    told = asdict(link) | {"link_id": str(link.link_id)}
    told["checked_at"] = link.checked_at and link.checked_at.isoformat()
    told["late_seconds"] = int(told.pop("late").total_seconds())
    return {to_camel(name): value for name, value in told.items()}
