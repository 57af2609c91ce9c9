"""Make a preview of what changed after hours were billed: the difference, never the whole."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.canonical import LinkId, Ore
from app.database import CommitPoint
from app.invoicing.choose import customer_pair
from app.invoicing.decided import FOLLOW_UP, is_open
from app.invoicing.hindrances import oslo_day
from app.invoicing.lines import Line, hours, line_net, priced, summed
from app.invoicing.mark import make_mark, with_mark
from app.invoicing.objections import objections
from app.invoicing.partners import read_partners
from app.invoicing.preview import LIFETIME, vat_said
from app.invoicing.shapes import line_to_json
from app.invoicing.store import Draft, EntryChange, Preview
from app.problems import Problem
from app.runtime import Runtime

_WORD: Final = {"nb": "Korreksjon", "nn": "Korreksjon", "en": "Correction"}


def amount_of(frozen: Any) -> int:  # noqa: ANN401 - JSON
    """Give what an hour is worth alone, in øre; one that is gone or has no rate is worth none."""
    if not frozen or frozen.get("rate") is None:
        return 0
    return line_net(hours(frozen["minutes"]), Ore(frozen["rate"]))


async def preview_follow_up(
    runtime: Runtime, link_id: LinkId, change_ids: Sequence[UUID]
) -> Preview:
    """
    Preview a draft of the differences of one customer's changed hours.

    The choice is recorded when the draft is made of it, not before: a preview nobody sends decides
    nothing, and a draft that is refused or released opens the changes again.

    Lines may be negative; the whole may not, since Conta takes no negative draft.

    Raises:
        Problem: ``not-found`` for an unknown or decided change, ``nothing-to-bill`` where the
            changes are no money or of several customers.

    """
    async with runtime.database.reading(link_id) as session:
        changes = await open_changes(session, link_id, change_ids)
        drafts = [await session.get_one(Draft, (link_id, c.draft_id)) for c in changes]
        customers = {draft.customer_time_id for draft in drafts}
        if len(changes) != len(set(change_ids)):
            raise Problem("not-found")
        if len(customers) != 1:
            raise Problem("nothing-to-bill", more={"leftOut": []})
        pair = await customer_pair(session, link_id, customers.pop())
        said = await vat_said(session, link_id)
    mark = make_mark(secrets.randbits(40))
    language = drafts[0].body.get("about", {}).get("language", "nb")
    codes = {c.change_id: _vat_of(c, d) for c, d in zip(changes, drafts, strict=True)}
    lines = [line for c in changes for line in _lines(c, codes[c.change_id], language)]
    if not lines:
        raise Problem("nothing-to-bill", more={"leftOut": []})
    lines[0] = replace(lines[0], text=with_mark(lines[0].text, mark))
    whole = summed(lines)
    about = {
        **drafts[0].body.get("about", {}), FOLLOW_UP: [str(change.change_id) for change in changes],
    }  # fmt: skip
    now = runtime.clock()
    partners = await read_partners(runtime, link_id, pair, None, wanted=False)
    found = [
        one for one in objections(
            (), whole, mark=mark, partners=partners, vat_said=said, today=oslo_day(now)
        )
        if one["code"] != "line-negative"
    ]  # fmt: skip
    made = Preview(
        link_id=link_id, preview_id=uuid7(), customer_time_id=pair.time_id,
        customer_books_id=pair.books_id, project_books_id=None, mark=mark, versions={}, minutes={},
        entries={}, wish={"about": about}, net=whole.net, vat=whole.vat,
        lines=[line_to_json(line) for line in whole.lines], problems=found, left_out=[],
        created_at=now, expires_at=now + LIFETIME,
    )  # fmt: skip
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        session.add(made)
    return made


async def open_changes(
    session: AsyncSession, link_id: LinkId, change_ids: Sequence[UUID]
) -> list[EntryChange]:
    """Read changes that wait for a person, in the order they were seen."""
    rows = await session.scalars(
        select(EntryChange)
        .where(is_open(link_id), EntryChange.change_id.in_(change_ids))
        .order_by(EntryChange.change_id)
    )
    return list(rows)


def _lines(change: EntryChange, vat_code: str, language: str) -> list[Line]:
    """Give the difference of one hour: one line at one rate, else the old off and the new on."""
    before, after = change.before, change.after
    old, new = before.get("rate"), after.get("rate") if after else before.get("rate")
    if old == new:
        minutes = (after["minutes"] if after else 0) - before["minutes"]
        return [_line(change, minutes, old, vat_code, language)] if minutes and old else []
    pieces = [(-before["minutes"], old), (after["minutes"], new)]
    return [_line(change, m, rate, vat_code, language) for m, rate in pieces if m and rate]


def _line(change: EntryChange, minutes: int, rate: int, vat_code: str, language: str) -> Line:
    before = change.before
    year, month, day = before["day"].split("-")
    place = ": ".join(p for p in (before["employeeName"], before.get("project") or "") if p)
    quantity = hours(abs(minutes)) * (1 if minutes > 0 else -1)
    return priced(
        Line(
            text=f"{_WORD[language]} {day}.{month}.{year} {place}", minutes=minutes,
            billed=minutes, quantity=quantity, unit_price=Ore(rate), vat_code=vat_code,
            net=Ore(0), vat=Ore(0), entry_ids=(), key=f"{change.change_id}-{rate}",
        )
    )  # fmt: skip


def _vat_of(change: EntryChange, draft: Draft) -> str:
    """Give the VAT code the hour was billed with."""
    codes: list[str] = [
        line["vatCode"] for line in draft.body["lines"] if change.entry_id in line["entryIds"]
    ]
    return codes[0] if codes else "high"
