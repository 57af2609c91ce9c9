"""Preview the expenses and kilometres that a draft left out, so that they are not forgotten."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import select
from uuid_utils.compat import uuid7

from app.canonical import EntryId, LinkId, TimeEntry
from app.database import CommitPoint
from app.invoicing.choose import customer_pair
from app.invoicing.corrections import CORRECTIONS, EXTRAS, CorrectionRow
from app.invoicing.extras import further_lines
from app.invoicing.hindrances import oslo_day
from app.invoicing.lines import Line, summed
from app.invoicing.mark import make_mark, with_mark
from app.invoicing.objections import objections
from app.invoicing.partners import read_partners
from app.invoicing.preview import LIFETIME, vat_said
from app.invoicing.shapes import line_to_json
from app.invoicing.store import Draft, DraftState, LedgerRow, Preview
from app.invoicing.wish import Wish
from app.links.open_systems import open_time
from app.problems import Problem
from app.runtime import Runtime
from app.systems.ports import EntryQuery


async def preview_left_out(runtime: Runtime, link_id: LinkId, draft: Draft, wish: Wish) -> Preview:
    """
    Preview a draft of what a draft's hours have of expenses and kilometres and did not bill.

    Each expense, and the kilometres of each hour, are a line of their own, billed once: the
    database refuses a second. The hours stay where they are.

    Args:
        wish: Says what of it is wanted: ``expense_vat``, ``kilometre_rate``, ``kilometre_vat``.

    Raises:
        Problem: ``draft-state`` for a draft that does not stand, ``nothing-to-bill`` where nothing
            was left out, or all of it is billed by now.

    """
    if draft.state not in (DraftState.CREATED, DraftState.COMPLETED):
        raise Problem("draft-state", state=draft.state)
    ids = await _open_ids(runtime, link_id, draft, wish)
    tracker = await open_time(runtime, link_id)
    entries = (
        [one for one in await tracker.entries_by_id(tuple(ids)) if not one.gone] if ids else []
    )
    about = draft.body.get("about", {})
    language = about.get("language", "nb")
    lines: list[Line] = []
    found: list[dict[str, Any]] = []
    for entry in sorted(entries, key=lambda e: (e.day, e.id)):
        for what in sorted(ids[entry.id]):
            made = _lines(entry, what, wish, draft, language)
            if made:
                lines += made
                found.append(_correction(draft, entry.id, what, len(lines), made))
    if not lines:
        raise Problem("nothing-to-bill", more={"leftOut": []})
    return await _store(runtime, link_id, draft, lines, found, language)


async def _open_ids(
    runtime: Runtime, link_id: LinkId, draft: Draft, wish: Wish
) -> dict[EntryId, set[str]]:
    """Give what is wanted, was left out and is unbilled, by hour that the draft still holds."""
    wanted = {
        what
        for what, value in (("expenses", wish.expense_vat), ("kilometres", wish.kilometre_rate))
        if value is not None
    }
    left: dict[str, list[str]] = draft.body.get("about", {}).get("leftOut", {})
    async with runtime.database.reading(link_id) as session:
        held = await session.scalars(
            select(LedgerRow.entry_id).where(
                LedgerRow.link_id == link_id, LedgerRow.draft_id == draft.draft_id,
                LedgerRow.active,
            )
        )  # fmt: skip
        billed = set(
            await session.scalars(
                select(CorrectionRow.change_id).where(
                    CorrectionRow.link_id == link_id, CorrectionRow.active,
                    CorrectionRow.corrected_id == draft.draft_id,
                )
            )
        )  # fmt: skip
    found = {}
    for entry_id in held:
        own = {
            what for what in left.get(entry_id, ())
            if what in wanted and _change_id(draft.draft_id, entry_id, what) not in billed
        }  # fmt: skip
        if own:
            found[EntryId(entry_id)] = own
    return found


def _change_id(draft_id: UUID, entry_id: str, what: str) -> UUID:
    """Name what was left out of one hour, always the same, so that it can be billed once."""
    return uuid5(NAMESPACE_URL, f"{draft_id}/{entry_id}/{what}")


def _lines(entry: TimeEntry, what: str, wish: Wish, draft: Draft, language: str) -> list[Line]:
    only = Wish(EntryQuery())
    if what == "expenses":
        only = replace(only, expense_vat=wish.expense_vat)
    else:
        only = replace(only, kilometre_rate=wish.kilometre_rate, kilometre_vat=wish.kilometre_vat)
    default_vat = draft.body["lines"][0]["vatCode"]
    made = further_lines([entry], only, language=language, default_vat=default_vat)
    return [
        replace(line, key=f"{entry.id}-{line.key}"[:100], entry_ids=(entry.id,)) for line in made
    ]


def _correction(
    draft: Draft, entry_id: EntryId, what: str, line_no: int, made: Sequence[Line]
) -> dict[str, Any]:
    return {
        "changeId": str(_change_id(draft.draft_id, entry_id, what)), "entryId": entry_id,
        "draftId": str(draft.draft_id), "line": line_no, "correctedLine": 0, "minutes": 0,
        "kind": EXTRAS, "net": sum(line.net for line in made), "before": None, "now": None,
    }  # fmt: skip


async def _store(
    runtime: Runtime,
    link_id: LinkId,
    draft: Draft,
    lines: list[Line],
    found: list[dict[str, Any]],
    language: str,
) -> Preview:
    mark = make_mark(secrets.randbits(40))
    lines[0] = replace(lines[0], text=with_mark(lines[0].text, mark))
    whole = summed(lines)
    now = runtime.clock()
    async with runtime.database.reading(link_id) as session:
        pair = await customer_pair(session, link_id, draft.customer_time_id)
        said = await vat_said(session, link_id)
    partners = await read_partners(runtime, link_id, pair, None, wanted=False)
    problems = objections(
        (), whole, mark=mark, partners=partners, vat_said=said, today=oslo_day(now)
    )
    customer = draft.body.get("about", {}).get("customer", "")
    made = Preview(
        link_id=link_id, preview_id=uuid7(), customer_time_id=pair.time_id,
        customer_books_id=pair.books_id, project_books_id=None, mark=mark, versions={}, minutes={},
        entries={}, net=whole.net, vat=whole.vat, left_out=[], problems=problems,
        lines=[line_to_json(line) for line in whole.lines], created_at=now,
        expires_at=now + LIFETIME,
        wish={"about": {"language": language, "customer": customer, CORRECTIONS: found}},
    )  # fmt: skip
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        session.add(made)
    return made
