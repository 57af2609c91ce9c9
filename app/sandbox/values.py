"""Read values from the wire: exact decimals in JSON, typed words in queries, paths and headers."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any


def read_json(body: bytes) -> Any:  # noqa: ANN401 - any JSON
    """
    Read JSON with exact decimals.

    Raises:
        ValueError: It is no JSON; ``NaN`` and ``Infinity`` are none either.

    """
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no JSON value")


def spread_out(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Give all values of each name of a query."""
    many: dict[str, list[str]] = {}
    for name, value in pairs:
        many.setdefault(name, []).append(value)
    return many


def typed(
    value: str | list[str], schema: Mapping[str, Any], parameter: Mapping[str, Any]
) -> object:
    """Read a parameter as its schema types it; what does not fit stays text."""
    kind = schema.get("type")
    values = [value] if isinstance(value, str) else value
    if kind == "array":
        spread = parameter.get("explode", parameter.get("style", "form") == "form")
        words = values if spread else values[-1].split(",")
        return [_scalar(word, schema.get("items", {}).get("type")) for word in words]
    return _scalar(values[-1], kind)


def _scalar(word: str, kind: object) -> object:
    if kind == "integer" and re.fullmatch(r"-?[0-9]{1,40}", word):
        return int(word)
    if kind == "number" and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", word):
        return Decimal(word)
    if kind == "boolean" and word in {"true", "false"}:
        return word == "true"
    return word
