"""Make the preview of a draft: its lines as they will stand, with every problem at once."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.canonical import EntryId, LinkId, Project, RecordId, RecordKind, TimeEntry
from app.database import CommitPoint
from app.invoicing.choose import Choice, customer_pair, project_pair, read_choice
from app.invoicing.hindrances import close_to_limit
from app.invoicing.lines import LONGEST_TEXT, Grouping, Lines, build_lines
from app.invoicing.mark import make_mark
from app.invoicing.shapes import line_to_json
from app.invoicing.snapshot import freeze_entry
from app.invoicing.store import Preview, VatAnswer
from app.links.open_systems import open_time
from app.links.pairs import Pair
from app.links.store import read_link
from app.problems import Problem
from app.runtime import Runtime
from app.systems.ports import EntryQuery

LIFETIME: Final = timedelta(hours=1)
OSLO: Final = ZoneInfo("Europe/Oslo")
_MOST_LINES: Final = 1000


@dataclass(frozen=True, slots=True)
class Wish:
    """
    Hold what a person wants billed.

    Args:
        entry_ids: Chosen entries; ``None`` takes all billable ones that the query finds.
        texts: A person's own texts by line number.

    """

    query: EntryQuery
    entry_ids: tuple[EntryId, ...] | None
    grouping: Grouping
    vat_code: str | None
    texts: Mapping[int, str] = field(default_factory=dict)


async def make_preview(runtime: Runtime, link_id: LinkId, wish: Wish) -> Preview:
    """
    Build and store a preview, good for an hour; what is sent later is exactly it.

    Raises:
        Problem: ``customer-not-linked``, or ``nothing-to-bill`` when no entry can be billed.

    """
    async with runtime.database.reading(link_id) as session:
        pair = await customer_pair(session, link_id, wish.query.customer_id or "")
        project = None
        if wish.query.project_id is not None:
            project = await project_pair(session, link_id, wish.query.project_id)
        link = await read_link(session, link_id)
    choice = await read_choice(runtime, link_id, wish.query, entry_ids=wish.entry_ids)
    if not choice.billable:
        raise Problem("nothing-to-bill", more={"leftOut": _left_out(choice)})
    vat_code = wish.vat_code or str((link.settings if link else {}).get("default_vat_code", "high"))
    mark = make_mark(secrets.randbits(40))
    names = await _project_names(runtime, link_id, choice.billable)
    lines = build_lines(
        choice.billable, grouping=wish.grouping, vat_code=vat_code, mark=mark,
        project_names=names, texts=wish.texts,
    )  # fmt: skip
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        problems = _problems(
            choice, lines, await vat_answer(session, link_id, vat_code),
            project_missing=wish.query.project_id is not None and project is None,
            today=runtime.clock(),
        )  # fmt: skip
        made = _row(runtime.clock(), link_id, pair, project, choice, lines, mark, problems)
        made.entries = {
            entry.id: freeze_entry(entry, project=names.get(entry.project_id or RecordId("")))
            for entry in choice.billable
        }
        session.add(made)
    return made


async def vat_answer(session: AsyncSession, link_id: LinkId, code: str) -> VatAnswer | None:
    """Read what the books last said to a VAT code."""
    return await session.scalar(
        select(VatAnswer).where(VatAnswer.link_id == link_id, VatAnswer.code == code)
    )


async def _project_names(
    runtime: Runtime, link_id: LinkId, entries: Sequence[TimeEntry]
) -> dict[RecordId, str]:
    """Give the projects' names: from the pairs' bases, else read one by one."""
    wanted = {entry.project_id for entry in entries if entry.project_id is not None}
    async with runtime.database.reading(link_id) as session:
        rows = await session.execute(
            select(Pair.time_id, Pair.base).where(
                Pair.link_id == link_id, Pair.kind == RecordKind.PROJECT, Pair.time_id.in_(wanted)
            )
        )
        names = {RecordId(time_id): str(base.get("name", "")) for time_id, base in rows}
    tracker = await open_time(runtime, link_id)
    for project_id in sorted(wanted - names.keys()):
        seen = await tracker.read(RecordKind.PROJECT, project_id)
        if isinstance(seen.record, Project):
            names[project_id] = seen.record.name
    return names


def _problems(
    choice: Choice,
    lines: Lines,
    answer: VatAnswer | None,
    *,
    project_missing: bool,
    today: datetime,
) -> list[dict[str, Any]]:
    """Name every problem at once; a blocking one must be mended before the draft is made."""
    found: list[dict[str, Any]] = []
    if project_missing:
        found.append({"code": "project-not-linked", "blocking": False})
    if answer is not None and not answer.accepted:
        when = answer.answered_at.date().isoformat()
        found.append({"code": "vat-code-refused-before", "blocking": False, "when": when})
    if len(lines.lines) > _MOST_LINES:
        found.append({"code": "too-many-lines", "blocking": True, "limit": _MOST_LINES})
    for number, line in enumerate(lines.lines, 1):
        if len(line.text) > LONGEST_TEXT:
            found.append(
                {"code": "text-too-long", "blocking": True, "line": number, "limit": LONGEST_TEXT}
            )
    day = today.astimezone(OSLO).date()
    late = [e.id for e in choice.billable if close_to_limit(e.day, today=day)]
    if late:
        found.append({"code": "close-to-billing-limit", "blocking": False, "entries": late})
    extra = [e.id for e in choice.billable if e.costs or e.kilometers]
    if extra:
        found.append({"code": "expenses-not-included", "blocking": False, "entries": extra})
    return found


def _left_out(choice: Choice) -> list[dict[str, Any]]:
    return [
        {
            "entryId": judged.entry.id,
            "hindrances": [reason.value for reason in judged.hindrances],
            "draftId": judged.draft_id,
        }
        for judged in choice.judged
        if judged.hindrances
    ]


def _row(
    now: datetime,
    link_id: LinkId,
    pair: Pair,
    project: Pair | None,
    choice: Choice,
    lines: Lines,
    mark: str,
    problems: list[dict[str, Any]],
) -> Preview:
    return Preview(
        link_id=link_id, preview_id=uuid7(), customer_time_id=pair.time_id,
        customer_books_id=pair.books_id, project_books_id=project.books_id if project else None,
        mark=mark, versions={entry.id: entry.version for entry in choice.billable},
        minutes={entry.id: entry.minutes for entry in choice.billable},
        lines=[line_to_json(line) for line in lines.lines], net=lines.net, vat=lines.vat,
        entries={}, wish={}, problems=problems, left_out=_left_out(choice),
        created_at=now, expires_at=now + LIFETIME,
    )  # fmt: skip
