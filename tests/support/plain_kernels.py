"""Kernels as ordinary Python, all the way down: what the compiled ones are compared with.

Nothing of a kernel is repeated here: its source runs uncompiled, and what it calls does too. Over
``guarded`` arrays it also shows every access outside of an array, negative places included.
"""

from collections.abc import Callable
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np

_KERNELS = "alicia.tsdb.kernels"


class Guarded(np.ndarray[Any, Any]):
    """An array in which a negative place is an error, as it is for a compiled kernel."""

    def __getitem__(self, key: Any) -> Any:
        _refuse_negative(key)
        return super().__getitem__(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        _refuse_negative(key)
        super().__setitem__(key, value)


def guarded(array: np.ndarray[Any, Any]) -> Guarded:
    """The same memory; plain Python over it raises IndexError instead of reading elsewhere."""
    return array.view(Guarded)


def plain(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel that nobody compiled. Numbers in and out are int64, as they are for a kernel."""
    function = _plain(kernel, {})

    def run(*arguments: Any) -> Any:
        with np.errstate(all="ignore"):  # numbers wrap on purpose
            return function(*map(_as_number, arguments))

    return run


def _refuse_negative(key: Any) -> None:
    for part in key if isinstance(key, tuple) else (key,):
        if isinstance(part, int | np.integer) and part < 0:
            raise IndexError(f"place {part} is before the array")


def _as_number(argument: Any) -> Any:
    return np.int64(argument) if type(argument) is int else argument


def _plain(kernel: Any, made: dict[int, Any]) -> Any:
    source = kernel.py_func
    if id(source) not in made:
        names: dict[str, Any] = {}
        made[id(source)] = FunctionType(source.__code__, names, source.__name__)
        names.update({name: _replaced(each, made) for name, each in source.__globals__.items()})
    return made[id(source)]


def _replaced(value: Any, made: dict[int, Any]) -> Any:
    if hasattr(value, "py_func"):
        return _plain(value, made)
    if isinstance(value, ModuleType) and value.__name__.startswith(_KERNELS):
        return SimpleNamespace(
            **{name: _replaced(each, made) for name, each in vars(value).items()}
        )
    return value
