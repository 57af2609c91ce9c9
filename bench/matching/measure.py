"""
Measure the matching over several draws: mean and spread, times, memory; writes JSON.

    python -m bench.matching.measure --draws 8 --size 3000 --first-seed 5001 --out measured.json
    python -m bench.matching.measure --visible ../shared/matching      scores the public draw too
    python -m bench.matching.measure --large                            one draw of 20,000 a side

One process; seconds are of one core. Seeds below 500 are for writing rules; 1001-1012 were looked
at along the way; 2001-2012, 3001-3012, 4001-4012, 12001-12032, 15001-15032, 16001-16016,
17001-17032, 19001-19032, 20201-20264, 20601-20664, 15101, 17101, 19101, 19102, 20101, 20102, 20301,
20302, 20501-20506 and 20701-20706 were measured once; 13001-13020, 14001-14032, 18001-18060,
20001-20064, 20401-20464 and, at 20,000 a side, 13101-13102 and 18101-18104 are for writing rules. A
change of the rules is judged on new ones.
"""

import argparse
import csv
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from app.canonical import Customer, Side
from app.records.matching import match
from app.records.matching.benchmark import faults
from app.records.matching.registers import customer_of
from bench.matching.generate import draw
from bench.matching.scoring import Answer, Table, Truth, false_kinds, figures, truth_of

KEPT = (
    "false_per_10000",
    "recall",
    "coverage",
    "questions_per_100",
    "question_yield",
    "asked_of_doubtful",
    "duplicates_found",
    "duplicates_precise",
    "invalid_found",
    "invalid_precise",
    "seconds",
)


def tables_of(size: int, seed: int) -> dict[str, Table]:
    """Draw registers and give them as the CSV files would."""
    files = draw(size, seed)
    return {
        name: [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
        for name, rows in files.items()
    }


def visible(folder: Path) -> dict[str, Table]:
    """Read the public draw."""
    found = {}
    for path in folder.glob("*.csv"):
        with path.open(encoding="utf-8-sig", newline="") as file:
            found[path.stem] = list(csv.DictReader(file))
    return found


def sides_of(tables: dict[str, Table]) -> tuple[list[Customer], list[Customer]]:
    """Read both registers."""
    time_side = [customer_of(row) for row in tables["customers_timerabbit"]]
    return time_side, [customer_of(row) for row in tables["customers_conta"]]


def answer_of(left: list[Customer], right: list[Customer]) -> tuple[Answer, float]:
    """Match, and say how many seconds of one core it took."""
    begun = time.process_time()
    found = match(left, right)
    spent = time.process_time() - begun
    names = {Side.TIME: "timerabbit", Side.BOOKS: "conta"}
    return (
        Answer(
            linked={(p.time_id, p.books_id) for p in found.certain},
            asked={(p.time_id, p.books_id) for p in found.asked},
            duplicates={(names[d.side], d.first_id, d.second_id) for d in found.duplicates},
            invalid={
                (side, c.id)
                for side, customers in (("timerabbit", left), ("conta", right))
                for c in customers
                if faults(c)
            },
        ),
        spent,
    )


def measured(tables: dict[str, Table]) -> dict[str, Any]:
    """Match one draw and score it."""
    truth: Truth = truth_of(tables)
    answer, seconds = answer_of(*sides_of(tables))
    return figures(truth, answer) | {"false_kinds": false_kinds(truth, answer), "seconds": seconds}


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Give mean, standard deviation, lowest and highest of each figure."""
    found: dict[str, Any] = {
        name: {
            "mean": round(statistics.mean(values), 4),
            "spread": round(statistics.pstdev(values), 4),
            "lowest": round(min(values), 4),
            "highest": round(max(values), 4),
        }
        for name in KEPT
        for values in [[row[name] for row in rows]]
    }
    certain, false = sum(r["certain"] for r in rows), sum(r["false_links"] for r in rows)
    found["false_per_10000"]["pooled"] = round(10_000 * false / max(1, certain), 2)
    found["certain_pairs"], found["false_links"] = certain, false
    found["false_kinds"] = [row["false_kinds"] for row in rows]
    return found


MEMORY = """
import json, resource, sys
from bench.matching import measure

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

sides = measure.sides_of(measure.tables_of(int(sys.argv[1]), int(sys.argv[2])))
before = peak()
_, spent = measure.answer_of(*sides)
mb = {"added_mb": round(peak() - before), "peak_mb": round(peak())}
print(json.dumps({"seconds": round(spent, 2), **mb}))
"""


def memory_of(size: int, seed: int) -> dict[str, Any]:
    """Match one draw in a process of its own; give its seconds and what memory it added, in MB."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(size), str(seed)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> int:
    """Measure as told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=8)
    parser.add_argument("--size", type=int, default=3000)
    parser.add_argument("--first-seed", type=int, default=5001)
    parser.add_argument("--visible", type=Path)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--out", type=Path)
    told = parser.parse_args()
    rows = []
    for seed in range(told.first_seed, told.first_seed + told.draws):
        rows.append(measured(tables_of(told.size, seed)))
        print(
            seed,
            {name: round(rows[-1][name], 4) for name in KEPT},
            rows[-1]["false_kinds"],
            flush=True,
        )
    result: dict[str, Any] = {
        "draws": told.draws,
        "size": told.size,
        "first_seed": told.first_seed,
    } | summary(rows)
    if told.visible and told.visible.is_dir():
        result["visible"] = measured(visible(told.visible))
    if told.large:
        result["large"] = measured(tables_of(20_000, told.first_seed)) | memory_of(
            20_000, told.first_seed
        )
    print(json.dumps({name: result[name] for name in result if name != "false_kinds"}, indent=1))
    if told.out:
        told.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
