"""Weigh facts. The score ranks candidates and sets the margin; it never links by itself."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from app.records.matching.facts import facts_in
from app.records.matching.proposals import Fact


@cache
def weights() -> dict[Fact, int]:
    """Read the weight of each fact, in tenths of log-odds, the first time only."""
    return {Fact(name): weight for name, weight in _table()["weights"].items()}


@cache
def start() -> int:
    """Read the score of a pair of which nothing is known."""
    return int(_table()["start"])


def score(bits: int) -> int:
    """Sum the evidence of the facts, in tenths of log-odds."""
    known = weights()
    return start() + sum(known[fact] for fact in facts_in(bits))


def ordered(bits: int) -> tuple[Fact, ...]:
    """List the facts, the weightiest first; equal weights in their own order."""
    known = weights()
    return tuple(sorted(facts_in(bits), key=lambda fact: -abs(known[fact])))


@cache
def _table() -> dict[str, Any]:
    """Read the shipped table of weights."""
    text = (files("app.records.matching") / "words" / "weights.json").read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return table
