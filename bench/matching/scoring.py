"""Score an answer on a labelled draw, by the public benchmark's definitions."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

Table = list[dict[str, str]]
Pair = tuple[str, str]


@dataclass(frozen=True)
class Truth:
    """Hold what a draw says of its records."""

    records: tuple[int, int]
    pairs: dict[Pair, dict[str, str]]
    duplicates: set[tuple[str, str, str]]
    invalid: set[tuple[str, str]]
    lookalikes: dict[Pair, str]


@dataclass(frozen=True)
class Answer:
    """Hold what a matcher said."""

    linked: set[Pair]
    asked: set[Pair]
    duplicates: set[tuple[str, str, str]]
    invalid: set[tuple[str, str]]


def truth_of(tables: dict[str, Table]) -> Truth:
    """Read the truth from a draw's tables."""
    return Truth(
        records=(len(tables["customers_timerabbit"]), len(tables["customers_conta"])),
        pairs={(r["timerabbit_id"], r["conta_id"]): r for r in tables["truth"]},
        duplicates={
            (r["side"], min(r["id_a"], r["id_b"]), max(r["id_a"], r["id_b"]))
            for r in tables["truth_duplicates"]
        },
        invalid={(r["side"], r["id"]) for r in tables["truth_invalid"]},
        lookalikes={
            (r["timerabbit_id"], r["conta_id"]): r["kind"] for r in tables["hard_negatives"]
        },
    )


def figures(truth: Truth, answer: Answer) -> dict[str, Any]:
    """Compute the benchmark's figures."""
    same = {pair for pair, row in truth.pairs.items() if row["label"] == "same"}
    doubtful = set(truth.pairs) - same
    single = {pair for pair in same if truth.pairs[pair]["has_duplicate"] == "0"}
    covered = covered_pairs(same, answer)
    size = sum(truth.records) / 2
    false = answer.linked - same
    return {
        "records": truth.records,
        "true_pairs": len(same),
        "certain": len(answer.linked),
        "false_links": len(false),
        "false_per_10000": round(10_000 * len(false) / max(1, len(answer.linked)), 2),
        "recall": len(answer.linked & single) / max(1, len(single)),
        "coverage": len(covered) / max(1, len(same)),
        "questions_per_100": 100 * len(answer.asked) / size,
        "question_yield": len(answer.asked & (same | doubtful)) / max(1, len(answer.asked)),
        "doubtful": len(doubtful),
        "asked_of_doubtful": len(answer.asked & doubtful) / max(1, len(doubtful)),
        "duplicates_found": len(answer.duplicates & truth.duplicates)
        / max(1, len(truth.duplicates)),
        "duplicates_precise": len(answer.duplicates & truth.duplicates)
        / max(1, len(answer.duplicates)),
        "invalid_found": len(answer.invalid & truth.invalid) / max(1, len(truth.invalid)),
        "invalid_precise": len(answer.invalid & truth.invalid) / max(1, len(answer.invalid)),
    }


def false_kinds(truth: Truth, answer: Answer) -> dict[str, int]:
    """Count false links by the kind of look-alike."""
    same = {pair for pair, row in truth.pairs.items() if row["label"] == "same"}
    kinds = (
        "doubtful" if p in truth.pairs else truth.lookalikes.get(p, "chance")
        for p in answer.linked - same
    )
    return dict(Counter(kinds))


def covered_pairs(same: set[Pair], answer: Answer) -> set[Pair]:
    """List the true pairs that are linked, asked, or shown through a flagged duplicate."""
    shown = answer.linked | answer.asked
    mates: defaultdict[str, set[str]] = defaultdict(set)
    for _, one, other in answer.duplicates:
        mates[one].add(other)
        mates[other].add(one)

    def covered(pair: Pair) -> bool:
        left, right = {pair[0], *mates[pair[0]]}, {pair[1], *mates[pair[1]]}
        return any((one, other) in shown for one in left for other in right)

    return {pair for pair in same if covered(pair)}
