"""
Fit the weights of the facts on made-up draws, and write the shipped table.

    python bench/matching/fit.py --draws 12 --first-seed 101

Logistic regression with a ridge, by Newton's method, over the combinations of facts that occur among
compared pairs: rules are fitted, not rows. Seeds differ from those that measure.py reports on.
"""

import argparse
import json
import math
import sys
from collections import defaultdict
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

from measure import sides_of, tables_of
from scoring import truth_of

from app.records.matching.block import pairs_across
from app.records.matching.compare import compare
from app.records.matching.facts import facts_in
from app.records.matching.index import Index
from app.records.matching.proposals import Fact

Counts = dict[int, list[int]]
RIDGE = 2.0
UNSEEN = {"project-number-same": 60, "project-number-different": -20, "another-candidate": 0, "already-paired": 0, "one-is-inactive": -5}


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


def fitted(counts: Counts) -> tuple[float, dict[Fact, float]]:
    """Fit log-odds: a start and a weight for each fact."""
    facts = [fact for fact in Fact if fact.value not in UNSEEN]
    place = {fact: at + 1 for at, fact in enumerate(facts)}
    rows = [([0, *(place[f] for f in facts_in(bits) if f in place)], good, bad) for bits, (good, bad) in counts.items()]
    weights = [0.0] * (len(facts) + 1)
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
    return weights[0], {fact: weights[at] for fact, at in place.items()}


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
        found[at] = (rows[at][size] - sum(rows[at][k] * found[k] for k in range(at + 1, size))) / rows[at][at]
    return found


def main() -> int:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=12)
    parser.add_argument("--first-seed", type=int, default=101)
    parser.add_argument("--size", type=int, default=3000)
    told = parser.parse_args()
    start, weights = fitted(counted(told.draws, told.first_seed, told.size))
    table = {
        "source": "Fitted on made-up draws by bench/matching/fit.py, 2026-11; tenths of log-odds.",
        "start": round(10 * start),
        "weights": {fact.value: UNSEEN.get(fact.value, round(10 * weights.get(fact, 0.0))) for fact in Fact},
    }
    target = Path(__file__).parents[2] / "app" / "records" / "matching" / "words" / "weights.json"
    target.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
