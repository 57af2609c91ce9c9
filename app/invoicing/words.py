"""Say hindrances and problems of hours and drafts in the caller's language."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from app.invoicing.unbilled.hindrances import Hindrance
from app.problems import Problem, say
from app.records.billing_warnings import say_warning
from app.records.readiness import gap_texts
from app.shipped import read_texts

_OF_THE_REGISTER: Final = ("customer-struck-off", "customer-bankrupt", "customer-in-liquidation")


def codes_inside() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Give the texts, by code, of what stands inside an answer, by the member it stands in."""
    gaps = gap_texts()
    warned = {code: gaps[code]["text"] for code in _OF_THE_REGISTER}
    return {
        "hindrances of an hour": texts()["hindrances"],
        "problems of a preview, problem of a draft": {**texts()["problems"], **warned},
    }


def texts() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Read the texts: ``hindrances``, ``problems`` and ``rates`` by code, each by language."""
    return read_texts(Path(__file__).with_name("texts.json"))


def say_hindrance(reason: Hindrance, language: str) -> str:
    """Say why an hour cannot be billed."""
    return say(texts()["hindrances"][reason.value], language, {})


def say_left_out(left: Iterable[Mapping[str, Any]], language: str) -> list[dict[str, Any]]:
    """Say beside each hour that is left out why, in the order of its ``hindrances``."""
    return [
        {**one, "texts": [say_hindrance(Hindrance(code), language) for code in one["hindrances"]]}
        for one in left
    ]


def say_refusal(refused: Problem, language: str) -> Problem:
    """Say the same of the hours that a refusal names."""
    if "leftOut" in refused.more:
        refused.more["leftOut"] = say_left_out(refused.more["leftOut"], language)
    return refused


def say_rate(source: str | None, language: str) -> str:
    """Say where an hour's rate comes from; one from a place we do not know says so."""
    rates = texts()["rates"]
    return say(rates.get(source or "", rates["unknown"]), language, {})


def say_problem(code: str, language: str, facts: Mapping[str, Any]) -> str:
    """Say what is wrong with a preview or a draft; one without a text says its code."""
    found = texts()["problems"].get(code)
    if found is None and code in gap_texts():  # what the register warns of
        return say_warning(code, language)["text"]
    if found is None:
        return code
    return say(found, language, {name: _in_words(value) for name, value in facts.items()})


def _in_words(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Write a fact for a reader: several of them one after another."""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
