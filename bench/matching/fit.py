"""
Fit the weights of the facts on made-up draws, and write the shipped table.

    python -m bench.matching.fit --draws 12 --first-seed 101

Logistic regression with a ridge, by Newton's method, over the combinations of facts that occur
among compared pairs: rules are fitted, not rows. measure.py reports on other seeds.
"""

import argparse
import json
import math
import sys
from collections import defaultdict
from pathlib import Path

from app.records.matching.block import pairs_across
from app.records.matching.compare import compare
from app.records.matching.facts import facts_in
from app.records.matching.index import Index
from app.records.matching.proposals import Fact
from bench.matching.measure import sides_of, tables_of
from bench.matching.scoring import truth_of

PERSON, NUMBER, OTHER, PARTLY, ALONE = (
    "name-of-a-person",
    "organization-number-same",
    "name-other",
    "name-partly",
    "name-once-on-each-side",
)
TOGETHER = [
    *(
        (PERSON, other)
        for other in (
            "name-same",
            "name-close",
            "name-alike",
            "name-same-but-middle-name",
            PARTLY,
            OTHER,
            ALONE,
            "place-different",
            "street-different",
            "street-and-number-same",
            "postal-code-same",
            "place-same",
            "mail-same",
            "phone-same",
            "kind-different",
            "phone-different",
            "mail-different",
        )
    ),
    *(
        (NUMBER, other)
        for other in (OTHER, PARTLY, "name-contained", "place-different", "street-and-number-same")
    ),
    *((ALONE, other) for other in ("place-different", "street-different", "name-same")),
    *(
        (OTHER, other)
        for other in (
            "street-and-number-same",
            "mail-same",
            "phone-same",
            "name-in-mail-domain",
            "postal-code-same",
        )
    ),
    *(
        (PARTLY, other)
        for other in (
            "street-and-number-same",
            "mail-same",
            "phone-same",
            "name-in-mail-domain",
            "postal-code-same",
        )
    ),
    ("street-and-number-same", "mail-same"),
    ("street-and-number-same", "phone-same"),
    ("given-name-different", "street-and-number-same"),
    ("place-different", "street-different"),
    ("name-contained", "street-and-number-same"),
    ("name-rare", "place-different"),
    ("name-uncommon", "place-different"),
    ("organization-number-different", "street-and-number-same"),
    ("organization-number-different", "place-different"),
]

Counts = dict[int, list[int]]
RIDGE = 2.0
UNSEEN = {
    "project-number-same": 60,
    "project-number-different": -20,
    "another-candidate": 0,
    "already-paired": 0,
    "one-is-inactive": -5,
}


def counted(draws: int, first_seed: int, size: int) -> Counts:
    """Count true and false pairs by their facts."""
    found: Counts = defaultdict(lambda: [0, 0])
    for seed in range(first_seed, first_seed + draws):
        tables = tables_of(size, seed)
        truth = truth_of(tables)
        left, right = (Index.of(side) for side in sides_of(tables))
        for one, other in pairs_across(left.blocks, right.blocks):
            first, second = left.cards[one], right.cards[other]
            found[compare(first, second)][0 if (first.id, second.id) in truth.pairs else 1] += 1
        print("drawn", seed, len(found), "combinations", flush=True)
    return found


def fitted(counts: Counts) -> list[float]:
    """Fit log-odds: a start, a weight for each fact, and one for each meeting of two."""
    facts = {fact.value: at + 1 for at, fact in enumerate(Fact) if fact.value not in UNSEEN}
    meetings = {pair: len(Fact) + 1 + at for at, pair in enumerate(TOGETHER)}
    rows = []
    for bits, (good, bad) in counts.items():
        holding = {fact.value for fact in facts_in(bits)}
        active = [0, *(facts[name] for name in holding if name in facts)]
        active += [
            at for (one, other), at in meetings.items() if one in holding and other in holding
        ]
        rows.append((active, good, bad))
    weights = [0.0] * (len(Fact) + 1 + len(TOGETHER))
    for _ in range(25):
        slope = [-RIDGE * w for w in weights]
        curve = [[0.0] * len(weights) for _ in weights]
        for at, line in enumerate(curve):
            line[at] = RIDGE
        for active, good, bad in rows:
            odds = sum(weights[at] for at in active)
            chance = 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))
            pull, bend = good - (good + bad) * chance, (good + bad) * chance * (1 - chance)
            for at in active:
                slope[at] += pull
                line = curve[at]
                for other in active:
                    line[other] += bend
        step = solved(curve, slope)
        weights = [w + s for w, s in zip(weights, step, strict=True)]
        if max(map(abs, step)) < 1e-4:
            break
    return weights


def solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Solve a system of linear equations (Gauss with pivoting)."""
    rows = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    size = len(rows)
    for at in range(size):
        best = max(range(at, size), key=lambda row: abs(rows[row][at]))
        rows[at], rows[best] = rows[best], rows[at]
        for below in range(at + 1, size):
            factor = rows[below][at] / rows[at][at]
            if factor:
                rows[below] = [x - factor * y for x, y in zip(rows[below], rows[at], strict=True)]
    found = [0.0] * size
    for at in reversed(range(size)):
        found[at] = (
            rows[at][size] - sum(rows[at][k] * found[k] for k in range(at + 1, size))
        ) / rows[at][at]
    return found


def main() -> int:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=12)
    parser.add_argument("--first-seed", type=int, default=101)
    parser.add_argument("--size", type=int, default=3000)
    told = parser.parse_args()
    weights = fitted(counted(told.draws, told.first_seed, told.size))
    table = {
        "source": "Fitted on made-up draws by bench/matching/fit.py, 2026-11; tenths of log-odds.",
        "start": round(10 * weights[0]),
        "weights": {
            fact.value: UNSEEN.get(fact.value, round(10 * weights[at + 1]))
            for at, fact in enumerate(Fact)
        },
        "together": [
            [*pair, round(10 * weights[len(Fact) + 1 + at])] for at, pair in enumerate(TOGETHER)
        ],
    }
    target = Path(__file__).parents[2] / "app" / "records" / "matching" / "words" / "weights.json"
    target.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
