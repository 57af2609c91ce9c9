"""Match made-up registers, and the public draw where it lies beside the project."""

import json
import subprocess
import sys
from pathlib import Path
from statistics import mean
from typing import Any

from bench.matching.measure import measured, tables_of
from bench.stage import Bench

FIRST_SEED = 9001
DRAWS = 8
SIZE = 3000
FOLDER = Path(".data") / "bench"
ROOT = Path(__file__).parents[1]
PUBLIC = ROOT.parent / "shared" / "matching"
FILES = ("predictions", "duplicates", "invalid")


def matching(bench: Bench) -> None:
    """Score a few draws of our own, and the public one by its own judge."""
    rows = [measured(tables_of(SIZE, FIRST_SEED + number)) for number in range(DRAWS)]
    certain, false = (sum(row[name] for row in rows) for name in ("certain", "false_links"))
    bench.results["matching"] = {
        "draws": f"{DRAWS} of {SIZE} a side",
        "false_per_10000": round(10_000 * false / max(1, certain), 1),
        "recall": round(mean(row["recall"] for row in rows), 3),
        "coverage": round(mean(row["coverage"] for row in rows), 3),
        "questions_per_100": round(mean(row["questions_per_100"] for row in rows), 1),
        "seconds": round(mean(row["seconds"] for row in rows), 2),
    }
    if (PUBLIC / "score.py").is_file():
        bench.results["matching_public_draw"] = judged_publicly(PUBLIC, FOLDER)


def judged_publicly(public: Path, folder: Path) -> dict[str, Any]:
    """Match the public draw by the command a person has, and let its own judge score it."""
    folder.mkdir(parents=True, exist_ok=True)
    out = {name: (folder / f"{name}.csv").resolve() for name in FILES}
    sides = [str(public / f"customers_{name}.csv") for name in ("timerabbit", "conta")]
    others = [part for name in FILES[1:] for part in (f"--{name}", str(out[name]))]
    command = [sys.executable, "-m", "app.cli", "match", *sides]
    subprocess.run(
        [*command, "--out", str(out["predictions"]), *others],
        check=True, cwd=ROOT, capture_output=True,
    )  # fmt: skip
    judge = [sys.executable, str(public / "score.py"), str(public), str(out["predictions"])]
    # The judge ends with 1 below its floor of precision; the figure itself says so here.
    told = subprocess.run(
        [*judge, *others, "--json"], check=False, capture_output=True, text=True
    )  # fmt: skip
    figures = json.loads(told.stdout)
    return {
        "precision": round(figures["precision_match"], 4),
        "recall": round(figures["recall_match"], 3),
        "coverage": round(figures["coverage"], 3),
        "questions_per_100": round(figures["review_per_100"], 1),
    }
