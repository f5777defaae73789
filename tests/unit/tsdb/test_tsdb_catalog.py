"""Keys to references: found, forgotten, found again, packed, and bounded."""

import numpy as np
import pytest

from alicia.series.labels import LabelSet
from alicia.tsdb.catalog import SPELLINGS_MAX, Catalog
from alicia.tsdb.identity import BadKey, decode_labels, encode_labels


def labels(n: int) -> LabelSet:
    return LabelSet({"__name__": "x", "n": str(n), "long": "v" * (n % 300)})


def filled(count: int) -> Catalog:
    catalog = Catalog(seed=7)
    for n in range(count):
        assert catalog.add(encode_labels(labels(n))) == n
    return catalog


def test_every_key_is_found_whatever_was_forgotten_meanwhile() -> None:
    catalog = filled(6000)
    size = catalog.size_bytes
    gone = np.array([n for n in range(6000) if n % 3])
    catalog.release(gone)
    assert len(catalog) == 2000
    for n in range(6000):
        assert catalog.find(labels(n)) == (-1 if n % 3 else n)
        if n % 3 == 0:
            assert catalog.labels(n) == labels(n)
    catalog.reuse_released()
    again = {catalog.add(encode_labels(labels(int(n)))) for n in gone}
    assert again == set(gone.tolist())  # references are used again, and no others
    assert catalog.size_bytes == size  # as is the room of what was forgotten


def test_a_key_that_was_forgotten_and_came_again_has_its_new_reference() -> None:
    catalog = filled(3)
    catalog.release(np.array([1]))
    catalog.release(np.array([0]))
    assert catalog.find(labels(1)) == -1
    assert len(catalog) == 1
    assert catalog.add(encode_labels(labels(3))) == 3  # none is given again so soon
    catalog.reuse_released()
    assert catalog.add(encode_labels(labels(1))) == 0
    assert catalog.find(labels(1)) == 0
    assert catalog.find(labels(2)) == 2


def test_spellings_are_found_until_there_are_too_many() -> None:
    catalog = filled(1)
    ways = [b"spelling %d" % n for n in range(5000)]
    for way in ways:
        catalog.add_spelling(way, 0)
    found = [way for way in ways if catalog.find_key(way) == 0]
    assert found == ways[: len(found)]
    assert 1000 < len(found) <= 1024 + SPELLINGS_MAX
    catalog.release(np.array([0]))
    assert catalog.find_key(ways[0]) == -1


@pytest.mark.parametrize("length", [0, 1, 2, 126, 127, 128, 129, 300, 16_400])
def test_labels_of_any_length_are_read_back(length: int) -> None:
    whole = LabelSet({"__name__": "n" * max(length, 1), "label": "v" * length, "z": "é"})
    assert decode_labels(encode_labels(whole)) == whole


@pytest.mark.parametrize(
    "key",
    [
        b"\x0a",
        b"\x0b\x00",
        b"\x0a\x05\x0a\x01a",
        b"\x0a\x06\x0a\x01a\x12\x01\xff",
        b"\x0a\x02\x0a\x7f",
        b"\x0a" + b"\x80" * 10 + b"\x01",
        encode_labels(LabelSet({"a": "b"})) * 2,
    ],
)
def test_what_is_no_key_is_refused(key: bytes) -> None:
    with pytest.raises(BadKey):
        decode_labels(key)
