"""Reading the head between any two times, over chunks, open rows and late samples alike."""

import numpy as np

from alicia.tsdb.head import Head
from alicia.tsdb.rows import Rows

TIMES = 37  # two chunks and an open row
LATE = (7, 20, 35)


def filled() -> tuple[Head, dict[int, list[int]]]:
    """Two series, of which the second has no sample at the times that come late for the first."""
    head = Head()
    held: dict[int, list[int]] = {0: [], 1: []}
    for ref in held:
        head.open(ref)
    batches = [[(ref, t) for ref in held for t in range(TIMES) if t not in LATE]]
    batches.append([(0, t) for t in LATE])
    for batch in batches:
        refs, t_ms = np.array(batch, np.int64).T.copy()
        rows = Rows(refs, t_ms, t_ms * 10 + refs)
        head.apply(rows, head.stage(rows, floor_ms=-1, ceiling_ms=1000))
        for ref, t in batch:
            held[ref].append(t)
    return head, {ref: sorted(times) for ref, times in held.items()}


def test_every_window_holds_what_lies_between_its_bounds() -> None:
    head, held = filled()
    refs = np.array([1, 0], np.int64)
    for start in range(-1, TIMES + 1):
        for end in range(start - 1, TIMES + 1):
            runs = head.read(refs, start, end)
            for i, ref in enumerate(refs.tolist()):
                part = slice(runs.offsets[i], runs.offsets[i + 1])
                expected = [t for t in held[ref] if start <= t <= end]
                assert runs.t_ms[part].tolist() == expected, (start, end)
                assert runs.values[part].tolist() == [10 * t + ref for t in expected]
