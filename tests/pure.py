"""Print the files of the import contract «pure», as a list for `coverage report --include`."""

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def pure_files() -> list[str]:
    """Give the files of each module or package that the contract names."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    (contract,) = (c for c in tools["importlinter"]["contracts"] if c["id"] == "pure")
    paths = [name.replace(".", "/") for name in contract["source_modules"]]
    return [f"{path}/*" if (ROOT / path).is_dir() else f"{path}.py" for path in paths]


if __name__ == "__main__":
    sys.stdout.write(",".join(pure_files()))
