"""Binary operators: precedence, kind and arithmetic on float64 arrays."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Operator:
    """One binary operator; ``apply`` takes and gives arrays of equal shape.

    A higher ``precedence`` binds tighter. ``compares``: the result is a truth value, which
    filters or, with ``bool``, becomes 0 or 1.
    """

    precedence: int
    apply: Callable[[Floats, Floats], NDArray[Any]]
    compares: bool = False
    right_associative: bool = False


UNARY_PRECEDENCE: Final = 6  # below ``^``: -1^2 is -(1^2)

OPERATORS: Final[Mapping[str, Operator]] = {
    "==": Operator(3, np.equal, compares=True),
    "!=": Operator(3, np.not_equal, compares=True),
    "<": Operator(3, np.less, compares=True),
    "<=": Operator(3, np.less_equal, compares=True),
    ">": Operator(3, np.greater, compares=True),
    ">=": Operator(3, np.greater_equal, compares=True),
    "+": Operator(4, np.add),
    "-": Operator(4, np.subtract),
    "*": Operator(5, np.multiply),
    "/": Operator(5, np.divide),
    "%": Operator(5, np.fmod),  # the sign of the dividend, as in Go
    "^": Operator(6, np.power, right_associative=True),
}
