"""Values of the command line."""

from pathlib import Path

import pytest

from alicia.cli import reading
from alicia.cli.exits import Usage

NOW_MS = 1_795_425_234_000


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("now", NOW_MS),
        ("+10m", NOW_MS + 600_000),
        ("-1h30m", NOW_MS - 5_400_000),
        ("1795425234", NOW_MS),
        ("2026-11-23T08:33:54Z", 1_795_422_834_000),
    ],
)
def test_instants(text: str, ms: int) -> None:
    assert reading.instant_ms(text, flag="--at", now_ms=NOW_MS) == ms


@pytest.mark.parametrize("text", ["", "+", "+ten", "soon", "2026-13-01T00:00:00Z", "nan", "-"])
def test_bad_instants_name_the_flag(text: str) -> None:
    with pytest.raises(Usage, match="--at"):
        reading.instant_ms(text, flag="--at", now_ms=NOW_MS)


@pytest.mark.parametrize("text", ["", "abc", "nan", "inf", "-Infinity", "1,5", "0x10"])
def test_numbers_are_finite(text: str) -> None:
    with pytest.raises(Usage, match=r"temp: .* is not a finite number"):
        reading.number(text, flag="temp")


@pytest.mark.parametrize("text", ["", "a", "=1"])
def test_pairs_need_a_name_and_an_equals_sign(text: str) -> None:
    with pytest.raises(Usage, match="not NAME=VALUE, such as room=kitchen"):
        reading.pair(text, flag="--label", example="room=kitchen")


def test_a_value_may_hold_an_equals_sign_and_the_later_pair_counts() -> None:
    texts = ["a=1=2", "b=", "b=3"]
    assert reading.pairs(texts, flag="--label", example="") == {"a": "1=2", "b": "3"}


@pytest.mark.parametrize("text", ["", "{", "[1]", "7", "null", "[" * 100_000])
def test_payloads_are_objects(text: str) -> None:
    with pytest.raises(Usage, match="--payload"):
        reading.json_object(text, flag="--payload")


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    cases = {"latin": b"\xe9", "list": b"[]", "big": b" " * (10 * 1024 * 1024 + 1)}
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
    for name in (*cases, "absent"):
        with pytest.raises(Usage, match="--file"):
            reading.json_file(str(tmp_path / name), flag="--file")
    (tmp_path / "good").write_text('{"name": "é"}', encoding="utf-8")
    assert reading.json_file(str(tmp_path / "good"), flag="--file") == {"name": "é"}
