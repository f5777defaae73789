"""How often a service usually reports its health, and how long it may be silent."""

from statistics import median
from typing import Final

GAPS_KEPT: Final = 20
CADENCE_MS_MIN: Final = 5_000
CADENCE_MS_MAX: Final = 3_600_000
SILENT_CADENCES: Final = 3


def with_gap(gaps: tuple[int, ...], gap_ms: int) -> tuple[int, ...]:
    """The newest GAPS_KEPT gaps, the given one last."""
    return (*gaps, gap_ms)[-GAPS_KEPT:]


def cadence_ms(gaps: tuple[int, ...], *, default_ms: int) -> int:
    """The median gap, within bounds; the default before there is one (bus.md L3)."""
    usual = round(median(gaps)) if gaps else default_ms
    return min(max(usual, CADENCE_MS_MIN), CADENCE_MS_MAX)


def limit_ms(gaps: tuple[int, ...], *, default_ms: int) -> int:
    """A longer silence means that the service is down."""
    return SILENT_CADENCES * cadence_ms(gaps, default_ms=default_ms)
