"""Results: values of many series at many instants, in arrays."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alicia.series.labels import LabelSet


@dataclass(frozen=True, slots=True)
class Element:
    """One series of an instant vector.

    ``sample_ms``: time of the newest sample behind the value, at or before the evaluation.
    """

    labels: LabelSet
    value: float
    sample_ms: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """One number per instant. Shapes: ``t_ms`` int64[k], ``values`` float64[k]."""

    t_ms: NDArray[np.int64]
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Series by instants.

    Shapes: ``t_ms`` int64[k]; ``values`` float64, ``present`` bool, ``sample_ms`` int64, each
    [n, k]. Where ``present`` is False the other two mean nothing; a NaN that is present is a
    value. No two rows have the same labels and are present at one instant.
    """

    t_ms: NDArray[np.int64]
    labels: tuple[LabelSet, ...]
    values: NDArray[np.float64]
    present: NDArray[np.bool_]
    sample_ms: NDArray[np.int64]

    def at(self, step: int) -> tuple[Element, ...]:
        """The instant vector of one step, in the order of the rows."""
        return tuple(
            Element(self.labels[row], float(self.values[row, step]), int(self.sample_ms[row, step]))
            for row in np.flatnonzero(self.present[:, step])
        )

    def rows(self) -> Iterator[tuple[LabelSet, NDArray[np.int64], NDArray[np.float64]]]:
        """Every series that is present somewhere, with its instants and values."""
        for row, labels in enumerate(self.labels):
            mask = self.present[row]
            if mask.any():
                yield labels, self.t_ms[mask], self.values[row, mask]


def empty_matrix(t_ms: NDArray[np.int64]) -> Matrix:
    """No series at the given instants."""
    shape = (0, len(t_ms))
    return Matrix(t_ms, (), np.empty(shape), np.empty(shape, np.bool_), np.empty(shape, np.int64))
