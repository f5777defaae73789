"""Judging samples: every meeting of a sample with what is there, in order and late."""

import numpy as np
import pytest

from alicia.series.samples import STALE_BITS as S
from alicia.tsdb.kernels import head as k
from alicia.tsdb.kernels.bits import Words
from alicia.tsdb.kernels.chunk import SCRATCH_MIN, SCRATCH_ROWS, bytes_max

FLOOR, CEILING = 0, 1000
NAN = 0x7FF8_0000_0000_0000
WORDS = {
    k.STORED: "stored", k.STORED_LATE: "late", k.REPLACED: "replaced", k.REPEAT: "repeat",
    k.DUPLICATE: "duplicate", k.TOO_OLD: "old", k.TOO_FAR_AHEAD: "ahead", k.SKIPPED: "skipped",
    k.LATER: "later",
}  # fmt: skip
Batch = list[tuple[int, int, int]]  # series, time, bits


def state_of(*last: tuple[int, int] | None) -> Words:
    """Series with their newest samples, None for one without."""
    state = np.zeros((len(last), k.STATE_COLUMNS), np.int64)
    for row, newest in zip(state, last, strict=True):
        row[k.LAST_T], row[k.LAST_BITS] = newest or (k.NEVER_MS, 0)
    return state


def columns(batch: Batch) -> tuple[Words, Words, Words]:
    refs, t_ms, values = np.array(batch, np.int64).reshape(-1, 3).T.copy()
    return refs, t_ms, values


def judged(batch: Batch, state: Words, epoch: int = 1) -> list[str]:
    codes = np.full(len(batch), 99, np.uint8)
    later = k.stage(*columns(batch), (FLOOR, CEILING), epoch, state, codes)
    words = [WORDS[code] for code in codes.tolist()]
    assert later == words.count("later")
    return words


@pytest.mark.parametrize(
    ("last", "sample", "word"),
    [
        (None, (0, 0, 1), "stored"),
        (None, (0, FLOOR - 1, 1), "old"),
        (None, (0, CEILING, 1), "stored"),
        (None, (0, CEILING + 1, 1), "ahead"),
        (None, (-1, 5, 1), "skipped"),
        (None, (-1, FLOOR - 1, 1), "old"),  # what is wrong with the time is said first
        ((5, 1), (0, 6, 1), "stored"),
        ((5, 1), (0, 6, S), "stored"),
        ((5, 1), (0, 5, 1), "repeat"),
        ((5, 1), (0, 5, 2), "duplicate"),
        ((5, 1), (0, 5, S), "duplicate"),  # a marker replaces nothing
        ((5, S), (0, 5, S), "repeat"),
        ((5, S), (0, 5, 1), "replaced"),
        ((5, NAN), (0, 5, NAN), "repeat"),
        ((5, NAN), (0, 5, NAN + 1), "duplicate"),
        ((5, 0), (0, 5, -(2**63)), "duplicate"),  # 0.0 and -0.0
        ((5, 1), (0, 4, 1), "later"),
    ],
)
def test_one_sample_meets_the_newest(
    last: tuple[int, int] | None, sample: tuple[int, int, int], word: str
) -> None:
    assert judged([sample], state_of(last)) == [word]


def test_samples_of_one_batch_meet_each_other() -> None:
    batch = [(0, 5, S), (1, 5, 7), (0, 5, 1), (0, 5, 1), (0, 5, 2), (0, 4, 1), (0, 6, 2), (1, 5, 8)]
    words = ["stored", "stored", "replaced", "repeat", "duplicate", "later", "stored", "duplicate"]
    assert judged(batch, state_of(None, None)) == words


def test_what_was_staged_means_nothing_to_the_next_batch() -> None:
    state = state_of((5, 1))
    before = state.copy()
    assert judged([(0, 9, 1)], state, epoch=1) == ["stored"]
    assert (state[:, [k.LAST_T, k.LAST_BITS]] == before[:, [k.LAST_T, k.LAST_BITS]]).all()
    assert judged([(0, 7, 1)], state, epoch=2) == ["stored"]
    assert judged([(0, 6, 1)], state, epoch=2) == ["later"]


def settled(held: Batch, batch: Batch, codes: list[str]) -> list[str]:
    """What becomes of the samples coded ``later``, by way of keys as the head makes them."""
    numbers = {word: code for code, word in WORDS.items()}
    out = np.array([numbers[word] for word in codes], np.uint8)
    rows = [(*sample, -1) for sample in held] + [
        (*sample, place) for place, sample in enumerate(batch)
    ]
    keys = np.array(rows, np.int64)
    k.settle_late(keys, np.lexsort((keys[:, 3], keys[:, 1], keys[:, 0])), out)
    return [WORDS[code] for code in out.tolist()]


@pytest.mark.parametrize(
    ("held", "batch", "before", "after"),
    [
        ([], [(0, 4, 1)], ["later"], ["late"]),
        ([(0, 4, 1)], [(0, 4, 1)], ["later"], ["repeat"]),
        ([(0, 4, 1)], [(0, 4, 2)], ["later"], ["duplicate"]),
        ([(0, 4, S)], [(0, 4, 2)], ["later"], ["late"]),
        ([(0, 4, S)], [(0, 4, S)], ["later"], ["repeat"]),
        ([(0, 4, 1)], [(0, 4, S)], ["later"], ["duplicate"]),
        ([(0, 3, 1), (0, 5, 1)], [(0, 4, 1)], ["later"], ["late"]),
        ([(0, 4, 1)], [(1, 4, 2)], ["later"], ["late"]),  # of another series
        ([], [(0, 4, 1), (0, 4, 1)], ["later"] * 2, ["late", "repeat"]),
        ([], [(0, 4, 1), (0, 4, 2)], ["later"] * 2, ["late", "duplicate"]),
        ([], [(0, 4, S), (0, 4, 2), (0, 4, 3)], ["later"] * 3, ["late", "late", "duplicate"]),
        ([(0, 4, S)], [(0, 4, 2), (0, 4, S)], ["later"] * 2, ["late", "duplicate"]),
        ([(0, 4, 1)], [(0, 4, 2), (0, 4, 1)], ["later"] * 2, ["duplicate", "repeat"]),
        # a sample of the batch that was in order counts as held
        ([], [(0, 4, 1), (0, 9, 1), (0, 4, 2)], ["stored", "stored", "later"],
         ["stored", "stored", "duplicate"]),
        ([], [(0, 4, S), (0, 4, 5), (0, 9, 1), (0, 4, 5)],
         ["stored", "replaced", "stored", "later"], ["stored", "replaced", "stored", "repeat"]),
    ],
)  # fmt: skip
def test_late_samples_meet_what_is_there(
    held: Batch, batch: Batch, before: list[str], after: list[str]
) -> None:
    assert settled(held, batch, before) == after


class Head:
    """Two series with their open rows, and a shelf for a number of chunks."""

    def __init__(self, chunks: int) -> None:
        self.state = state_of(None, None)
        self.open_t, self.open_values = np.zeros((2, 2, k.OPEN_MAX), np.int64)
        room = bytes_max(k.OPEN_MAX) * max(chunks, 1)
        self.shelf = (
            np.zeros(room, np.uint8),
            np.zeros((chunks, k.ROW_COLUMNS), np.int64),
            np.zeros(2, np.int32),
            np.zeros(2, np.int64),
        )
        self.scratch = np.zeros((SCRATCH_ROWS, SCRATCH_MIN), np.int64)

    def apply(self, batch: Batch, codes: list[int], first: int = 0) -> int:
        given = np.array(codes, np.uint8)
        parts = (self.state, self.open_t, self.open_values, self.shelf, self.scratch)
        return int(k.apply(first, *columns(batch), given, *parts))

    def open_row(self, ref: int) -> list[tuple[int, int]]:
        count = self.state[ref, k.OPEN]
        t_ms, values = self.open_t[ref, :count].tolist(), self.open_values[ref, :count].tolist()
        return list(zip(t_ms, values, strict=True))


def test_only_what_is_stored_or_replaced_is_applied() -> None:
    head = Head(1)
    every = [(0, 10 * code, code) for code in WORDS]
    assert head.apply(every, list(WORDS)) == len(WORDS)
    assert head.open_row(0) == [(0, k.REPLACED)]  # stored at 0, then its value replaced
    assert head.state[0, [k.LAST_T, k.LAST_BITS]].tolist() == [0, k.REPLACED]
    assert head.open_row(1) == []


def test_a_full_row_becomes_a_chunk_and_a_full_shelf_stops() -> None:
    head = Head(1)
    batch = [(0, t, t * t) for t in range(2 * k.OPEN_MAX + 1)]
    codes = [k.STORED] * len(batch)
    assert head.apply(batch, codes) == 2 * k.OPEN_MAX, "the second chunk has no room"
    _, rows, chain, fill = head.shelf
    assert rows[0, [k.FIRST_T, k.NEWEST_T, k.COUNT, k.PREVIOUS]].tolist() == [0, 15, 16, -1]
    assert (chain.tolist(), fill[k.CHUNKS], rows[0, k.END]) == ([1, 0], 1, fill[k.BYTES])
    assert head.open_row(0) == [(t, t * t) for t in range(k.OPEN_MAX, 2 * k.OPEN_MAX)]
    larger = Head(3)
    assert larger.apply(batch, codes) == len(batch)
    assert larger.shelf[1][1, [k.FIRST_T, k.PREVIOUS]].tolist() == [16, 0]
    assert larger.apply(batch, codes, first=len(batch)) == len(batch), "nothing is left to do"


@pytest.mark.parametrize("short", [0, 1])
def test_a_shelf_takes_a_chunk_while_the_largest_has_room(short: int) -> None:
    head = Head(2)
    head.shelf[3][k.BYTES] = bytes_max(k.OPEN_MAX) + short
    batch = [(0, t, t) for t in range(k.OPEN_MAX + 1)]
    assert head.apply(batch, [k.STORED] * len(batch)) == len(batch) - short
