"""Where tests and the processes they start find compiled kernels; no test judges speed."""

import os

from hypothesis import settings

from alicia.adapters.kernel_cache import cache_of_environment

if "NUMBA_CACHE_DIR" not in os.environ:
    cache_of_environment().mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ["NUMBA_CACHE_DIR"] = str(cache_of_environment())

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
