"""
Hold a measurement of `make coverage` to its bar: 95 % of lines and branches, 100 % of the pure.

Stories run in processes of their own and are not measured: what only they reach counts as missing.
"""

import argparse
import json
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
OVERALL = 95.0  # percent
SHOWN = 12  # gaps of a file


@dataclass(frozen=True)
class Measured:
    """One file's share: how many of its lines and branches ran, and which did not."""

    path: str
    ran: int
    missing_lines: tuple[int, ...]
    missing_branches: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, path: str, found: dict[str, Any]) -> "Measured":
        """Read a file of slipcover's JSON; a branch into an excluded line is excluded too."""
        lines = {0, *found["executed_lines"], *found["missing_lines"]}  # 0: out of the function
        return cls(
            path,
            len(found["executed_lines"]) + len(found["executed_branches"]),
            tuple(found["missing_lines"]),
            tuple((start, end) for start, end in found["missing_branches"] if end in lines),
        )

    @property
    def missing(self) -> int:
        """Count the lines and branches that did not run."""
        return len(self.missing_lines) + len(self.missing_branches)

    def __str__(self) -> str:
        """Name the file, its share and its gaps."""
        gaps = [*map(str, self.missing_lines), *(f"{a}->{b}" for a, b in self.missing_branches)]
        more = ", …" if len(gaps) > SHOWN else ""
        return f"{percent([self]):6.1f} %  {self.path}  {', '.join(gaps[:SHOWN])}{more}"


def percent(files: Iterable[Measured]) -> float:
    """Give the share of lines and branches that ran; of nothing, all."""
    files = list(files)
    ran, missing = sum(f.ran for f in files), sum(f.missing for f in files)
    return 100 * ran / (ran + missing) if ran + missing else 100.0


def pure_paths() -> list[Path]:
    """Give the modules and packages that the import contract «pure» names."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    (contract,) = (c for c in tools["importlinter"]["contracts"] if c["id"] == "pure")
    paths = [Path(name.replace(".", "/")) for name in contract["source_modules"]]
    return [path if (ROOT / path).is_dir() else path.with_suffix(".py") for path in paths]


def is_pure(path: str, pure: list[Path]) -> bool:
    """Tell whether a file is one that the contract names, or lies in one."""
    return any(Path(path) == named or named in Path(path).parents for named in pure)


def main() -> int:
    """Print the files with gaps, the largest last, and both shares; 1 when one is too low."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("measurement", type=Path, help="the JSON that slipcover wrote")
    found = json.loads(asked.parse_args().measurement.read_text(encoding="utf-8"))["files"]
    files = [Measured.of(path, one) for path, one in found.items()]
    gaps = sorted((f for f in files if f.missing), key=lambda f: f.missing)
    named = pure_paths()
    pure = [f for f in files if is_pure(f.path, named)]
    told = [
        *map(str, gaps),
        f"{percent(files):.2f} % of lines and branches ({OVERALL:.0f} asked)",
        f"{percent(pure):.2f} % of those of {len(pure)} pure modules (100 asked)",
    ]
    sys.stdout.write("\n".join(told) + "\n")
    return int(percent(files) < OVERALL or any(f.missing for f in pure))


if __name__ == "__main__":
    sys.exit(main())
