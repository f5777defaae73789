"""Samples: one value of one series at one instant."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, overload

from alicia.series.kinds import MetricType
from alicia.series.labels import LabelSet

STALE_BITS: Final = 0x7FF0_0000_0000_0002
STALE: Final[float] = struct.unpack("<d", struct.pack("<Q", STALE_BITS))[0]


@dataclass(frozen=True, slots=True)
class Sample:
    """A value (float64, NaN included) of a series at a time (ms UTC, near and before 1970 too)."""

    labels: LabelSet
    t_ms: int
    value: float


class SampleList(Sequence[Sample]):
    """Samples as three lists of one length; each is made into an object when it is asked for.

    Lists, since a reader of many small bodies fills one sample by sample, and the store turns
    them into arrays as they are.
    """

    __slots__ = ("labels", "t_ms", "values")

    def __init__(self) -> None:
        self.labels: list[LabelSet] = []
        self.t_ms: list[int] = []
        self.values: list[float] = []

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> "SampleList":
        """The samples themselves where they are such a list, else a copy."""
        if isinstance(samples, SampleList):
            return samples
        made = cls()
        made.labels = [sample.labels for sample in samples]
        made.t_ms = [sample.t_ms for sample in samples]
        made.values = [sample.value for sample in samples]
        return made

    def extend(self, other: "SampleList") -> None:
        """Add all samples of another list."""
        self.labels += other.labels
        self.t_ms += other.t_ms
        self.values += other.values

    def __len__(self) -> int:
        return len(self.labels)

    def __iter__(self) -> Iterator[Sample]:
        return map(Sample, self.labels, self.t_ms, self.values)

    @overload
    def __getitem__(self, place: int) -> Sample: ...
    @overload
    def __getitem__(self, place: slice) -> list[Sample]: ...
    def __getitem__(self, place: int | slice) -> Sample | list[Sample]:
        if isinstance(place, slice):
            return list(self)[place]
        return Sample(self.labels[place], self.t_ms[place], self.values[place])


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is known of a metric of one service; the last writer wins."""

    type: MetricType
    unit: str = ""
    help: str = ""


def bits(value: float) -> int:
    """The 64 bits of a float; NaNs differ by them, and staleness markers are told by them."""
    result: int = struct.unpack("<q", struct.pack("<d", value))[0]
    return result


def is_stale(value: float) -> bool:
    """Whether the value is the staleness marker, bit for bit."""
    return bits(value) == STALE_BITS


def same_bits(a: float, b: float) -> bool:
    """Equality of bits: a NaN equals itself, and 0.0 differs from -0.0."""
    return bits(a) == bits(b)
