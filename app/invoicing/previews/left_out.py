"""Preview the expenses and kilometres that a draft does not bill, so that none is forgotten."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from app.canonical import EntryId, LinkId, TimeEntry
from app.invoicing.ledger.corrections import CORRECTIONS, billed_extras, extra_to_json
from app.invoicing.ledger.decided import VERSIONS
from app.invoicing.ledger.places import STANDING
from app.invoicing.lines.extras import (
    Billed,
    Extra,
    expense_line,
    kilometre_line,
    split_extras,
    worthless,
)
from app.invoicing.lines.lines import Line, summed
from app.invoicing.lines.shapes import TERMS, is_of_hours
from app.invoicing.lines.wish import Wish
from app.invoicing.previews.objections import useless_edits, without_amount
from app.invoicing.previews.partners import pair_of_drafts
from app.invoicing.previews.preview import vat_said
from app.invoicing.previews.without_hours import WithoutHours, keep_without_hours
from app.invoicing.store import Draft, LedgerRow, Preview
from app.invoicing.unbilled.choose import customer_pair
from app.links.open_systems import open_time
from app.problems import Problem
from app.runtime import Runtime


async def preview_left_out(runtime: Runtime, link_id: LinkId, draft: Draft, wish: Wish) -> Preview:
    """
    Preview a draft of what a draft's hours have of expenses and kilometres and nothing bills.

    What it left out, and what came to its hours since. Each expense, and the kilometres of each
    hour, are a line of their own, billed once: the database refuses a second. The hours stay where
    they are.

    Args:
        wish: Says what of it is wanted: ``expense_vat``, ``kilometre_rate``, ``kilometre_vat``;
            ``edits`` by line key.

    Raises:
        Problem: ``draft-state`` for a draft that does not stand, ``nothing-to-bill`` where nothing
            was left out, all of it is billed by now, or its texts were erased after their years.

    """
    if draft.state not in STANDING:
        raise Problem("draft-state", state=draft.state)
    if not draft.body["lines"]:
        raise Problem("nothing-to-bill", more={"leftOut": []})
    entries, billed = await _held_entries(runtime, link_id, draft)
    wanted, _ = split_extras(entries, wish, billed=billed)
    language = draft.body.get("about", {}).get("language", "nb")
    default_vat = _vat_of_hours(draft)
    lines: list[Line] = []
    found: list[dict[str, Any]] = []
    for entry in entries:
        for one in wanted.get(entry.id, ()):
            line = _line(entry, one, wish, language=language, default_vat=default_vat)
            lines.append(line)
            found.append(
                extra_to_json(draft.draft_id, entry.id, one.what, lines=[len(lines)], net=line.net)
            )
    versions = {entry.id: entry.version for entry in entries if entry.id in wanted}
    about = {
        "language": language, "customer": draft.body.get("about", {}).get("customer", ""),
        CORRECTIONS: found, VERSIONS: versions,
    }  # fmt: skip
    async with runtime.database.reading(link_id) as session:
        customer = await customer_pair(session, link_id, draft.customer_time_id)
        project = await pair_of_drafts(session, link_id, [draft])
        said = await vat_said(session, link_id)
    told = [
        *without_amount(worthless(entries) if wish.expense_vat else ()),
        *useless_edits(summed(lines), wish.edits, ()),
    ]
    made = WithoutHours(customer, project, lines, about, said, objections=told)
    return await keep_without_hours(runtime, link_id, made)


def _vat_of_hours(draft: Draft) -> str:
    """Give the VAT code of its hours' time; without any, what theirs would have."""
    lines, terms = draft.body["lines"], draft.body.get("about", {}).get(TERMS, {})
    timed = [*filter(is_of_hours, lines), *terms.values(), *lines]
    return str(timed[0]["vatCode"])


async def _held_entries(
    runtime: Runtime, link_id: LinkId, draft: Draft
) -> tuple[list[TimeEntry], Billed]:
    """Read the hours it holds still and are its customer's, and what of them is billed beside."""
    async with runtime.database.reading(link_id) as session:
        held = await session.scalars(
            select(LedgerRow.entry_id).where(
                LedgerRow.link_id == link_id, LedgerRow.draft_id == draft.draft_id,
                LedgerRow.active,
            )
        )  # fmt: skip
        ids = tuple(EntryId(one) for one in sorted(held))
        billed = await billed_extras(session, link_id, ids)
    if not ids:
        return [], billed
    tracker = await open_time(runtime, link_id)
    found = await tracker.entries_by_id(ids)
    mine = [e for e in found if not e.gone and e.customer_id == draft.customer_time_id]
    return sorted(mine, key=lambda entry: (entry.day, entry.id)), billed


def _line(entry: TimeEntry, extra: Extra, wish: Wish, *, language: str, default_vat: str) -> Line:
    if extra.cost is not None:
        made = expense_line(entry, extra, wish, language=language)
    else:
        driven = entry.kilometers or Decimal(0)
        key = f"kilometres-{entry.id}"
        made = kilometre_line(key, driven, wish, language=language, default_vat=default_vat)
    return replace(made, entry_ids=(entry.id,))
