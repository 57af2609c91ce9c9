"""Make and keep a preview that holds no hours of its own: of a difference, or what was left out."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from uuid_utils.compat import uuid7

from app.canonical import LinkId
from app.database import CommitPoint
from app.invoicing.lines.lines import Line, summed
from app.invoicing.lines.mark import make_mark, with_mark
from app.invoicing.lines.shapes import line_to_json
from app.invoicing.previews.objections import Objection, VatSaid, objections
from app.invoicing.previews.partners import read_partners
from app.invoicing.previews.preview import LIFETIME
from app.invoicing.store import Preview
from app.invoicing.unbilled.hindrances import oslo_day
from app.links.pairs import Pair
from app.problems import Problem
from app.runtime import Runtime

_NO_PROJECT: Final = frozenset({"project-gone", "project-customer-differs"})
"""Nobody can choose another project for such a draft: it goes without, and a person is told."""


@dataclass(frozen=True, slots=True)
class WithoutHours:
    """
    Hold what such a preview is made of.

    Args:
        project: The one that all the drafts it is of carry.
        about: What its draft keeps beside the lines, as ``Draft.body`` has it.
        said: What the books last answered to each VAT code.
        may_be_negative: A line may be; the whole never, since we make no credit notes.
        objections: What was found against it before.

    """

    customer: Pair
    project: Pair | None
    lines: Sequence[Line]
    about: Mapping[str, Any]
    said: Mapping[str, VatSaid]
    may_be_negative: bool = False
    objections: Sequence[Objection] = ()


async def keep_without_hours(runtime: Runtime, link_id: LinkId, made: WithoutHours) -> Preview:
    """
    Put a mark on the first line, name every problem at once, and keep the preview.

    Raises:
        Problem: ``nothing-to-bill`` without a line.

    """
    if not made.lines:
        raise Problem("nothing-to-bill", more={"leftOut": []})
    mark = make_mark(secrets.randbits(40))
    first, *others = made.lines
    whole = summed([replace(first, text=with_mark(first.text, mark)), *others])
    now = runtime.clock()
    partners = await read_partners(
        runtime, link_id, made.customer, made.project, wanted=made.project is not None
    )
    found = objections(
        (), whole, mark=mark, partners=partners, vat_said=made.said, today=oslo_day(now)
    )
    cannot = any(one["code"] in _NO_PROJECT for one in found)
    preview = Preview(
        link_id=link_id, preview_id=uuid7(), customer_time_id=made.customer.time_id,
        customer_books_id=made.customer.books_id, mark=mark, versions={}, minutes={},
        project_books_id=None if cannot or not made.project else made.project.books_id,
        entries={}, net=whole.net, vat=whole.vat, left_out=[],
        lines=[line_to_json(line) for line in whole.lines], wish={"about": dict(made.about)},
        problems=[*_told(found, may_be_negative=made.may_be_negative), *made.objections],
        created_at=now, expires_at=now + LIFETIME,
    )  # fmt: skip
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        session.add(preview)
    return preview


def _told(found: Sequence[Objection], *, may_be_negative: bool) -> list[Objection]:
    return [
        {**one, "blocking": False} if one["code"] in _NO_PROJECT else one
        for one in found
        if one["code"] != "line-negative" or not may_be_negative
    ]
