"""Test the books side's key and keep it sealed; test all links that share a refused key at once."""

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, Side
from app.database import CommitPoint
from app.links.change_state import pause, resume
from app.links.credentials import keep_credential, key_fingerprint, open_credential
from app.links.lifecycle import PROJECTS, PauseReason
from app.links.store import Credential, DirectoryEntry, Link, LinkState, lock_open_link
from app.problems import Problem
from app.runtime import Runtime
from app.systems.ports import AccessReport, Unauthorised

_MENDED_BY_KEY: Final = frozenset(
    {
        PauseReason.KEY_MISSING,
        PauseReason.KEY_REFUSED,
        PauseReason.KEY_UNREADABLE,
        PauseReason.ORGANIZATION_BLOCKED,
    }
)


async def try_key(runtime: Runtime, link_id: LinkId, key: str | None = None) -> AccessReport:
    """
    Test a key (the stored one without ``key``) and say everything found, at once.

    Raises:
        Problem: ``conta-key-missing`` when none is stored, or none that can be opened.

    """
    async with runtime.database.reading(link_id) as session:
        link = await session.get_one(Link, link_id)
        tried = key if key is not None else await _stored(session, runtime, link_id)
    books = runtime.systems.books.open(link.books_account, tried, pace_key=f"check:{link_id}")
    return await books.check()


async def _stored(session: AsyncSession, runtime: Runtime, link_id: LinkId) -> str:
    try:
        stored = await open_credential(session, runtime.vault, link_id, Side.BOOKS)
    except Unauthorised as unreadable:
        raise Problem("conta-key-missing") from unreadable
    if stored is None:
        raise Problem("conta-key-missing")
    return stored.decode()


async def keep_key(runtime: Runtime, link_id: LinkId, key: str) -> AccessReport:
    """
    Test a key and, if it can be used, keep it sealed; a link paused for its key goes on.

    Gives the report; when it is not usable nothing was stored.

    Raises:
        Problem: ``link-closed``; unlinking erases the key, and none is taken before the couple is
            linked again.

    """
    report = await try_key(runtime, link_id, key)
    account = report.account
    if not report.usable or account is None:
        return report
    now = runtime.clock()
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        link = await lock_open_link(session, link_id)  # it may have been closed meanwhile
        link.books_name, link.books_key_owner = account.name, account.key_owner
        link.features = features_of(report)
        link.version += 1
        link.updated_at = now
        await keep_credential(
            session, runtime.vault, link_id, Side.BOOKS, key.encode(),
            now=now, fingerprint=key_fingerprint(key),
        )  # fmt: skip
        await session.flush()
        if link.pause_reason in _MENDED_BY_KEY:
            await resume(session, link_id, now=now)
    return report


def features_of(report: AccessReport) -> list[str]:
    """Give the features to remember.

    The plan's names, and ``projects`` where projects are allowed.
    """
    lacks = {finding.code for finding in report.findings}
    projects = [] if any("projects" in code for code in lacks) else [PROJECTS]
    return [*projects, *report.features]


async def pause_sharers(runtime: Runtime, link_id: LinkId) -> list[LinkId]:
    """
    Test the working links that share a refused link's key, and pause each whose key is refused too.

    Each is told once: a paused link is not tested, and not paused again. A books system that does
    not answer proves nothing.
    """
    paused: list[LinkId] = []
    for other in await _sharers(runtime, link_id):
        try:
            report = await try_key(runtime, other)
        except Problem:  # its key was replaced or its link closed meanwhile
            continue
        if _refuses_key(report) and await _pause(runtime, other, runtime.clock()):
            paused.append(other)
    return paused


async def _sharers(runtime: Runtime, link_id: LinkId) -> list[LinkId]:
    working = DirectoryEntry.state.in_((LinkState.ACTIVE, LinkState.REVIEWING))
    async with runtime.database.reading(link_id) as session:
        row = await session.get(Credential, (link_id, Side.BOOKS.value))
        entries = (await session.scalars(select(DirectoryEntry.link_id).where(working))).all()
    if row is None:
        return []
    others = [LinkId(entry) for entry in entries if entry != link_id]
    async with runtime.database.reading(*others) as session:
        same = select(Credential.link_id).where(Credential.fingerprint == row.fingerprint)
        return [LinkId(other) for other in (await session.scalars(same)).all()]


def _refuses_key(report: AccessReport) -> bool:
    return any(
        finding.blocking and finding.code.endswith(("key-refused", "not-visible"))
        for finding in report.findings
    )


async def _pause(runtime: Runtime, link_id: LinkId, now: datetime) -> bool:
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        return await pause(session, link_id, reason=PauseReason.KEY_REFUSED, now=now)
