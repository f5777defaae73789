"""Compile all kernels into the environment, where every process of the product finds them."""

import os

from alicia.adapters.kernel_cache import cache_of_environment, made_cache


def main() -> None:
    """Compile what is not there yet for the source as it is."""
    os.environ["NUMBA_CACHE_DIR"] = str(made_cache(cache_of_environment()))
    from alicia.tsdb.warm import warm_kernels

    warm_kernels()


if __name__ == "__main__":
    main()
