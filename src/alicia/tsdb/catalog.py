"""Which series there are: label bytes to references and back."""

from typing import Any, Final, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from alicia.series.labels import LabelSet
from alicia.tsdb.identity import decode_labels, encode_labels
from alicia.tsdb.kernels import keys as k
from alicia.tsdb.kernels.bits import Bytes, Words

Array = TypeVar("Array", bound=NDArray[Any])

# Label sets by which writers of JSON find their series, who hold the sets themselves; encoding
# one takes twenty times as long as a look-up.
KNOWN_MAX: Final = 250_000
LABEL_SETS_MAX: Final = 50_000  # made for readers
SPELLINGS_MAX: Final = 4
_KEYS_MIN: Final = 1024
_GONE_MIN: Final = 1024
_ARENA_MIN: Final = 1 << 16


class Catalog:
    """Label bytes of every series, found by hashing; owned by the store's thread.

    A *reference* is a small number that names a series while it lives, a row of the head's
    arrays; it is used again after release() and then reuse_released(). One series may have
    several keys: its own, and those of senders that spell its labels otherwise.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._keys = np.zeros((_KEYS_MIN, k.COLUMNS), np.int64)
        self._slots = np.zeros(2 * _KEYS_MIN, np.int32)
        self._arena: Bytes = np.zeros(_ARENA_MIN, np.uint8)
        self._key_count = 0
        self._arena_bytes = 0
        self._own_key = np.zeros(_KEYS_MIN, np.int64)  # per reference; -1: free
        self._references = 0
        self._free: list[int] = []
        self._released: list[int] = []
        self._known: dict[LabelSet, int] = {}
        self._label_sets: dict[int, LabelSet] = {}

    def __len__(self) -> int:
        return self._references - len(self._free) - len(self._released)

    @property
    def references(self) -> int:
        """One more than the highest reference ever given."""
        return self._references

    @property
    def size_bytes(self) -> int:
        """Memory of keys, hash table and label bytes."""
        tables = (self._keys, self._slots, self._arena, self._own_key)
        return sum(table.nbytes for table in tables)

    def find(self, labels: LabelSet) -> int:
        """The reference of a series, -1 where there is none."""
        ref = self._known.get(labels)
        if ref is not None:
            return ref
        ref = self.find_key(encode_labels(labels))
        if ref >= 0:
            self._remember(labels, ref)
        return ref

    def find_key(self, key: bytes) -> int:
        """The reference of the series that has this key, -1 where none has."""
        data = np.frombuffer(key, np.uint8)
        hashed = k.hash_bytes(data, 0, len(data), self._seed)
        row = k.find_key(data, 0, len(data), hashed, self._slots, self._keys, self._arena)
        return int(self._keys[row, k.REF]) if row >= 0 else k.GONE

    def find_all(self, data: Bytes, spans: Words, refs: Words) -> int:
        """Look up many keys in one buffer, see ``kernels.keys.find_all``; how many are unknown."""
        return k.find_all(data, spans, self._seed, self._slots, self._keys, self._arena, refs)

    def add(self, key: bytes) -> int:
        """Enter a series by its own key, which must be new; its reference."""
        ref = self._free.pop() if self._free else self._references
        if ref == self._references:
            self._references += 1
            if self._references > len(self._own_key):
                self._own_key = doubled(self._own_key)
        self._own_key[ref] = self._enter(key, ref)
        return ref

    def add_spelling(self, key: bytes, ref: int) -> None:
        """Let another key, which must be new, lead to the series.

        A peer could spell one series in more ways than there is memory for: beyond
        SPELLINGS_MAX keys to a series on average a spelling is forgotten at once.
        """
        if self._key_count < SPELLINGS_MAX * len(self) + _KEYS_MIN:
            self._enter(key, ref)

    def key(self, ref: int) -> bytes:
        """The label bytes of a series."""
        row = self._own_key[ref]
        place, length = int(self._keys[row, k.PLACE]), int(self._keys[row, k.LENGTH])
        return self._arena[place : place + length].tobytes()

    def labels(self, ref: int) -> LabelSet:
        """The label set of a series."""
        labels = self._label_sets.get(ref)
        if labels is None:
            labels = decode_labels(self.key(ref))
            if len(self._label_sets) >= LABEL_SETS_MAX:
                self._label_sets.clear()
            self._label_sets[ref] = labels
        return labels

    def release(self, refs: Words) -> None:
        """Forget series and all their keys."""
        if not len(refs):
            return
        for ref in refs.tolist():
            self._known.pop(self.labels(ref), None)
            del self._label_sets[ref]
        self._own_key[refs] = -1
        self._released += refs.tolist()
        column = self._keys[: self._key_count, k.REF]
        column[np.isin(column, refs)] = k.GONE
        gone = int((column == k.GONE).sum())
        if gone > _GONE_MIN and 2 * gone > self._key_count:
            self._pack()

    def reuse_released(self) -> None:
        """Let references of series that ended be given again.

        Not within a log segment that named the former one: where damage hits the name of the
        latter, its samples would become those of the former.
        """
        self._free += self._released
        self._released.clear()

    def _remember(self, labels: LabelSet, ref: int) -> None:
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        self._known[labels] = ref

    def _enter(self, key: bytes, ref: int) -> int:
        row, length = self._key_count, len(key)
        if row == len(self._keys):
            self._keys = doubled(self._keys)
        while self._arena_bytes + length > len(self._arena):
            self._arena = doubled(self._arena)
        data = np.frombuffer(key, np.uint8)
        self._arena[self._arena_bytes : self._arena_bytes + length] = data
        hashed = k.hash_bytes(data, 0, length, self._seed)
        self._keys[row] = (hashed, self._arena_bytes, length, ref)
        self._arena_bytes += length
        self._key_count += 1
        if 2 * self._key_count > len(self._slots):
            self._slots = np.zeros(2 * len(self._slots), np.int32)
            k.fill_slots(self._slots, self._keys, 0, self._key_count)
        else:
            k.fill_slots(self._slots, self._keys, row, row + 1)
        return row

    def _pack(self) -> None:
        """Give back the room of keys that are gone."""
        before = self._key_count
        moved: Words = np.empty(before, np.int64)
        self._key_count, self._arena_bytes = k.pack_keys(self._keys, before, self._arena, moved)
        own = self._own_key[: self._references]
        own[own >= 0] = moved[own[own >= 0]]
        self._slots[:] = 0
        k.fill_slots(self._slots, self._keys, 0, self._key_count)


def doubled(array: Array) -> Array:
    """A copy with twice as many rows, the new ones zero."""
    grown = np.zeros((2 * len(array), *array.shape[1:]), array.dtype)
    grown[: len(array)] = array
    return cast("Array", grown)
