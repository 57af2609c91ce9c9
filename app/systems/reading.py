"""Read what came over the wire strictly and purely: JSON, øre, days, instants. Knows no vendor."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from app.canonical import Ore, Record
from app.systems.ports import Reason, Rejected, Unreachable

T = TypeVar("T")

LONGEST_WAIT_SECONDS = 86_400.0
DEFAULT_WAIT_SECONDS = 30.0

_LARGEST_MAGNITUDE = 15
_SECONDS = re.compile(r"[0-9]{1,9}")
_LONGEST_ID = 64


class UnknownValue(ValueError):  # noqa: N818 - named by what was found
    """
    Say that a closed set has a value we do not know; ``about`` is the canonical field.

    Guessing a known value could write that guess to the other side; a person decides.
    """

    def __init__(self, about: str) -> None:
        super().__init__(f"a value of {about} that we do not know")
        self.about = about


def read_json(body: bytes) -> object:
    """
    Parse UTF-8 JSON; numbers with a fraction become ``Decimal``, never float.

    Raises:
        ValueError: Not UTF-8, not JSON, NaN or Infinity, or nested beyond reason.

    """
    try:
        parsed: object = _DECODER.decode(body.decode("utf-8"))
    except RecursionError:
        raise ValueError("nested beyond reason") from None
    return parsed


def read_strict_json(body: bytes) -> Mapping[str, object]:
    """
    Parse a JSON object as ``read_json`` does, and refuse members given twice.

    Two readers may take a different one of two equal members; a signed body must mean one thing.

    Raises:
        ValueError: As ``read_json``, or the top level is no object, or a member is given twice.

    """
    try:
        parsed = json.loads(
            body.decode("utf-8"),
            parse_float=Decimal,
            parse_constant=_refuse,
            object_pairs_hook=_once_each,
        )
    except RecursionError:
        raise ValueError("nested beyond reason") from None
    if not isinstance(parsed, dict):
        raise ValueError("the top level must be an object")  # noqa: TRY004 - one kind of refusal
    return parsed


def read_id(value: object) -> str:
    """
    Take an id as text: 1 to 64 printable characters, or an integer above zero.

    Dots alone are none: no encoding keeps them from being read as a step in a path.

    Raises:
        ValueError: Anything else; such a value must reach neither a path nor the database.

    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63:
        return str(value)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ID or not value.isprintable():
        raise ValueError("not an id")
    if value in (".", ".."):
        raise ValueError("not an id")
    return value


def text_or_none(value: str | None) -> str | None:
    """Trim a text; a blank one says nothing and becomes ``None``."""
    return (value.strip() or None) if value is not None else None


def ore_from(amount: Decimal | None) -> Ore | None:
    """
    Turn kroner into øre, half up; ``None`` stays ``None``.

    Raises:
        ValueError: Not finite, or larger than any invoice.

    """
    if amount is None:
        return None
    if not amount.is_finite() or amount.adjusted() > _LARGEST_MAGNITUDE:
        raise ValueError("not an amount of money")
    return Ore(int((amount * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP)))


def kroner_from(ore: Ore) -> Decimal:
    """Turn øre into kroner with two decimals, exactly."""
    return Decimal(ore).scaleb(-2)


def fingerprint(record: Record) -> str:
    """Give the SHA-256 hex of what a record says; equal records have equal ones."""
    return hashlib.sha256(repr(record).encode("utf-8", "surrogatepass")).hexdigest()


def raw_fingerprint(raw: object) -> str:
    """Give the SHA-256 hex of a wire row that cannot be read as a record."""
    return hashlib.sha256(repr(raw).encode("utf-8", "surrogatepass")).hexdigest()


def retry_after_seconds(header: str | None, *, now: datetime) -> float:
    """
    Read a ``Retry-After`` header (seconds or an HTTP date); 30 when it says nothing usable.

    Never negative, never above a day: a system may ask for patience, not for ever.
    """
    text = (header or "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), LONGEST_WAIT_SECONDS)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return DEFAULT_WAIT_SECONDS
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max((until - now).total_seconds(), 0.0), LONGEST_WAIT_SECONDS)


def retry_after_given(header: str | None) -> float | None:
    """Read a ``Retry-After`` of a 5xx in whole seconds; ``None`` when it says nothing usable."""
    text = (header or "").strip()
    return min(float(text), LONGEST_WAIT_SECONDS) if _SECONDS.fullmatch(text) else None


def understood(parse: Callable[[], T], *, what: str, write: bool) -> T:
    """
    Run a parser over an answer that claims success, and sort its failure.

    Raises:
        Unreachable: The answer cannot be read; after a write the effect is then possible.
        Rejected: It was a read, and a member has a value that we do not know.

    """
    try:
        return parse()
    except UnknownValue as err:
        if write:
            raise Unreachable(str(err), effect_possible=True) from err
        raise Rejected(str(err), reasons=(Reason("unknown-value", about=err.about),)) from err
    except (ValueError, ArithmeticError) as err:
        # The parser's text may quote the body, so it stays out of the message.
        raise Unreachable(f"the answer about {what} cannot be read", effect_possible=write) from err


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse)
"""Made once: making it takes as long as reading a record."""


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is given twice")
    return members
