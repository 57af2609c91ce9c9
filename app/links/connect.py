"""Start a link from the books side: find, make or reopen it, and ask for the log-in page."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.access.caller import Caller
from app.access.store import OAuthState
from app.addresses import lies_below
from app.canonical import LinkId, Side
from app.database import CommitPoint, bind_more
from app.links.change_state import enter
from app.links.identity import verifier_identity
from app.links.leave import close_link
from app.links.store import DirectoryEntry, Link, LinkState, lock_link
from app.problems import Problem
from app.runtime import Runtime
from app.systems.ports import HandoverPage, HandoverRequest

STATE_LIFETIME: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Hold what a caller of the books side asks to connect."""

    books_account: str
    organization_number: str
    name: str
    return_url: str
    another_company: bool = False


async def start_link(runtime: Runtime, caller: Caller, wanted: Wanted) -> tuple[LinkId, bool]:
    """
    Make (or find) the link of a books account that is not closed, or reopen the last closed one.

    Gives the link and whether it is new or newly opened. Pairs and ledger of a reopened link stay;
    whether it is the same couple shows at the log-in (``finish_login``). A link that never came to
    have a company is used again rather than another one made.

    Raises:
        Problem: ``account-not-yours`` (403) or ``return-url-refused`` (422).
        SystemFault: The time system does not let us ask for a log-in; nothing was made.

    """
    if caller.side is not Side.BOOKS or wanted.books_account not in caller.accounts:
        raise Problem("account-not-yours")
    require_return_url(runtime, wanted.return_url)
    await runtime.systems.time.require_own_access()
    try:
        async with runtime.database.transaction(CommitPoint.PLAIN) as session:
            return await _find_or_make(session, wanted, runtime.clock())
    except IntegrityError:  # someone was faster, or the company is in another open link now
        async with runtime.database.reading() as session:
            entry = await _latest(session, wanted.books_account)
        if entry is None or entry.state == LinkState.CLOSED:
            raise Problem("account-already-linked") from None
        return LinkId(entry.link_id), False


def require_return_url(runtime: Runtime, url: str) -> None:
    """
    Refuse an address that is no page of ours to return to.

    Raises:
        Problem: ``return-url-refused`` (422).

    """
    if not lies_below(url, runtime.settings.return_urls):
        raise Problem("return-url-refused")


async def _find_or_make(
    session: AsyncSession, wanted: Wanted, now: datetime
) -> tuple[LinkId, bool]:
    entry = await _latest(session, wanted.books_account)
    if entry is not None and wanted.another_company:
        entry = await _without_company(session, entry, now)
    if entry is None:
        return await _make(session, wanted, now), True
    link_id = LinkId(entry.link_id)
    await bind_more(session, link_id)
    link = await lock_link(session, link_id)
    if link is None:
        raise Problem("not-found")
    link.return_url = wanted.return_url
    reopened = link.state == LinkState.CLOSED
    if reopened:
        await enter(session, link, LinkState.CONNECTING, now=now)
    if link.state == LinkState.CONNECTING:  # what was typed wrong at the first start is mended
        link.books_name = wanted.name or link.books_name
        link.books_organization_number = wanted.organization_number
    return link_id, reopened


async def _without_company(
    session: AsyncSession, entry: DirectoryEntry, now: datetime
) -> DirectoryEntry | None:
    """Give the link on which another company may log in; ``None`` where it has to be made."""
    if entry.state not in (LinkState.CONNECTING, LinkState.CLOSED):
        return entry  # an open couple goes first; it must be closed by a person
    if entry.state == LinkState.CONNECTING and entry.time_account is not None:
        await bind_more(session, LinkId(entry.link_id))  # reopened, and now not wanted after all
        await close_link(session, LinkId(entry.link_id), now=now)
    return await session.scalar(
        select(DirectoryEntry)
        .where(
            DirectoryEntry.books_account == entry.books_account,
            DirectoryEntry.time_account.is_(None),
        )
        .order_by(DirectoryEntry.state == LinkState.CLOSED, DirectoryEntry.link_id.desc())
        .limit(1)
    )


async def _latest(session: AsyncSession, books_account: str) -> DirectoryEntry | None:
    return await session.scalar(
        select(DirectoryEntry)
        .where(DirectoryEntry.books_account == books_account)
        .order_by(
            DirectoryEntry.state == LinkState.CLOSED,
            DirectoryEntry.time_account.is_(None),
            DirectoryEntry.link_id.desc(),
        )
        .limit(1)
    )


async def _make(session: AsyncSession, wanted: Wanted, now: datetime) -> LinkId:
    link_id = LinkId(uuid7())
    await bind_more(session, link_id)
    session.add(
        DirectoryEntry(
            link_id=link_id, time_account=None, books_account=wanted.books_account,
            state=LinkState.CONNECTING, next_due=None, next_sweep=None, next_draft=None,
            next_plan=None,
            time_not_before=None, books_not_before=None, pending=0, parked=0,
        )
    )  # fmt: skip
    session.add(
        Link(
            link_id=link_id, state=LinkState.CONNECTING, resume_state=None, pause_reason=None,
            pause_detail={}, time_account=None, time_name=None, time_organization_number=None,
            books_account=wanted.books_account, books_name=wanted.name or None,
            books_organization_number=wanted.organization_number, books_key_owner=None,
            return_url=wanted.return_url, settings={}, features=[], subscription_id=None, version=1,
            created_at=now, updated_at=now, last_sweep_at=None,
        )
    )  # fmt: skip
    await session.flush()
    return link_id


async def begin_login(
    runtime: Runtime, caller: Caller, link_id: LinkId, *, locale: str
) -> HandoverPage:
    """
    Ask the time system for a log-in page; keep state (hashed) and PKCE verifier (sealed).

    The state is good once, for ten minutes, for this caller only; older ones are erased. The page's
    ``expires_at`` is the earlier end of the two: a page that outlives its state leads nowhere.
    """
    async with runtime.database.reading(link_id) as session:
        link = await session.get_one(Link, link_id)
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
    now = runtime.clock()
    async with runtime.database.transaction(CommitPoint.PLAIN) as session:
        await session.execute(delete(OAuthState).where(OAuthState.expires_at <= now))
        session.add(
            OAuthState(
                hash=state_hash(state), link_id=link_id, issuer=caller.issuer,
                subject=caller.subject,
                sealed_verifier=runtime.vault.seal(
                    verifier.encode(), identity=verifier_identity(link_id)
                ),
                return_url=link.return_url, expires_at=now + STATE_LIFETIME, used_at=None,
            )
        )  # fmt: skip
    page = await runtime.systems.time.begin_handover(
        HandoverRequest(
            return_url=link.return_url,
            state=state,
            challenge=challenge.decode().rstrip("="),
            organization_name=link.books_name or link.books_account,
            organization_number=link.books_organization_number or "",
            locale=locale,
        ),
        key=str(uuid7()),
    )
    return replace(page, expires_at=min(page.expires_at, now + STATE_LIFETIME))


def state_hash(state: str) -> bytes:
    """Give what is stored of a log-in's state."""
    return hashlib.sha256(state.encode()).digest()
