"""Finish a log-in at the time side.

Check what came back, keep the tokens, subscribe to webhooks.
"""

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.access.caller import Caller
from app.access.store import OAuthState
from app.canonical import LinkId, Side
from app.database import CommitPoint
from app.links.change_state import enter
from app.links.connect import state_hash
from app.links.credentials import keep_credential, tokens_as_bytes
from app.links.identity import verifier_identity, webhook_secret_identity
from app.links.lifecycle import after_login
from app.links.pairs import Pair
from app.links.store import DirectoryEntry, Link, LinkState, WebhookSecret, lock_link
from app.problems import Problem
from app.runtime import Runtime
from app.systems.ports import AccountFacts, Rejected, Subscription, Tokens


@dataclass(frozen=True, slots=True)
class Returned:
    """Hold what the browser brought back from the log-in."""

    code: str
    state: str
    issuer: str
    different_numbers_confirmed: bool


async def finish_login(
    runtime: Runtime, caller: Caller, link_id: LinkId, returned: Returned
) -> None:
    """
    Trade the code for tokens, read whose they are, and put the link under review.

    Raises:
        Problem: ``handover-refused``, ``organization-numbers-differ`` or
            ``account-already-linked``; nothing was linked then.

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
    await _adopt_login(runtime, link_id, tokens, confirmed=returned.different_numbers_confirmed)


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
) -> None:
    tracker = runtime.systems.time.open(_Fresh(tokens), pace_key=str(link_id))
    report = await tracker.check()
    if report.account is None:
        raise Problem("handover-refused")
    await _require_fitting(runtime, link_id, report.account, confirmed=confirmed)
    url = f"{runtime.settings.public_url.rstrip('/')}/v1/webhooks/{runtime.systems.time.name}"
    subscription = await tracker.subscribe(f"{url}/{link_id}")
    try:
        async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
            await _keep_login(session, runtime, link_id, report.account, tokens, subscription)
    except IntegrityError:
        await tracker.unsubscribe(subscription.id)
        raise Problem("account-already-linked") from None


class _Fresh:
    """Be the keeper of tokens that are not stored yet."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def current(self) -> Tokens:
        return self._tokens

    async def renew(self, stale: Tokens, refresh: object) -> Tokens:  # noqa: ARG002 - the port's
        return self._tokens


async def _require_fitting(
    runtime: Runtime, link_id: LinkId, account: AccountFacts, *, confirmed: bool
) -> None:
    async with runtime.database.reading(link_id) as session:
        link = await session.get_one(Link, link_id)
    if link.time_account not in (None, account.id):
        raise Problem("account-already-linked")
    numbers = (link.books_organization_number, account.organization_number)
    if None not in numbers and numbers[0] != numbers[1] and not confirmed:
        raise Problem("organization-numbers-differ", books=numbers[0], time=numbers[1])


async def _keep_login(
    session: AsyncSession,
    runtime: Runtime,
    link_id: LinkId,
    account: AccountFacts,
    tokens: Tokens,
    subscription: Subscription,
) -> None:
    now = runtime.clock()
    link = await lock_link(session, link_id)
    if link is None:
        raise Problem("not-found")
    link.time_account, link.time_name = account.id, account.name
    link.time_organization_number = account.organization_number
    link.subscription_id = subscription.id
    await session.execute(
        update(DirectoryEntry)
        .where(DirectoryEntry.link_id == link_id)
        .values(time_account=account.id)
    )
    await keep_credential(
        session, runtime.vault, link_id, Side.TIME, tokens_as_bytes(tokens), now=now
    )
    secret_id = uuid7()
    session.add(
        WebhookSecret(
            link_id=link_id, secret_id=secret_id, side=Side.TIME.value,
            sealed=runtime.vault.seal(
                subscription.secret.encode(), identity=webhook_secret_identity(link_id, secret_id)
            ),
            created_at=now, expires_at=None, last_used_at=None,
        )
    )  # fmt: skip
    await session.flush()
    target = await _state_after_login(session, link)
    if link.state != target:
        await enter(session, link, target, now=now)


async def _state_after_login(session: AsyncSession, link: Link) -> LinkState:
    if link.state == LinkState.PAUSED:
        return LinkState(link.resume_state or LinkState.REVIEWING)
    if link.state != LinkState.CONNECTING:
        return LinkState(link.state)
    pair = await session.scalar(select(Pair.pair_id).where(Pair.link_id == link.link_id).limit(1))
    return after_login(had_first_sync=pair is not None)
