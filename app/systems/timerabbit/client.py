"""Be the time side: Timerabbit as a product, before and beside any one company."""

from datetime import UTC
from typing import Self

import httpx

from app.clock import Clock, system_clock
from app.settings import Settings
from app.systems.calls import JSON_HEADERS, Answer, Call, Observe, json_body
from app.systems.ports import (
    HandoverPage,
    HandoverRequest,
    Notice,
    TokenKeeper,
    Tokens,
    Unauthorised,
)
from app.systems.reading import read_json, understood
from app.systems.timerabbit import wire
from app.systems.timerabbit.account import PREFIX, Account
from app.systems.timerabbit.oauth import OAuth, own_access_refused
from app.systems.timerabbit.records import DEMANDS
from app.systems.timerabbit.refusals import TokenRefused, classify
from app.systems.timerabbit.tracker import TimerabbitClient
from app.systems.timerabbit.webhooks import read_notice
from app.systems.transport import Transport, TransportOptions, ignore_call

__all__ = ["NAME", "TimerabbitClient", "TimerabbitSystem"]

NAME = "timerabbit"
HANDOVER_ROUTE = f"{PREFIX}/handovers"


class TimerabbitSystem:
    """Be a ``TimeSystem``: what is not bound to one company."""

    name = NAME
    demands = DEMANDS

    def __init__(
        self,
        transport: Transport,
        *,
        client_id: str,
        client_secret: str,
        issuer: str,
        clock: Clock = system_clock,
    ) -> None:
        self._transport = transport
        self._oauth = OAuth(
            transport, client_id=client_id, client_secret=client_secret, clock=clock
        )
        self._issuer = issuer

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        *,
        observe: Observe = ignore_call,
        clock: Clock = system_clock,
        transport: httpx.AsyncBaseTransport | None = None,
        share: float = 1.0,
    ) -> Self:
        """
        Build the system.

        Args:
            transport: Stands in for the network in tests.
            share: The part of a link's pace that this process may use.

        """
        pace = settings.timerabbit_calls_per_second * share
        options = TransportOptions(
            timeout_seconds=settings.outgoing_timeout_seconds,
            calls_per_second=pace,
            burst=max(1, round(pace)),
            observe=observe,
            clock=clock,
        )
        base_url = settings.timerabbit_url.rstrip("/")
        return cls(
            Transport(NAME, base_url, classify=classify, options=options, network=transport),
            client_id=settings.timerabbit_client_id,
            client_secret=settings.timerabbit_client_secret.get_secret_value(),
            issuer=base_url,
            clock=clock,
        )

    @property
    def issuer(self) -> str:
        """Give the ``iss`` its redirects must carry (RFC 9207)."""
        return self._issuer

    def open(self, tokens: TokenKeeper, *, pace_key: str) -> TimerabbitClient:
        """Bind to one company; nothing is called yet."""
        return TimerabbitClient(
            Account(self._transport, self._oauth, tokens=tokens, pace_key=pace_key)
        )

    async def require_own_access(self) -> None:
        """Make sure that our own client is let in; asks only where no access of ours is kept."""
        await self._oauth.own_access()

    async def begin_handover(self, request: HandoverRequest, *, key: str) -> HandoverPage:
        """Start a log-in or trial registration with our own client's access."""
        try:
            try:
                answer = await self._hand_over(request, key)
            except TokenRefused:
                self._oauth.forget_own_access()
                answer = await self._hand_over(request, key)
        except Unauthorised as err:  # no company has a part in this yet: it is we who may not
            raise own_access_refused(HANDOVER_ROUTE, code=err.reason.value) from err
        made = understood(
            lambda: wire.Handover.model_validate(read_json(answer.body)),
            what="a handover",
            write=True,
        )
        return HandoverPage(made.handover_url, made.expires_at.astimezone(UTC))

    async def exchange_code(self, code: str, *, verifier: str, return_url: str) -> Tokens:
        """Trade a code for tokens; it is good once."""
        return await self._oauth.exchange(code, verifier=verifier, return_url=return_url)

    def read_webhook(self, body: bytes) -> Notice:
        """Parse a verified body, purely."""
        return read_notice(body)

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def _hand_over(self, request: HandoverRequest, key: str) -> Answer:
        access = await self._oauth.own_access()
        body = {
            "returnUrl": request.return_url,
            "state": request.state,
            "codeChallenge": request.challenge,
            "codeChallengeMethod": "S256",
            "locale": request.locale,
            "company": {
                "name": request.organization_name,
                "organizationNumber": request.organization_number,
            },
        }
        return await self._transport.send(
            Call(
                "POST",
                HANDOVER_ROUTE,
                headers={
                    **JSON_HEADERS,
                    "Authorization": f"Bearer {access}",
                    "Idempotency-Key": key,
                },
                body=json_body(body),
                pace_key="handovers",
            )
        )
