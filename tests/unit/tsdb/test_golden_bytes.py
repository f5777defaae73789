"""Bytes that were written once are read for ever; see tests/golden/tsdb."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.fault_disk import FaultDisk

from alicia.tsdb.identity import decode_labels
from alicia.tsdb.kernels.chunk import CONSTANT, decode_chunk
from alicia.tsdb.kernels.log import FAR_SAMPLES, HEAD_BYTES, NAMES, SAMPLES
from alicia.tsdb.log import segment_name
from alicia.tsdb.rows import Rows
from alicia.tsdb.segments import FOLDER, Damage, Segments

GOLDEN = Path(__file__).parents[2] / "golden" / "tsdb"
CHUNKS = json.loads((GOLDEN / "chunks.json").read_text(encoding="utf-8"))
SEGMENT = json.loads((GOLDEN / "segment.json").read_text(encoding="utf-8"))


def hexadecimal(values: np.ndarray[Any, Any]) -> list[str]:
    return [f"{value:016x}" for value in values.view(np.uint64).tolist()]


@pytest.mark.parametrize("chunk", CHUNKS, ids=[chunk["case"] for chunk in CHUNKS])
def test_chunks(chunk: dict[str, Any]) -> None:
    data = np.frombuffer(bytearray.fromhex(chunk["bytes"]), np.uint8)
    t_ms, values = np.zeros((2, len(chunk["t_ms"])), np.int64)
    assert decode_chunk(data, 0, len(data), chunk["base_ms"], t_ms, values) == len(t_ms)
    assert t_ms.tolist() == chunk["t_ms"]
    assert hexadecimal(values) == chunk["values"]


def test_every_form_of_a_chunk_has_a_line() -> None:
    forms = {bytes.fromhex(chunk["bytes"])[-9] for chunk in CHUNKS[:3]}
    assert forms == {CONSTANT}
    assert {chunk["case"].split(",")[0] for chunk in CHUNKS[3:]} == {"decimals", "xored"}


def test_a_segment_of_every_kind_of_record() -> None:
    records = [bytes.fromhex(record["bytes"]) for record in SEGMENT["records"]]
    assert [record[HEAD_BYTES] for record in records] == [NAMES, SAMPLES, FAR_SAMPLES]
    disk = FaultDisk()
    disk.create(f"{FOLDER}/{segment_name(1)}").append(records)
    keys: list[bytes] = []
    found: list[list[object]] = []

    def open_series(key: bytes) -> int:
        keys.append(key)
        return len(keys) - 1

    def take(rows: Rows) -> None:
        for ref, t_ms, value in zip(rows.refs, rows.t_ms, hexadecimal(rows.values), strict=True):
            found.append([dict(decode_labels(keys[ref])), int(t_ms), value])

    log = Segments(disk)
    log.replay(open_series, take)
    assert found == SEGMENT["samples"]
    assert log.damage == Damage(0, 0)
