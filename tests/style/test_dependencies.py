"""What the code imports is declared, and what is declared is imported or has a reason."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = {"alicia", "tests", "bench"}
# Needed at run time although no module of ours names them.
THROUGH_OTHERS = {
    "httptools": "the parser under uvicorn's HttpToolsProtocol, which adapters/http extends",
    "tzdata": "where zoneinfo looks when the system has no time zones",
}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _declared(*groups: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = list(project["dependencies"])
    for group in groups:
        lines += project["optional-dependencies"][group]
    return {_plain(re.split(r"[=\[;<> ]", line)[0]) for line in lines}


def _modules(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            assert node.module is not None, "an absolute import names its module"
            found.add(node.module)
    return {name.partition(".")[0] for name in found}


def _imported(*folders: str) -> set[str]:
    """The distributions that own the foreign modules imported under these folders."""
    owners = packages_distributions()
    found: set[str] = set()
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            foreign = _modules(ast.parse(path.read_text(encoding="utf-8"))) - OURS
            for module in foreign - sys.stdlib_module_names:
                found |= {_plain(name) for name in owners.get(module, [module])}
    return found


def test_what_the_product_imports_it_declares_itself() -> None:
    imported = _imported("src")
    assert imported
    assert imported - _declared() == set()


def test_what_tests_and_tools_import_is_declared() -> None:
    assert _imported("tests", "bench", "tools") - _declared("dev") == set()


def test_what_is_declared_is_imported_or_has_a_reason() -> None:
    assert _declared() - _imported("src") == set(THROUGH_OTHERS)


@pytest.mark.parametrize(
    ("source", "modules"),
    [
        ("import a.b, c", {"a", "c"}),
        ("from d.e import f", {"d"}),
        ("def g():\n    import h", {"h"}),
        ("from . import i", set()),
    ],
)
def test_imports_are_found_wherever_they_stand(source: str, modules: set[str]) -> None:
    assert _modules(ast.parse(source)) == modules
