"""Preview the expenses and kilometres that a draft left out, so that they are not forgotten."""

from dataclasses import replace
from typing import Any

from sqlalchemy import select

from app.canonical import EntryId, LinkId, TimeEntry
from app.invoicing.ledger.corrections import CORRECTIONS, billed_extras, extra_to_json
from app.invoicing.ledger.decided import VERSIONS
from app.invoicing.ledger.places import STANDING
from app.invoicing.lines.extras import EXPENSES, extra_id, further_lines, split_extras, without
from app.invoicing.lines.lines import Line
from app.invoicing.lines.wish import Wish
from app.invoicing.previews.partners import pair_of_drafts
from app.invoicing.previews.preview import vat_said
from app.invoicing.previews.without_hours import WithoutHours, keep_without_hours
from app.invoicing.store import Draft, LedgerRow, Preview
from app.invoicing.unbilled.choose import customer_pair
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
    if draft.state not in STANDING:
        raise Problem("draft-state", state=draft.state)
    entries = await _open_entries(runtime, link_id, draft)
    wanted, _ = split_extras(entries, wish)
    language = draft.body.get("about", {}).get("language", "nb")
    lines: list[Line] = []
    found: list[dict[str, Any]] = []
    for entry in entries:
        for what in wanted.get(entry.id, ()):
            made = _lines(entry, what, wish, draft, language)
            numbers = range(len(lines) + 1, len(lines) + len(made) + 1)
            lines += made
            net = sum(line.net for line in made)
            found.append(extra_to_json(draft.draft_id, entry.id, what, lines=numbers, net=net))
    versions = {entry.id: entry.version for entry in entries if entry.id in wanted}
    about = {
        "language": language, "customer": draft.body.get("about", {}).get("customer", ""),
        CORRECTIONS: found, VERSIONS: versions,
    }  # fmt: skip
    async with runtime.database.reading(link_id) as session:
        customer = await customer_pair(session, link_id, draft.customer_time_id)
        project = await pair_of_drafts(session, link_id, [draft])
        said = await vat_said(session, link_id)
    whole = WithoutHours(customer, project, lines, about, said)
    return await keep_without_hours(runtime, link_id, whole)


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
