"""Move a link from state to state.

Both its rows in one transaction, the time system told by a job.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId
from app.links.lifecycle import PauseReason, may_become, may_take_over
from app.links.store import DirectoryEntry, Link, LinkState, lock_link
from app.problems import Problem
from app.queue import Job, defer


async def pause(
    session: AsyncSession,
    link_id: LinkId,
    *,
    reason: PauseReason,
    now: datetime,
    detail: Mapping[str, Any] | None = None,
) -> bool:
    """
    Pause a link; its work waits and goes on where it was.

    Gives whether anything changed: a link that is paused already keeps its first reason, so that a
    person is told once. A person's own pause takes over where a new key would end the first one.
    """
    link = await lock_link(session, link_id)
    if link is None:
        return False
    paused = link.state == LinkState.PAUSED
    if not (may_take_over(reason, link.pause_reason) if paused else _may_pause(link)):
        return False
    if not paused:
        link.resume_state = link.state
    link.pause_reason = reason.value
    link.pause_detail = dict(detail or {})
    await _move(session, link, LinkState.PAUSED, now)
    return True


def _may_pause(link: Link) -> bool:
    return may_become(LinkState(link.state), LinkState.PAUSED)


async def resume(session: AsyncSession, link_id: LinkId, *, now: datetime) -> bool:
    """Let a paused link go on where it was; waiting work is due at once."""
    link = await lock_link(session, link_id)
    if link is None or link.state != LinkState.PAUSED:
        return False
    target = LinkState(link.resume_state or LinkState.REVIEWING)
    link.resume_state = link.pause_reason = None
    link.pause_detail = {}
    await _move(session, link, target, now)
    return True


async def activate(session: AsyncSession, link_id: LinkId, *, now: datetime) -> bool:
    """Let a reviewed link work: sweeps begin now, noted hints are due now."""
    link = await lock_link(session, link_id)
    if link is None or link.state != LinkState.REVIEWING:
        return False
    await _move(session, link, LinkState.ACTIVE, now)
    return True


async def enter(session: AsyncSession, link: Link, target: LinkState, *, now: datetime) -> None:
    """
    Move a locked link to a state.

    Raises:
        Problem: ``link-state`` (409) where the lifecycle has no such step.

    """
    state = LinkState(link.state)
    if not may_become(state, target):
        raise Problem("link-state", state=state.value, target=target.value)
    if target is LinkState.CLOSED:
        link.resume_state = _place_of(link)
    elif target is not LinkState.CONNECTING:
        link.resume_state = None
    if target is not LinkState.PAUSED:
        link.pause_reason = None
        link.pause_detail = {}
    await _move(session, link, target, now)


def _place_of(link: Link) -> str | None:
    """Say where a link goes on when its couple is linked again: where it was when it was closed."""
    if link.state in (LinkState.REVIEWING, LinkState.ACTIVE):
        return link.state
    return link.resume_state


async def _move(session: AsyncSession, link: Link, target: LinkState, now: datetime) -> None:
    link.state = target.value
    link.version += 1
    link.updated_at = now
    values: dict[str, Any] = {"state": target.value}
    if target is LinkState.ACTIVE:
        values |= {"next_due": now, "next_sweep": now, "next_draft": now}
    if target in (LinkState.ACTIVE, LinkState.REVIEWING):
        values["next_plan"] = now
    await session.execute(
        update(DirectoryEntry).where(DirectoryEntry.link_id == link.link_id).values(values)
    )
    await session.flush()
    await defer(session, Job.TELL_LINK, LinkId(link.link_id))
