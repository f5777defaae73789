"""Back-off: how long to wait before the n-th try, as a pure function."""

from alicia.base.clock import Random


def backoff_ms(
    attempt: int, *, first_ms: int, max_ms: int, factor: float = 2.0, random: Random
) -> int:
    """Wait before try ``attempt`` (1 = the first retry): 50-100 % of the exponential value.

    The random half spreads clients that lost the same peer at the same moment.
    """
    assert attempt >= 1, "the first try does not wait"
    exponent = min(attempt - 1, 64)  # beyond this every factor > 1 has reached max_ms
    full = min(float(max_ms), first_ms * factor**exponent)
    return round(full * random.uniform(0.5, 1.0))
