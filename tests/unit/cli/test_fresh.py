"""Beginning with an empty data folder."""

from pathlib import Path

import pytest

from alicia.adapters.lockfile import DataLock, DataLocked
from alicia.cli.exits import Failed
from alicia.cli.fresh import set_aside

NOW_MS = 1_795_425_234_000


def test_the_old_data_are_kept_aside(tmp_path: Path) -> None:
    data = tmp_path / "alicia"
    data.mkdir()
    (data / "collector.db").write_text("precious", encoding="utf-8")
    aside = set_aside(data, now_ms=NOW_MS)
    assert aside == tmp_path / "alicia.before-20261123T091354"
    assert (aside / "collector.db").read_text(encoding="utf-8") == "precious"
    assert not data.exists()


def test_without_old_data_there_is_nothing_to_keep(tmp_path: Path) -> None:
    assert set_aside(tmp_path / "alicia", now_ms=NOW_MS) is None


@pytest.mark.parametrize("name", ["up", "collector", "scheduler"])
def test_data_in_use_are_left_alone(tmp_path: Path, name: str) -> None:
    lock = DataLock(tmp_path / f"{name}.lock")
    lock.acquire()
    with pytest.raises(DataLocked, match=f"in use by another {name}"):
        set_aside(tmp_path, now_ms=NOW_MS)
    assert tmp_path.exists()
    lock.release()


def test_what_was_kept_before_is_never_replaced(tmp_path: Path) -> None:
    data = tmp_path / "alicia"
    data.mkdir()
    kept = tmp_path / "alicia.before-20261123T091354"
    kept.mkdir()
    (kept / "collector.db").touch()
    with pytest.raises(Failed, match="cannot be renamed"):
        set_aside(data, now_ms=NOW_MS)
    assert (kept / "collector.db").exists()
    assert data.exists()
