"""Get tokens from Timerabbit: code exchange, refresh, and our own for handovers (RFC 6749)."""

import base64
from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from urllib.parse import quote, urlencode

import structlog

from app.clock import Clock
from app.systems.calls import Call
from app.systems.ports import (
    AccessReason,
    OwnAccessRefused,
    Rejected,
    SystemFault,
    Tokens,
    Unauthorised,
)
from app.systems.reading import read_json, understood
from app.systems.timerabbit.wire import TokenAnswer
from app.systems.transport import Transport

TOKEN_ROUTE = "/oauth/token"  # noqa: S105 - a path, not a token
# A token is renewed a little early, so that it does not end while a call is on its way.
EARLY = timedelta(seconds=60)
_OF_OUR_CLIENT: Final = frozenset({"invalid_client", "unauthorized_client"})

log = structlog.get_logger(__name__)


def own_access_refused(route: str, *, code: str) -> OwnAccessRefused:
    """Give the fault of a refusal of our own client, and tell the operator in the log."""
    log.error("own access refused", system="timerabbit", route=route, code=code)
    return OwnAccessRefused("Timerabbit refuses our client credential")


class OAuth:
    """Hold our client credential and speak with the token endpoint."""

    def __init__(
        self, transport: Transport, *, client_id: str, client_secret: str, clock: Clock
    ) -> None:
        self._transport = transport
        self._clock = clock
        pair = f"{quote(client_id, safe='')}:{quote(client_secret, safe='')}"
        self._basic = "Basic " + base64.b64encode(pair.encode("ascii")).decode("ascii")
        self._own: Tokens | None = None

    async def exchange(self, code: str, *, verifier: str, return_url: str) -> Tokens:
        """
        Trade a code for tokens; a code is good once.

        Raises:
            Rejected: The code is wrong, old or was used.
            OwnAccessRefused: Our own client is refused, whatever the code.

        """
        return await self._ask(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": return_url,
                "code_verifier": verifier,
            }
        )

    async def refresh(self, refresh_token: str) -> Tokens:
        """
        Renew tokens; the old refresh token is good once, a missing new one means it stays.

        Raises:
            Unauthorised: Access was taken back; a person must log in again.
            OwnAccessRefused: Our own client is refused, whatever the token.

        """
        try:
            tokens = await self._ask(
                {"grant_type": "refresh_token", "refresh_token": refresh_token}
            )
        except Rejected as err:
            raise Unauthorised(
                "Timerabbit does not renew the access", reason=AccessReason.CREDENTIAL_REFUSED
            ) from err
        if tokens.refresh is not None:
            return tokens
        return Tokens(tokens.access, refresh_token, tokens.expires_at)

    async def own_access(self) -> str:
        """
        Give an access token of our own client, for handovers; kept until it is about to end.

        Raises:
            OwnAccessRefused: Timerabbit does not know our client or its secret.

        """
        if self._own is None or self._own.expires_at - EARLY <= self._clock():
            form = {"grant_type": "client_credentials", "scope": "handover.write"}
            try:
                self._own = await self._ask(form)
            except Rejected as err:  # nothing but our own client is in what was asked
                raise own_access_refused(TOKEN_ROUTE, code=_code_of(err)) from err
        return self._own.access

    def forget_own_access(self) -> None:
        """Ask for a new token of our own at the next need (the old one was refused)."""
        self._own = None

    async def _ask(self, form: Mapping[str, str]) -> Tokens:
        asked_at = self._clock()
        call = Call(
            "POST",
            TOKEN_ROUTE,
            headers={
                "Authorization": self._basic,
                "Content-Type": "application/x-www-form-urlencoded",
            },
            body=urlencode(form).encode("ascii"),
            pace_key="oauth",
        )
        try:
            answer = await self._transport.send(call)
        except (Unauthorised, Rejected) as err:
            # Where it is our own client that is refused and not the link's access, an operator must
            # act, and no link is to be paused for it.
            code = _code_of(err)
            if isinstance(err, Rejected) and code not in _OF_OUR_CLIENT:
                raise
            raise own_access_refused(TOKEN_ROUTE, code=code) from err
        tokens = understood(
            lambda: TokenAnswer.model_validate(read_json(answer.body)), what="tokens", write=True
        )
        return Tokens(
            tokens.access_token,
            tokens.refresh_token,
            asked_at + timedelta(seconds=tokens.expires_in),
        )


def _code_of(fault: SystemFault) -> str:
    """Give Timerabbit's name of a refusal; what it refuses of a credential has ours."""
    reasons = fault.reasons if isinstance(fault, Rejected) else ()
    return reasons[0].code if reasons else AccessReason.CREDENTIAL_REFUSED.value
