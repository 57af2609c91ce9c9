"""The house stands as it was drawn: sizes, names, purity, and nothing of a machine in it."""

import ast
import re
import subprocess
import tomllib
from graphlib import CycleError, TopologicalSorter
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


def _named(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _imports(tree: ast.AST, modules: set[str]) -> set[str]:
    """Each module of ours that an import statement names, wherever it stands."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            members = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= members & modules or {node.module}
    return found & modules


def _circle(sources: dict[str, str]) -> list[str]:
    """A way from a module over its imports back to itself, or nothing."""
    modules = set(sources)
    graph = {name: _imports(ast.parse(text), modules) for name, text in sources.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle
    return []


def test_no_import_comes_back_to_where_it_began() -> None:
    """There are no import cycles, within a room or across rooms."""
    assert _circle({_named(path): path.read_text(encoding="utf-8") for path in MODULES}) == []


def test_an_import_that_comes_back_would_be_found() -> None:
    """Also over three modules, and inside a function."""
    sources = {
        "app.a": "from app.b import thing",
        "app.b": "def late():\n    import app.c",
        "app.c": "from app import a",
    }

    assert set(_circle(sources)) == set(sources)


def _contract(name: str) -> dict[str, list[str]]:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    (found,) = (c for c in tools["importlinter"]["contracts"] if c["id"] == name)
    return dict(found)


@pytest.mark.parametrize(
    ("contract", "members", "excused"),
    [
        ("twins-apart", "forbidden_modules", {"sandbox"}),
        ("sandbox-only-cli", "source_modules", {"sandbox", "cli"}),
        ("systems-by-name", "source_modules", {"sandbox", "cli", "bootstrap", "systems"}),
    ],
)
def test_an_import_contract_names_every_room(
    contract: str, members: str, excused: set[str]
) -> None:
    """A new room or module is under each contract from its first day, or is excused here."""
    rooms = {_named(path).split(".")[1] for path in MODULES if path.parent != ROOT / "app"}
    rooms |= {path.stem for path in (ROOT / "app").glob("[!_]*.py")}

    assert set(_contract(contract)[members]) == {f"app.{room}" for room in rooms - excused}


PURE = re.compile(r"\b(pure(ly)?|touch(es)? nothing)\b")


def test_a_module_that_calls_itself_pure_is_held_to_it_and_no_other_is() -> None:
    """Who claims it in the head of the module is under the import contract and its coverage."""
    claiming = {
        _named(path)
        for path in MODULES
        if PURE.search(
            (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").split("\n\n")[0]
        )
    }

    assert claiming == set(_contract("pure")["source_modules"])


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
