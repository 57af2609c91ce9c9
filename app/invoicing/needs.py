"""
Say what drafts and unbilled hours ask of people, for the status of a link and for the operator.

From what is stored: no other system is asked, so that the status stays cheap.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId
from app.invoicing.ledger.fate import INVOICED
from app.invoicing.store import Draft, LedgerRow
from app.invoicing.unbilled.hindrances import WARN_FROM, first_in_time, last_in_time, oslo_day
from app.invoicing.unbilled.hours import HourRow
from app.invoicing.unbilled.money import OLD_DAYS
from app.runtime import Asked


class DraftProblem(StrEnum):
    """Name what a list of drafts can be narrowed to; ``any`` is all that waits for a person."""

    ANY = "any"
    NOT_FOUND = "draft-not-found"
    DUPLICATE = "duplicate-draft"
    DELETED = "draft-deleted"
    UNCLEAR = "draft-unclear"
    CREDITED = "invoice-credited"
    CREDITED_LATE = "credited-after-giving-back"
    AFTER_RELEASE = "draft-after-release"
    ALTERED = "draft-altered"
    LINE_UNCLEAR = "follow-up-line-unclear"
    TOTAL_DIFFERS = "remote-total-differs"
    TAKEN_LATER = "entries-taken-later"
    UNCONFIRMED = "draft-unconfirmed"
    REFUSED = "draft-refused"
    HOURS_WAIT = "hours-wait"
    UNREACHABLE = "system-unreachable"
    ACCESS_REFUSED = "system-access-refused"


_UNTIL_DONE: Final = (
    DraftProblem.NOT_FOUND, DraftProblem.DUPLICATE, DraftProblem.DELETED, DraftProblem.UNCLEAR,
    DraftProblem.CREDITED, DraftProblem.CREDITED_LATE, DraftProblem.AFTER_RELEASE,
    DraftProblem.LINE_UNCLEAR, DraftProblem.ALTERED,
)  # fmt: skip
"""Problems that stand until a person does something about them."""

_UNTIL_SENT: Final = (DraftProblem.TOTAL_DIFFERS, DraftProblem.TAKEN_LATER)
"""Problems that a person has settled who sent the draft in the books as it is."""


def needs_person() -> ColumnElement[bool]:
    """
    Choose the drafts that wait for a person, by the index over problems.

    One that is ``needs-person`` always has one of these problems.
    """
    became = func.coalesce(Draft.invoice["what"].astext, "")
    until_sent = Draft.problem.in_(_UNTIL_SENT) & became.not_in([fate.value for fate in INVOICED])
    return Draft.problem.in_(_UNTIL_DONE) | until_sent


def with_problem(problem: DraftProblem) -> ColumnElement[bool]:
    """Choose the drafts with a problem, by the same index."""
    return needs_person() if problem is DraftProblem.ANY else Draft.problem == problem.value


async def ask_people(session: AsyncSession, link_id: LinkId, now: datetime) -> Sequence[Asked]:
    """Give what a link's drafts and its unbilled hours ask of people."""
    both = (
        await _of_drafts(session, link_id),
        await _of_hours(session, link_id, today=oslo_day(now)),
    )
    return [asked for asked in both if asked is not None]


async def _of_drafts(session: AsyncSession, link_id: LinkId) -> Asked | None:
    rows = await session.execute(
        select(Draft.problem, func.count())
        .where(Draft.link_id == link_id, needs_person())
        .group_by(Draft.problem)
        .order_by(Draft.problem)
    )
    problems = {str(problem): count for problem, count in rows}
    if not problems:
        return None
    count = sum(problems.values())
    return Asked(
        code="drafts-need-person", count=count, in_step=False,
        path=f"invoice-drafts?problem={DraftProblem.ANY}",
        facts={"count": count, "problems": problems},
    )  # fmt: skip


async def _of_hours(session: AsyncSession, link_id: LinkId, *, today: date) -> Asked | None:
    """Tell of hours in no draft that come close to the limit, or passed it and are not yet old."""
    in_draft = (
        exists()
        .where(LedgerRow.link_id == link_id, LedgerRow.entry_id == HourRow.entry_id)
        .where(LedgerRow.active)
    )
    first = first_in_time(today)
    found = await session.execute(
        select(
            func.count(),
            func.count().filter(HourRow.day < first),
            func.min(HourRow.day).filter(HourRow.day >= first),
        ).where(
            HourRow.link_id == link_id,
            HourRow.day > today - timedelta(days=OLD_DAYS),
            HourRow.day <= today - WARN_FROM,
            ~HourRow.held,
            ~in_draft,
        )
    )
    count, late, next_day = found.one()
    if not count:
        return None
    before = last_in_time(next_day).isoformat() if next_day else None
    return Asked(
        code="hours-close-to-limit", count=count, in_step=True, path="money-on-the-table",
        facts={"count": count, "late": late, "billBefore": before},
    )  # fmt: skip
