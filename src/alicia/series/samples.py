"""Samples: one value of one series at one instant."""

import struct
from dataclasses import dataclass
from typing import Final

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
