"""Preview the expenses and kilometres that a draft left out, so that they are not forgotten."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from uuid_utils.compat import uuid7

from app.canonical import EntryId, LinkId, TimeEntry
from app.database import CommitPoint
from app.invoicing.choose import customer_pair
from app.invoicing.corrections import CORRECTIONS, EXTRAS, billed_extras
from app.invoicing.decided import VERSIONS
from app.invoicing.extras import EXPENSES, extra_id, further_lines, split_extras, without
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
    entries = await _open_entries(runtime, link_id, draft)
    wanted, _ = split_extras(entries, wish)
    language = draft.body.get("about", {}).get("language", "nb")
    lines: list[Line] = []
    found: list[dict[str, Any]] = []
    for entry in entries:
        for what in wanted.get(entry.id, ()):
            made = _lines(entry, what, wish, draft, language)
            lines += made
            found.append(_correction(draft, entry.id, what, len(lines), made))
    if not lines:
        raise Problem("nothing-to-bill", more={"leftOut": []})
    versions = {entry.id: entry.version for entry in entries if entry.id in wanted}
    about = {"language": language, CORRECTIONS: found, VERSIONS: versions}
    return await _store(runtime, link_id, draft, lines, about)


async def _open_entries(runtime: Runtime, link_id: LinkId, draft: Draft) -> list[TimeEntry]:
    """Read the hours whose expenses it left out, as far as it still holds them for its customer."""
    left: dict[str, list[str]] = draft.body.get("about", {}).get("leftOut", {})
    async with runtime.database.reading(link_id) as session:
        held = await session.scalars(
            select(LedgerRow.entry_id).where(
                LedgerRow.link_id == link_id, LedgerRow.draft_id == draft.draft_id,
                LedgerRow.active, LedgerRow.entry_id.in_(left),
            )
        )  # fmt: skip
        ids = tuple(EntryId(one) for one in sorted(held))
        named = {extra_id(one, what) for one in ids for what in left[one]}
        billed = await billed_extras(session, link_id, named)
    if not ids:
        return []
    tracker = await open_time(runtime, link_id)
    found = await tracker.entries_by_id(ids)
    mine = [e for e in found if not e.gone and e.customer_id == draft.customer_time_id]
    return sorted(without(mine, billed), key=lambda entry: (entry.day, entry.id))


def _lines(entry: TimeEntry, what: str, wish: Wish, draft: Draft, language: str) -> list[Line]:
    only = Wish(EntryQuery())
    if what == EXPENSES:
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
        "changeId": str(extra_id(entry_id, what)), "entryId": entry_id,
        "draftId": str(draft.draft_id), "line": line_no, "correctedLine": 0, "minutes": 0,
        "kind": EXTRAS, "net": sum(line.net for line in made), "before": None, "now": None,
    }  # fmt: skip


async def _store(
    runtime: Runtime,
    link_id: LinkId,
    draft: Draft,
    lines: list[Line],
    about: dict[str, Any],
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
        wish={"about": {**about, "customer": customer}},
    )  # fmt: skip
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        session.add(made)
    return made
