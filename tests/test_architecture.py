"""The house stands as it was drawn: sizes, names, purity, and nothing of a machine in it."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "app").rglob("*.py"))
FORBIDDEN_NAMES = {
    "utils", "helpers", "manager", "service", "services", "repository", "common", "core", "base",
}  # fmt: skip


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_one_thought(path: Path) -> None:
    """No module is longer than 300 lines."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_function_fits_a_screen(path: Path) -> None:
    """No function is longer than 60 lines, docstring included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    long = [
        f"{node.name} ({node.end_lineno - node.lineno + 1})"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= 60
    ]

    assert long == []


def test_no_room_has_a_name_that_says_nothing() -> None:
    """Folders and modules are words of our users, rules or deeds."""
    names = {path.stem for path in MODULES} | {path.parent.name for path in MODULES}

    assert names & FORBIDDEN_NAMES == set()


def test_money_is_never_a_float() -> None:
    """No module of the invoicing room names float."""
    offenders = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "app" / "invoicing").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.Constant) and isinstance(node.value, float))
    ]

    assert offenders == []


def test_no_committed_line_names_a_path_of_a_machine() -> None:
    """The project knows no folder but its own."""
    prefixes = [f"/{name}/" for name in ("work", "root", "home")]
    tracked = subprocess.run(
        ["git", "grep", "-nIE", "|".join(f"(^|[^a-zA-Z0-9.]){p}" for p in prefixes), "--", "."],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert [
        line for line in tracked.stdout.splitlines() if "test_architecture.py" not in line
    ] == []
