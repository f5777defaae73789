"""The import contracts fail when they are broken: each is broken once, in a copy of the tree."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def lint_imports(tree: Path) -> subprocess.CompletedProcess[str]:
    """Run the contracts of ``tree/pyproject.toml`` over ``tree/alicia``."""
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    ignore = shutil.ignore_patterns("static", "__pycache__")
    shutil.copytree(ROOT / "src" / "alicia", tmp_path / "alicia", ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("module", "offence", "contract"),
    [
        ("base/version.py", "import alicia.series.labels", "One-way layers"),
        ("series/labels.py", "import alicia.wire.topics", "One-way layers"),
        ("wire/topics.py", "import alicia.scheduling.event", "One-way layers"),
        ("adapters/clock.py", "import alicia.collector.main", "One-way layers"),
        ("collector/main.py", "import alicia.scheduler.main", "One-way layers"),
        ("utils/__init__.py", "", "One-way layers"),
        ("scheduling/event.py", "import time", "Cores do no I/O"),
        ("wire/topics.py", "import asyncio", "Cores do no I/O"),
        ("series/labels.py", "import fastapi", "Cores do no I/O"),
        ("tsdb/postings.py", "import numba", "Only kernels use numba"),
        ("tsdb/head.py", "import alicia.tsdb.ports", "One door to the disk"),
        (
            "scheduler/main.py",
            "import alicia.alerting.rule",
            "The scheduler loads no metrics engine",
        ),
        ("adapters/clock.py", "import alicia.cli.main", "Adapters know no service"),
    ],
)
def test_a_broken_contract_is_seen(tree: Path, module: str, offence: str, contract: str) -> None:
    path = tree / "alicia" / module
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{path.read_text() if path.exists() else ''}\n{offence}\n")
    result = lint_imports(tree)
    assert result.returncode != 0
    assert contract in result.stdout


def test_the_tree_as_it_stands_keeps_them(tree: Path) -> None:
    result = lint_imports(tree)
    assert result.returncode == 0, result.stdout[-2000:]
