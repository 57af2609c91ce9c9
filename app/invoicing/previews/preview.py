"""Make the preview of a draft: its lines as they will stand, with every problem at once."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.canonical import LinkId, RecordId, Side, TimeEntry
from app.database import CommitPoint
from app.invoicing.ledger.corrections import BILLED, LEFT_OUT
from app.invoicing.lines.extras import (
    DRIVEN,
    Extra,
    driven_at,
    extra_names,
    further_lines,
    kinds,
    split_extras,
    worthless,
)
from app.invoicing.lines.lines import Lines, Style, build_lines
from app.invoicing.lines.mark import make_mark
from app.invoicing.lines.shapes import TERMS, line_to_json, terms_of
from app.invoicing.lines.snapshot import freeze_entry
from app.invoicing.lines.template import VARIABLES, TemplateError, check_template
from app.invoicing.lines.wish import Wish, with_texts_kept
from app.invoicing.previews.choices import read_choices, style_of
from app.invoicing.previews.inherited import with_inherited
from app.invoicing.previews.objections import (
    Objection,
    VatSaid,
    not_included,
    objections,
    useless_edits,
    without_amount,
)
from app.invoicing.previews.partners import pair_of_hours, project_names, read_partners
from app.invoicing.store import ONE_OF, Preview, VatAnswer
from app.invoicing.unbilled.choose import (
    Choice,
    customer_pair,
    project_pair,
    read_choice,
    without_useless,
)
from app.invoicing.unbilled.hindrances import Hindrance, oslo_day
from app.links.pairs import Pair
from app.links.store import read_link
from app.problems import Problem
from app.records.billing_warnings import billing_warnings
from app.runtime import Runtime

LIFETIME: Final = timedelta(hours=1)
KEPT: Final = timedelta(days=1)
"""How long a preview that can no longer be sent stays, to say that it is outdated."""


@dataclass(frozen=True, slots=True)
class _Known:
    """Hold what our own tables say before anything is read elsewhere."""

    customer: Pair
    project: Pair | None
    chosen: Mapping[str, Mapping[str, Any]]
    default_vat: str
    said: Mapping[str, VatSaid]
    warned: Sequence[str]


async def make_preview(runtime: Runtime, link_id: LinkId, wish: Wish) -> Preview:
    """
    Build and store a preview, good for an hour; what is sent later is exactly it.

    Raises:
        Problem: ``customer-not-linked``, ``billable-hours-off``, ``template-invalid``, or
            ``nothing-to-bill`` when no entry can be billed.

    """
    known = await _known(runtime, link_id, wish)
    customer_name = str(known.customer.base.get("name", ""))
    style = style_of(wish, known.chosen, default_vat=known.default_vat, customer_name=customer_name)
    require_template(style.template)
    found_all = await read_choice(
        runtime, link_id, wish.query, entry_ids=wish.entry_ids, overtime=wish.overtime
    )
    choice = without_useless(found_all, wish)
    billable = choice.billable
    if not billable:
        raise Problem("nothing-to-bill", more={"leftOut": _left_out(choice)})
    style = await with_inherited(runtime, link_id, style, billable)
    project = known.project or await pair_of_hours(runtime, link_id, billable)
    wanted = wish.query.project_id is not None or project is not None
    partners = await read_partners(runtime, link_id, known.customer, project, wanted=wanted)
    names = await project_names(runtime, link_id, billable)
    mark = make_mark(secrets.randbits(40))
    further = further_lines(
        billable,
        wish,
        language=style.language,
        default_vat=style.vat_code,
        billed=choice.billed,
    )
    lines = build_lines(billable, style=style, mark=mark, project_names=names, further=further)
    told = useless_edits(lines, wish.edits, wish.texts, wish.order)
    wish = with_texts_kept(wish, [line.key for line in lines.lines])
    takes, left = split_extras(billable, wish, billed=choice.billed)
    now = runtime.clock()
    found = [
        *objections(
            billable, lines, mark=mark, partners=partners, vat_said=known.said,
            today=oslo_day(now),
        ),
        *not_included(split_extras(found_all.billable, wish, billed=choice.billed)[1]),
        *without_amount(worthless(billable) if wish.expense_vat else ()),
        *told,
        *({"code": code, "blocking": False} for code in known.warned),
    ]  # fmt: skip
    made = _row(now, link_id, known.customer, project, choice, lines, mark, found)
    seen = partners.customer.name if partners.customer else customer_name
    about = {"language": style.language, "customer": seen, TERMS: _terms(billable, style)}
    made.wish = wish.as_json() | {"about": about | _extras(billable, wish, takes, left)}
    _freeze_hours(made, billable, names)
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        session.add(made)
        await session.execute(
            delete(Preview).where(Preview.link_id == link_id, Preview.expires_at < now - KEPT)
        )
    return made


def _freeze_hours(
    made: Preview, entries: Sequence[TimeEntry], names: Mapping[RecordId, str]
) -> None:
    made.versions = {entry.id: entry.version for entry in entries}
    made.minutes = {entry.id: entry.minutes for entry in entries}
    made.entries = {
        entry.id: freeze_entry(entry, project=names.get(entry.project_id or RecordId("")))
        for entry in entries
    }


def _terms(entries: Sequence[TimeEntry], style: Style) -> dict[str, Any]:
    return {entry.id: terms_of(entry, style) for entry in entries if entry.minutes <= 0}


def _extras(
    entries: Sequence[TimeEntry],
    wish: Wish,
    takes: Mapping[str, Sequence[Extra]],
    left: Mapping[str, Sequence[Extra]],
) -> dict[str, Any]:
    named = {LEFT_OUT: extra_names(left), BILLED: extra_names(takes)}
    driven = driven_at(entries, takes, wish.kilometre_rate)
    return {"leftOut": kinds(left), DRIVEN: driven, **named}


async def vat_said(session: AsyncSession, link_id: LinkId) -> dict[str, VatSaid]:
    """Read what the books last said to each VAT code; a code that is missing is untried."""
    rows = await session.scalars(
        select(VatAnswer).where(VatAnswer.link_id == link_id).order_by(VatAnswer.answered_at)
    )
    return {
        row.code.removeprefix(ONE_OF): VatSaid(
            row.accepted, row.answered_at, alone=not row.code.startswith(ONE_OF)
        )
        for row in rows
    }


async def _known(runtime: Runtime, link_id: LinkId, wish: Wish) -> _Known:
    async with runtime.database.reading(link_id) as session:
        customer = await customer_pair(session, link_id, wish.query.customer_id or "")
        project = None
        if wish.query.project_id is not None:
            project = await project_pair(session, link_id, wish.query.project_id)
        link = await read_link(session, link_id)
        chosen = {
            scope: row.values for scope, row in (await read_choices(session, link_id)).items()
        }
        said = await vat_said(session, link_id)
        warned = await billing_warnings(
            session, link_id, Side.TIME, RecordId(wish.query.customer_id or "")
        )
    default_vat = str((link.settings if link else {}).get("default_vat_code", "high"))
    return _Known(customer, project, chosen, default_vat, said, warned)


def require_template(template: str | None) -> None:
    """
    Refuse a text template that cannot be filled in; none at all is fine.

    Raises:
        Problem: ``template-invalid``, with what is wrong and where.

    """
    if template is None:
        return
    try:
        check_template(template)
    except TemplateError as wrong:
        raise Problem(
            "template-invalid", what=wrong.what, place=wrong.place,
            variables=", ".join(sorted(VARIABLES)),
        ) from None  # fmt: skip


def _left_out(choice: Choice) -> list[dict[str, Any]]:
    hindered: Iterable[dict[str, Any]] = (
        {
            "entryId": judged.entry.id,
            "hindrances": [reason.value for reason in judged.hindrances],
            "draftId": judged.draft_id,
        }
        for judged in choice.judged
        if judged.hindrances
    )
    unknown = [
        {"entryId": one, "hindrances": [Hindrance.UNKNOWN.value], "draftId": None}
        for one in choice.unknown
    ]
    return [*hindered, *unknown]


def _row(
    now: datetime,
    link_id: LinkId,
    pair: Pair,
    project: Pair | None,
    choice: Choice,
    lines: Lines,
    mark: str,
    problems: list[Objection],
) -> Preview:
    return Preview(
        link_id=link_id, preview_id=uuid7(), customer_time_id=pair.time_id,
        customer_books_id=pair.books_id, project_books_id=project.books_id if project else None,
        mark=mark, versions={}, minutes={},
        lines=[line_to_json(line) for line in lines.lines], net=lines.net, vat=lines.vat,
        entries={}, wish={}, problems=problems, left_out=_left_out(choice),
        created_at=now, expires_at=now + LIFETIME,
    )  # fmt: skip
