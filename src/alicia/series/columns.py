"""Selected samples as flat arrays, the form in which the store hands them to its readers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alicia.series.labels import LabelSet


@dataclass(frozen=True, slots=True)
class Columns:
    """Samples of several series in one block.

    Series i has the samples ``offsets[i]`` to ``offsets[i + 1]`` (exclusive), ascending in time.
    Shapes: ``labels`` n, ``offsets`` int64[n + 1], ``t_ms`` int64[m], ``values`` float64[m].
    Readers own their copy; later appends never show in it.
    """

    labels: tuple[LabelSet, ...]
    offsets: NDArray[np.int64]
    t_ms: NDArray[np.int64]
    values: NDArray[np.float64]

    def __iter__(self) -> Iterator[tuple[LabelSet, NDArray[np.int64], NDArray[np.float64]]]:
        for i, labels in enumerate(self.labels):
            lo, hi = int(self.offsets[i]), int(self.offsets[i + 1])
            yield labels, self.t_ms[lo:hi], self.values[lo:hi]


def joined(parts: Sequence[Columns]) -> Columns:
    """The series of several blocks in one, in order; no series is in two of them."""
    ends = np.cumsum([0, *(len(part.t_ms) for part in parts)])
    offsets = [part.offsets[1:] + end for part, end in zip(parts, ends, strict=False)]
    return Columns(
        tuple(labels for part in parts for labels in part.labels),
        np.concatenate([np.zeros(1, np.int64), *offsets]),
        np.concatenate([np.empty(0, np.int64), *(part.t_ms for part in parts)]),
        np.concatenate([np.empty(0, np.float64), *(part.values for part in parts)]),
    )
