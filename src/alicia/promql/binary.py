"""Binary operators on scalars and vectors, one to one.

Source: metrics.md §5.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from alicia.promql.errors import EvaluationFailed
from alicia.promql.operators import Operator
from alicia.promql.values import Matrix, Scalar, empty_matrix
from alicia.series.labels import NAME, LabelSet

Value = Matrix | Scalar


def combine(operator: Operator, left: Value, right: Value, *, bool_modifier: bool) -> Value:
    """The value of ``left operator right`` at every instant.

    Raises:
        EvaluationFailed: labels do not pair the series one to one.
    """
    with np.errstate(all="ignore"):  # IEEE 754 answers: 1/0 is Inf, 0/0 is NaN
        if isinstance(left, Scalar) and isinstance(right, Scalar):
            return Scalar(left.t_ms, operator.apply(left.values, right.values).astype(np.float64))
        if isinstance(right, Scalar):
            assert isinstance(left, Matrix)
            result = operator.apply(left.values, np.broadcast_to(right.values, left.values.shape))
            return _shaped(operator, left, result, left.values, bool_modifier)
        if isinstance(left, Scalar):
            result = operator.apply(np.broadcast_to(left.values, right.values.shape), right.values)
            return _shaped(operator, right, result, right.values, bool_modifier)
        return _one_to_one(operator, left, right, bool_modifier)


def merged(matrix: Matrix) -> Matrix:
    """Rows of equal labels become one, as when a name was dropped.

    Raises:
        EvaluationFailed: two of them are present at one instant.
    """
    if len(set(matrix.labels)) == len(matrix.labels):
        return matrix
    first_row: dict[LabelSet, int] = {}
    values, present = matrix.values.copy(), matrix.present.copy()
    sample_ms = matrix.sample_ms.copy()
    for row, labels in enumerate(matrix.labels):
        kept = first_row.setdefault(labels, row)
        if kept == row:
            continue
        if (present[kept] & present[row]).any():
            raise EvaluationFailed(
                f"vector cannot contain metrics with the same labelset: {labels}"
            )
        mask = present[row]
        values[kept, mask], sample_ms[kept, mask] = values[row, mask], sample_ms[row, mask]
        present[kept] |= mask
    rows = list(first_row.values())
    return Matrix(matrix.t_ms, tuple(first_row), values[rows], present[rows], sample_ms[rows])


def _shaped(
    operator: Operator,
    matrix: Matrix,
    result: NDArray[np.float64] | NDArray[np.bool_],
    kept: NDArray[np.float64],
    bool_modifier: bool,
) -> Matrix:
    """A filter keeps name and value; everything else drops the name."""
    if operator.compares and not bool_modifier:
        return replace(matrix, values=kept, present=matrix.present & result.astype(np.bool_))
    labels = tuple(labels.without(NAME) for labels in matrix.labels)
    return merged(replace(matrix, labels=labels, values=result.astype(np.float64)))


def _one_to_one(operator: Operator, left: Matrix, right: Matrix, bool_modifier: bool) -> Matrix:
    pairs = _pairs(left, right)
    if not pairs:
        return empty_matrix(left.t_ms)
    i, j = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    paired = Matrix(
        left.t_ms,
        tuple(left.labels[row] for row in i),
        left.values[i],
        left.present[i] & right.present[j],
        np.minimum(left.sample_ms[i], right.sample_ms[j]),
    )
    _refuse_doubles(paired, "left")
    result = operator.apply(left.values[i], right.values[j])
    return _shaped(operator, paired, result, left.values[i], bool_modifier)


def _pairs(left: Matrix, right: Matrix) -> list[tuple[int, int]]:
    """Row numbers of all series on both sides whose labels without the name are equal."""
    occupied = left.present.any(axis=0)  # a side without series pairs with nothing, in peace
    _refuse_doubles(replace(right, present=right.present & occupied), "right")
    by_signature: dict[LabelSet, list[int]] = {}
    for row, labels in enumerate(right.labels):
        by_signature.setdefault(labels.without(NAME), []).append(row)
    return [
        (row, other)
        for row, labels in enumerate(left.labels)
        for other in by_signature.get(labels.without(NAME), ())
    ]


def _refuse_doubles(matrix: Matrix, side: str) -> None:
    seen: dict[LabelSet, NDArray[np.bool_]] = {}
    for row, labels in enumerate(matrix.labels):
        signature, present = labels.without(NAME), matrix.present[row]
        before = seen.get(signature)
        if before is not None and (before & present).any():
            raise EvaluationFailed(
                f"found duplicate series for the match group {signature} on the {side} hand-side"
                " of the operation; narrow that side by a label"
            )
        seen[signature] = present if before is None else before | present
