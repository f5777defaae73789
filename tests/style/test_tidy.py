"""Sizes, names and words of the source, as CONTRIBUTING.md states them.

The lists of exceptions may only shrink: an entry that is no longer needed fails too.
"""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src" / "alicia").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

FILE_LINES_MAX = 500
TEST_FILE_LINES_MAX = 800
FUNCTION_LINES_MAX = 60
LONG_FILES: dict[str, int] = {}
LONG_FUNCTIONS: dict[str, int] = {}

# Words that name nothing in this house; docs/glossary.md gives the word to use instead.
WRONG_WORDS = re.compile(
    r"(^|_)(alarm|datapoint|tag_set|fire_time|downsample|journal)s?($|_)|"
    r"^(utils?|helpers?|common|misc|manager)$",
    re.IGNORECASE,
)
CORES = ("base", "series", "wire", "tsdb", "promql", "alerting", "scheduling", "fleet")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Every function of a file with its length in lines."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield f"{name_of(path)}:{node.name}", node.end_lineno - node.lineno + 1


def line_count(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_files_stay_short() -> None:
    long = {name_of(p): n for p in SOURCES if (n := line_count(p)) > FILE_LINES_MAX}
    assert long == LONG_FILES
    too_long_tests = {name_of(p): n for p in TESTS if (n := line_count(p)) > TEST_FILE_LINES_MAX}
    assert too_long_tests == {}


def test_the_median_file_is_short() -> None:
    assert median(n for p in SOURCES if (n := line_count(p)) > 0) <= 150


def test_functions_stay_short() -> None:
    long = {name: n for path in SOURCES for name, n in functions(path) if n > FUNCTION_LINES_MAX}
    assert long == LONG_FUNCTIONS


def test_the_median_function_is_short() -> None:
    assert median(n for path in SOURCES for _, n in functions(path)) <= 10


def test_package_files_are_empty() -> None:
    full = [name_of(p) for p in SOURCES if p.name == "__init__.py" and p.read_text().strip()]
    assert full == []


def test_cores_use_the_words_of_the_glossary() -> None:
    wrong = [
        f"{name_of(path)}: {node.name}"
        for path in SOURCES
        if path.relative_to(ROOT / "src" / "alicia").parts[0] in CORES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and WRONG_WORDS.search(node.name)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("a call that runs text as code", r"(?<![\w.])(eval|exec)\(|pickle\.loads?\(|yaml\.load\("),
        ("work left for later", r"\b(TODO|FIXME|XXX)\b"),
        ("SQL made from text", r"execute(many|script)?\(\s*f[\"']"),
    ],
)
def test_the_source_is_free_of(what: str, pattern: str) -> None:
    found = [
        f"{name_of(path)}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(pattern, line)
    ]
    assert found == [], what


def test_no_file_names_a_registry_or_a_place_of_one_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False
    ).stdout
    if not listed:
        pytest.skip("not a git checkout: the list of files is unknown")
    # Spelled in parts, so that this file does not contain what it forbids.
    words = ["pypi" + ".org", "pythonhosted" + ".org", "registry.npm" + "js", "/work" + "/main"]
    pattern = re.compile("|".join(map(re.escape, words)))
    found = [
        name
        for name in listed.decode().split("\0")
        if name
        and (ROOT / name).is_file()
        and pattern.search((ROOT / name).read_text(encoding="utf-8", errors="ignore"))
    ]
    assert found == []
