"""Be the register of businesses: many main units in one call, sub-units one by one."""

from collections.abc import Collection, Sequence
from enum import Enum
from typing import Final, Self

import httpx
from pydantic import ValidationError

from app.clock import Clock, system_clock
from app.settings import Settings
from app.systems.calls import Answer, Call, Observe
from app.systems.enhetsregisteret import wire
from app.systems.enhetsregisteret.translate import business_from, struck_off
from app.systems.ports import NotFound, Reason, Rejected, SystemFault, Unreachable
from app.systems.reading import read_json, retry_after_given, understood
from app.systems.register import Business, Businesses
from app.systems.transport import Transport, TransportOptions, ignore_call

NAME: Final = "enhetsregisteret"
MOST_AT_ONCE: Final = 50
_GONE: Final = "gone"
_PACE: Final = "all"
"""One bucket for all links: the register knows us by our address, not by our customers."""


class _Unread(Enum):
    """Stand for a unit that the register has, yet says in a way we cannot read."""

    UNREAD = "unread"


_UNREAD: Final = _Unread.UNREAD
_Said = Business | None | _Unread
"""What was said of a number: a business, that there is none, or nothing we can read."""


class Enhetsregisteret:
    """
    Be a ``BusinessRegister``.

    Asks for main units by list; what is not among them is asked for as a sub-unit, then by itself,
    since a struck-off unit stands in no list (likely; facts of 2026-11).
    """

    most_at_once = MOST_AT_ONCE

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        *,
        observe: Observe = ignore_call,
        clock: Clock = system_clock,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> Self:
        """Build the register; ``transport`` stands in for the network in tests."""
        options = TransportOptions(
            timeout_seconds=settings.outgoing_timeout_seconds,
            largest_body_bytes=2 * 1024 * 1024,
            # Asked by workers only, for all links together; no one waits for the answer.
            calls_per_second=settings.enhetsregisteret_calls_per_second / settings.worker_processes,
            burst=1,
            observe=observe,
            clock=clock,
        )
        address = settings.enhetsregisteret_url
        return cls(Transport(NAME, address, classify=classify, options=options, network=transport))

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def look_up(self, numbers: Collection[str]) -> Businesses:
        """Look numbers up, each by itself where it must; see ``BusinessRegister``."""
        wanted = sorted(set(numbers))
        if len(wanted) > MOST_AT_ONCE:
            raise ValueError(f"at most {MOST_AT_ONCE} numbers at once")
        if not wanted:
            return {}
        found = await self._listed(wanted)
        for number in wanted:
            if number not in found:
                found[number] = await self._alone(number)
        return {number: said for number, said in found.items() if said is not _UNREAD}

    async def _listed(self, numbers: Sequence[str]) -> dict[str, _Said]:
        """List main units; a list that is refused for one of its numbers is halved to find it."""
        query = {"organisasjonsnummer": ",".join(numbers), "size": str(MOST_AT_ONCE)}
        try:
            answer = await self._transport.send(
                Call("GET", "/enheter", query=query, pace_key=_PACE)
            )
        except Rejected:
            half = len(numbers) // 2
            if not half:
                return {}
            return await self._listed(numbers[:half]) | await self._listed(numbers[half:])
        listed = understood(
            lambda: wire.Found.model_validate(read_json(answer.body)), what="a list", write=False
        )
        units = (_read(unit) for unit in (listed.embedded or wire.Units()).enheter)
        return {number: said for number, said in units if number in numbers}

    async def _alone(self, number: str) -> _Said:
        """Ask for one sub-unit, or for the main unit that stood in no list."""
        try:
            return await self._one("/underenheter/{number}", number) or (
                await self._one("/enheter/{number}", number)
            )
        except Rejected as refused:
            gone = any(reason.code == _GONE for reason in refused.reasons)
            return struck_off(number) if gone else _UNREAD

    async def _one(self, route: str, number: str) -> _Said:
        call = Call("GET", route, {"number": number}, pace_key=_PACE)
        try:
            answer = await self._transport.send(call)
        except NotFound:
            return None
        try:
            of_number, said = _read(read_json(answer.body))
        except ValueError:
            return _UNREAD
        return said if of_number == number else _UNREAD


def _read(unit: object) -> tuple[str, Business | _Unread]:
    """Read a unit and the number it is of; empty where not even that can be read."""
    try:
        seen = wire.Unit.model_validate(unit)
    except ValidationError:
        number = unit.get("organisasjonsnummer") if isinstance(unit, dict) else None
        return (number if isinstance(number, str) else ""), _UNREAD
    return seen.organisasjonsnummer, business_from(seen)


def classify(answer: Answer, _call: Call) -> SystemFault:
    """
    Give the fault that an answer of 400 or above means; 410 is a unit that was struck off.

    A register that is open to all and yet shuts us out says nothing about the number asked for.
    """
    if answer.status == 404:
        return NotFound("the register knows no such unit")
    if answer.status in (401, 403):
        return Unreachable(f"the register does not let us in ({answer.status})")
    if answer.status == 410:
        return Rejected("the unit was struck off", reasons=(Reason(_GONE),))
    if answer.status < 500:
        return Rejected(f"the register refused the call ({answer.status})")
    wait = retry_after_given(answer.headers.get("retry-after"))
    return Unreachable("the register failed", retry_after=wait)
