"""How kernels are compiled: the two decorators, the only place that names numba.

Neither compiles anything when a module is imported; the first call does, or loads what an
earlier process left in the cache.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def kernel(function: Kernel) -> Kernel:
    """Compile for arrays that our own code filled."""
    return cast("Kernel", njit(nogil=True, cache=True, error_model="numpy")(function))


def checked_kernel(function: Kernel) -> Kernel:
    """Compile with bounds checks, for bytes that come from a disk or a peer."""
    compile_checked = njit(boundscheck=True, nogil=True, cache=True, error_model="numpy")
    return cast("Kernel", compile_checked(function))
