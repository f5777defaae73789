"""The six comparisons of a value with a threshold."""

import operator
from collections.abc import Callable, Mapping
from typing import Final

COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
ABOVE: Final = frozenset({">", ">="})
BELOW: Final = frozenset({"<", "<="})


def compare(sign: str, value: float, threshold: float) -> bool:
    """Whether the value stands to the threshold as the sign says; NaN only differs."""
    return COMPARISONS[sign](value, threshold)
