"""Where compiled kernels are kept: never in a place of others, never found by another source."""

import os
import sys
from pathlib import Path

import pytest

from alicia.adapters.kernel_cache import (
    cache_of_environment,
    made_cache,
    source_digest,
    use_kernel_cache,
)


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment without a cache; returns the data folder."""
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "environment"))
    return tmp_path / "data"


def chosen(data_dir: Path) -> Path:
    use_kernel_cache(data_dir)
    return Path(os.environ.pop("NUMBA_CACHE_DIR"))


def test_the_environment_comes_first(environment: Path) -> None:
    made_cache(cache_of_environment())
    assert chosen(environment) == cache_of_environment()
    assert not environment.exists()


def test_a_cache_that_others_may_write_is_left_alone(environment: Path) -> None:
    made_cache(cache_of_environment()).chmod(0o770)
    folder = chosen(environment)
    assert folder == environment / "cache" / "numba" / source_digest()
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_cache_that_the_user_chose_is_kept(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", "elsewhere")
    assert chosen(environment) == Path("elsewhere")
    assert not environment.exists()


def test_what_was_compiled_from_another_source_is_gone(environment: Path) -> None:
    old = environment / "cache" / "numba" / "0123456789abcdef"
    old.mkdir(parents=True)
    folder = chosen(environment)
    assert not old.exists()
    (folder / "kept").touch()
    assert chosen(environment) == folder
    assert (folder / "kept").exists()


def test_any_change_of_any_kernel_is_another_source(tmp_path: Path) -> None:
    seen = {source_digest(tmp_path)}
    for name, content in (("a.py", "1"), ("b.py", "1"), ("b.py", "2"), ("a.py", "2")):
        (tmp_path / name).write_text(content)
        seen.add(source_digest(tmp_path))
    (tmp_path / "b.py").rename(tmp_path / "c.py")
    seen.add(source_digest(tmp_path))
    assert len(seen) == 6
