"""The real clock and the real source of chance."""

import random
import secrets
import time


class SystemClock:
    """The machine's clocks; fits ``base.clock.Clock``."""

    def now_ms(self) -> int:
        """Wall time, milliseconds since 1970 UTC."""
        return time.time_ns() // 1_000_000

    def now_us(self) -> int:
        """Wall time, microseconds since 1970 UTC."""
        return time.time_ns() // 1000

    def monotonic_ms(self) -> int:
        """Time since boot, suspend included where the system knows it."""
        return time.clock_gettime_ns(_STEADY) // 1_000_000


class SystemRandom:
    """Chance from the operating system; fits ``base.clock.Random``."""

    def __init__(self) -> None:
        self._random = random.SystemRandom()

    def uniform(self, a: float, b: float) -> float:
        """A float in [a, b]."""
        return self._random.uniform(a, b)

    def token_hex(self, nbytes: int) -> str:
        """Unguessable bytes as lower-case hex."""
        return secrets.token_hex(nbytes)


_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
