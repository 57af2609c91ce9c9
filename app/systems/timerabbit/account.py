"""Make calls for one company: with its access token, renewed once when it is refused."""

from app.systems.calls import Answer, Call
from app.systems.ports import TokenKeeper, Tokens
from app.systems.timerabbit.oauth import OAuth
from app.systems.timerabbit.refusals import TokenRefused
from app.systems.transport import Transport

PREFIX = "/integration/v1"


class Account:
    """Be one company's credential; short-lived, made for each piece of work."""

    def __init__(
        self, transport: Transport, oauth: OAuth, *, tokens: TokenKeeper, pace_key: str
    ) -> None:
        self._transport = transport
        self._oauth = oauth
        self._keeper = tokens
        self._pace_key = pace_key
        # Kept here so that a drain of many records opens the vault once.
        self._tokens: Tokens | None = None

    async def send(self, call: Call) -> Answer:
        """
        Make a call below the API's prefix.

        A 401 comes before any effect, so that the second try, with renewed tokens, is safe.

        Raises:
            SystemFault: As the transport; ``Unauthorised`` when renewed tokens are refused too.

        """
        tokens = self._tokens or await self._keeper.current()
        try:
            answer = await self._transport.send(self._authorised(call, tokens))
        except TokenRefused:
            tokens = await self._keeper.renew(tokens, self._oauth.refresh)
            answer = await self._transport.send(self._authorised(call, tokens))
        self._tokens = tokens
        return answer

    def _authorised(self, call: Call, tokens: Tokens) -> Call:
        bearer = {"Authorization": f"Bearer {tokens.access}"}
        return call.of(self._pace_key, PREFIX + call.route, bearer, call.values)
