"""Say in words why two records were proposed, in nb, nn and en."""

import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from app.records.matching.proposals import Fact, Proposal

LANGUAGES = ("nb", "nn", "en")

_MOST = 6
"""Facts named in one line; the weightiest come first, and a line must fit a row."""


def explain(proposal: Proposal, language: str = "nb") -> str:
    """
    Say why a pair was proposed, for instance «samme organisasjonsnummer; samme postnummer».

    An unknown language gives nb.
    """
    return describe(proposal.facts, language)


def describe(facts: Iterable[Fact], language: str = "nb") -> str:
    """Say facts in words, in the order given; facts that tell a reader nothing are left out."""
    texts = _texts(language if language in LANGUAGES else "nb")
    said = [texts[fact] for fact in facts if fact in texts]
    return "; ".join(said[:_MOST])


@cache
def _texts(language: str) -> dict[Fact, str]:
    """Read the sentences of one language, the first time only."""
    text = (files("app.records.matching") / "words" / "facts.json").read_text(encoding="utf-8")
    return {Fact(name): said[language] for name, said in json.loads(text).items()}
