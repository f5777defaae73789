"""When a failed try is repeated, and whether it is at all.

Source: scheduling.md §6, "Retries".
"""

from typing import Final

from alicia.base.backoff import backoff_ms
from alicia.base.clock import Random
from alicia.scheduling.event import Retry

RETRY_WAIT_MAX_MS: Final = 3_600_000


def retry_at(retry: Retry, *, retries: int, failed_us: int, random: Random) -> int | None:
    """When the next try may start, µs; None when none is left.

    ``retries`` counts the repetitions already made; a sending again after a crash is none.
    """
    if retries >= retry.max_retries:
        return None
    wait_ms = backoff_ms(
        retries + 1,
        first_ms=retry.delay_ms,
        max_ms=RETRY_WAIT_MAX_MS,
        factor=retry.backoff,
        random=random,
    )
    return failed_us + wait_ms * 1000
