"""What a service refuses before it starts, and the name of its node."""

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from alicia.adapters.process import check_settings, given_keys, node_name, spare_collections
from alicia.adapters.settings import BadSetting, Settings, load_settings

WHY = {"DATABASE_URL": "is not used", "WAL_SYNC": "no log is written"}


def settings(folder: Path, **flags: str) -> Settings:
    return load_settings(flags, environment={}, folder=folder)


def test_a_setting_that_is_not_honoured_is_refused_by_name(tmp_path: Path) -> None:
    given = settings(tmp_path, DATABASE_URL="postgresql://user:pw@host/db")
    with pytest.raises(BadSetting, match=r"^DATABASE_URL: is not used$") as caught:
        check_settings(given, WHY)
    assert "pw" not in str(caught.value)


def test_a_default_is_not_given_even_where_it_is_written_out(tmp_path: Path) -> None:
    assert given_keys(settings(tmp_path), WHY) == []
    assert given_keys(settings(tmp_path, WAL_SYNC="1s"), WHY) == []
    assert given_keys(settings(tmp_path, WAL_SYNC="always"), WHY) == ["WAL_SYNC"]


def test_a_node_keeps_its_name_on_the_same_folder(tmp_path: Path) -> None:
    def name(folder: str) -> str:
        return node_name(settings(tmp_path, DATA_DIR=str(tmp_path / folder)))

    assert name("a") == name("a") != name("b")


@pytest.fixture
def collections() -> Iterator[None]:
    """The garbage collector as it was, afterwards."""
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


class Knot:
    """Refers to itself, so that only the collector frees it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.mark.usefixtures("collections")
def test_what_the_start_made_is_set_aside_and_its_waste_is_not() -> None:
    waste, kept = weakref.ref(Knot()), [Knot()]
    spare_collections()
    assert waste() is None
    assert gc.get_freeze_count() > 0
    assert not any(item is kept for item in gc.get_objects())
    assert gc.isenabled() and gc.get_threshold() > (700, 10, 10)
