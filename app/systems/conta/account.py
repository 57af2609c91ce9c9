"""Make calls for one organization, with a person's key."""

from collections.abc import Mapping

from app.systems.calls import Answer, Call
from app.systems.ports import AccessReason, Unauthorised
from app.systems.transport import Transport

_LONGEST_KEY = 4_096


class Account:
    """Be one organization's id and key; short-lived, made for each piece of work."""

    def __init__(self, transport: Transport, account_id: str, key: str, *, pace_key: str) -> None:
        self._transport = transport
        self.id = account_id
        self._key = key
        self._pace_key = pace_key

    async def send(self, call: Call) -> Answer:
        """
        Make a call; routes below ``/organization`` mean this account's organization.

        Raises:
            SystemFault: As the transport; ``Unauthorised`` for a key no header can carry.

        """
        return await self._send(call, call.route, call.values)

    async def send_here(self, call: Call) -> Answer:
        """Make a call below this account's organization; the route starts after its id."""
        return await self._send(
            call,
            f"/invoice/organizations/{{organization}}{call.route}",
            {**call.values, "organization": self.id},
        )

    async def _send(self, call: Call, route: str, values: Mapping[str, str]) -> Answer:
        if not _can_be_sent(self._key):
            raise Unauthorised("not a key of Conta", reason=AccessReason.CREDENTIAL_REFUSED)
        own = call.of(self._pace_key, route, {"apiKey": self._key}, values)
        return await self._transport.send(own)


def _can_be_sent(key: str) -> bool:
    # A pasted key may hold a line break or a typographic dash; HTTP libraries answer those with
    # exceptions of their own.
    return 0 < len(key) <= _LONGEST_KEY and key.isascii() and key.isprintable()
