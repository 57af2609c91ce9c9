"""Hold what goes out and what comes back, before any system's own words are read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import simplejson

from app.systems.ports import NotFound, SystemFault

JSON_HEADERS: Mapping[str, str] = {"Content-Type": "application/json"}

_READS = frozenset({"GET", "HEAD"})
_NO_NAMES = frozenset({"", ".", ".."})


@dataclass(frozen=True, slots=True)
class Call:
    """
    Hold one call to another system.

    Args:
        route: Path with ``{names}``; this and nothing of the values is ever logged.
        values: Fill the names of the route; each is quoted whole.
        pace_key: The link the call is made for; names its bucket and its breaker.
        timeout_seconds: Deadline of this call; the transport's own without it.
        effectless: True for a POST that only reads, so that it may be tried again.

    """

    method: str
    route: str
    values: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    pace_key: str = ""
    timeout_seconds: float | None = None
    effectless: bool = False

    @property
    def write(self) -> bool:
        """Say whether the call may leave an effect behind."""
        return self.method not in _READS and not self.effectless

    def of(
        self, account: str, route: str, headers: Mapping[str, str], values: Mapping[str, str]
    ) -> "Call":
        """Give the call as an account makes it; field by field, a third of what `replace` takes."""
        return Call(
            self.method, route, values, self.query, {**self.headers, **headers}, self.body,
            account, self.timeout_seconds, self.effectless,
        )  # fmt: skip

    def path(self) -> str:
        """
        Fill the route.

        Raises:
            NotFound: A value is empty or a dot segment, which would lead to another path.

        """
        if not self.values:
            return self.route
        if _NO_NAMES.intersection(self.values.values()):
            raise NotFound("an id that names nothing")
        return self.route.format_map({k: quote(v, safe="") for k, v in self.values.items()})


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold an answer, read to its end; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def json_body(value: object) -> bytes:
    """Write JSON in ASCII; a ``Decimal`` becomes a number with the digits it has, never a float."""
    text: str = simplejson.dumps(value, use_decimal=True, separators=(",", ":"))
    return text.encode("ascii")


Classify = Callable[[Answer, Call], SystemFault]
"""Sorts an answer of 400 and above (429 apart) into the five, purely; one for each system."""

Observe = Callable[[str, str, str, float], None]
"""Hears of each try: system, method, outcome (``2xx``, ``429``, ``timeout`` …), seconds."""
