"""What writing a sample does: a whole rule in one pure function."""

from enum import StrEnum

from alicia.series.samples import Sample, is_stale, same_bits


class Verdict(StrEnum):
    """The outcome of one sample; all but the first two are reject codes of the API."""

    STORED = "stored"
    REPEAT = "repeat"  # a success: nothing was stored, since it is already there
    DUPLICATE_TIMESTAMP = "duplicate_timestamp"
    TOO_OLD = "too_old"
    TOO_FAR_AHEAD = "too_far_ahead"
    SERIES_LIMIT = "series_limit"
    SERVICE_SERIES_LIMIT = "service_series_limit"

    @property
    def accepted(self) -> bool:
        """Whether the sample is in the store now."""
        return self is Verdict.STORED or self is Verdict.REPEAT


def judge(new: Sample, *, held: float | None, floor_ms: int, ceiling_ms: int) -> Verdict:
    """Decide what appending ``new`` to an existing series would do.

    ``held`` is the value that the series has at the same instant, None where it has none. Times
    from ``floor_ms`` to ``ceiling_ms`` (both inclusive) are taken, in any order. An exact repeat
    is no error, because QoS 1 redelivers; a value replaces a staleness marker.

    Source: metrics.md §2.
    """
    if new.t_ms < floor_ms:
        return Verdict.TOO_OLD
    if new.t_ms > ceiling_ms:
        return Verdict.TOO_FAR_AHEAD
    if held is None:
        return Verdict.STORED
    if same_bits(held, new.value):
        return Verdict.REPEAT
    return Verdict.STORED if is_stale(held) else Verdict.DUPLICATE_TIMESTAMP
