"""The documents are true: what can rot is compared with the code."""

import ast
import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from app.database import UNSCOPED, Base, CommitPoint
from app.main import service_document
from app.migrate import import_all_tables
from app.problems import LANGUAGES, catalogue
from app.telemetry import create_metrics

ROOT = Path(__file__).parent.parent
METHODS = {"get", "put", "post", "patch", "delete"}


def _generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATE = _generate()


def _operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in service_document()["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                yield path, method, operation


OPERATIONS = [pytest.param(*entry, id=f"{entry[1]} {entry[0]}") for entry in _operations()]


@pytest.mark.parametrize("path", GENERATE.DOCUMENTS)
def test_written_documents_are_as_the_code_writes_them(path: str) -> None:
    """`python docs/generate.py` has nothing to change."""
    assert (ROOT / path).read_text(encoding="utf-8") == GENERATE.DOCUMENTS[path]()


def test_the_page_of_problems_says_a_brace_as_the_service_does() -> None:
    """A template takes a doubled brace; facts stand as their names."""
    (row,) = (line for line in GENERATE.problems_document().splitlines() if "`template-inv" in line)

    assert "variables {variables}, and write {{ or }} for a brace" in row


@pytest.mark.parametrize("code", sorted(catalogue()))
def test_every_problem_is_said_in_three_languages(code: str) -> None:
    """Title, detail and remedy exist in nb, nn and en; the status is an error's."""
    kind = catalogue()[code]

    assert 400 <= kind.status < 600
    for texts in (kind.title, kind.detail, kind.remedy):
        assert {language for language in LANGUAGES if texts.get(language)} == set(LANGUAGES)


def test_every_problem_of_the_catalogue_is_used() -> None:
    """A code that nothing raises is a promise nobody keeps."""
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "app").rglob("*.py"))

    assert [code for code in catalogue() if f'"{code}"' not in source] == []


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_every_operation_tells_why_and_shows_examples(
    path: str, method: str, operation: dict[str, object]
) -> None:
    """Each operation has an id, summary, description and tag, and examples of body and answers."""
    body = operation.get("requestBody", {})
    assert operation.get("operationId"), path
    assert str(operation.get("summary", "")).strip()
    assert str(operation.get("description", "")).strip()
    tags = operation.get("tags")
    assert isinstance(tags, list)
    assert len(tags) == len(set(tags)) > 0, "a tag that stands twice shows the operation twice"
    assert isinstance(body, dict)
    for media in body.get("content", {}).values():
        assert _has_example(media), f"no example for the body of {method} {path}"
    responses = operation["responses"]
    assert isinstance(responses, dict)
    for status, response in responses.items():
        for media in response.get("content", {}).values():
            assert _has_example(media), f"no example for {status} of {method} {path}"


def _has_example(media: dict[str, object]) -> bool:
    if "example" in media or "examples" in media:
        return True
    schema = media.get("schema", {})
    assert isinstance(schema, dict)
    reference = schema.get("$ref")
    if isinstance(reference, str):
        name = reference.rpartition("/")[2]
        schema = service_document()["components"]["schemas"][name]
    return bool(schema.get("examples") or schema.get("example"))


WORDS_OF_HEADERS = {"ETag": "ETag", "Location": "Location", "Idempotent-Replayed": "REPLAYED"}


def _names_in(function: ast.AsyncFunctionDef) -> set[object]:
    """Every name and constant of a route's code; its docstring is a constant too long to match."""
    nodes = list(ast.walk(function))
    return {node.value for node in nodes if isinstance(node, ast.Constant)} | {
        node.id for node in nodes if isinstance(node, ast.Name)
    }


def _headers_set_by_code() -> Iterator[tuple[str, str]]:
    """Each operation with each header that its route sets."""
    for path in sorted((ROOT / "app").rglob("*routes.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.AsyncFunctionDef):
                continue
            named = [
                keyword.value.value
                for decorator in node.decorator_list
                if isinstance(decorator, ast.Call)
                for keyword in decorator.keywords
                if keyword.arg == "operation_id" and isinstance(keyword.value, ast.Constant)
            ]
            names = _names_in(node)
            for operation in named:
                yield from (
                    (str(operation), header)
                    for header, word in WORDS_OF_HEADERS.items()
                    if word in names
                )


def test_the_document_tells_the_headers_that_the_routes_set() -> None:
    """A client written from the document knows where the version and the address stand."""
    told = {
        (operation["operationId"], header)
        for _, _, operation in _operations()
        for status, answer in operation["responses"].items()
        if status.startswith("2")
        for header in answer.get("headers", {})
    }

    assert told == set(_headers_set_by_code()) != set()


def test_every_table_is_described() -> None:
    """`docs/architecture.md` names each table of ours."""
    import_all_tables()
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

    assert [name for name in Base.metadata.tables if f"`{name}`" not in text] == []


def test_every_commit_point_is_described() -> None:
    """`docs/architecture.md` names each place where a process may die with something half done."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

    assert [point.value for point in CommitPoint if f"`{point.value}`" not in text] == []


def test_every_metric_is_described() -> None:
    """`docs/operating.md` names each series, and none that is not told."""
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(tc_[a-z_]+)[`{]", text))
    told = {
        f"{metric.name}_total" if metric.type == "counter" else metric.name
        for metric in create_metrics().registry.collect()
    }

    assert named == told


def test_every_table_without_a_policy_has_a_reason() -> None:
    """A reason is a sentence, not a blank."""
    assert all(len(reason) > 10 for reason in UNSCOPED.values())


def test_links_between_documents_lead_somewhere() -> None:
    """Every relative link in README and docs points at a file of the project."""
    broken: list[str] = []
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        broken += [f"{page.name} -> {t}" for t in targets if not (page.parent / t).exists()]

    assert broken == []


def test_files_named_in_the_documents_exist() -> None:
    """A path of the tree in backticks is a path of the tree."""
    missing = set()
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    pattern = r"`((?:app|tests|migrations|docs|openapi|bench)/[\w./-]+\.(?:py|md|json|yaml))`"
    for page in pages:
        for name in re.findall(pattern, page.read_text(encoding="utf-8")):
            if not (ROOT / name).exists():
                missing.add(f"{page.name}: {name}")

    assert missing == set()


def test_decisions_are_numbered_without_a_gap() -> None:
    """Each record has the next number, and its title begins with it."""
    records = sorted((ROOT / "docs" / "adr").glob("*.md"))
    titles = [path.read_text(encoding="utf-8").partition(".")[0] for path in records]

    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    assert titles == [f"# {number}" for number in range(1, len(records) + 1)]


def test_the_readmes_tree_names_every_folder_of_tests() -> None:
    """Who looks for a kind of test finds its folder."""
    tree = (ROOT / "README.md").read_text(encoding="utf-8").split("```")
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/conftest.py")}
    folders |= {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}

    (drawn,) = (part for part in tree if "\ntests/" in part)
    assert [name for name in sorted(folders) if name not in drawn.partition("tests/")[2]] == []


def test_bench_figures_quoted_in_the_readme_are_the_measured_ones() -> None:
    """A figure in the README's table is the figure in `bench/results.json`."""
    results = json.loads((ROOT / "bench" / "results.json").read_text(encoding="utf-8"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    quoted = re.findall(r"<!--bench:([\w.]+)-->(\d+(?:\.\d+)?)", readme)

    assert quoted
    for key, shown in quoted:
        value = results
        for part in key.split("."):
            value = value[part]
        assert shown == f"{value}", key
