"""Write how far a draft has come.

Each step a short transaction that only its own fence may make.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.canonical import LinkId
from app.database import CommitPoint
from app.invoicing.ledger.differing import differing_lines, total_differs
from app.invoicing.ledger.ledger import free_hours
from app.invoicing.store import ONE_OF, Draft, DraftAttempt, DraftEvent, DraftState, VatAnswer
from app.links.store import DirectoryEntry
from app.runtime import Runtime
from app.systems.ports import RemoteDraft


class Overtaken(Exception):  # noqa: N818 - named by what happened
    """Say that someone else moved the draft meanwhile; whoever meets it stops."""


async def move(
    session: AsyncSession,
    draft: Draft,
    target: DraftState,
    *,
    now: datetime,
    what: str,
    facts: Mapping[str, Any] | None = None,
    **values: Any,  # noqa: ANN401 - columns of the draft
) -> None:
    """
    Move a draft from the state and attempt it was read with, and write the event.

    Meeting the same problem again in the same place is no event: an outage of hours would be
    thousands of them.

    Raises:
        Overtaken: It is elsewhere now.

    """
    changed = await session.scalar(
        update(Draft)
        .where(
            Draft.link_id == draft.link_id,
            Draft.draft_id == draft.draft_id,
            Draft.state == draft.state,
            Draft.attempt == draft.attempt,
        )
        .values(state=target.value, version=Draft.version + 1, updated_at=now, **values)
        .returning(Draft.version)
    )
    if changed is None:
        raise Overtaken
    again = values.get("problem") is not None and values["problem"] == draft.problem
    if not (again and target == draft.state):
        session.add(
            DraftEvent(
                link_id=draft.link_id, event_id=uuid7(), draft_id=draft.draft_id, what=what,
                facts=dict(facts or {}), at=now,
            )
        )  # fmt: skip
    if values.get("not_before") is not None:
        await make_due(session, LinkId(draft.link_id), values["not_before"])


async def move_unchanged(
    session: AsyncSession,
    draft: Draft,
    target: DraftState,
    *,
    now: datetime,
    what: str,
    **values: Any,  # noqa: ANN401 - as of move
) -> None:
    """
    Move a draft that nobody wrote to since it was read.

    For whoever decides by what a row says: between the reading and the writing lie calls to the
    books, in which a person may have named an invoice or released the hours.

    Raises:
        Overtaken: Somebody wrote to it meanwhile.

    """
    version = await session.scalar(
        select(Draft.version)
        .where(Draft.link_id == draft.link_id, Draft.draft_id == draft.draft_id)
        .with_for_update()
    )
    if version != draft.version:
        raise Overtaken
    await move(session, draft, target, now=now, what=what, **values)


async def make_due(session: AsyncSession, link_id: LinkId, at: datetime) -> None:
    """Let the link's drafts be looked at no later than ``at``."""
    await session.execute(
        update(DirectoryEntry)
        .where(
            DirectoryEntry.link_id == link_id,
            (DirectoryEntry.next_draft.is_(None)) | (DirectoryEntry.next_draft > at),
        )
        .values(next_draft=at)
    )


async def set_due(session: AsyncSession, draft: Draft, at: datetime) -> None:
    """Let a draft be looked at again at ``at``, without moving it."""
    await session.execute(
        update(Draft)
        .where(Draft.link_id == draft.link_id, Draft.draft_id == draft.draft_id)
        .values(not_before=at)
    )
    await make_due(session, LinkId(draft.link_id), at)


async def keep_facts(session: AsyncSession, draft: Draft, facts: Mapping[str, Any]) -> None:
    """Keep what belongs to the draft's problem: reasons, conflicts, lines that differ."""
    await session.execute(
        update(Draft)
        .where(Draft.link_id == draft.link_id, Draft.draft_id == draft.draft_id)
        .values(facts=dict(facts))
    )


async def close_attempt(session: AsyncSession, draft: Draft, outcome: str) -> None:
    """Write what came of the running attempt."""
    await session.execute(
        update(DraftAttempt)
        .where(
            DraftAttempt.link_id == draft.link_id,
            DraftAttempt.draft_id == draft.draft_id,
            DraftAttempt.number == draft.attempt,
        )
        .values(outcome=outcome)
    )


async def record_created(
    runtime: Runtime,
    draft: Draft,
    remote: RemoteDraft,
    point: CommitPoint,
    *,
    what: str,
) -> None:
    """Keep the draft's id in the books and their sums; the VAT codes were accepted."""
    now = runtime.clock()
    link_id = LinkId(draft.link_id)
    settle = timedelta(seconds=runtime.settings.settle_seconds)
    lines = draft.body["lines"]
    differs = total_differs(
        net=draft.net, vat=draft.vat, lines=len(lines), their_net=remote.net, their_vat=remote.vat
    )
    async with runtime.database.transaction(point, link_id) as session:
        await move(
            session, draft, DraftState.CREATED, now=now, what=what, facts={"booksId": remote.id},
            books_ids=[remote.id], remote=_sums(remote), not_before=now, next_look=now + settle,
            problem="remote-total-differs" if differs else None,
        )  # fmt: skip
        if differs:
            told = differing_lines(dict(enumerate(lines, 1)), remote.lines)
            await keep_facts(session, draft, {"differs": told})
        await close_attempt(session, draft, "created")
        await note_vat(session, draft, accepted=True, now=now)
    runtime.metrics.drafts.labels("created").inc()


async def record_refused(
    runtime: Runtime, draft: Draft, reasons: Sequence[str], facts: Mapping[str, Any]
) -> None:
    """
    Keep a refusal: nothing was made, so the hours are free again.

    Where an earlier POST may have made something, its mark is watched for as long as that was.
    """
    now = runtime.clock()
    watch: dict[str, Any] = {} if draft.watch_until is None else {"next_look": now}
    async with runtime.database.transaction(
        CommitPoint.DRAFT_REFUSED, LinkId(draft.link_id)
    ) as session:
        await move(
            session, draft, DraftState.REFUSED, now=now, what="refused",
            facts={"reasons": list(reasons)}, problem="draft-refused", not_before=now, **watch,
        )  # fmt: skip
        await keep_facts(session, draft, {"reasons": list(reasons), **facts})
        await close_attempt(session, draft, "refused")
        await free_hours(session, draft, now=now)
        if "WrongVatCodeException" in reasons:
            await note_vat(session, draft, accepted=False, now=now)
    runtime.metrics.drafts.labels("refused").inc()


async def note_vat(session: AsyncSession, draft: Draft, *, accepted: bool, now: datetime) -> None:
    """Remember what the books said to each VAT code of the draft, or to one of them."""
    codes = sorted({line["vatCode"] for line in draft.body["lines"]})
    if len(codes) > 1 and not accepted:
        codes = [ONE_OF + code for code in codes]  # which of them was refused is not said
    values = {"accepted": accepted, "answered_at": now}
    for code in codes:
        statement = insert(VatAnswer).values(link_id=draft.link_id, code=code, **values)
        await session.execute(
            statement.on_conflict_do_update(index_elements=["link_id", "code"], set_=values)
        )


def _sums(remote: RemoteDraft) -> dict[str, Any]:
    return {"net": remote.net, "vat": remote.vat, "total": remote.total}
