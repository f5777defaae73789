from pathlib import Path

import pytest

from alicia.adapters.disk_space import DiskSpace, probe, reserve_of


@pytest.mark.parametrize(
    ("total", "reserve"),
    [
        (0, 0),
        (100_000_000, 5_000_000),
        (5_120_000_000, 256_000_000),
        (10_000_000_000, 256_000_000),
    ],
)
def test_the_reserve_is_the_smaller_of_a_share_and_a_size(total: int, reserve: int) -> None:
    assert reserve_of(total) == reserve


def test_the_reserve_itself_is_not_yet_low() -> None:
    assert not DiskSpace(1000, 50, 50).is_low
    low = DiskSpace(1_000_000_000, 49_000_000, 50_000_000)
    assert low.is_low
    assert "49 MB free" in low.sentence()
    assert "MIN_FREE_DISK" in low.sentence()
    assert "stopped" not in DiskSpace(1000, 50, 50).sentence()


def test_a_real_folder_answers(tmp_path: Path) -> None:
    space = probe(tmp_path)
    assert 0 < space.free_bytes <= space.total_bytes
    assert space.reserve_bytes == reserve_of(space.total_bytes)
    assert probe(tmp_path, min_free_bytes=space.total_bytes + 1).is_low
