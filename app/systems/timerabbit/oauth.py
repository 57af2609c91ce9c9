"""Get tokens from Timerabbit: code exchange, refresh, and our own for handovers (RFC 6749)."""

import base64
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import quote, urlencode

from app.clock import Clock
from app.systems.calls import Call
from app.systems.ports import (
    AccessReason,
    Rejected,
    Tokens,
    Unauthorised,
    Unreachable,
)
from app.systems.reading import read_json, understood
from app.systems.timerabbit.wire import TokenAnswer
from app.systems.transport import Transport

TOKEN_ROUTE = "/oauth/token"  # noqa: S105 - a path, not a token
# A token is renewed a little early, so that it does not end while a call is on its way.
EARLY = timedelta(seconds=60)


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
        """Give an access token of our own client, for handovers; kept until it is about to end."""
        if self._own is None or self._own.expires_at - EARLY <= self._clock():
            self._own = await self._ask(
                {"grant_type": "client_credentials", "scope": "handover.write"}
            )
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
        except Unauthorised as err:
            # It is our own client that is refused, not the link's access: an operator must act,
            # and no link is to be paused for it.
            raise Unreachable("Timerabbit refuses our client credential") from err
        tokens = understood(
            lambda: TokenAnswer.model_validate(read_json(answer.body)), what="tokens", write=True
        )
        return Tokens(
            tokens.access_token,
            tokens.refresh_token,
            asked_at + timedelta(seconds=tokens.expires_in),
        )
