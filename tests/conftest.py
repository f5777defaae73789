"""Where all tests, and the processes that they start, find compiled kernels."""

import os
import sys

os.environ.setdefault("NUMBA_CACHE_DIR", f"{sys.prefix}/var/alicia/kernels")
