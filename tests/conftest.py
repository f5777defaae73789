"""Where all tests find compiled kernels, and so do the processes they start; no test judges speed."""

import os
import sys

from hypothesis import settings

os.environ.setdefault("NUMBA_CACHE_DIR", f"{sys.prefix}/var/alicia/kernels")

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
