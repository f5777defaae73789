"""What the documents promise is there, and what is there stands in the documents."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def test_the_reference_pages_are_those_of_the_source() -> None:
    result = subprocess.run(
        [sys.executable, "tools/reference.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert result.returncode == 0, result.stderr


def test_every_link_between_documents_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    dead = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert pages
    assert dead == []


def test_every_test_command_of_the_readme_runs_something() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [shlex.split(found) for found in re.findall(r"`\.venv/bin/pytest ([^`]+)`", page)]
    assert commands
    for words in commands:
        folders = [word for word in words if word.startswith("tests/")]
        assert folders
        assert all(any((ROOT / folder).rglob("test_*.py")) for folder in folders), words
        if "-k" in words:
            result = subprocess.run(
                [sys.executable, "-m", "pytest", *words, "--collect-only", "-q"],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
                timeout=50,
            )
            assert result.returncode == 0, f"{words}: {result.stdout[-300:]}"


def test_every_direct_dependency_is_justified() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    names = set(re.findall(r'^  "([A-Za-z0-9_.-]+)==', project, re.MULTILINE))
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    assert names
    assert {name for name in names if f"`{name}`" not in page} == set()


def test_every_dependency_is_pinned_and_no_line_names_a_registry() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert lines == [line for line in lines if re.fullmatch(r"[A-Za-z0-9_.-]+==[\w.+]+", line)]
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines}
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    wanted = re.findall(r'^  "([A-Za-z0-9_.-]+)==', project, re.MULTILINE)
    assert {n.lower().replace("_", "-") for n in wanted} <= pinned
