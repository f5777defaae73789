"""Selected samples as flat arrays, the form in which the store hands them to its readers."""

from collections.abc import Iterator
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
