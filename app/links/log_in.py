"""Finish a log-in at the time side.

Check what came back, keep the tokens, subscribe to webhooks.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.caller import Caller
from app.access.store import OAuthState
from app.canonical import LinkId, Side
from app.database import CommitPoint
from app.links.change_state import enter, pause
from app.links.connect import state_hash
from app.links.credentials import keep_credential, tokens_as_bytes
from app.links.identity import verifier_identity
from app.links.leave import erase_old_secrets
from app.links.lifecycle import PauseReason, after_login
from app.links.pairs import Pair
from app.links.reunite import closed_link_of, reunite
from app.links.store import Credential, DirectoryEntry, Link, LinkState, lock_link
from app.links.webhook_secrets import keep_secret
from app.problems import Problem
from app.runtime import Runtime
from app.systems.ports import (
    AccessReport,
    AccountFacts,
    Rejected,
    Subscription,
    SystemFault,
    TimeTracker,
    Tokens,
)

_MENDED_BY_LOGIN: Final = frozenset(
    {PauseReason.LOGIN_LOST, PauseReason.LOGIN_UNREADABLE, PauseReason.TRIAL_ENDED}
)
"""A link paused for another reason (a person asked, the brake) stays paused at a new log-in."""


@dataclass(frozen=True, slots=True)
class Returned:
    """Hold what the browser brought back from the log-in."""

    code: str
    state: str
    issuer: str
    different_numbers_confirmed: bool


async def finish_login(
    runtime: Runtime, caller: Caller, link_id: LinkId, returned: Returned
) -> LinkId:
    """
    Trade the code for tokens, read whose they are, and put the link under review.

    Gives the link that was joined: a couple that was linked before comes back to its own, with its
    pairs and its ledger, and the one that was started is closed.

    Raises:
        Problem: ``handover-refused``, ``organization-numbers-differ``,
            ``account-already-linked``, ``another-company-linked``, ``system-refused`` (its
            findings named) or ``system-unreachable``; nothing was linked then.

    """
    if returned.issuer != runtime.systems.time.issuer:
        raise Problem("handover-refused")
    state = await _use_state(runtime, caller, link_id, returned.state)
    verifier = runtime.vault.open(state.sealed_verifier, identity=verifier_identity(link_id))
    try:
        tokens = await runtime.systems.time.exchange_code(
            returned.code, verifier=verifier.decode(), return_url=state.return_url
        )
    except Rejected:
        raise Problem("handover-refused") from None
    return await _adopt_login(
        runtime, link_id, tokens, confirmed=returned.different_numbers_confirmed
    )


async def _use_state(runtime: Runtime, caller: Caller, link_id: LinkId, state: str) -> OAuthState:
    now = runtime.clock()
    async with runtime.database.transaction(CommitPoint.PLAIN) as session:
        row: OAuthState | None = await session.scalar(
            update(OAuthState)
            .where(
                OAuthState.hash == state_hash(state),
                OAuthState.link_id == link_id,
                OAuthState.issuer == caller.issuer,
                OAuthState.subject == caller.subject,
                OAuthState.used_at.is_(None),
                OAuthState.expires_at > now,
            )
            .values(used_at=now)
            .returning(OAuthState)
        )
        if row is None:
            raise Problem("handover-refused")
        session.expunge(row)
    return row


async def _adopt_login(
    runtime: Runtime, link_id: LinkId, tokens: Tokens, *, confirmed: bool
) -> LinkId:
    tracker = runtime.systems.time.open(_Fresh(tokens), pace_key=str(link_id))
    report = await tracker.check()
    if report.account is None:
        raise _no_account(report)
    joined = await _fitting_link(runtime, link_id, report.account, confirmed=confirmed)
    url = f"{runtime.settings.public_url.rstrip('/')}/v1/webhooks/{runtime.systems.time.name}"
    subscription = await tracker.subscribe(f"{url}/{joined}")
    login = _Login(joined, report.account, tokens, subscription)
    try:
        async with runtime.database.transaction(CommitPoint.PLAIN, link_id, joined) as session:
            older = await _keep_login(session, runtime, link_id, login)
    except Exception as error:
        await _end(tracker, subscription.id)
        if isinstance(error, IntegrityError):
            raise Problem("account-already-linked") from None
        raise
    if older is not None:
        await _end(tracker, older)
    return joined


def _no_account(report: AccessReport) -> Problem:
    codes = [finding.code for finding in report.findings if finding.blocking]
    if any(code.endswith("unreachable") for code in codes):
        return Problem("system-unreachable", headers={"Retry-After": "10"})
    return Problem("system-refused", reasons=", ".join(codes))


async def _end(tracker: TimeTracker, subscription_id: str) -> None:
    """End a subscription that nobody listens to; one that cannot be ended only meets 401."""
    with suppress(SystemFault):
        await tracker.unsubscribe(subscription_id)


@dataclass(frozen=True, slots=True)
class _Login:
    """Hold what a log-in gave: the link of its couple, whose it is, its tokens, its webhooks."""

    link_id: LinkId
    account: AccountFacts
    tokens: Tokens
    subscription: Subscription


class _Fresh:
    """Be the keeper of tokens that are not stored yet."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def current(self) -> Tokens:
        return self._tokens

    async def renew(self, stale: Tokens, refresh: object) -> Tokens:  # noqa: ARG002 - the port's
        return self._tokens


async def _fitting_link(
    runtime: Runtime, link_id: LinkId, account: AccountFacts, *, confirmed: bool
) -> LinkId:
    """Say which link a log-in belongs to: the one it was started for, or its couple's own."""
    async with runtime.database.reading(link_id) as session:
        link = await session.get_one(Link, link_id)
        earlier = await closed_link_of(
            session, time_account=account.id, books_account=link.books_account
        )
    joined = earlier if earlier and link.state == LinkState.CONNECTING else link_id
    _require_own_company(link, account, joined)
    numbers = (link.books_organization_number, account.organization_number)
    if None not in numbers and numbers[0] != numbers[1] and not confirmed:
        raise Problem("organization-numbers-differ", books=numbers[0], time=numbers[1])
    return joined


def _require_own_company(link: Link, account: AccountFacts, joined: LinkId) -> None:
    if link.state == LinkState.CLOSED:
        raise Problem("handover-refused")
    if joined == link.link_id and link.time_account not in (None, account.id):
        linked = link.time_name or link.time_account
        raise Problem("another-company-linked", linked=linked, loggedIn=account.name)


async def _keep_login(
    session: AsyncSession, runtime: Runtime, link_id: LinkId, login: _Login
) -> str | None:
    """Keep a log-in in place of the one before; gives the subscription that it replaces."""
    now = runtime.clock()
    link = await lock_link(session, link_id)
    if link is None:
        raise Problem("handover-refused")
    _require_own_company(link, login.account, login.link_id)  # another tab may have been faster
    if login.link_id != link_id:
        link_id = login.link_id
        link = await reunite(session, runtime.vault, link, link_id, now=now)
    older, link.subscription_id = link.subscription_id, login.subscription.id
    link.time_account, link.time_name = login.account.id, login.account.name
    link.time_organization_number = login.account.organization_number
    await session.execute(
        update(DirectoryEntry)
        .where(DirectoryEntry.link_id == link_id)
        .values(time_account=login.account.id)
    )
    await keep_credential(
        session, runtime.vault, link_id, Side.TIME, tokens_as_bytes(login.tokens), now=now
    )
    secret = await keep_secret(
        session, runtime.vault, link_id, Side.TIME, login.subscription.secret, now=now
    )
    await erase_old_secrets(session, link_id, keep=secret.secret_id)
    target = await _state_after_login(session, link)
    if link.state != target:
        await enter(session, link, target, now=now)
    if target is LinkState.ACTIVE and not await _has_key(session, link_id):
        await pause(session, link_id, reason=PauseReason.KEY_MISSING, now=now)
    return older


async def _has_key(session: AsyncSession, link_id: LinkId) -> bool:
    return await session.get(Credential, (link_id, Side.BOOKS.value)) is not None


async def _state_after_login(session: AsyncSession, link: Link) -> LinkState:
    state = LinkState(link.state)
    if state is LinkState.PAUSED and link.pause_reason in _MENDED_BY_LOGIN:
        return LinkState(link.resume_state or LinkState.REVIEWING)
    if state is not LinkState.CONNECTING:
        return state
    pair = await session.scalar(select(Pair.pair_id).where(Pair.link_id == link.link_id).limit(1))
    return after_login(was=link.resume_state, has_pairs=pair is not None)
