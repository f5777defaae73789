"""What the scheduler cannot honour stops its start, by name."""

from pathlib import Path

import pytest

from alicia.adapters.settings import BadSetting, load_settings
from alicia.scheduler.main import check_settings, node_name


def test_a_database_that_is_not_used_is_refused(tmp_path: Path) -> None:
    flags = {"DATABASE_URL": "postgresql://user:pw@host/db"}
    settings = load_settings(flags, environment={}, folder=tmp_path)
    with pytest.raises(BadSetting, match=r"DATABASE_URL: .* SQLite only") as caught:
        check_settings(settings)
    assert "pw" not in str(caught.value)


def test_a_node_keeps_its_name_on_the_same_folder(tmp_path: Path) -> None:
    def name(folder: str) -> str:
        flags = {"DATA_DIR": str(tmp_path / folder)}
        return node_name(load_settings(flags, environment={}, folder=tmp_path))

    assert name("a") == name("a") != name("b")
