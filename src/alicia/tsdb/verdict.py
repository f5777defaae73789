"""What writing a sample does, in the words of the API."""

from enum import StrEnum
from typing import Final

from alicia.tsdb.kernels import head as k


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


# By code of ``kernels.head``; SKIPPED samples have a verdict of their own, for their series.
BY_CODE: Final = {
    k.STORED: Verdict.STORED,
    k.STORED_LATE: Verdict.STORED,
    k.REPLACED: Verdict.STORED,
    k.REPEAT: Verdict.REPEAT,
    k.DUPLICATE: Verdict.DUPLICATE_TIMESTAMP,
    k.TOO_OLD: Verdict.TOO_OLD,
    k.TOO_FAR_AHEAD: Verdict.TOO_FAR_AHEAD,
}
